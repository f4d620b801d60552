//go:build unix && !linux

package backend

import (
	"os"
	"syscall"
)

// newPipe holds the fork lock, so that no child is born between pipe and fcntl.
func newPipe() (fds [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(fds[:]); err != nil {
		return fds, os.NewSyscallError("pipe", err)
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return fds, nil
}

// canPoke: a pipe's read end cannot be written to.
func canPoke(int) bool { return false }

func poke(int) {}

// enlarge does nothing: these pipes grow by themselves.
func enlarge(int) {}
