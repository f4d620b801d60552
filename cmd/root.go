// Package cmd is the command line of mcpauth. It is the only package that
// prints, exits or knows a terminal.
//
// The rules of its words: facts go to standard output, talk to standard error;
// with --json, standard output holds one object with "schema": 1. Messages begin
// in lower case and end without a period. An error says what happened, why, and
// on a line of its own what to type next.
package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/keychain"
)

// Streams are the standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Deps are what the commands need from the machine, and the parts that a program
// may do without: each command whose part is nil is not there. Tests give their own.
type Deps struct {
	Keychain func(timeout time.Duration) keychain.Store // the deadline is for each call
	Env      func(string) string
	Environ  []string
	// Executable is this program, which the demo starts as a server.
	Executable func() (string, error)

	Demo    *Demo    // for `mcpauth demo`
	Explore *Explore // for `mcpauth tools`, `resources`, `prompts` and `server`
	TUI     *TUI     // for `mcpauth tui`; nil in a program that has none
	// Ask makes what puts questions to the person at a terminal; it is nil, and its
	// result too, where nobody can be asked.
	Ask func(in io.Reader, out io.Writer) broker.Ask
	// Man writes the manual pages; nil in a program that has none.
	Man ManWriter
}

// How long the keychain may take for one call: a person may have to unlock it
// first, while an AI client gives up on a proxy that is silent.
const (
	keychainPatience      = 60 * time.Second
	keychainPatienceProxy = 3 * time.Second
	// The doctor tells of a keychain that waits for a person.
	keychainPatienceDoctor = 10 * time.Second
)

// Main runs one command line and returns the exit code.
func Main(ctx context.Context, args []string, streams Streams, deps Deps) int {
	return run(ctx, args, streams, deps, newRoot)
}

// Proxy is Main for a program that has only `mcpauth proxy`, whose flags and arguments
// args are. What only other commands need is not even linked into it. The entries of
// AI clients say the word proxy, too, so that they fit both programs.
func Proxy(ctx context.Context, args []string, streams Streams, deps Deps) int {
	if len(args) > 0 && args[0] == proxyName {
		args = args[1:]
	}
	return run(ctx, append([]string{proxyName}, args...), streams, deps, newProxyRoot)
}

func run(ctx context.Context, args []string, streams Streams, deps Deps, newRoot func(*app) *cobra.Command) int {
	closeMemory()
	app := &app{Streams: streams, deps: deps}
	output := &checkedWriter{w: streams.Out}
	app.Out = output
	root := newRoot(app)
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(app.Out)
	root.SetErr(streams.Err)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil && app.exit == broker.ExitOK && output.err != nil {
		err = &broker.Problem{Msg: "the output cannot be written: " + output.err.Error(), Code: broker.ExitError, Err: output.err}
		app.json = false
	}
	if ctx.Err() != nil && err != nil && app.exit == 0 {
		err = &broker.Problem{Msg: "stopped", Code: broker.ExitInterrupted, Err: err}
	}
	if err == nil {
		return app.exit
	}
	problem := broker.AsProblem(err)
	if !app.began { // cobra's own words about commands and arguments
		problem = misused(ran, err)
	}
	app.complain(problem)
	return problem.Code
}

// checkedWriter remembers that something could not be written: a script that
// reads half an answer must not take it for the whole.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

// app is one run of the program.
type app struct {
	Streams
	deps    Deps
	profile string // --profile
	config  string // --config
	json    bool   // --json
	began   bool   // a command runs: its words were understood
	exit    int    // exit code when there is no error
	silent  bool   // the terminal is not ours to write on: a full-screen program has it

	typedLines chan string // of the person at the terminal; see ask

	passphraseFD    int             // --passphrase-fd; -1 for none
	passphraseRead  keychain.Secret // and what was read there
	passphraseTaken bool
}

// newProxyRoot has the one command.
func newProxyRoot(a *app) *cobra.Command {
	root := newBareRoot(a)
	proxy := newProxy(a)
	a.versionFlag(proxy)
	root.AddCommand(proxy)
	root.CompletionOptions.DisableDefaultCmd = true
	return root
}

