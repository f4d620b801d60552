package clients

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mcpauth/mcpauth/broker/edit"
)

// cursorHome is a home with Cursor in it; it returns the file of its servers.
func cursorHome(t *testing.T) (*Manager, string) {
	t.Helper()
	home := t.TempDir()
	file := filepath.Join(home, ".cursor", "mcp.json")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Manager{
		Home:     func() (string, error) { return home, nil },
		Getenv:   func(name string) string { return map[string]string{"PATH": os.Getenv("PATH")}[name] },
		StateDir: t.TempDir(),
	}, file
}

func writeEmpty(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A file that was there and empty is there and empty after remove and after undo;
// one that was not there goes again.
func TestClientEmptyFile(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	entry := Entry{Name: "orders", Scope: ScopeUser, Program: "/opt/mcpauth", Command: []string{program}}
	files := map[string]func(t *testing.T, file string) (target string){
		"missing": func(*testing.T, string) string { return "" },
		"empty":   func(t *testing.T, file string) string { writeEmpty(t, file); return file },
	}
	if runtime.GOOS != "windows" { // where a link needs a right of its own
		files["link to empty"] = func(t *testing.T, file string) string {
			target := filepath.Join(t.TempDir(), "dotfile")
			writeEmpty(t, target)
			if err := os.Symlink(target, file); err != nil {
				t.Fatal(err)
			}
			return target
		}
	}
	back := map[string]func(*Manager) (Change, error){
		"remove": func(m *Manager) (Change, error) { return m.PlanRemove("cursor", "", "orders") },
		"undo":   func(m *Manager) (Change, error) { return m.PlanUndo("cursor") },
	}
	for kind, prepare := range files {
		for op, plan := range back {
			t.Run(kind+"/"+op, func(t *testing.T) {
				m, file := cursorHome(t)
				target := prepare(t, file)
				change, err := m.PlanAdd("cursor", entry)
				applied(t, m, change, err)
				change, err = plan(m)
				applied(t, m, change, err)
				info, err := os.Lstat(file)
				if target == "" {
					if !errors.Is(err, fs.ErrNotExist) {
						t.Fatalf("the file is there: %v", err)
					}
					return
				}
				if err != nil || info.Mode()&fs.ModeSymlink != 0 != (target != file) {
					t.Fatalf("%v, %v", info, err)
				}
				if data, err := os.ReadFile(target); err != nil || len(data) > 0 {
					t.Errorf("it holds %q, %v", data, err)
				}
			})
		}
	}
}

// A file that mcpauth made and the user has moved and linked since goes; the link stays.
func TestClientMadeFileIsLinkedSince(t *testing.T) {
	if runtime.GOOS == "windows" { // where a link needs a right of its own
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m, file := cursorHome(t)
	change, err := m.PlanAdd("cursor", Entry{Name: "orders", Scope: ScopeUser, Program: "/opt/mcpauth", Command: []string{program}})
	applied(t, m, change, err)
	target := filepath.Join(t.TempDir(), "dotfile")
	if err := os.Rename(file, target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, file); err != nil {
		t.Fatal(err)
	}
	change, err = m.PlanRemove("cursor", "", "orders")
	applied(t, m, change, err)
	if _, err := os.Lstat(file); err != nil {
		t.Errorf("the link is gone: %v", err)
	}
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the target is there: %v", err)
	}
}

// The last change of each client can be undone, once, and none before it. Earlier
// versions kept more.
func TestUndoIsOneChangeOfAClient(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m, file := cursorHome(t)
	old := `{"schema":1,"changes":[{"client":"cursor","op":"add"},{"client":"zed","op":"add"},{"client":"cursor","op":"wrap"}]}`
	if err := os.WriteFile(filepath.Join(m.StateDir, "clients.json"), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if kept, err := m.readRecords(); err != nil || len(kept) != 2 || kept[0].Op != "wrap" {
		t.Errorf("of an earlier version: %v, %v", kept, err)
	}
	for _, name := range []string{"orders", "stock"} {
		change, err := m.PlanAdd("cursor", Entry{Name: name, Scope: ScopeUser, Program: "/opt/mcpauth", Command: []string{program}})
		applied(t, m, change, err)
	}
	change, err := m.PlanUndo("cursor")
	applied(t, m, change, err)
	if _, err := m.PlanUndo("cursor"); err == nil {
		t.Error("a second change is undone")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if servers := edit.At(mustParse(t, edit.JSONC, data), mcpServers); servers["orders"] == nil || servers["stock"] != nil {
		t.Errorf("it has %v", servers)
	}
	change, err = m.PlanRemove("cursor", "", "orders") // from before the last change
	applied(t, m, change, err)
}

func applied(t *testing.T, m *Manager, change Change, err error) {
	t.Helper()
	if err == nil {
		err = m.Apply(t.Context(), change)
	}
	if err != nil {
		t.Fatal(err)
	}
}
