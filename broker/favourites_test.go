package broker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Favourites are kept for a server, and for no other; they are nothing but names.
func TestFavourites(t *testing.T) {
	dir := t.TempDir()
	b := New(Options{Paths: Paths{ConfigFile: filepath.Join(dir, "none"), StateDir: dir}, Env: func(string) string { return "" }})
	one, other := Overrides{Command: []string{"one"}}, Overrides{Command: []string{"other"}}
	expect := func(o Overrides, want ...string) {
		t.Helper()
		if got, err := b.Favourites(o); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v instead of %v", got, err, want)
		}
	}
	expect(one)
	if err := b.SetFavourites(one, []string{"search", "find"}); err != nil {
		t.Fatal(err)
	}
	expect(one, "search", "find")
	expect(other)
	if err := b.SetFavourites(one, nil); err != nil {
		t.Fatal(err)
	}
	expect(one)
	if err := b.SetFavourites(one, []string{strings.Repeat("x", maxFavourites)}); err == nil {
		t.Error("too much is kept")
	}

	files, _ := filepath.Glob(filepath.Join(dir, "favourites", "*.json"))
	if len(files) != 1 {
		t.Fatalf("the files are %v", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(one)
}
