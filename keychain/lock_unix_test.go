//go:build unix

package keychain

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

func TestLockDoesNotFollowAPlantedLink(t *testing.T) {
	folder := t.TempDir()
	path, victim := filepath.Join(folder, "p.lock"), filepath.Join(folder, "victim")
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	if _, err := sharedfile.Lock(t.Context(), path); err == nil {
		t.Error("a link was taken for the lock")
	}
	if _, err := os.Lstat(victim); err == nil {
		t.Error("a file was made where the link points")
	}
}

func TestLockDoesNotHangOnAPlantedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.lock")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if unlock, ok, _ := sharedfile.TryLock(path); ok {
		unlock()
	}
}
