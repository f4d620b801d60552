// Package sharedfile has files that several processes of this machine use at a time:
// locks, files that are replaced while others read them, and news of their changes.
package sharedfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const lockPoll = 20 * time.Millisecond

// Lock takes the lock at path, which all processes and goroutines of this
// machine share, and waits for it until ctx ends; the error names the lock
// then. The system frees it when its holder dies.
//
// The file is a lock and nothing else, never the data: Windows would keep
// readers out of it, and a replaced file would be a second lock. It is made
// with mode 0600, its folder with 0700, and it stays: removing it would
// let two in. unlock may be called more than once.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := newFlock(path)
	if err != nil {
		return nil, err
	}
	if _, err := file.TryLockContext(ctx, lockPoll); err != nil {
		return nil, fmt.Errorf("waiting for the lock %s: %w", path, err)
	}
	return func() { _ = file.Unlock() }, nil
}

// TryLock is Lock without waiting: ok is false, without an error, when
// another program holds it.
func TryLock(path string) (unlock func(), ok bool, err error) {
	file, err := newFlock(path)
	if err != nil {
		return nil, false, err
	}
	ok, err = file.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("taking the lock %s: %w", path, err)
	}
	if !ok {
		return nil, false, nil
	}
	return func() { _ = file.Unlock() }, true, nil
}

// newFlock makes a new Flock for each taker: one that is held says yes to every
// goroutine that asks it again.
func newFlock(path string) (*flock.Flock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("mcpauth cannot write to %s: %w", path, err)
	}
	return flock.New(path, flock.SetPermissions(0o600), flock.SetFlag(lockFlags)), nil
}
