//go:build unix

package backend

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A polledEnd waits in Go's poller and takes no thread, for a program with many children.
// It keeps the pipe's usual size: many large ones would soon reach the user's limit.
type polledEnd struct{ file *os.File }

func newPolledEnd(fd int) (end, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return polledEnd{os.NewFile(uintptr(fd), "|")}, nil
}

func (e polledEnd) Read(b []byte) (int, error) {
	n, err := e.file.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded): // released: what is there is still read
		n, err = e.readNow(b)
	case errors.Is(err, os.ErrClosed):
		err = io.EOF
	}
	return n, err
}

func (e polledEnd) readNow(b []byte) (n int, err error) {
	err = io.EOF
	raw, closed := e.file.SyscallConn()
	if closed != nil {
		return 0, err
	}
	_ = raw.Control(func(fd uintptr) {
		if n, _ = unix.Read(int(fd), b); n > 0 {
			err = nil
		}
	})
	return max(n, 0), err
}

func (e polledEnd) Write(b []byte) (int, error) {
	n, err := e.file.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = os.ErrClosed
	}
	return n, err
}

func (e polledEnd) release() { _ = e.file.SetDeadline(time.Unix(1, 0)) }

func (e polledEnd) Close() error { return e.file.Close() }
