package relay

import (
	"io"
	"sync"
)

// sink is a stream of lines that several goroutines write to. After its first
// error it takes nothing any more.
type sink struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

func (s *sink) write(lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		_, s.err = s.w.Write(lines)
	}
	return s.err
}

// batch collects the lines that are ready at the same time, so that they leave
// in one write. Long ones leave at once and are not copied.
type batch struct {
	to    *sink
	lines []byte
}

// longLine is from where copying a line costs more than a write of its own.
const longLine = 32 << 10

func (b *batch) add(text []byte) error {
	if len(text) >= longLine {
		if err := b.flush(); err != nil {
			return err
		}
		return b.to.write(withLineEnd(text))
	}
	b.lines = append(append(b.lines, text...), '\n')
	if len(b.lines) >= bufferSize {
		return b.flush()
	}
	return nil
}

func (b *batch) flush() error {
	if len(b.lines) == 0 {
		return nil
	}
	err := b.to.write(b.lines)
	b.lines = b.lines[:0]
	return err
}

// withLineEnd adds the line end, in place where the line was read with one.
func withLineEnd(text []byte) []byte {
	if n := len(text); cap(text) > n && text[:n+1][n] == '\n' {
		return text[:n+1]
	}
	return append(text[:len(text):len(text)], '\n')
}

// outbox takes the lines that the proxy itself says and writes them from a
// goroutine of its own: whoever decides about one direction must not wait for
// the reader of the other.
type outbox struct {
	to     *sink
	mu     sync.Mutex
	change sync.Cond // of lines, busy and closed
	lines  []byte
	busy   bool
	closed bool
}

// outboxSize bounds what waits for a reader that does not read.
const outboxSize = 1 << 20

func newOutbox(to *sink) *outbox {
	o := &outbox{to: to}
	o.change.L = &o.mu
	go o.run()
	return o
}

// put queues one line. It waits only while more than outboxSize is queued.
func (o *outbox) put(text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.lines) > outboxSize && !o.closed {
		o.change.Wait()
	}
	o.lines = append(append(o.lines, text...), '\n')
	o.change.Broadcast()
}

func (o *outbox) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for len(o.lines) == 0 {
			if o.closed {
				return
			}
			o.change.Wait()
		}
		lines := o.lines
		o.lines, o.busy = nil, true
		o.change.Broadcast()
		o.mu.Unlock()
		err := o.to.write(lines)
		o.mu.Lock()
		o.busy = false
		if err != nil {
			o.closed = true
			o.lines = nil
		}
		o.change.Broadcast()
	}
}

// close lets the goroutine end once all is written and returns a channel that
// is closed then.
func (o *outbox) close() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.closed = true
		o.change.Broadcast()
		for len(o.lines) > 0 || o.busy {
			o.change.Wait()
		}
	}()
	return done
}
