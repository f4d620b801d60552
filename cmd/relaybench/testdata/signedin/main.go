// Command signedin is mcpauth itself, all of it, but for one thing: its
// keychain is a folder, so that relaybench needs none of the machine's. Only
// where $RELAYBENCH_KEYCHAIN names that folder; else it is mcpauth.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mcpauth/mcpauth/cmd"
	"github.com/mcpauth/mcpauth/cmd/demo"
	"github.com/mcpauth/mcpauth/keychain"
)

func main() {
	stopProfile := profile(os.Getenv("RELAYBENCH_PROFILE"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	code := cmd.Main(ctx, os.Args[1:], cmd.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, cmd.Deps{
		Keychain:   open,
		Env:        os.Getenv,
		Environ:    os.Environ(),
		Executable: os.Executable,
		Demo:       &cmd.Demo{Serve: demo.Serve, Connect: demo.Connect},
	})
	stopProfile()
	os.Exit(code)
}

func open(timeout time.Duration) keychain.Store {
	if dir := os.Getenv("RELAYBENCH_KEYCHAIN"); dir != "" {
		return folder(dir)
	}
	return keychain.OS(timeout)
}

// folder keeps the tokens of a demo provider, which are worth nothing.
type folder string

func (f folder) path(key string) string {
	return filepath.Join(string(f), hex.EncodeToString([]byte(key)))
}

func (f folder) Get(_ context.Context, key string) (keychain.Secret, error) {
	text, err := os.ReadFile(f.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return keychain.Secret{}, keychain.ErrNotFound
	}
	return keychain.NewSecret(string(text)), err
}

func (f folder) Set(_ context.Context, key string, secret keychain.Secret) error {
	return os.WriteFile(f.path(key), []byte(secret.Reveal()), 0o600)
}

func (f folder) Delete(_ context.Context, key string) error {
	if err := os.Remove(f.path(key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (f folder) Name() string { return "a folder of relaybench" }
