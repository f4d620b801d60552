package audit

import (
	"errors"
	"strconv"
	"sync"
	"time"
)

// queue holds records of results until they are written together: as the part of a
// line that does not depend on the one before it.
type queue struct {
	mu    sync.Mutex
	texts []byte
	ends  []int // of each text
	lost  int
	pen   pen
	ids   idSource

	// What of these is in the batch: it stays until that is written.
	writing, writingLost int
}

const (
	laterDelay = 100 * time.Millisecond
	// laterMost bounds what waits when the disk is full, some 4 MiB.
	laterMost = 8192
	// laterBatch is how many are written at once: a call waits no longer than
	// that takes.
	laterBatch = 64
	// laterKept is the size from which on the room is given back, in bytes.
	laterKept = 256 << 10
)

// Later writes a record within a tenth of a second, or with Flush or Close. It is
// for results, which tell of what has happened anyway: no call waits for them, and
// when they cannot be written they are kept, the first 8,192 of them, and tried
// again. The number of the others is recorded.
func (l *Log) Later(r Record) {
	l.results.mu.Lock()
	first := len(l.results.ends) == 0
	if len(l.results.ends) < laterMost {
		l.fill(&r, &l.results.ids)
		l.results.add(&r)
	} else {
		l.results.lost++
	}
	l.results.mu.Unlock()
	if first {
		l.mu.Lock()
		l.arm()
		l.mu.Unlock()
	}
}

// arm sees to it that the results and the head are written soon. The caller holds mu.
func (l *Log) arm() {
	if l.armed {
		return
	}
	l.armed = true
	if l.timer == nil {
		l.timer = time.AfterFunc(laterDelay, l.tick)
		return
	}
	l.timer.Reset(laterDelay)
}

func (l *Log) tick() {
	l.mu.Lock()
	l.armed = false
	l.mu.Unlock()
	if l.Flush() != nil {
		l.mu.Lock()
		l.arm()
		l.mu.Unlock()
	}
}

// Flush writes what waits: results, and how far the chain goes. Where old files are
// to be removed, it does that, too.
func (l *Log) Flush() error {
	for {
		more, err := l.flushSome()
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		return nil
	}
	err := l.held.show()
	if l.tidy && l.Keep > 0 {
		l.tidy = false
		err = errors.Join(err, l.removeOld())
	}
	return err
}

// flushSome writes some of what waits.
func (l *Log) flushSome() (more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.batch == nil && !l.results.waits() {
		return false, nil
	}
	if l.batch == nil {
		if err := l.start(); err != nil {
			return false, err
		}
	}
	if err := l.commit(); err != nil {
		return false, err
	}
	return l.results.waits(), nil
}

// addResults puts some of the results that wait into the batch. They stay in the
// queue until they are written.
func (l *Log) addResults() {
	texts, ends, lost := l.results.take()
	from := 0
	for _, end := range ends {
		start := len(l.lines)
		l.lines = l.end.seal(append(l.end.begin(l.lines), texts[from:end]...), start)
		from = end
	}
	if lost > 0 {
		gap := Record{Event: Gap, Reason: strconv.Itoa(lost) + " results could not be recorded"}
		l.fill(&gap, &l.ids)
		l.lines = l.pen.line(l.lines, &gap, &l.end)
	}
}

// add puts a record at the end. The caller holds mu.
func (q *queue) add(r *Record) {
	q.texts = q.pen.write(q.texts, r)
	q.ends = append(q.ends, len(q.texts))
}

func (q *queue) waits() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ends) > 0 || q.lost > 0
}

// take returns the oldest texts, to be read while the caller holds the log's lock:
// only drop moves them, and others are added behind.
func (q *queue) take() (texts []byte, ends []int, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing, q.writingLost = min(len(q.ends), laterBatch), q.lost
	return q.texts, q.ends[:q.writing], q.lost
}

// drop takes away what was taken and is written. The room is used again.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lost -= q.writingLost; q.writing == 0 {
		return
	}
	gone := q.ends[q.writing-1]
	q.texts = append(q.texts[:0], q.texts[gone:]...)
	left := q.ends[:0]
	for _, end := range q.ends[q.writing:] {
		left = append(left, end-gone)
	}
	if q.ends = left; len(left) == 0 && cap(q.texts) > laterKept {
		q.texts, q.ends = nil, nil
	}
}
