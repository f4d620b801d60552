//go:build unix

package audit

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// today is the path of the file that Open is about to open.
func today(t *testing.T, dir string) string {
	t.Helper()
	elsewhere := open(t, t.TempDir())
	return filepath.Join(dir, filepath.Base(elsewhere.segment.path))
}

func TestPlantedFileIsRefused(t *testing.T) {
	attacks := map[string]func(victim, path string) error{
		"symlink":          os.Symlink,
		"hard link":        os.Link,
		"directory":        func(_, path string) error { return os.Mkdir(path, 0o700) },
		"fifo":             func(_, path string) error { return syscall.Mkfifo(path, 0o600) },
		"dangling symlink": func(victim, path string) error { return os.Symlink(victim+".new", path) },
	}
	for name, plant := range attacks {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			dir, victim := filepath.Join(base, "audit"), filepath.Join(base, "victim")
			if err := os.WriteFile(victim, []byte("precious\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := plant(victim, today(t, dir)); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir)
			var e *Error
			if !errors.As(err, &e) || (name != "directory" && !errors.Is(err, ErrUnsafe)) {
				t.Errorf("Open = %v", err)
			}
			if b, _ := os.ReadFile(victim); string(b) != "precious\n" {
				t.Errorf("the victim holds %q", b)
			}
			if _, err := os.Lstat(victim + ".new"); err == nil {
				t.Error("a file was made through the link")
			}
		})
	}
}

// The same while the log is open: the next record must not go through the link.
func TestFileReplacedByALinkIsRefused(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	l := open(t, dir)
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := l.segment.path
	os.Remove(path)
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	l.segment.looked = time.Time{} // a while ago
	if err := l.Append(Record{}); !errors.Is(err, ErrUnsafe) {
		t.Errorf("Append = %v", err)
	}
	if b, _ := os.ReadFile(victim); len(b) != 0 {
		t.Errorf("the victim holds %q", b)
	}
	os.Remove(path)
	if err := l.Append(Record{}); err != nil {
		t.Errorf("after the link is gone: %v", err)
	}
}

func TestFolderOfOthersIsRefused(t *testing.T) {
	base := t.TempDir()
	real := filepath.Join(base, "real")
	if err := os.Mkdir(real, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(base, "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{link, link + "/"} {
		if _, err := Open(dir); !errors.Is(err, ErrUnsafe) {
			t.Errorf("Open(%s) = %v", dir, err)
		}
	}
	if _, err := Open(file); err == nil {
		t.Error("a file is no folder")
	}
	for _, mode := range []os.FileMode{0o777, 0o770, 0o702} {
		os.Chmod(real, mode)
		if _, err := Open(real); !errors.Is(err, ErrUnsafe) {
			t.Errorf("mode %o: Open = %v", mode, err)
		}
	}
	if entries, _ := os.ReadDir(real); len(entries) != 0 {
		t.Errorf("it holds %v", entries)
	}
}

func TestForeignOwnerIsRefused(t *testing.T) {
	if os.Geteuid() != 0 { // who cannot give anything away
		if _, err := Open("/usr"); !errors.Is(err, ErrUnsafe) {
			t.Errorf("foreign folder: %v", err)
		}
		return
	}
	dir := t.TempDir()
	path := open(t, dir).segment.path
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrUnsafe) {
		t.Errorf("foreign file: %v", err)
	}
	if err := os.Chown(dir, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrUnsafe) {
		t.Errorf("foreign folder: %v", err)
	}
}

func TestModesAreTight(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "state", "audit")
	path := open(t, dir).segment.path
	os.Chmod(dir, 0o755)
	os.Chmod(path, 0o644)
	open(t, dir)
	for path, want := range map[string]os.FileMode{filepath.Dir(dir): 0o700, dir: 0o700, path: 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

func TestFileThatWasMovedAwayIsMadeAnew(t *testing.T) {
	for name, move := range map[string]func(path string) error{
		"removed":        os.Remove,
		"rotated":        func(path string) error { return os.Rename(path, path+".1") },
		"folder removed": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "audit")
			l := open(t, dir)
			if err := l.Append(Record{ID: "1"}); err != nil {
				t.Fatal(err)
			}
			if err := move(l.segment.path); err != nil {
				t.Fatal(err)
			}
			l.segment.looked = time.Time{} // a while ago
			if err := l.Append(Record{ID: "2"}); err != nil {
				t.Fatal(err)
			}
			if r := readAll(t, dir); len(r) != 1 || r[0].ID != "2" {
				t.Errorf("%+v", r)
			}
		})
	}
}
