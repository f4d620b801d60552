//go:build unix

package backend

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A folder with a good program, and things that only look like one.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, file := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"good":       {"#!/bin/sh\necho good $0\n", 0o755},
		"plain":      {"#!/bin/sh\necho plain\n", 0o644},
		"noline":     {"print('hello')\n", 0o755},
		"badline":    {"#!/no/such/python\n", 0o755},
		"elsewhere/": {},
	} {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(file.text), file.mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCommandThatCannotStart(t *testing.T) {
	dir := programs(t)
	t.Setenv("PATH", dir) // ours does not count
	path := []string{"PATH=" + dir + ":/usr/bin:/bin"}
	tests := []struct {
		name string
		c    Command
		kind Kind
		text string
	}{
		{"nothing", Command{}, NotFound, "no command given"},
		{"empty name", Command{Argv: []string{""}}, NotFound, "no command given"},
		{"not in PATH", Command{Argv: []string{"nope"}, Env: path}, NotFound, "start nope: not found in PATH (" + dir},
		{"no PATH", Command{Argv: []string{"good"}}, NotFound, "has no PATH"},
		{"our PATH", Command{Argv: []string{"good"}, Env: []string{"PATH=/usr/bin"}}, NotFound, "not found in PATH"},
		{"last PATH counts", Command{Argv: []string{"good"}, Env: append(path, "PATH=/usr/bin")}, NotFound, "not found in PATH (/usr/bin)"},
		{"planted in the working directory", Command{Argv: []string{"good"}, Dir: dir, Env: []string{"PATH=:.:"}}, NotFound, "write ./good"},
		{"no such file", Command{Argv: []string{"./nope"}, Dir: dir}, NotFound, "no such file: " + dir + "/nope"},
		{"file as a directory", Command{Argv: []string{dir + "/good/x"}}, NotFound, "no such file"},
		{"not executable", Command{Argv: []string{"./plain"}, Dir: dir}, NotExecutable, "plain is not executable"},
		{"not executable in PATH", Command{Argv: []string{"plain"}, Env: path}, NotExecutable, "plain is not executable"},
		{"directory", Command{Argv: []string{"./elsewhere"}, Dir: dir}, NotExecutable, "is a directory"},
		{"no #! line", Command{Argv: []string{"noline"}, Env: path}, NotExecutable, "#! line"},
		{"missing interpreter", Command{Argv: []string{"badline"}, Env: path}, NotExecutable, "interpreter"},
		{"missing directory", Command{Argv: []string{"good"}, Env: path, Dir: dir + "/none"}, BadDir, "working directory"},
		{"file as working directory", Command{Argv: []string{"good"}, Env: path, Dir: dir + "/good"}, BadDir, "is not a directory"},
		{"NUL in an argument", Command{Argv: []string{"good", "a\x00b"}, Env: path}, Other, "invalid argument"},
		{"hostile name", Command{Argv: []string{"\x1b[2Jx y"}, Env: path}, NotFound, `start "\x1b[2Jx y": `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Start(tt.c)
			if err == nil {
				p.Close()
				t.Fatal("it started")
			}
			var e *StartError
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			if e.Kind != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("kind %d, %q; want kind %d, %q", e.Kind, err, tt.kind, tt.text)
			}
		})
	}
}

func TestCommandIsFound(t *testing.T) {
	dir := programs(t)
	t.Chdir(filepath.Dir(dir))
	base := filepath.Base(dir)
	for name, c := range map[string]Command{
		"in the child's PATH":    {Argv: []string{"good"}, Env: []string{"PATH=/nope:" + dir}},
		"after a refused one":    {Argv: []string{"good"}, Env: []string{"PATH=" + dir + "/plain:" + dir}},
		"relative to Dir":        {Argv: []string{"./good"}, Dir: dir},
		"relative to a near Dir": {Argv: []string{"./good"}, Dir: base},
		"relative to ours":       {Argv: []string{"./" + base + "/good"}},
		"absolute":               {Argv: []string{dir + "/good"}, Dir: "/"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Start(c)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Close)
			if got := readAll(t, p.Out()); !strings.HasPrefix(got, "good ") {
				t.Errorf("output %q", got)
			}
		})
	}
}

func TestEnviron(t *testing.T) {
	base := []string{
		"HOME=/h", "PATH=/bin", "MCPAUTH_PASSPHRASE=x", "mcpauth_store=y", "MCPAUTH_=z", "OKTA_CLIENT_SECRET=s",
		"OKTA_CLIENT_ID=id", "MCPAUTHOR=me", "GITHUB_TOKEN=theirs", "EMPTY=", "odd", "=C:=C:\\x", "A=old",
	}
	got := Environ(base, []string{"A=new", "MCPAUTH_PROFILE=asked", "B=1"})
	want := []string{
		"HOME=/h", "PATH=/bin", "OKTA_CLIENT_SECRET=s", "OKTA_CLIENT_ID=id", "MCPAUTHOR=me", "GITHUB_TOKEN=theirs", "EMPTY=", "odd",
		"=C:=C:\\x", "A=new", "MCPAUTH_PROFILE=asked", "B=1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
