package backend

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// withoutTerminal makes the child the leader of a group that has no terminal. The
// kernel kills the child when the thread that started it ends, which covers the
// moment before the guard knows of it.
//
// A session of its own is only for where there is a terminal to leave: the kernel
// schedules sessions against each other (sched_autogroup), which costs each message
// two switches between them, 15 µs a call.
func withoutTerminal() *syscall.SysProcAttr {
	if hasTerminal() {
		return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	}
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// hasTerminal reports whether our children would inherit a terminal, or may.
func hasTerminal() bool {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err != unix.ENXIO
}

// awaitEnd waits until the child has ended, and leaves it to be waited for: until
// then its number, which is also its group's, is not given to another process.
func awaitEnd(cmd *exec.Cmd) {
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}
