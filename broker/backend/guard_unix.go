//go:build unix

package backend

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// guardScript is all that the guard does: it learns from the pipe on its descriptor 3
// which groups there are, until that has no writer left, that is until we are gone,
// and kills those that are left. With its first line it says that no signal ends it
// any more. docs/decisions/0002-guard-is-a-shell.md has the reasons.
//
// It is a constant: nothing is ever put into it.
const guardScript = `trap "" HUP INT QUIT TERM
echo
groups=
while read -r what group; do
	case $what in
	+) groups="$groups $group" ;;
	-) left=
	   for g in $groups; do [ "$g" = "$group" ] || left="$left $g"; done
	   groups=$left ;;
	esac
done <&3
for g in $groups; do kill -s KILL -- "-$g" "$g"; done`

// A guard is one process for all children of this program. It is there as long as
// one of them is.
type guard struct {
	shell string

	mu       sync.Mutex
	users    int
	process  *exec.Cmd // nil without users
	lifeline *os.File  // the kernel closes it with us
	ready    *os.File  // says when no signal ends it any more
}

// theGuard is the guard of this program.
var theGuard = &guard{shell: "/bin/sh"}

// hire starts the guard where there is none; dismiss is to follow in any case, but
// after an error.
func (g *guard) hire() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users == 0 {
		if err := g.start(); err != nil {
			return err
		}
	}
	g.users++
	return nil
}

func (g *guard) start() error {
	listener, lifeline, err := blockingPipe()
	if err != nil {
		return err
	}
	defer listener.Close()
	ready, says, err := blockingPipe()
	if err != nil {
		lifeline.Close()
		return err
	}
	defer says.Close()
	process := &exec.Cmd{
		Path: g.shell, Args: []string{"sh", "-c", guardScript, "mcpauth-guard"},
		Dir: "/", Env: []string{}, Stdout: says, ExtraFiles: []*os.File{listener},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := process.Start(); err != nil {
		lifeline.Close()
		ready.Close()
		return err
	}
	g.process, g.lifeline, g.ready = process, lifeline, ready
	return nil
}

// blockingPipe is a pipe that stays out of Go's poller, see [end].
func blockingPipe() (r, w *os.File, err error) {
	fds, err := newPipe()
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "|"), os.NewFile(uintptr(fds[1]), "|"), nil
}

// guardPatience bounds the wait for a shell.
const guardPatience = 2 * time.Second

// watch names a group that is to die with us, and waits until it will. An error means
// that the guard was killed.
func (g *guard) watch(group int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := fmt.Fprintln(g.lifeline, "+", group); err != nil {
		return err
	}
	if g.ready == nil {
		return nil
	}
	defer func() { g.ready.Close(); g.ready = nil }()
	at := []unix.PollFd{{Fd: int32(g.ready.Fd()), Events: unix.POLLIN}}
	for end := time.Now().Add(guardPatience); ; {
		n, err := unix.Poll(at, int(time.Until(end).Milliseconds()))
		switch {
		case err == unix.EINTR && time.Now().Before(end):
		case n == 1 && at[0].Revents&unix.POLLIN != 0:
			return nil
		default:
			return errors.New("/bin/sh does not answer")
		}
	}
}

// forget tells that a group is no more. It must still be ours: its number may not
// have been given to another.
func (g *guard) forget(group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = fmt.Fprintln(g.lifeline, "-", group)
}

// dismiss ends the guard with its last user.
func (g *guard) dismiss() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users--; g.users > 0 {
		return
	}
	_ = g.process.Process.Kill()
	_ = g.process.Wait()
	g.lifeline.Close()
	if g.ready != nil {
		g.ready.Close()
		g.ready = nil
	}
}
