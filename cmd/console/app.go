// Package console is what every command needs of the terminal and the process: streams,
// output, questions, exit codes, the store and its passphrase.
package console

import (
	"io"
	"os"
	"runtime"
	"time"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/keychain"
)

// Streams are the standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Deps are what the commands need from the machine. Tests give their own.
type Deps struct {
	Keychain func(timeout time.Duration) keychain.Store // the deadline is for each call
	Env      func(string) string
	Environ  []string
	// Executable is this program, which the demo starts as a server.
	Executable func() (string, error)
	// Ask makes what puts questions to the user at a terminal. Nil is the program's
	// own; a nil result means that nobody can be asked.
	Ask func(in io.Reader, out io.Writer) broker.Ask
}

// App is one run of the program.
type App struct {
	Streams
	Deps    Deps
	Profile string // --profile
	Config  string // --config
	JSON    bool   // --json
	// Query makes the lines to print of a JSON object, for --jq; nil without.
	Query    func(object []byte) ([]string, error)
	badQuery error // of the first object that Query could not take
	Events   bool  // as one event a line
	began    bool  // a command runs: its words were understood
	Exit     int   // exit code when there is no error
	Silent   bool  // the terminal is not ours to write on: a full-screen program has it

	typedLines chan string // of the person at the terminal; see ask

	passphraseFD    int             // --passphrase-fd; -1 for none
	passphraseRead  keychain.Secret // and what was read there
	passphraseTaken bool
}

// Broker opens the broker with the keychain's patience for one call.
func (a *App) Broker(patience time.Duration) (*broker.Broker, error) {
	paths, err := a.Paths()
	if err != nil {
		return nil, err
	}
	if err := a.takePassphrase(patience); err != nil {
		return nil, err
	}
	return broker.New(broker.Options{Paths: paths, Store: a.configuredStore(paths, patience), Env: a.Deps.Env, Dir: WorkingDirectory()}), nil
}

// WorkingDirectory is empty where it was deleted: then it is no project.
func WorkingDirectory() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}

func (a *App) Overrides() config.Overrides { return config.Overrides{Profile: a.Profile} }

// BrokerAndProfile opens the broker and puts together the profile that is meant.
func (a *App) BrokerAndProfile() (*broker.Broker, config.Resolved, error) {
	b, err := a.Broker(Patience)
	if err != nil {
		return nil, config.Resolved{}, err
	}
	resolved, err := b.Resolve(a.Overrides())
	return b, resolved, err
}

func (a *App) Paths() (config.Paths, error) {
	home, err := config.Home()
	if err != nil {
		return config.Paths{}, err
	}
	paths := config.DefaultPaths(home, runtime.GOOS)
	switch {
	case a.Config != "":
		paths.ConfigFile = a.Config
	case a.Deps.Env("MCPAUTH_CONFIG") != "":
		paths.ConfigFile = a.Deps.Env("MCPAUTH_CONFIG")
	}
	return paths, nil
}

// Protocol is standard output itself: the AI client's end of `proxy`, which
// says by itself when the client has left.
func (a *App) Protocol() io.Writer {
	if checked, ok := a.Out.(*checkedWriter); ok {
		return checked.w
	}
	return a.Out
}

// How long the keychain may take for one call: a person may have to unlock it
// first, while an AI client gives up on a proxy that is silent.
const (
	Patience      = 60 * time.Second
	PatienceProxy = 3 * time.Second
	// The doctor tells of a keychain that waits for a person.
	PatienceDoctor = 10 * time.Second
)
