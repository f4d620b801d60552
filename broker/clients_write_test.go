package broker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mcpauth/mcpauth/keychain"
)

// cursorHome is a home with Cursor in it; it returns the file of its servers.
func cursorHome(t *testing.T) (*Broker, string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	file := filepath.Join(home, ".cursor", "mcp.json")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	return New(Options{
		Paths: Paths{StateDir: t.TempDir(), ConfigFile: filepath.Join(home, "config.toml")},
		Store: keychain.Memory(),
		Env:   func(name string) string { return map[string]string{"PATH": os.Getenv("PATH")}[name] },
	}), file
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
	entry := ClientEntry{Name: "orders", Scope: ClientScopeUser, Program: "/opt/mcpauth", Command: []string{program}}
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
	back := map[string]func(*Broker) (ClientChange, error){
		"remove": func(b *Broker) (ClientChange, error) { return b.PlanClientRemove("cursor", "", "orders") },
		"undo":   func(b *Broker) (ClientChange, error) { return b.PlanClientUndo("cursor") },
	}
	for kind, prepare := range files {
		for op, plan := range back {
			t.Run(kind+"/"+op, func(t *testing.T) {
				b, file := cursorHome(t)
				target := prepare(t, file)
				change, err := b.PlanClientAdd("cursor", entry)
				applied(t, b, change, err)
				change, err = plan(b)
				applied(t, b, change, err)
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
				if data := readFile(t, target); data != "" {
					t.Errorf("it holds %q", data)
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
	b, file := cursorHome(t)
	change, err := b.PlanClientAdd("cursor", ClientEntry{Name: "orders", Scope: ClientScopeUser, Program: "/opt/mcpauth", Command: []string{program}})
	applied(t, b, change, err)
	target := filepath.Join(t.TempDir(), "dotfile")
	if err := os.Rename(file, target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, file); err != nil {
		t.Fatal(err)
	}
	change, err = b.PlanClientRemove("cursor", "", "orders")
	applied(t, b, change, err)
	if _, err := os.Lstat(file); err != nil {
		t.Errorf("the link is gone: %v", err)
	}
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the target is there: %v", err)
	}
}

func applied(t *testing.T, b *Broker, change ClientChange, err error) {
	t.Helper()
	if err == nil {
		err = b.ApplyClient(t.Context(), change)
	}
	if err != nil {
		t.Fatal(err)
	}
}
