// Package backend runs the wrapped MCP server as a child process. It knows no
// token and no message: it gives two pipes, and sees to it that the child and
// all that the child started end when they should.
package backend

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// ladder is how long [Process.Stop] waits on each of its steps.
type ladder struct {
	close     time.Duration // after the close of stdin the child may still flush
	terminate time.Duration // after SIGTERM
	kill      time.Duration // how long a killed process may take to disappear
}

// usual is every ladder but that of tests. The server gets the time to save that
// it would have without us: the caller sends SIGTERM or SIGKILL when that is too
// long, and both reach the server.
var usual = ladder{close: 10 * time.Second, terminate: time.Second, kill: 250 * time.Millisecond}

const (
	// strayGrace is what is left to processes that the child leaves behind: a
	// launcher often dies of a SIGTERM before the server that it launched.
	strayGrace = 200 * time.Millisecond
	// flushGrace bounds the wait for a reader of our stderr that does not read.
	flushGrace = 100 * time.Millisecond
)

// Command says what to run. There is never a shell in between.
type Command struct {
	// Argv is the program and its arguments. A name without a slash is looked
	// for in the PATH of Env, not in ours; relative entries of that PATH are
	// skipped. A relative path is relative to Dir.
	Argv []string
	// Dir is the child's working directory; empty means ours.
	Dir string
	// Env is the complete environment of the child, see [Environ]. Nil is an
	// empty environment, never ours.
	Env []string
	// Stderr receives what the child writes to stderr, from one goroutine. It
	// may block for ever or fail: the child does not notice, the surplus is
	// dropped. Nil drops all.
	Stderr io.Writer
	// Grace is how long [Process.Stop] waits after the close of stdin; 0 is 10 s.
	Grace time.Duration
	// Polled has Go's poller wait for the child's pipes, for a program with many
	// children. Without it a thread of its own waits in the system, which is faster for
	// one child. On Windows there is no choice.
	Polled bool
}

// Exit says how the child ended.
type Exit struct {
	// Code is the exit status, 128+n if signal n ended the child, and -1 if it
	// is not known.
	Code int
	// Signal is what ended the child, or nil.
	Signal os.Signal
	// Err is set when the end could not be observed.
	Err error
}

// String is the end of a sentence that starts with the command's name.
func (e Exit) String() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("ended in an unknown way: %v", e.Err)
	case e.Signal != nil:
		return fmt.Sprintf("was ended by a signal (%v)", e.Signal)
	}
	return fmt.Sprintf("ended with code %d", e.Code)
}

// Process is a running child. All methods may be called from several goroutines.
type Process struct {
	cmd    *exec.Cmd
	in     end
	out    end
	tree   *tree
	stderr *stderr
	exit   Exit
	graces ladder

	done     chan struct{} // closed when nothing of the tree is left
	asked    chan struct{} // closed when the child must be asked at once to end
	askNow   sync.Once
	hurry    chan struct{} // closed when stray processes get no grace any more
	hurryUp  sync.Once
	stopping sync.Once
}

// Start runs the command. Errors about the command itself are of type *[StartError].
//
// The caller must read [Process.Out] to its end and call [Process.Stop],
// [Process.Kill] or [Process.Close] in any case.
func Start(c Command) (*Process, error) {
	path, err := resolve(c)
	if err != nil {
		return nil, err
	}
	s, err := newStdio(c.Polled)
	if err != nil {
		return nil, startError(c, Other, err)
	}
	defer s.closeChildEnds()
	t, err := newTree()
	if err != nil {
		s.closeOurEnds()
		return nil, startError(c, Other, err)
	}
	cmd := &exec.Cmd{
		Path: path, Args: c.Argv, Dir: c.Dir, Env: append([]string{}, c.Env...),
		Stdin: s.stdin.childs, Stdout: s.stdout.childs, Stderr: s.stderr.childs,
	}
	p := &Process{
		cmd: cmd, in: s.stdin.ours, out: s.stdout.ours, tree: t, graces: usual,
		done: make(chan struct{}), asked: make(chan struct{}), hurry: make(chan struct{}),
	}
	if c.Grace > 0 {
		p.graces.close = c.Grace
	}
	started, drained := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the child lives no longer than this thread
		defer runtime.UnlockOSThread()
		err := t.start(cmd)
		started <- err
		if err == nil {
			<-drained
			p.attend()
		}
	}()
	if err := <-started; err != nil {
		t.destroy()
		s.closeOurEnds()
		return nil, execError(c, path, err)
	}
	p.stderr = newStderr(s.stderr.ours, c.Stderr, t.weakness())
	close(drained)
	return p, nil
}

