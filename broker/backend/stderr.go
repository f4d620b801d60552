package backend

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	maxPending = 256 << 10 // bytes of stderr that wait for a reader of ours
	maxNotice  = 256       // of which so many are for the line that says what was dropped
	maxTail    = 8 << 10   // bytes of stderr that are kept for the last words

	// readerPatience is how long the child is held up once by a reader of our
	// stderr that is slow but alive, before bytes are dropped.
	readerPatience = 200 * time.Millisecond
)

// stderr drains the child's stderr, come what may, into a buffer of fixed size,
// from which a second goroutine feeds the reader of ours. Many AI clients never
// read a server's stderr: a server that logs would stand still after 64 KiB.
type stderr struct {
	from end
	to   io.Writer

	ended   chan struct{} // closed when nobody can write to the pipe any more
	flushed chan struct{} // closed when the writer has nothing left to do
	more    chan struct{} // holds one token: there is something to write, or nothing will come
	room    chan struct{} // holds one token: the writer has taken what was pending

	mu      sync.Mutex
	pending []byte
	tail    []byte
	dropped int64 // since the last time that the stream said so
	told    bool
	stalled bool // the reader has used up its patience
	closed  bool
}

// newStderr starts the draining. The preface is the first thing in the stream.
func newStderr(from end, to io.Writer, preface string) *stderr {
	if to == nil {
		to = io.Discard
	}
	s := &stderr{
		from: from, to: to, pending: []byte(preface),
		ended: make(chan struct{}), flushed: make(chan struct{}),
		more: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
	nudge(s.more)
	go s.drain()
	go s.forward()
	return s
}

// nudge puts the one token into a channel that holds one.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *stderr) drain() {
	defer close(s.ended)
	defer s.from.Close()
	defer s.end()
	b := make([]byte, 16<<10)
	for {
		n, err := s.from.Read(b)
		if n > 0 {
			s.take(b[:n])
		}
		if err != nil {
			return
		}
	}
}

func (s *stderr) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	nudge(s.more)
}

// take adds a piece of stderr to what is pending, or drops it.
func (s *stderr) take(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail = append(s.tail, b...)
	if surplus := len(s.tail) - maxTail; surplus > 0 {
		s.tail = append(s.tail[:0], s.tail[surplus:]...)
	}
	const most = maxPending - maxNotice
	if len(s.pending)+len(b) > most && !s.stalled {
		s.stalled = !s.waitForRoom()
	}
	if len(s.pending)+len(b) > most {
		s.dropped += int64(len(b))
		return
	}
	s.pending = append(s.pending, b...)
	nudge(s.more)
}

// waitForRoom waits, unlocked, until the writer has taken what was pending.
func (s *stderr) waitForRoom() bool {
	select {
	case <-s.room: // an old token: it says nothing about now
	default:
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	patience := time.NewTimer(readerPatience)
	defer patience.Stop()
	select {
	case <-s.room:
		return true
	case <-patience.C:
		return false
	}
}

func (s *stderr) forward() {
	defer close(s.flushed)
	var spare []byte
	for range s.more {
		b, last := s.next(spare)
		if _, err := s.to.Write(b); err != nil {
			s.to = io.Discard
		}
		if last {
			return
		}
		spare = b[:0]
	}
}

// next takes what is pending and leaves spare in its place.
func (s *stderr) next(spare []byte) (b []byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, s.pending = s.pending, spare
	s.stalled = false
	nudge(s.room)
	if s.dropped > 0 && !s.told {
		s.told = true
		if len(b) > 0 && b[len(b)-1] != '\n' {
			b = append(b, '\n')
		}
		b = fmt.Appendf(b, "mcpauth: the server writes to stderr faster than it is read: %d bytes dropped here, more may follow\n", s.dropped)
	}
	return b, s.closed
}

// finish ends the draining, if a process that we could not end still holds the
// pipe, and waits for the last bytes to reach the reader, but not for ever.
func (s *stderr) finish(patience time.Duration) {
	s.from.release()
	<-s.ended
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case <-s.flushed:
	case <-deadline.C:
	}
}

func (s *stderr) lastLines() string {
	s.mu.Lock()
	tail := string(s.tail)
	s.mu.Unlock()
	return lastLines(tail)
}
