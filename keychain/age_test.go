package keychain

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const testPassphrase = "CANARY correct horse"

// ageIn is a store of its own on the files of dir, as another process has it.
func ageIn(dir, passphrase string) *ageStore {
	return &ageStore{dir: dir, workFactor: 10, ask: func(context.Context, bool) (Secret, error) {
		return NewSecret(passphrase), nil
	}}
}

func TestAgeConforms(t *testing.T) { conforms(t, ageIn(t.TempDir(), testPassphrase), "") }

func TestAgeIsSharedAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	set(t, ageIn(dir, testPassphrase), "session/one", "CANARY-one")
	other := ageIn(dir, testPassphrase)
	wantValue(t, other, "session/one", "CANARY-one")
	set(t, other, "session/two", "CANARY-two")
	wantValue(t, other, "session/one", "CANARY-one")

	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil || strings.Contains(string(data), "CANARY") || strings.Contains(string(data), "session") {
			t.Errorf("%s can be read (%v)", file.Name(), err)
		}
		if info, _ := file.Info(); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file.Name(), info.Mode())
		}
	}
}

func TestAgeAsksOnceAndOnlyWhereNeeded(t *testing.T) {
	var asked, created atomic.Int32
	s := ageIn(t.TempDir(), testPassphrase)
	s.ask = func(_ context.Context, create bool) (Secret, error) {
		asked.Add(1)
		if create {
			created.Add(1)
		}
		return NewSecret(testPassphrase), nil
	}
	wantAbsent(t, s, "a")
	if err := s.Delete(t.Context(), "a"); err != nil || asked.Load() != 0 {
		t.Errorf("%v; asked %d times about nothing", err, asked.Load())
	}
	set(t, s, "a", "1")
	set(t, s, "b", "2")
	wantValue(t, s, "a", "1")
	if asked.Load() != 1 || created.Load() != 1 {
		t.Errorf("asked %d times, of it %d for a new one", asked.Load(), created.Load())
	}
}

func TestAgeWithoutTheRightPassphrase(t *testing.T) {
	dir := t.TempDir()
	set(t, ageIn(dir, testPassphrase), "a", "CANARY-1")
	nobody := ageIn(dir, "")
	nobody.ask = func(context.Context, bool) (Secret, error) { return Secret{}, errors.New("nobody is there to ask") }
	for name, s := range map[string]*ageStore{"wrong": ageIn(dir, "CANARY wrong"), "empty": ageIn(dir, ""), "nobody": nobody} {
		_, err := s.Get(t.Context(), "a")
		if !isKind(err, Sealed) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: get: %v", name, err)
		}
		if err := s.Set(t.Context(), "a", NewSecret("2")); !isKind(err, Sealed) {
			t.Errorf("%s: set: %v", name, err)
		}
		if err := s.Delete(t.Context(), "a"); !isKind(err, Sealed) {
			t.Errorf("%s: delete: %v", name, err)
		}
	}
	wantValue(t, ageIn(dir, testPassphrase), "a", "CANARY-1")
}

func TestAgeRefusesAShortNewPassphrase(t *testing.T) {
	dir := t.TempDir()
	if err := ageIn(dir, "elevenchars").Set(t.Context(), "a", NewSecret("1")); !isKind(err, Sealed) {
		t.Errorf("got %v", err)
	}
	set(t, ageIn(dir, "twelve chars"), "a", "1")
}

// Damage is never taken for absence, which would read as "signed out".
func TestAgeFilesThatAreDamaged(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"cut":         func(dir string) error { return os.Truncate(filepath.Join(dir, ageSecrets), 200) },
		"empty":       func(dir string) error { return os.Truncate(filepath.Join(dir, ageSecrets), 0) },
		"no identity": func(dir string) error { return os.Remove(filepath.Join(dir, ageIdentity)) },
		"of another": func(dir string) error {
			other := ageIn(filepath.Join(dir, "other"), testPassphrase)
			if err := other.Set(context.Background(), "a", NewSecret("2")); err != nil {
				return err
			}
			return os.Rename(filepath.Join(dir, "other", ageSecrets), filepath.Join(dir, ageSecrets))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := ageIn(dir, testPassphrase)
			if err := s.Set(t.Context(), "a", NewSecret("1")); err != nil {
				t.Fatal(err)
			}
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := ageIn(dir, testPassphrase).Get(t.Context(), "a"); !isKind(err, Corrupt) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A process that has the key must not write with it where all was begun anew.
func TestAgeFilesThatWereReplaced(t *testing.T) {
	dir := t.TempDir()
	old := ageIn(dir, testPassphrase)
	set(t, old, "a", "1")
	for _, name := range []string{ageIdentity, ageSecrets} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	set(t, old, "a", "2")
	wantValue(t, ageIn(dir, testPassphrase), "a", "2")
}

// What a crash leaves: a half file beside the whole one, and a key without
// secrets.
func TestAgeAfterACrash(t *testing.T) {
	dir := t.TempDir()
	set(t, ageIn(dir, testPassphrase), "a", "1")
	half := filepath.Join(dir, ageSecrets+".new-1")
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := errors.Join(os.WriteFile(half, []byte("age-encryption.org/v1\n-> X25"), 0o600), os.Chtimes(half, yesterday, yesterday)); err != nil {
		t.Fatal(err)
	}
	wantValue(t, ageIn(dir, testPassphrase), "a", "1")
	set(t, ageIn(dir, testPassphrase), "a", "2")
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half file is still there: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, ageSecrets)); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, ageIn(dir, testPassphrase), "a")
	set(t, ageIn(dir, testPassphrase), "a", "3")
	wantValue(t, ageIn(dir, testPassphrase), "a", "3")
}

// What can go wrong with the passphrase goes wrong before there is a secret.
func TestAgeIsPrepared(t *testing.T) {
	dir := t.TempDir()
	prepare := func(passphrase string) error { return ageIn(dir, passphrase).Prepare(t.Context()) }
	wantSealed := func(err error) {
		t.Helper()
		var failure *Error
		if !errors.As(err, &failure) || failure.Kind != Sealed {
			t.Error(err)
		}
	}
	wantSealed(prepare("short"))
	if err := prepare(testPassphrase); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, ageIn(dir, testPassphrase), "a")
	set(t, ageIn(dir, testPassphrase), "a", "1")
	wantSealed(prepare("another passphrase"))
	if err := prepare(testPassphrase); err != nil {
		t.Fatal(err)
	}
	wantValue(t, ageIn(dir, testPassphrase), "a", "1")
}

// A link in place of the file must not make us read, or write to, another.
func TestAgeFollowsNoPlantedLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // links need a privilege there
	}
	dir, elsewhere := t.TempDir(), t.TempDir()
	victim := ageIn(elsewhere, testPassphrase)
	set(t, victim, "a", "1")
	s := ageIn(dir, testPassphrase)
	set(t, s, "b", "2")
	if err := errors.Join(os.Remove(filepath.Join(dir, ageSecrets)),
		os.Symlink(filepath.Join(elsewhere, ageSecrets), filepath.Join(dir, ageSecrets))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "a"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("a link was read: %v", err)
	}
	wantValue(t, victim, "a", "1")
}
