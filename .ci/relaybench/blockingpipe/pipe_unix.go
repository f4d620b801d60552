//go:build unix

// Package blockingpipe makes pipes whose reads and writes block in the system, outside
// of Go's poller.
package blockingpipe

import (
	"os"
	"syscall"
)

// New makes a pipe. One of os.Pipe would not do, even made to block: it stays
// registered with the poller, and each message then wakes a thread for nothing.
func New() (r, w *os.File, err error) {
	syscall.ForkLock.RLock() // or a child started now would inherit the ends
	defer syscall.ForkLock.RUnlock()
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	for _, end := range ends {
		syscall.CloseOnExec(end)
	}
	return os.NewFile(uintptr(ends[0]), "|0"), os.NewFile(uintptr(ends[1]), "|1"), nil
}
