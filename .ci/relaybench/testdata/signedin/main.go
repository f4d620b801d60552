// Command signedin is mcpauth itself, all of it, but for its keychain.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcpauth/mcpauth/.ci/relaybench/testdata/folder"
	"github.com/mcpauth/mcpauth/cmd"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func main() {
	stopProfile := folder.Profile(os.Getenv("RELAYBENCH_PROFILE"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	code := cmd.Main(ctx, os.Args[1:], console.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, console.Deps{
		Keychain:   folder.Open,
		Env:        os.Getenv,
		Environ:    os.Environ(),
		Executable: os.Executable,
	})
	stopProfile()
	os.Exit(code)
}
