package console

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChosenBrowser(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // programs have other names there
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for _, name := range []string{"firefox", "open it", "node"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	spaced := filepath.Join(dir, "open it")
	for value, want := range map[string][]string{
		"":                             nil,
		" ":                            nil,
		"firefox":                      {"firefox"},
		"firefox --new-tab %s":         {"firefox", "--new-tab", "%s"},
		spaced:                         {spaced},
		"chromium:firefox -P x:node":   {"firefox", "-P", "x"},
		"node a.mjs http://[::1]:1/%s": {"node", "a.mjs", "http://[::1]:1/%s"},
		"gone --flag":                  {"gone", "--flag"},
	} {
		if diff := cmp.Diff(want, chosenBrowser(value)); diff != "" {
			t.Errorf("%q: %s", value, diff)
		}
	}
}
