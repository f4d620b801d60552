// Package tui is the full-screen interface of mcpauth: who is signed in, what the
// server offers, and what all proxies of this machine do.
//
// There is one tea.Model, [model]. Screens are plain structs in packages of their own:
// they take messages and return an action, which the model carries out. Nothing that may take time
// happens in an update: a screen returns a [job], which runs on its own and comes
// back as a message. Texts from outside are cleaned before a screen stores them.
package tui

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/tui/account"
	"github.com/mcpauth/mcpauth/tui/screen"
)

// Options are what the TUI needs from outside. Home is required.
type Options struct {
	Home Home
	// Open starts the MCP server behind the gate and connects to it. on takes what
	// happens without being asked for, and may be called by any goroutine. nil
	// where there is no server to explore.
	Open func(ctx context.Context, o config.Overrides, on func(mcpclient.Event)) (Server, error)
	// Clients looks at the AI clients of this machine.
	Clients func() ([]clients.State, error)
	// Overrides are what the flags say: profile, command, folder.
	Overrides  config.Overrides
	Tab        string // name of the tab to begin with; empty means the first
	ReadOnly   bool   // only tools that claim to be read-only can be called
	Version    string // of mcpauth
	Executable string // path of this program, for the doctor; empty when it is not known

	Browser func(ctx context.Context, address string) error // opens a page; nil means that links are only shown
	Copy    func(text string) error                         // the clipboard of this machine; nil means the terminal's alone
	Editor  func(file string) Command                       // $EDITOR on a file; nil means that there is none

	In      io.Reader
	Out     io.Writer
	Environ []string         // as os.Environ
	Now     func() time.Time // nil means time.Now
}

// env looks up a variable of Options.Environ.
func (o Options) env(name string) string {
	for _, pair := range slices.Backward(o.Environ) {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// Server is the server that is explored.
type Server = screen.Server

// Home is what the TUI asks the broker for.
type Home interface {
	account.Broker
	Resolve(config.Overrides) (config.Resolved, error)
	Watch(context.Context, config.Resolved) <-chan broker.SignInStatus
	Audit() audit.Folder
}

// Command is a program that takes over the terminal for a while, as os/exec and
// Bubble Tea know it.
type Command interface {
	Run() error
	SetStdin(io.Reader)
	SetStdout(io.Writer)
	SetStderr(io.Writer)
}

// TabNames are the names that Options.Tab may have.
func TabNames() []string { return []string{"status", "tools", "resources", "prompts", "activity"} }

// Run shows the TUI until the user leaves it or ctx ends. In and Out must be
// a terminal.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newModel(ctx, o)
	defer m.close()
	program := tea.NewProgram(m,
		tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Environ),
		tea.WithoutSignalHandler(), tea.WithFilter(new(wheel).filter))
	_, err := program.Run()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
