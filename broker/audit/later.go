package audit

import (
	"errors"
	"strconv"
	"sync"
	"time"
)

// queue holds records of results until they are written together.
type queue struct {
	mu      sync.Mutex
	records []Record
	lost    int
}

const (
	laterDelay = 100 * time.Millisecond
	// laterMost bounds what waits when the disk is full, some 4 MiB.
	laterMost = 8192
	// laterBatch is how many are written at once: a call waits no longer than
	// that takes.
	laterBatch = 64
	// laterKept is for how many the room stays, some 200 KiB.
	laterKept = 512
)

// Later writes a record within a tenth of a second, or with Flush or Close. It is
// for results, which tell of what has happened anyway: no call waits for them, and
// when they cannot be written they are kept, the first 8,192 of them, and tried
// again. The number of the others is recorded.
func (l *Log) Later(r Record) {
	if r.Time.IsZero() {
		r.Time = l.now()
	}
	l.results.mu.Lock()
	first := len(l.results.records) == 0
	if len(l.results.records) < laterMost {
		l.results.records = append(l.results.records, r)
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
		if err := l.ready(l.now()); err != nil {
			return false, err
		}
		l.batch, l.end = &Batch{log: l}, l.held.end
		l.lines = l.begin(l.lines[:0], &l.end)
	}
	if err := l.commit(); err != nil {
		return false, err
	}
	return l.results.waits(), nil
}

// addResults puts some of the results that wait into the batch. They stay in the
// queue until they are written.
func (l *Log) addResults() (records, lost int) {
	results, lost := l.results.peek()
	for _, r := range results {
		l.fill(&r, r.Time)
		l.lines = appendRecord(l.lines, &r, &l.end)
	}
	if lost > 0 {
		gap := Record{Event: Gap, Reason: strconv.Itoa(lost) + " results could not be recorded"}
		l.fill(&gap, l.now())
		l.lines = appendRecord(l.lines, &gap, &l.end)
	}
	return len(results), lost
}

func (q *queue) waits() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.records) > 0 || q.lost > 0
}

// peek returns the oldest records, to be read while the caller holds the log's lock:
// only drop moves them, and others are added behind.
func (q *queue) peek() (batch []Record, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.records[:min(len(q.records), laterBatch)], q.lost
}

// drop takes away what is written. The room is used again.
func (q *queue) drop(written, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lost -= lost
	left := copy(q.records, q.records[written:])
	clear(q.records[left:])
	q.records = q.records[:left]
	if left == 0 && cap(q.records) > laterKept {
		q.records = nil
	}
}
