// Package audit keeps the record of what passed through mcpauth: files of JSON
// lines in one folder. A record is written before the call that it tells of leaves;
// what cannot be recorded must not happen, so the caller refuses the call on an
// error.
//
// A file has one writer at a time, who holds its lock: the first file of the day
// (UTC) that nobody holds and that is not full is taken, or made. So the head of its
// chain is known without reading, and an append costs one write and no lock, however
// many proxies run; a program that comes when another has ended goes on with that
// one's file, and its chain. Each record holds the hash of the one before it, and
// the heads file holds where each chain ended; [Verify] compares.
//
// Lines are not flushed to the disk one by one: they survive the death of the
// process, not always that of the machine. Results of calls, and the heads, are
// written within a tenth of a second.
package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrUnsafe is the cause of an [Error] when the folder or file could be written,
// or was planted, by somebody else: a link, a foreign owner, a folder that others
// may write to.
var ErrUnsafe = errors.New("not safe to write to")

// Error is a failure to record. Nothing was written, or at most half a line, which
// is taken away before the next.
type Error struct {
	Op   string // "open" or "append"
	Path string
	Err  error // [ErrUnsafe], syscall.ENOSPC…
}

func (e *Error) Error() string { return fmt.Sprintf("audit: %s %s: %v", e.Op, e.Path, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Options are what a log needs. All but Dir may be left out.
type Options struct {
	Dir     string
	MaxSize int64         // bytes from which on a file is full; 0 means DefaultMaxSize
	Keep    time.Duration // how old files may grow, in whole days; 0 means for ever
	Version string        // of mcpauth, for the first record
	Policy  string        // names the policy in force, for the first record
}

// DefaultMaxSize is some 60,000 calls with their results, in bytes.
const DefaultMaxSize = 64 << 20

// Log appends to the audit files of one folder. It is safe for concurrent use, and
// so is the folder, by any number of processes.
type Log struct {
	Options
	ids idSource
	pid int

	mu    sync.Mutex
	held  *held  // nil before the first use and after an error
	batch *Batch // what is to be written next, or nil
	lines []byte // of the batch
	pen   pen
	end   link   // of the chain with them
	aside string // a file that was found changed, for the next first record
	tidy  bool   // old files are to be looked for
	armed bool   // timer will fire
	timer *time.Timer

	results queue

	testOnlyNow   func() time.Time
	testOnlyWrite func([]byte) (int, error)
}

// Open is Options.Open with the defaults.
func Open(dir string) (*Log, error) { return Options{Dir: dir}.Open() }

// Open prepares the folder, which is made with mode 0700 if it is missing, and takes a
// file, of mode 0600. A folder of ours that others may only
// read is closed to them; one that others may write to is refused, since what is in
// it may be theirs. So is a link in the place of the folder or of a file, a file
// with a second hard link, and a foreign owner.
func (o Options) Open() (*Log, error) {
	o.Dir = filepath.Clean(o.Dir)
	if o.MaxSize == 0 {
		o.MaxSize = DefaultMaxSize
	}
	l := &Log{Options: o, pid: os.Getpid(), lines: make([]byte, 0, maxLine)}
	if err := l.take(l.now()); err != nil {
		return nil, err
	}
	return l, nil
}

// Append writes one record. It fills in Time, ID and PID where they are empty. After
// an error the next Append tries afresh, so that the record goes on as soon as there
// is space again.
func (l *Log) Append(r Record) error {
	batch, err := l.Queue(r)
	if err != nil {
		return err
	}
	return batch.Commit()
}

// Batch is a number of records that are written together.
type Batch struct {
	log  *Log
	over bool // it was written, or could not be
	err  error
}

// Queue makes a record part of the batch that is written next, and returns that: the
// record is kept when the batch is committed without an error. Else as Append.
func (l *Log) Queue(r Record) (*Batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.add(&r); err != nil {
		return nil, err
	}
	batch := l.batch
	if len(l.lines) >= maxBatch {
		_ = l.commit() // the batch knows
	}
	return batch, nil
}

// maxBatch is from where on a batch does not wait for others, in bytes.
const maxBatch = 64 << 10

// Commit writes the batch, with what came into it from others, unless that was done.
func (b *Batch) Commit() error {
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	if b.over {
		return b.err
	}
	if b.log.results.many() {
		b.log.addResults()
	}
	return b.log.commit()
}

// add puts a record at the end of the batch. The caller holds mu.
func (l *Log) add(r *Record) error {
	if l.batch == nil {
		if err := l.start(); err != nil {
			return err
		}
	}
	l.fill(r, &l.ids)
	l.lines = l.pen.line(l.lines, r, &l.end)
	l.arm() // should nobody commit it
	return nil
}

// start starts a batch.
func (l *Log) start() error {
	if err := l.ready(l.now()); err != nil {
		return err
	}
	l.batch, l.end = &Batch{log: l}, l.held.end
	l.lines = l.begin(l.lines[:0], &l.end)
	return nil
}

// commit ends the batch. The caller holds mu, and there is a batch.
func (l *Log) commit() error {
	b := l.batch
	l.batch, b.over = nil, true
	b.err = l.put(l.lines, l.end)
	l.results.settle(b.err == nil)
	if cap(l.lines) > 2*maxBatch {
		l.lines = nil // the memory of a burst
	}
	return b.err
}

// The times that can be written, in seconds since the epoch: up to the year 9999.
const minSecond, maxSecond = 0, 253402300799

// fill sets what the caller left empty.
func (l *Log) fill(r *Record, ids *idSource) {
	if second := r.Time.Unix(); second < minSecond || second > maxSecond {
		r.Time = l.now()
	}
	if r.PID == 0 {
		r.PID = l.pid
	}
	if r.ID == "" {
		r.ID = string(ids.next(r.Time))
	}
}

// put writes lines that end the chain at this link.
func (l *Log) put(lines []byte, at link) error {
	h := l.held
	if _, err := l.write(lines); err != nil {
		h.dirty = true
		return &Error{Op: "append", Path: h.path, Err: cause(err)}
	}
	h.size += int64(len(lines))
	h.end = at
	if !h.begun {
		h.begun, l.aside = true, ""
	}
	l.arm()
	return nil
}

// begin writes who writes, as the first record of a program in a file.
func (l *Log) begin(dst []byte, at *link) []byte {
	if l.held.begun {
		return dst
	}
	r := Record{
		Event: Start, File: l.held.name, Version: l.Version, Policy: l.Policy,
		Torn: l.held.torn, Damaged: l.aside,
	}
	l.fill(&r, &l.ids)
	return l.pen.line(dst, &r, at)
}

// lookEvery is how often a file that is written to is looked at: whether it is still
// there under its name, and nobody else writes to it.
const lookEvery = 100 * time.Millisecond

// ready sees to it that the held file is today's, not full, and was as we left it
// when we looked last.
func (l *Log) ready(now time.Time) error {
	for range 3 { // somebody may take the file away while we open it
		h := l.held
		if h != nil && dayOf(now) == h.day && h.size < l.MaxSize {
			if err := h.mend(); err != nil {
				return &Error{Op: "append", Path: h.path, Err: cause(err)}
			}
			if since := now.Sub(h.looked); 0 <= since && since < lookEvery {
				return nil
			}
			switch size, same := h.mark.sizeAt(h.path); {
			case same && size == h.size:
				h.looked = now
				return nil
			case same:
				l.aside = h.name // somebody else wrote to it: it is left to verify
			}
		}
		if err := l.take(now); err != nil {
			return err
		}
	}
	return &Error{Op: "append", Path: l.Dir, Err: errors.New("the files are changed or moved away as fast as they are made")}
}

// Close writes what waits, and lets go of the file. A later Append takes one again.
func (l *Log) Close() error {
	err := l.Flush()
	l.mu.Lock()
	defer l.mu.Unlock()
	for more := err == nil; more; { // what came meanwhile
		more, err = l.writeSome()
	}
	if l.timer != nil {
		l.timer.Stop()
		l.armed = false
	}
	return errors.Join(err, l.release())
}

func (l *Log) now() time.Time {
	if l.testOnlyNow != nil {
		return l.testOnlyNow()
	}
	return time.Now()
}

func (l *Log) write(line []byte) (int, error) {
	if l.testOnlyWrite != nil {
		return l.testOnlyWrite(line)
	}
	return l.held.file.Write(line)
}

func dayOf(t time.Time) int64 {
	const secondsPerDay = 24 * 60 * 60
	return t.Unix() / secondsPerDay
}

// cause drops the path and operation that an error of package os repeats.
func cause(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
