// Package audit keeps the record of what passed through mcpauth: files of JSON
// lines in one folder, one file a day (UTC), to which all processes of the user
// append. A record is written before the call that it tells of leaves; what cannot
// be recorded must not happen, so the caller refuses the call on an error.
//
// A line is appended by one write(2) to a descriptor with O_APPEND. Local file
// systems (ext4, xfs, btrfs, tmpfs, APFS) hold the file's lock from finding its end
// to the end of the write, so lines of several processes never mix; NTFS does so
// for FILE_APPEND_DATA. NFS does not: a home on NFS may lose lines. Lines are not
// flushed to the disk one by one: they survive the death of the process, not always
// that of the machine. A reader skips empty lines, and half a line that a full disk
// left; neither swallows a record.
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

// Error is a failure to record. Nothing, or at most a half line that readers skip,
// was written.
type Error struct {
	Op   string // "open" or "append"
	Path string
	Err  error // [ErrUnsafe], syscall.ENOSPC…
}

func (e *Error) Error() string { return fmt.Sprintf("audit: %s %s: %v", e.Op, e.Path, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Log appends to the audit files of one folder. It is safe for concurrent use, by
// any number of processes.
type Log struct {
	dir string
	ids idSource

	mu   sync.Mutex
	file *os.File // nil before the first use and after an error in reopening
	path string
	mark fileMark
	day  int64 // of file, since 1970
	line []byte

	testOnlyNow   func() time.Time
	testOnlyWrite func([]byte) (int, error)
}

// Open prepares the folder, which is made with mode 0700 if it is missing, and
// opens today's file, with mode 0600. A folder of ours that others may only read
// is closed to them; one that others may write to is refused, since what is in it
// may be theirs. So is a link in the place of the folder or of the file, a file
// with a second hard link, and a foreign owner.
func Open(dir string) (*Log, error) {
	l := &Log{dir: filepath.Clean(dir), line: make([]byte, 0, maxLine)}
	if err := l.reopen(l.now()); err != nil {
		return nil, err
	}
	return l, nil
}

// Append writes one record. It fills in Time, ID and PID where they are empty.
// After an error the next Append tries afresh, so that the record goes on as soon
// as there is space again.
func (l *Log) Append(r Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if year := r.Time.UTC().Year(); r.Time.IsZero() || year < 0 || year > 9999 {
		r.Time = now
	}
	if r.PID == 0 {
		r.PID = os.Getpid()
	}
	torn, err := l.ready(now)
	if err != nil {
		return err
	}
	// A half line, left by a full disk or a crash of the machine, must not swallow
	// this record.
	l.line = appendRecord(append(l.line[:0], '\n'), &r, l.ids.next(r.Time))
	line := l.line[1:]
	if torn {
		line = l.line
	}
	if _, err := l.write(line); err != nil {
		return &Error{Op: "append", Path: l.path, Err: cause(err)}
	}
	return nil
}

// Close closes the file. A later Append opens it again.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closeFile()
}

func (l *Log) closeFile() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// ready sees to it that the file is today's and is still the one of that name, and
// reports whether it ends in the middle of a line.
func (l *Log) ready(now time.Time) (torn bool, err error) {
	for range 3 { // somebody may rotate the file while we open it
		if l.file != nil && dayOf(now) == l.day {
			if size, same := l.mark.sizeAt(l.path); same {
				return l.endsTorn(size), nil
			}
		}
		if err := l.reopen(now); err != nil {
			return false, err
		}
	}
	return false, &Error{Op: "append", Path: l.path, Err: errors.New("the file is moved away as fast as it is made")}
}

// endsTorn reports whether the file, of this size, ends in the middle of a line. So
// it does for a moment while another process writes across the border of a page;
// only what stays so is a line that nobody will finish.
func (l *Log) endsTorn(size int64) bool {
	for range 5 {
		last := [1]byte{'\n'}
		if size > 0 {
			l.file.ReadAt(last[:], size-1)
		}
		if last[0] == '\n' {
			return false
		}
		time.Sleep(time.Millisecond)
		now, same := l.mark.sizeAt(l.path)
		if !same || now == size {
			return true
		}
		size = now
	}
	return true
}

func (l *Log) reopen(now time.Time) error {
	l.closeFile()
	name := "audit-" + now.UTC().Format("2006-01-02") + ".jsonl"
	file, mark, err := openFile(l.dir, name)
	if err != nil {
		path := filepath.Join(l.dir, name)
		return &Error{Op: "open", Path: path, Err: cause(err)}
	}
	l.file, l.path, l.mark, l.day = file, file.Name(), mark, dayOf(now)
	return nil
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
	return l.file.Write(line)
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
