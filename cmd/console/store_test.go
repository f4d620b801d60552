package console

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/keychain"
)

// A running proxy follows the configuration, and a file that somebody is editing
// does not throw it out of the store that it has.
func TestConfiguredStoreFollowsTheFile(t *testing.T) {
	dir := t.TempDir()
	paths := config.Paths{ConfigFile: filepath.Join(dir, "config.toml"), StateDir: filepath.Join(dir, "state")}
	memory := keychain.Memory()
	a := &App{passphraseFD: -1, Deps: Deps{Keychain: func(time.Duration) keychain.Store { return memory }}}
	s := a.configuredStore(paths, PatienceProxy)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(paths.ConfigFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(name string) {
		t.Helper()
		if s.Name() != name {
			t.Errorf("the store is %s, want %s", s.Name(), name)
		}
	}
	age := "age file " + filepath.Join(paths.StateDir, "secrets", "secrets.age")
	want(memory.Name())
	write("store = 'age'\n")
	want(age)
	write("store = 'age\n") // half typed
	want(age)
	write("store = 'keychain'\n# typed\n")
	want(memory.Name())
	if err := s.Set(t.Context(), "a", keychain.NewSecret("1")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(paths.ConfigFile); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(context.Background(), "a"); err != nil {
		t.Error(err)
	}
	write("store = 3\n")
	if _, err := a.configuredStore(paths, Patience).Get(t.Context(), "a"); err == nil || errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("an unreadable configuration reads as the default store: %v", err)
	}
}
