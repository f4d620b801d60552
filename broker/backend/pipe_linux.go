package backend

import (
	"os"

	"golang.org/x/sys/unix"
)

func newPipe() (fds [2]int, err error) {
	err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
	return fds, os.NewSyscallError("pipe2", err)
}

// enlarge asks for more than the usual 64 KiB, which is worth a factor of 1.4 to
// 1.9 on messages from 1 MB up. The kernel may refuse; then it stays as it is.
func enlarge(fd int) {
	for _, size := range []int{1 << 20, 256 << 10} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, size); err == nil {
			return
		}
	}
}
