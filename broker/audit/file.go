package audit

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrUnsafe is the cause of an [Error] when the folder or file could be written,
// or was planted, by another user: a link, a foreign owner, a folder that others
// may write to.
var ErrUnsafe = errors.New("not safe to write to")

// Error is a failure to record. Nothing was written, or at most half a line, which
// is taken away before the next.
type Error struct {
	Op   string // "open" or "append"
	Path string
	Err  error // [ErrUnsafe], syscall.ENOSPC…
}

func (e *Error) Error() string { return fmt.Sprintf("audit: %s %s: %v", e.Op, e.Path, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// waitLock takes the lock of a file whose holders soon let go.
func waitLock(file *os.File) error {
	const patience, pause = 2 * time.Second, 2 * time.Millisecond
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		if held, err := tryLock(file); held || err != nil {
			return err
		}
		if time.Now().After(end) {
			return errors.New("another program holds its lock and does not let go")
		}
	}
}

// cause drops the path and operation that an error of package os repeats.
func cause(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
