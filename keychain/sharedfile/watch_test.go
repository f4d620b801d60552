package sharedfile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// soon fails the test unless the watch speaks within a second, which is less than it
// takes to look by itself.
func soon(t *testing.T, w *Watch) {
	t.Helper()
	select {
	case <-w.c:
	case <-time.After(time.Second):
		t.Fatal("nothing was heard")
	}
}

// quiet takes what may have been heard already.
func quiet(w *Watch) {
	for {
		select {
		case <-w.c:
		case <-time.After(50 * time.Millisecond):
			return
		}
	}
}

func TestWatchHearsOfAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "file") // no folder is there yet
	w := NewWatch(path)
	defer w.Close()
	steps := []struct {
		name   string
		change func() error
	}{
		{"the folder is made", func() error { return os.MkdirAll(filepath.Dir(path), 0o700) }},
		{"the file is made", func() error { return os.WriteFile(path, []byte("1"), 0o600) }},
		{"it is replaced", func() error { return Replace(path, []byte("2")) }},
		{"it is written to", func() error { return os.WriteFile(path, []byte("3"), 0o600) }},
		{"it is removed", func() error { return os.Remove(path) }},
		{"the folder is removed", func() error { return os.RemoveAll(filepath.Join(dir, "a")) }},
		{"the folder is made again", func() error { return os.MkdirAll(filepath.Dir(path), 0o700) }},
		{"the file is made again", func() error { return Replace(path, []byte("4")) }},
	}
	for _, step := range steps {
		quiet(w)
		if err := step.change(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		t.Log(step.name)
		soon(t, w)
	}
}

// A file in a folder of others, such as the audit log, costs nothing to those who
// watch another.
func TestWatchDoesNotHearOfOthers(t *testing.T) {
	dir := t.TempDir()
	w := NewWatch(filepath.Join(dir, "mine"))
	defer w.Close()
	quiet(w)
	for range 10 {
		if err := os.WriteFile(filepath.Join(dir, "other"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-w.c:
		t.Error("another file was heard of")
	case <-time.After(200 * time.Millisecond):
	}
}

// A configuration file is often a link into a folder of others.
func TestWatchFollowsALink(t *testing.T) {
	there, dir := t.TempDir(), t.TempDir()
	target, link := filepath.Join(there, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Logf("no links: %v", err) // Windows wants a privilege for them
		return
	}
	w := NewWatch(link)
	defer w.Close()
	quiet(w)
	if err := Replace(target, []byte("x")); err != nil {
		t.Fatal(err)
	}
	soon(t, w)
}

// A folder that nobody asks for any more is let go: Windows removes no watched folder.
func TestWatchLetsGoOfAFolder(t *testing.T) {
	kept, left := t.TempDir(), t.TempDir()
	other := NewWatch(filepath.Join(kept, "a"))
	defer other.Close()
	NewWatch(filepath.Join(left, "a")).Close()
	theWatcher.mu.Lock()
	defer theWatcher.mu.Unlock()
	if list := theWatcher.system.WatchList(); slices.Contains(list, left) || !slices.Contains(list, kept) {
		t.Errorf("watched are %q, want %q and not %q", list, kept, left)
	}
}
