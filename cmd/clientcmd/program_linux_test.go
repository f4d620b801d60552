package clientcmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/cmd/console"
)

// A package manager's link stays when the version changes; and the lean program
// is taken when it stands beside.
func TestProgramForClients(t *testing.T) {
	dir := t.TempDir()
	versioned := filepath.Join(dir, "Cellar", "1.2.3", "mcpauth")
	link := filepath.Join(dir, "bin", "mcpauth")
	for _, path := range []string{versioned, link} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func(path string, mode os.FileMode) {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(versioned, 0o700)
	if err := os.Symlink(versioned, link); err != nil {
		t.Fatal(err)
	}
	a := &console.App{Deps: console.Deps{
		Env:        func(name string) string { return map[string]string{"PATH": "relative:" + filepath.Dir(link)}[name] },
		Executable: func() (string, error) { return versioned, nil },
	}}
	check := func(want string) {
		t.Helper()
		if got, err := programForClients(a); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	check(link)
	lean := filepath.Join(filepath.Dir(link), "mcpauth-proxy")
	write(lean, 0o600)
	check(link)
	if err := os.Chmod(lean, 0o700); err != nil {
		t.Fatal(err)
	}
	check(lean)
	a.Deps.Executable = func() (string, error) { return "/tmp/go-build123/b001/exe/mcpauth", nil }
	if _, err := programForClients(a); err == nil || !strings.Contains(err.Error(), "go run") {
		t.Errorf("%v", err)
	}
}
