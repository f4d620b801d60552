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

// A tree is the child and all that the child starts: one process group, led by the
// child, without a terminal. The guard stands beside it in a session of its own. As long as the child is not waited for, nobody else
// can get the group's number, so a signal to it never hits a stranger.
type tree struct {
	mu      sync.Mutex
	guard   *guard // nil without a /bin/sh
	noGuard error
	child   *os.Process
	over    bool
}

// newTree finds the guard. It does so before there is a child, so that the guard
// can be told of the child the moment that it is there.
func newTree() (*tree, error) { return newTreeWith(theGuard), nil }

func newTreeWith(g *guard) *tree {
	if err := g.hire(); err != nil {
		return &tree{noGuard: err}
	}
	return &tree{guard: g}
}

// weakness is a line for the child's stderr if there is no guard (a container
// without a shell): better a server that may outlive a SIGKILL than none.
func (t *tree) weakness() string {
	if t.noGuard == nil {
		return ""
	}
	return fmt.Sprintf("mcpauth: no guard process (%v): the server may outlive mcpauth if that is killed\n", t.noGuard)
}

// start starts the child. The calling goroutine must stay locked to its thread
// until the child has ended, see [withoutTerminal].
func (t *tree) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = withoutTerminal()
	if err := cmd.Start(); err != nil {
		return err
	}
	t.child = cmd.Process
	if t.guard != nil {
		t.noGuard = t.guard.watch(t.child.Pid) // all but its job still works
	}
	return nil
}

// terminate asks every process of the tree to end.
func (t *tree) terminate() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		if unix.Kill(-t.child.Pid, unix.SIGTERM) != nil { // it left its group
			unix.Kill(t.child.Pid, unix.SIGTERM)
		}
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
}

// destroy kills what is left. The child may be waited for after it, not before.
func (t *tree) destroy() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	t.over = true
	t.killLocked()
	if t.guard == nil {
		return
	}
	if t.child != nil {
		t.guard.forget(t.child.Pid)
	}
	t.guard.dismiss()
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
