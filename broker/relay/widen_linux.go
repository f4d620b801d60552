package relay

import (
	"os"

	"golang.org/x/sys/unix"
)

// widen asks for a larger buffer where a stream is a pipe: 64 KiB, the usual
// size, costs messages from 1 MB up a third of their speed. The kernel may
// refuse, to a user with many pipes; then it stays as it is.
func widen(stream any) {
	file, ok := stream.(*os.File)
	if !ok {
		return
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		for _, size := range []int{1 << 20, 256 << 10} {
			now, err := unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0)
			if err != nil || now >= size {
				return
			}
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, size)
		}
	})
}
