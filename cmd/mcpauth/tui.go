package main

import (
	"context"
	"io"
	"os/exec"

	"github.com/atotto/clipboard"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/cmd"
	"github.com/mcpauth/mcpauth/cmd/explorer"
	"github.com/mcpauth/mcpauth/tui"
)

// runTUI hands the broker, the explorer and this machine to the TUI.
func runTUI(ctx context.Context, b *broker.Broker, o cmd.TUIOptions) error {
	options := tui.Options{
		Home: b, Overrides: o.Overrides, Tab: o.Tab, ReadOnly: o.ReadOnly, Browser: o.Browser, Version: broker.Version(), Executable: o.Executable,
		Copy: clipboard.WriteAll, In: o.In, Out: o.Out, Environ: o.Environ,
		Open: func(ctx context.Context, overrides broker.Overrides, on func(broker.ExplorerEvent)) (tui.Server, error) {
			server, err := explorer.Open(ctx, b, broker.ExploreOptions{
				Overrides: overrides, Environ: o.Environ, Face: "mcpauth tui", Attended: true, ReadOnly: o.ReadOnly,
			}, on)
			if err != nil {
				return nil, err
			}
			return server, nil
		},
	}
	if len(o.Editor) > 0 {
		options.Editor = func(file string) tui.Command {
			return &editor{exec.Command(o.Editor[0], append(o.Editor[1:], file)...)}
		}
	}
	return tui.Run(ctx, options)
}

// editor is a command whose streams are given by methods.
type editor struct{ *exec.Cmd }

func (e *editor) SetStdin(r io.Reader)  { e.Stdin = r }
func (e *editor) SetStdout(w io.Writer) { e.Stdout = w }
func (e *editor) SetStderr(w io.Writer) { e.Stderr = w }
