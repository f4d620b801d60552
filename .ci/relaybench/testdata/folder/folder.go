// Package folder is a keychain in a folder, so that relaybench needs none of
// the machine's. Only where $RELAYBENCH_KEYCHAIN names that folder; else it is
// the machine's.
package folder

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mcpauth/mcpauth/keychain"
)

// Open is for cmd.Deps.
func Open(timeout time.Duration) keychain.Store {
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
