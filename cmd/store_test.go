package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/keychain"
)

// expandCommand is "expand FROM TO": a copy in which $NAME is the value of the
// script's variable.
func expandCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: expand FROM TO")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// ageIdentityCommand is "age-identity PASSPHRASE_FILE": puts the key of an age
// store in place that the passphrase opens without the second of work which
// mcpauth puts into one of its own, for scripts that open it often.
func ageIdentityCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: age-identity PASSPHRASE_FILE")
	}
	recipient, err := age.NewScryptRecipient(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	recipient.SetWorkFactor(1)
	key, err := age.GenerateX25519Identity()
	ts.Check(err)
	dir := filepath.Join(ts.Getenv("STATE"), "secrets")
	ts.Check(os.MkdirAll(dir, 0o700))
	file, err := os.OpenFile(filepath.Join(dir, "identity.age"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	ts.Check(err)
	sealed, err := age.Encrypt(file, recipient)
	ts.Check(err)
	_, err = fmt.Fprintln(sealed, key)
	ts.Check(errors.Join(err, sealed.Close(), file.Close()))
}

// A running proxy follows the configuration, and a file that somebody is editing
// does not throw it out of the store that it has.
func TestConfiguredStoreFollowsTheFile(t *testing.T) {
	dir := t.TempDir()
	paths := broker.Paths{ConfigFile: filepath.Join(dir, "config.toml"), StateDir: filepath.Join(dir, "state")}
	memory := keychain.Memory()
	a := &app{passphraseFD: -1, deps: Deps{Keychain: func(time.Duration) keychain.Store { return memory }}}
	s := a.configuredStore(paths, keychainPatienceProxy)
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
	if _, err := a.configuredStore(paths, keychainPatience).Get(t.Context(), "a"); err == nil || errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("an unreadable configuration reads as the default store: %v", err)
	}
}
