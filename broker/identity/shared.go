package identity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// Shared is what all processes that use one sign-in have in common, beside the store
// that it is in: files in the state folder on one machine. Programs on several
// machines that share a store share this, too; see [Options].
type Shared interface {
	// Lock waits until ctx ends. Only its holder may write the sign-in.
	Lock(ctx context.Context) (unlock func(), err error)
	// TryLock is Lock without waiting: ok is false when another has it.
	TryLock() (unlock func(), ok bool, err error)

	// Generation is another one after each Bump, and empty before the first.
	Generation() string
	// Bump has every running session read the sign-in again.
	Bump() error

	// Watch says when Generation or LastUse may be another, until done is closed.
	Watch(done <-chan struct{}) *sharedfile.Watch

	// PausedUntil is when the provider may be asked again, or the zero time: twenty
	// proxies must not each find out by themselves that it is overloaded.
	PausedUntil() time.Time
	// Pause is best effort: without it each process pauses by itself.
	Pause(until time.Time)

	// LastUse is when a call was made last, or the zero time. It is kept where there
	// is an idle limit only.
	LastUse() time.Time
	// Use is best effort: without it each process has an idle limit of its own.
	Use(at time.Time)
}

// renewTimeout bounds one refresh with its lock, requests and writes.
const renewTimeout = 30 * time.Second

// stateFiles are the files of one sign-in in the state folder. None of
// them says anything about its user. They are [Shared], and what the sign-ins of one
// user at one machine have in common.
type stateFiles struct {
	lock       string // see sharedfile.Lock
	generation string // grows by a byte at each change, so that a stat tells of it
	page       string // held by the sign-in that has a page open
	claim      string // its time stamp is when a login of the user wanted the page last
	pause      string // its time stamp is when the provider may be asked again
	code       string // held by the sign-in with a code that asks for the tokens
	used       string // its time stamp is when a call was made last, where there is an idle limit
}

func (f stateFiles) Lock(ctx context.Context) (func(), error) { return sharedfile.Lock(ctx, f.lock) }

func (f stateFiles) TryLock() (func(), bool, error) { return sharedfile.TryLock(f.lock) }

// Watch implements [Shared]. Its follower closes it.
func (f stateFiles) Watch(<-chan struct{}) *sharedfile.Watch {
	return sharedfile.NewWatch(f.generation, f.used)
}

// Generation is what a stat tells of the file.
func (f stateFiles) Generation() string {
	info, err := os.Stat(f.generation)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(info.Size(), 10) + " " + strconv.FormatInt(info.ModTime().UnixNano(), 10)
}

// Bump appends to the file and does not replace it: two changes within one tick of
// the file system's clock then still differ in size.
func (f stateFiles) Bump() error {
	if err := os.MkdirAll(filepath.Dir(f.generation), 0o700); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	file, err := os.OpenFile(f.generation, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = file.Write([]byte{'.'})
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("telling running sessions: %w", err)
	}
	return nil
}

func (f stateFiles) PausedUntil() time.Time { return stampOf(f.pause) }
func (f stateFiles) Pause(until time.Time)  { stamp(f.pause, until) }
func (f stateFiles) LastUse() time.Time     { return stampOf(f.used) }
func (f stateFiles) Use(at time.Time)       { stamp(f.used, at) }

// stampOf is the time stamp of a file, or the zero time without one.
func stampOf(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// stamp makes an empty file whose time stamp is all that it says.
func stamp(path string, at time.Time) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_ = file.Close()
	_ = os.Chtimes(path, at, at)
}
