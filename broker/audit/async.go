package audit

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"
)

// queue holds results until they are written together.
type queue struct {
	mu      sync.Mutex
	waiting []Outcome
	lost    int

	// What of these is in the batch: it stays until that is written.
	writing, writingLost int

	// Only for who writes them, with the log's lock.
	ids idSource
}

const (
	asyncDelay = 100 * time.Millisecond
	// asyncMost bounds what waits when the disk is full, some 2 MiB. It is more than
	// the 10,000 calls that a relay has open: they may end all at once.
	asyncMost = 16384
	// asyncBatch is how many are written at once: a call waits no longer than
	// that takes.
	asyncBatch = 64
	// asyncMany is from where on a call takes some of them along: they come faster than
	// they are written.
	asyncMany = 1024
)

// AppendAsync writes a record of a result within a tenth of a second, or with Flush or Close.
// It tells of what has happened anyway: no call waits for it, and when results cannot be
// written they are kept, the first 16,384 of them, and tried again. The number of the
// others is recorded.
func (l *Log) AppendAsync(o Outcome) {
	if l.results.add(o) {
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
		l.timer = time.AfterFunc(asyncDelay, l.tick)
		return
	}
	l.timer.Reset(asyncDelay)
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
	for more := true; more; {
		var err error
		l.mu.Lock()
		more, err = l.writeSome() // and calls come in between
		l.mu.Unlock()
		if err == errBound {
			more, err = true, l.bound()
		}
		if err != nil {
			return err
		}
	}
	l.mu.Lock()
	tidy := l.segment != nil && l.tidy && l.Keep > 0
	var err error
	if l.segment != nil {
		err = l.segment.publish()
	}
	if tidy {
		l.tidy = false
	}
	l.mu.Unlock()
	if !tidy {
		return err
	}
	_, pruneErr := l.prune()
	return errors.Join(err, pruneErr)
}

// writeSome writes the batch and some of the results that wait. Without an error there
// is no batch then. The caller holds mu.
func (l *Log) writeSome() (more bool, err error) {
	if l.batch == nil && !l.results.waits() {
		return false, nil
	}
	if l.batch == nil {
		if err := l.start(); err != nil {
			return false, err
		}
	}
	l.addResults()
	if err := l.commit(); err != nil {
		return false, err
	}
	return l.results.waits(), nil
}

// addResults puts some of the results that wait into the batch. They stay in the
// queue until they are written.
func (l *Log) addResults() {
	q := &l.results
	outcomes, lost := q.take()
	for i := range outcomes {
		r := outcomes[i].record()
		l.fill(&r, &q.ids)
		l.lines = encode(l.lines, &r, &l.end)
	}
	if lost > 0 {
		gap := Record{Event: Gap, Reason: strconv.Itoa(lost) + " results could not be recorded"}
		l.fill(&gap, &l.ids)
		l.lines = encode(l.lines, &gap, &l.end)
	}
}

// add puts a result at the end, and reports whether it is the first.
func (q *queue) add(o Outcome) (first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) < asyncMost {
		q.waiting = append(q.waiting, o)
	} else {
		q.lost++
	}
	return len(q.waiting) == 1
}

func (q *queue) waits() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) > 0 || q.lost > 0
}

// many reports whether results come faster than they are written.
func (q *queue) many() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) >= asyncMany
}

// take returns the oldest results, to be read while the caller holds the log's lock:
// only settle moves them, and others are added behind.
func (q *queue) take() (oldest []Outcome, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing, q.writingLost = min(len(q.waiting), asyncBatch), q.lost
	return q.waiting[:q.writing], q.lost
}

// settle ends what take began: what was written is taken away. The room is used again.
func (q *queue) settle(written bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if written {
		q.lost -= q.writingLost
		q.waiting = slices.Delete(q.waiting, 0, q.writing)
	}
	q.writing, q.writingLost = 0, 0
	if len(q.waiting) == 0 && cap(q.waiting) > 2*asyncMany {
		q.waiting = nil // the memory of a burst
	}
}
