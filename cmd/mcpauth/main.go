// Command mcpauth gives MCP servers a user they can trust.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcpauth/mcpauth/cmd"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/keychain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second ctrl+c ends the program at once
	os.Exit(cmd.Main(ctx, os.Args[1:], console.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, console.Deps{
		Keychain:   keychain.OS,
		Env:        os.Getenv,
		Environ:    os.Environ(),
		Executable: os.Executable,
	}))
}
