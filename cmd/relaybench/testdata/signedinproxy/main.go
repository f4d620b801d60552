// Command signedinproxy is mcpauth-proxy itself, all of it, but for its keychain.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mcpauth/mcpauth/cmd"
	"github.com/mcpauth/mcpauth/cmd/relaybench/testdata/folder"
)

func main() {
	stopProfile := folder.Profile(os.Getenv("RELAYBENCH_PROFILE"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	code := cmd.Proxy(ctx, os.Args[1:], cmd.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, cmd.Deps{
		Keychain:   folder.Open,
		Env:        os.Getenv,
		Environ:    os.Environ(),
		Executable: os.Executable,
	})
	stopProfile()
	os.Exit(code)
}
