package gate

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Lists that no proxy has seen for long do not pile up; all else in the folder stays.
func TestUnusedListsAreRemoved(t *testing.T) {
	state := t.TempDir()
	l := openLists(Place{StateDir: state, Profile: "orders", Command: []string{"x"}})
	folder := filepath.Dir(l.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, age := range map[string]time.Duration{
		"gone-1.json": listsKept + time.Hour, "rare-2.json": listsKept - time.Hour, "notes.txt": 2 * listsKept,
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	l.keep(listPage{of: newListPages(), method: "tools/list", first: true, response: []byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`)})
	for name, stays := range map[string]bool{"gone-1.json": false, "rare-2.json": true, "notes.txt": true, filepath.Base(l.path): true} {
		if _, err := os.Stat(filepath.Join(folder, name)); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
}
