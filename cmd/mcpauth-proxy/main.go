// Command mcpauth-proxy is `mcpauth proxy` without the other commands, and
// without the libraries that only those need: AI clients start one for each
// server, and wait for it (docs/decisions/0011).
//
//	mcpauth-proxy [flags] [--] COMMAND [ARG...]
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/proxycmd"
	"github.com/mcpauth/mcpauth/keychain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second ctrl+c ends the program at once
	os.Exit(proxycmd.Main(ctx, os.Args[1:], console.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, console.Deps{
		Keychain:   keychain.OS,
		Env:        os.Getenv,
		Environ:    os.Environ(),
		Executable: os.Executable,
	}))
}
