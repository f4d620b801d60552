// Package audit keeps the log of what passed through mcpauth: files of JSON
// lines in one folder. A record is written before its call leaves; what cannot be
// logged must not happen, so the caller refuses the call on an error.
//
// A file has one writer at a time, who holds its lock: the first file of the day
// (UTC) that nobody holds and that is not full is taken, or made. So the tip of its
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

// Options are what a log needs. All but Dir may be left out.
type Options struct {
	Dir     string
	MaxSize int64         // bytes of all files together; 0 means DefaultMaxSize
	Keep    time.Duration // how old files may grow, in whole days; 0 means for ever
	Version string        // of mcpauth, for the first record
	Policy  string        // names the policy in force, for the first record
	// Instance names the running program, for all records but those of results.
	Instance string
}

// DefaultMaxSize is some 2.5 million calls with their results, in bytes.
const DefaultMaxSize = 2 << 30

// Log appends to the audit files of one folder. It is safe for concurrent use, and
// so is the folder, by any number of processes.
type Log struct {
	Options
	ids idSource
	pid int

	mu      sync.Mutex
	segment *segment // nil before the first use and after an error
	batch   *Batch   // what is to be written next, or nil
	lines   []byte   // of the batch
	end     link     // of the chain with them
	aside   string   // a file that was found changed, for the next first record
	tidy    bool     // old files are to be looked for
	// written is how many bytes we wrote, and countAt when the files are counted next.
	written, countAt int64
	armed            bool // timer will fire
	timer            *time.Timer

	results queue
	pruning sync.Mutex // held while old files are removed

	testOnlyNow   func() time.Time
	testOnlyWrite func([]byte) (int, error)
}

// Open is Options.Open with the defaults.
func Open(dir string) (*Log, error) { return Options{Dir: dir}.Open() }

// Instance names this program among all that may log together: the machine and the process.
func Instance() string {
	host, _ := os.Hostname() // without a name, the process must do
	return fmt.Sprintf("%s.%d", host, os.Getpid())
}

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
	for {
		batch, err := l.queue(r)
		if err != errBound {
			return batch, err
		}
		if err := l.bound(); err != nil {
			return nil, err
		}
	}
}

func (l *Log) queue(r Record) (*Batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.add(&r); err != nil {
		return nil, err
	}
	batch := l.batch
	if int64(len(l.lines)) >= min(maxBatch, l.fileSize()) {
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
	l.lines = encode(l.lines, r, &l.end)
	l.arm() // in case no caller commits it
	return nil
}

// start starts a batch.
func (l *Log) start() error {
	if err := l.ready(l.now()); err != nil {
		return err
	}
	if err := l.checkBound(); err != nil {
		return err
	}
	l.batch, l.end = &Batch{log: l}, l.segment.end
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
	if r.Instance == "" && r.Event != Result { // the call has it
		r.Instance = l.Instance
	}
	if r.ID == "" {
		r.ID = string(ids.next(r.Time))
	}
}

// put writes lines that end the chain at this link.
func (l *Log) put(lines []byte, at link) error {
	h := l.segment
	if _, err := l.write(lines); err != nil {
		h.dirty = true
		return &Error{Op: "append", Path: h.path, Err: cause(err)}
	}
	h.size += int64(len(lines))
	l.written += int64(len(lines))
	h.end = at
	if !h.begun {
		h.begun, l.aside = true, ""
	}
	l.arm()
	return nil
}

// begin writes who writes, as the first record of a program in a file.
func (l *Log) begin(dst []byte, at *link) []byte {
	if l.segment.begun {
		return dst
	}
	r := Record{
		Event: Start, File: l.segment.name, Version: l.Version, Policy: l.Policy,
		Torn: l.segment.torn, Damaged: l.aside,
	}
	if other := l.segment.other; other.name != "" {
		r.Witness, r.WitnessSeq, r.WitnessHash = other.name, other.seq, string(other.hash[:])
	}
	l.fill(&r, &l.ids)
	return encode(dst, &r, at)
}

// lookEvery is how often a file that is written to is looked at: whether it is still
// there under its name, and no other program writes to it.
const lookEvery = 100 * time.Millisecond

// ready sees to it that the held file is today's, not full, and was as we left it
// when we looked last.
func (l *Log) ready(now time.Time) error {
	for range 3 { // another program may remove the file while we open it
		h := l.segment
		if h != nil && dayOf(now) == h.day && h.size < l.fileSize() {
			if err := h.repair(); err != nil {
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
				l.aside = h.name // another program wrote to it: verify will find that
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
	return l.segment.file.Write(line)
}

func dayOf(t time.Time) int64 {
	const secondsPerDay = 24 * 60 * 60
	return t.Unix() / secondsPerDay
}
