// Command mcpauth gives MCP servers a user they can trust.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/cmd"
	"github.com/mcpauth/mcpauth/cmd/demo"
	"github.com/mcpauth/mcpauth/cmd/explorer"
	"github.com/mcpauth/mcpauth/cmd/manpages"
	"github.com/mcpauth/mcpauth/keychain"
	"github.com/mcpauth/mcpauth/tui"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second ctrl+c ends the program at once
	os.Exit(cmd.Main(ctx, os.Args[1:], cmd.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, cmd.Deps{
		Keychain:   keychain.OS,
		Env:        os.Getenv,
		Environ:    os.Environ(),
		Executable: os.Executable,
		Demo:       &cmd.Demo{Serve: demo.Serve, Connect: demo.Connect},
		Explore:    &cmd.Explore{Open: explore, Validate: explorer.Validate},
		Man:        manpages.Write,
		TUI:        &cmd.TUI{Tabs: tui.TabNames(), Run: runTUI},
		Ask:        tui.Asker,
	}))
}

func explore(ctx context.Context, b *broker.Broker, o broker.ExploreOptions, on func(broker.ExplorerEvent)) (cmd.Explorer, error) {
	return explorer.Open(ctx, b, o, on)
}
