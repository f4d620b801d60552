// Package tui is the full-screen face of mcpauth: who is signed in, what the
// server offers, and what all proxies of this machine do.
//
// There is one tea.Model, [model]. Screens are plain structs: they take messages
// and return an action, which the model carries out. Nothing that may take time
// happens in an update: a screen returns a [job], which runs on its own and comes
// back as a message. Texts from outside are cleaned before a screen stores them.
package tui

import (
	"context"
	"errors"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// Options are what the TUI needs from outside. Home is required.
type Options struct {
	Home Home
	// Open starts the MCP server behind the gate and connects to it. on takes what
	// happens without being asked for, and may be called by any goroutine. nil
	// where there is no server to explore.
	Open func(ctx context.Context, o broker.Overrides, on func(broker.ExplorerEvent)) (Server, error)
	// Overrides are what the flags say: profile, command, folder.
	Overrides  broker.Overrides
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

// Run shows the TUI until the person leaves it or ctx ends. In and Out must be
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