// In is the child's stdin. A Write blocks while the pipe is full; it ends with an
// error when the child has ended or Close is called.
func (p *Process) In() io.WriteCloser { return p.in }

// Out is the child's stdout. A Read blocks until there is something. What the
// child wrote before its end is still readable after it; then follows io.EOF, even
// where a process that escaped from the tree keeps the pipe open.
func (p *Process) Out() io.Reader { return p.out }

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended, what it left behind has been killed
// and its last words have been read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for [Process.Done].
func (p *Process) Wait() Exit {
	<-p.done
	return p.exit
}

// Exit says how the child ended. It is valid once [Process.Done] is closed, and
// Code is -1 before.
func (p *Process) Exit() Exit {
	select {
	case <-p.done:
		return p.exit
	default:
		return Exit{Code: -1, Err: errRunning}
	}
}

// LastLines is the line of the child's stderr that says best why it ended: the
// last that looks like an error, or else the last. It is free of control bytes and
// not longer than 300 bytes; it is whole once [Process.Done] is closed.
func (p *Process) LastLines() string { return p.stderr.lastLines() }

// Stop ends the child as an AI client does, but gives it time to save: it closes
// stdin and waits for [Command.Grace]; then it goes on as [Process.Terminate].
// Processes of the group that outlive the child get 0.2 s.
//
// What the child wrote to stdout stays readable.
func (p *Process) Stop() {
	p.stopping.Do(func() {
		select {
		case <-p.asked:
		default:
			p.in.Close()
			if p.endsWithin(p.graces.close, p.asked) {
				return
			}
		}
		asked := p.tree.terminate()
		p.in.Close()
		if asked && p.endsWithin(p.graces.terminate, nil) {
			return
		}
		p.Kill()
	})
}

// Terminate ends the child within 1.5 s, also while another goroutine is in Stop: it
// sends SIGTERM to the process group, waits 1 s, sends SIGKILL to it. Windows knows
// no SIGTERM and kills at once.
func (p *Process) Terminate() {
	p.askNow.Do(func() { close(p.asked) })
	p.Stop()
}

// Kill ends the child and its whole group at once.
func (p *Process) Kill() {
	p.hurryUp.Do(func() { close(p.hurry) })
	p.tree.kill()
	p.endsWithin(p.graces.kill, nil)
}

// Close is [Process.Stop] for a caller that wants no more output either.
func (p *Process) Close() {
	p.Stop()
	p.out.Close()
}

// endsWithin waits for the end of the child, for d or until hurry is closed.
func (p *Process) endsWithin(d time.Duration, hurry <-chan struct{}) bool {
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	select {
	case <-p.done:
		return true
	case <-hurry:
	case <-deadline.C:
	}
	return false
}

// attend waits for the end of the child and clears up behind it.
func (p *Process) attend() {
	awaitEnd(p.cmd)
	// What is left of the group holds, as a rule, the stderr that it
	// inherited: its end means that nobody is left to wait for.
	grace := time.NewTimer(strayGrace)
	select {
	case <-p.stderr.ended:
	case <-grace.C:
	case <-p.hurry:
	}
	grace.Stop()
	p.tree.destroy()
	p.exit = exitOf(p.cmd.Wait(), p.cmd.ProcessState)
	p.in.Close()
	p.out.release()
	p.stderr.finish(flushGrace)
	close(p.done)
}
