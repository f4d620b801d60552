//go:build unix

package backend

import (
	"io"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A blockingEnd waits in a thread of its own, and not in Go's poller: mixed with an os.Stdin
// that blocks, Go's poller stalls for up to 10 ms and costs ten times the latency
// (reference/speed.md, 4.2). Where it can be woken, a Read waits in read(2), which is
// half the system calls; else, as a Write does, in poll(2) with a second descriptor.
// A process that left the group with our pipe in its hands must not hang us for ever.
type blockingEnd struct {
	using  sync.Mutex // held by a Read, a Write and the last part of Close
	fd     int
	blocks atomic.Bool // a Read waits in read(2)
	woken  int         // read end of a pipe that never holds a byte
	poll   [2]unix.PollFd
	shut   bool

	waking sync.Once
	waker  int // write end; its close ends all waiting
}

func newBlockingEnd(fd int, blocks bool) (end, error) {
	wake, err := newPipe()
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, !blocks); err != nil {
		unix.Close(wake[0])
		unix.Close(wake[1])
		return nil, os.NewSyscallError("fcntl", err)
	}
	e := &blockingEnd{fd: fd, woken: wake[0], waker: wake[1]}
	e.blocks.Store(blocks)
	return e, nil
}

// pipeToChild and pipeFromChild leave the child's end blocking, as a program
// expects of its stdio: the two ends of a pipe do not share that flag.
func pipeToChild(polled bool) (pipe, error) { return newStdioPipe(1, polled) }

func pipeFromChild(polled bool) (pipe, error) { return newStdioPipe(0, polled) }

func newStdioPipe(our int, polled bool) (pipe, error) {
	fds, err := newPipe()
	if err != nil {
		return pipe{}, err
	}
	var ours end
	if polled {
		ours, err = newPolledEnd(fds[our])
	} else {
		enlarge(fds[our])
		ours, err = newBlockingEnd(fds[our], our == 0 && canPoke(fds[our]))
	}
	if err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return pipe{}, err
	}
	return pipe{ours: ours, childs: os.NewFile(uintptr(fds[1-our]), "|")}, nil
}

// wait blocks until fd is ready or the end was woken.
func (e *blockingEnd) wait(event int16) (woken bool, err error) {
	e.poll[0] = unix.PollFd{Fd: int32(e.fd), Events: event}
	e.poll[1] = unix.PollFd{Fd: int32(e.woken), Events: unix.POLLIN}
	for {
		switch _, err := unix.Poll(e.poll[:], -1); err {
		case nil:
			return e.poll[1].Revents != 0, nil
		case unix.EINTR, unix.EAGAIN:
		default:
			return false, os.NewSyscallError("poll", err)
		}
	}
}

func (e *blockingEnd) Read(b []byte) (int, error) {
	e.using.Lock()
	defer e.using.Unlock()
	if e.shut {
		return 0, io.EOF
	}
	for {
		woken := false
		if !e.blocks.Load() {
			var err error
			if woken, err = e.wait(unix.POLLIN); err != nil {
				return 0, err
			}
		}
		n, err := unix.Read(e.fd, b)
		switch {
		case n > 0 || len(b) == 0:
			return n, nil
		case err == unix.EINTR, err == unix.EAGAIN && !woken:
		case err == nil, err == unix.EAGAIN: // all have closed it, or all that count
			e.closeNow()
			return 0, io.EOF
		default:
			return 0, os.NewSyscallError("read", err)
		}
	}
}

func (e *blockingEnd) Write(b []byte) (int, error) {
	e.using.Lock()
	defer e.using.Unlock()
	written := 0
	for !e.shut {
		n, err := unix.Write(e.fd, b[written:])
		written += max(n, 0)
		switch {
		case err == nil && written == len(b):
			return written, nil
		case err == nil, err == unix.EINTR:
		case err == unix.EAGAIN:
			if woken, err := e.wait(unix.POLLOUT); err != nil || woken {
				return written, os.ErrClosed
			}
		default:
			return written, os.NewSyscallError("write", err)
		}
	}
	return written, os.ErrClosed
}

// release ends all waiting, for now and ever: a Read takes what is there and then
// reports io.EOF. Where others could still write, an empty line may come before that.
func (e *blockingEnd) release() {
	e.waking.Do(func() {
		unix.Close(e.waker)
		if !e.blocks.Load() {
			return
		}
		unix.SetNonblock(e.fd, true) // for the next Read
		e.blocks.Store(false)
		now := []unix.PollFd{{Fd: int32(e.fd), Events: unix.POLLIN}}
		if n, _ := unix.Poll(now, 0); n == 0 { // neither bytes nor an end, which would wake it
			poke(e.fd)
		}
	})
}

// Close closes the descriptor, also while another goroutine is in Read or Write.
func (e *blockingEnd) Close() error {
	e.release()
	e.using.Lock()
	defer e.using.Unlock()
	e.closeNow()
	return nil
}

func (e *blockingEnd) closeNow() {
	if e.shut {
		return
	}
	e.shut = true
	e.release()
	unix.Close(e.fd)
	unix.Close(e.woken)
}
