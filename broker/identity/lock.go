package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// lockFile is there while mcpauth is locked, for all clients and across
// restarts.
func (a *Accounts) lockFile() string { return filepath.Join(a.stateDir, "locked") }

// Lock cuts every running session on this machine off within a second, and
// lets nobody use a sign-in before Unlock. It is no error when mcpauth is
// locked already.
func (a *Accounts) Lock() error {
	if err := os.MkdirAll(a.stateDir, 0o700); err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	file, err := os.OpenFile(a.lockFile(), os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	return nil
}

// Locked reports whether mcpauth is locked. A state folder that cannot be looked
// into counts as locked.
func (a *Accounts) Locked() bool { return !absent(a.lockFile()) }

// absent reports that there is nothing at path, and that nothing hides it: the
// folder that would hold it can be looked into, or could be made. Windows says
// "not found", too, where a file is in the place of a folder; and so does every
// system for a folder behind a link that leads nowhere.
func absent(path string) bool {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	if err == nil {
		return info.IsDir()
	}
	return folder != path && absent(folder)
}

// LiftLock undoes Lock without asking anybody. It is for Unlock, and for those
// who have left no sign-in to be kept from.
func (a *Accounts) LiftLock() error {
	if err := os.Remove(a.lockFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unlocking: %w", err)
	}
	return nil
}
