package relay

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// sink is a stream of lines that several goroutines write to. After its first
// error it takes nothing any more.
type sink struct {
	mu   sync.Mutex
	w    io.Writer
	err  error
	shut atomic.Bool
}

// errShut is the error of a sink after its end was called.
var errShut = errors.New("the other side is gone")

func (s *sink) write(lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.part().Write(lines)
	return err
}

// lock gives the sink to the caller alone. waits, if it is set, is called when that
// takes its time.
func (s *sink) lock(waits func()) {
	if s.mu.TryLock() {
		return
	}
	if waits != nil {
		waits()
	}
	s.mu.Lock()
}

// part is the sink for the holder of its lock.
func (s *sink) part() io.Writer { return (*lockedSink)(s) }

type lockedSink sink

func (s *lockedSink) Write(text []byte) (int, error) {
	if s.shut.Load() {
		return 0, errShut
	}
	if s.err == nil {
		_, s.err = s.w.Write(text)
	}
	return len(text), s.err
}

// end makes all writes that have not begun fail.
func (s *sink) end() { s.shut.Store(true) }

// batch collects the lines that are ready at the same time, so that they leave
// in one write. Long ones leave at once and are not copied.
type batch struct {
	sink   func() *sink
	before func()      // is called before lines are written, and may take some away
	waits  func()      // is called when the sink is busy
	leave  func()      // is called when it is free, and may take some away
	alone  func() bool // the same for a message by itself: whether it is written
	to     *sink       // of the lines
	lines  []byte
}

// longText is from where copying a line costs more than a write of its own.
const longText = 32 << 10

func (b *batch) add(text []byte) error {
	if len(text) >= longText {
		return b.writeAlone(func(w io.Writer) error {
			_, err := w.Write(withLineEnd(text))
			return err
		})
	}
	b.begin()
	b.lines = append(b.lines, text...)
	return b.added()
}

// addSpliced adds a message that is changed on its way.
func (b *batch) addSpliced(m *Message, edits []edit) error {
	if m.held != nil {
		return b.writeAlone(func(w io.Writer) error {
			if err := m.spliceTo(w, edits); err != nil {
				return err
			}
			_, err := w.Write([]byte{'\n'})
			return err
		})
	}
	if len(edits) == 0 {
		return b.add(m.line)
	}
	b.begin()
	b.lines = m.appendSpliced(b.lines, edits)
	return b.added()
}

// begin settles where the lines go: to whom was there when the first came.
func (b *batch) begin() {
	if len(b.lines) == 0 {
		b.to = b.sink()
	}
}

func (b *batch) added() error {
	b.lines = append(b.lines, '\n')
	return nil
}

// full reports whether it is time to flush.
func (b *batch) full() bool { return len(b.lines) >= bufferSize }

func (b *batch) flush() error {
	if len(b.lines) == 0 {
		return nil
	}
	if b.before != nil {
		b.before()
	}
	b.to.lock(b.waits)
	defer b.to.mu.Unlock()
	if b.leave != nil {
		b.leave()
	}
	var err error
	if len(b.lines) > 0 {
		_, err = b.to.part().Write(b.lines)
	}
	b.lines = b.lines[:0]
	return err
}

// writeAlone writes one message, behind the lines of the batch, by several writes
// perhaps. Nobody else writes in between.
func (b *batch) writeAlone(write func(io.Writer) error) error {
	if err := b.flush(); err != nil {
		return err
	}
	to := b.sink()
	to.lock(b.waits)
	defer to.mu.Unlock()
	if b.alone != nil && !b.alone() {
		return nil
	}
	return write(to.part())
}

// withLineEnd adds the line end, in place where the line was read with one.
func withLineEnd(text []byte) []byte {
	if n := len(text); cap(text) > n && text[:n+1][n] == '\n' {
		return text[:n+1]
	}
	return append(text[:len(text):len(text)], '\n')
}

// outbox takes the lines that the proxy itself says and writes them from a goroutine of its
// own: a decision about one direction must not wait for the reader of the other.
type outbox struct {
	sink   func() *sink
	mu     sync.Mutex
	change sync.Cond // of lines, busy and closed
	lines  []byte
	busy   bool
	closed bool
}

// outboxSize bounds what waits for a reader that does not read.
const outboxSize = 1 << 20

func newOutbox(sink func() *sink) *outbox {
	o := &outbox{sink: sink}
	o.change.L = &o.mu
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
		err := o.sink().write(lines)
		o.mu.Lock()
		o.busy = false
		if err != nil {
			o.lines = nil // nobody hears them
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
