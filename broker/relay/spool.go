package relay

import (
	"io"
	"sync/atomic"
	"time"
)

// spool holds a long line of the client while it is read: nothing of it may
// reach the backend before all of it is judged. Its bytes lie outside the heap
// where the system has a place for them.
type spool struct {
	place spoolPlace
	size  int
	err   error // the first one; the line is not whole then
}

// spoolPlace is random access memory.
type spoolPlace interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

func newSpool() *spool { return &spool{place: newSpoolPlace()} }

func (s *spool) add(text []byte) {
	if s.err == nil {
		_, s.err = s.place.WriteAt(text, int64(s.size))
	}
	s.size += len(text)
}

// read returns a copy of a part, or nil when it cannot be had.
func (s *spool) read(part span) []byte {
	text := make([]byte, part.to-part.from)
	if _, err := s.place.ReadAt(text, int64(part.from)); err != nil {
		return nil
	}
	return text
}

// spoolPiece is how much is copied at a time.
const spoolPiece = 64 << 10

// copyTo writes a part to w, in pieces through buf.
func (s *spool) copyTo(w io.Writer, part span, buf []byte) error {
	for part.from < part.to {
		piece := buf[:min(len(buf), part.to-part.from)]
		if _, err := s.place.ReadAt(piece, int64(part.from)); err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		part.from += len(piece)
	}
	return nil
}

// again makes w read the line from its beginning.
func (s *spool) again(w *window) {
	read := 0
	*w = window{keep: -1, more: func(n int) ([]byte, bool) {
		piece := s.read(span{read, min(read+spoolPiece, s.size)})
		read += len(piece)
		return append(w.buf[n:len(w.buf):len(w.buf)], piece...), len(piece) > 0
	}}
}

func (s *spool) close() {
	_ = s.place.Close() // memory: nothing can be lost
}

// spoolPool keeps the spool of the last long line for the next one: to fill
// pages that are there takes half the time. It goes when none comes soon.
type spoolPool struct {
	kept  atomic.Pointer[spool]
	timer *time.Timer
}

const (
	spoolKept = 5 * time.Second
	maxKept   = 32 << 20 // bytes
)

func (r *spoolPool) take() *spool {
	if s := r.kept.Swap(nil); s != nil {
		s.size = 0
		return s
	}
	return newSpool()
}

func (r *spoolPool) put(s *spool) {
	if s.size > maxKept || s.err != nil {
		s.close()
		return
	}
	r.kept.Store(s)
	if r.timer == nil {
		r.timer = time.AfterFunc(spoolKept, r.drop)
	} else {
		r.timer.Reset(spoolKept)
	}
}

func (r *spoolPool) drop() {
	if s := r.kept.Swap(nil); s != nil {
		s.close()
	}
}

// close must be called when no spool will be put there any more.
func (r *spoolPool) close() {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.drop()
}