// newBareRoot is the root without its commands.
func newBareRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "mcpauth",
		Short: "Give MCP servers a user they can trust",
		Long: "mcpauth signs you in once and puts your verified identity into every call\n" +
			"that an AI client makes to an MCP server.",
		Example: "  mcpauth demo                            see it work, without any set-up\n" +
			"  mcpauth login --issuer URL --client-id ID\n" +
			"  mcpauth proxy -- python3 main.py        the command for your AI client",
		SilenceErrors:    true,
		SilenceUsage:     true,
		PersistentPreRun: func(*cobra.Command, []string) { a.began = true },
		RunE:             func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if c.Name() == proxyName {
			a.json = false // standard output is the protocol
		}
		return &broker.Problem{Msg: err.Error(), Hints: []string{c.CommandPath() + " --help"}, Code: broker.ExitUsage}
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&a.profile, "profile", "p", "", "profile to use (default: the current one)")
	flags.StringVar(&a.config, "config", "", "configuration file")
	flags.BoolVar(&a.json, "json", false, "print one JSON object")
	flags.IntVar(&a.passphraseFD, "passphrase-fd", -1, "descriptor to read the age file's passphrase from, where that is the store")
	return root
}

func newRoot(a *app) *cobra.Command {
	root := newBareRoot(a)
	a.versionFlag(root)
	root.AddCommand(
		newLogin(a), newLogout(a), newLock(a), newUnlock(a), newStatus(a), newProfile(a), newProxy(a), newClient(a), newToken(a), newStore(a),
		newPolicy(a), newWhy(a), newAudit(a), newStats(a), newTools(a), newVersion(a), newDoctor(a), newInit(a),
	)
	if a.deps.Explore != nil {
		root.AddCommand(newResources(a), newPrompts(a), newServer(a))
	}
	if a.deps.Demo != nil {
		root.AddCommand(newDemo(a))
	}
	if a.deps.TUI != nil {
		root.AddCommand(newTUI(a))
	}
	if a.deps.Man != nil {
		root.AddCommand(newMan(a))
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.RunE == nil && c.Run == nil { // cobra's own: it would print its help for a shell that it does not know, and end well
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
		if c.Name() == "help" {
			c.RunE = helpOn
		}
	}
	a.completeWords(root)
	return root
}

// broker opens the broker with the keychain's patience for one call.
func (a *app) broker(patience time.Duration) (*broker.Broker, error) {
	paths, err := a.paths()
	if err != nil {
		return nil, err
	}
	if err := a.takePassphrase(patience); err != nil {
		return nil, err
	}
	return broker.New(broker.Options{Paths: paths, Store: a.configuredStore(paths, patience), Env: a.deps.Env, Dir: workingDirectory()}), nil
}

// workingDirectory is empty where it was deleted: then it has no binding.
func workingDirectory() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}

// brokerAndProfile opens the broker and puts together the profile that is meant.
func (a *app) brokerAndProfile() (*broker.Broker, broker.Resolved, error) {
	b, err := a.broker(keychainPatience)
	if err != nil {
		return nil, broker.Resolved{}, err
	}
	resolved, err := b.Resolve(a.overrides())
	return b, resolved, err
}

func (a *app) paths() (broker.Paths, error) {
	home, err := broker.Home()
	if err != nil {
		return broker.Paths{}, err
	}
	paths := broker.DefaultPaths(home, runtime.GOOS)
	switch {
	case a.config != "":
		paths.ConfigFile = a.config
	case a.deps.Env("MCPAUTH_CONFIG") != "":
		paths.ConfigFile = a.deps.Env("MCPAUTH_CONFIG")
	}
	return paths, nil
}

// complain tells of a problem: on standard error for people, and with --json
// on standard output, too, where a script looks.
func (a *app) complain(p *broker.Problem) {
	if a.json {
		members := map[string]any{"message": p.Msg, "hints": hints(p), "exit_code": p.Code}
		if code := broker.FindingOf(p.Err); code != "" {
			members["code"] = code
		}
		a.printJSON(map[string]any{"error": members})
	}
	fmt.Fprintln(a.Err, "mcpauth: "+printable(p.Msg))
	for _, hint := range p.Hints {
		fmt.Fprintln(a.Err, "  "+printable(hint))
	}
}

func hints(p *broker.Problem) []string {
	if p.Hints == nil {
		return []string{}
	}
	return p.Hints
}

// say talks to the person, on standard error.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.Err, format+"\n", args...)
}

// fact prints to standard output.
func (a *app) fact(format string, args ...any) {
	fmt.Fprintf(a.Out, format+"\n", args...)
}

func usage(msg string, hints ...string) *broker.Problem {
	return &broker.Problem{Msg: msg, Hints: hints, Code: broker.ExitUsage}
}

// protocol is standard output itself: the AI client's end of `proxy`, which
// tells by itself when the client is gone.
func (a *app) protocol() io.Writer {
	if checked, ok := a.Out.(*checkedWriter); ok {
		return checked.w
	}
	return a.Out
}
