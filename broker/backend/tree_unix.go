//go:build unix

package backend

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// guardScript is all that the guard does: it waits until the pipe on its
// descriptor 3 has no writer left, that is until we are gone, and kills the group
// that it leads, itself included. The line with the child's id is for a child that
// made a group of its own. docs/decisions/0002-guard-is-a-shell.md has the reasons.
//
// It is a constant: nothing is ever put into it.
const guardScript = `trap "" HUP INT QUIT TERM
read -r child <&3
read -r end <&3
[ -n "$child" ] && kill -s KILL -- "-$child" "$child"
kill -s KILL -- "-$$"`

// A tree is the child, the guard and all that the child starts: one process group,
// led by the guard. As long as the guard is not waited for, nobody else can get
// the group's number, so a signal to it never hits a stranger.
type tree struct {
	mu       sync.Mutex
	group    int       // 0 before the child is started if there is no guard
	guard    *exec.Cmd // nil without a /bin/sh
	lifeline *os.File  // the pipe that the guard listens to; the kernel closes it with us
	noGuard  error
	child    *os.Process
	over     bool
}

// newTree starts the guard. It does so before there is a child, and the child is
// born into the guard's group: there is no moment at which our death would leave
// a child behind.
func newTree() (*tree, error) { return newTreeWith("/bin/sh") }

func newTreeWith(shell string) (*tree, error) {
	fds, err := newPipe()
	if err != nil {
		return nil, err
	}
	listener := os.NewFile(uintptr(fds[0]), "|")
	defer listener.Close()
	t := &tree{lifeline: os.NewFile(uintptr(fds[1]), "|")}
	guard := &exec.Cmd{
		Path: shell, Args: []string{"sh", "-c", guardScript, "mcpauth-guard"},
		Dir: "/", Env: []string{}, ExtraFiles: []*os.File{listener},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := guard.Start(); err != nil {
		t.lifeline.Close()
		t.noGuard = err
		return t, nil
	}
	t.guard, t.group = guard, guard.Process.Pid
	return t, nil
}

// weakness is a line for the child's stderr if there is no guard (a container
// without a shell): better a server that may outlive a SIGKILL than none.
func (t *tree) weakness() string {
	if t.noGuard == nil {
		return ""
	}
	return fmt.Sprintf("mcpauth: no guard process (%v): the server may outlive mcpauth if that is killed\n", t.noGuard)
}

func (t *tree) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: t.group}
	if err := cmd.Start(); err != nil {
		return err
	}
	t.child = cmd.Process
	if t.guard == nil {
		t.group = cmd.Process.Pid
		return nil
	}
	// An error means that the guard is dead already; all but its job still works.
	fmt.Fprintln(t.lifeline, t.child.Pid)
	return nil
}

// terminate asks every process of the tree to end.
func (t *tree) terminate() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return true
	}
	unix.Kill(-t.group, unix.SIGTERM)
	// A child that left the group is asked by itself; one that did not must not
	// get the signal twice, many programs take the second as "at once".
	switch group, err := unix.Getpgid(t.child.Pid); {
	case err != nil || group == t.group:
	case group == t.child.Pid:
		unix.Kill(-group, unix.SIGTERM)
	default:
		t.child.Signal(unix.SIGTERM)
	}
	return true
}

// kill ends every process of the tree.
func (t *tree) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.killLocked()
	}
}

func (t *tree) killLocked() {
	if t.child != nil {
		t.child.Kill()
		unix.Kill(-t.child.Pid, unix.SIGKILL)
	}
	if t.group != 0 {
		unix.Kill(-t.group, unix.SIGKILL)
	}
}

// destroy kills what is left and lets go of the group.
func (t *tree) destroy() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	t.over = true
	t.killLocked()
	if t.guard != nil {
		t.guard.Process.Kill()
		t.guard.Wait()
	}
	t.lifeline.Close()
}

func exitOf(err error, state *os.ProcessState) Exit {
	if state == nil {
		return Exit{Code: -1, Err: err}
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return Exit{Code: 128 + int(status.Signal()), Signal: status.Signal()}
	}
	return Exit{Code: state.ExitCode()}
}
