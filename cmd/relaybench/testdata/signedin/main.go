// Command signedin is mcpauth itself, all of it, but for its keychain.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcpauth/mcpauth/cmd"
	"github.com/mcpauth/mcpauth/cmd/demo"
	"github.com/mcpauth/mcpauth/cmd/explorer"
	"github.com/mcpauth/mcpauth/cmd/manpages"
	"github.com/mcpauth/mcpauth/cmd/relaybench/testdata/folder"
	"github.com/mcpauth/mcpauth/tui"
)

func main() {
	stopProfile := folder.Profile(os.Getenv("RELAYBENCH_PROFILE"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	code := cmd.Main(ctx, os.Args[1:], cmd.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, cmd.Deps{
		Keychain:   folder.Open,
		Env:        os.Getenv,
		Environ:    os.Environ(),
		Executable: os.Executable,
		// As in cmd/mcpauth, for what they cost at the start; none of them is called.
		Demo:    &cmd.Demo{Serve: demo.Serve, Connect: demo.Connect},
		Explore: &cmd.Explore{Validate: explorer.Validate},
		Man:     manpages.Write,
		TUI:     &cmd.TUI{Tabs: tui.TabNames()},
		Ask:     tui.Asker,
	})
	stopProfile()
	os.Exit(code)
}
