package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// errBound: the files come near to what they may hold together, and old ones must be
// removed first.
var errBound = errors.New("the audit log is as large as max_size allows, and no older file of it can be removed")

// fileSize is from where on a file is full. It is a small part of all, since the files
// that programs write to are never removed.
func (l *Log) fileSize() int64 {
	const most, few = 64 << 20, 64 << 10
	if l.MaxSize == 0 {
		return most
	}
	return min(most, max(l.MaxSize/64, min(l.MaxSize/8, few)))
}

// crowded reports whether the files together come near to MaxSize: room is left for what
// other programs write until they look.
func (l *Log) crowded(total int64) bool { return l.MaxSize > 0 && total > l.MaxSize/8*7 }

// checkBound counts the files now and then, and returns errBound when some must be
// removed. The caller holds mu.
func (l *Log) checkBound() error {
	if l.MaxSize == 0 || l.written < l.countAt {
		return nil
	}
	files, err := Folder(l.Dir).files()
	if err != nil {
		return err
	}
	if l.crowded(sizeOf(files)) {
		return errBound
	}
	l.countedNow()
	return nil
}

// countedNow sets when the files are counted next. The caller holds mu.
func (l *Log) countedNow() { l.countAt = l.written + l.fileSize()/8 }

// File is one audit file, as it lies in its folder.
type File struct {
	Name     string
	Size     int64 // in bytes
	Modified time.Time
}

func sizeOf(files []File) (total int64) {
	for _, f := range files {
		total += f.Size
	}
	return total
}

// Size is how many files there are, and how many bytes they hold.
func (f Folder) Size() (files int, bytes int64, err error) {
	all, err := f.files()
	return len(all), sizeOf(all), err
}

// files lists what there is, oldest first. A missing folder is empty.
func (f Folder) files() ([]File, error) {
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{Op: "open", Path: string(f), Err: cause(err)}
	}
	var files []File
	for _, entry := range entries {
		if _, _, ok := parseFileName(entry.Name()); !ok || !entry.Type().IsRegular() {
			continue
		}
		if info, err := entry.Info(); err == nil { // else it was just removed
			files = append(files, File{entry.Name(), info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return compareNames(a.Name, b.Name) })
	return files, nil
}

// prune removes old files, and reports whether those that are left keep to MaxSize. It
// waits a moment where others are at it. The caller does not hold mu.
func (l *Log) prune() (bounded bool, err error) {
	l.pruning.Lock()
	defer l.pruning.Unlock()
	const patience, pause = 2 * time.Second, 20 * time.Millisecond
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		total, busy, err := l.removeOld()
		if l.MaxSize == 0 || total <= l.MaxSize {
			l.mu.Lock()
			l.countedNow()
			l.mu.Unlock()
			return true, err
		}
		if err != nil || !busy || time.Now().After(end) {
			return false, err
		}
	}
}

// bound makes room, or says why there is none.
func (l *Log) bound() error {
	bounded, err := l.prune()
	if bounded {
		return nil
	}
	return &Error{Op: "append", Path: l.Dir, Err: errors.Join(errBound, err)}
}

// removeOld removes the files of days that are past keeping, and the oldest ones while
// all are too large together: whole, only those that bear an audit file's name, are ours
// and are not held, and never the newest. It returns the size of what is left, and
// whether some of it is held.
func (l *Log) removeOld() (total int64, busy bool, err error) {
	files, err := Folder(l.Dir).files()
	if err != nil {
		return 0, false, err
	}
	now := l.now()
	first := now.Add(-l.Keep).UTC().Truncate(24 * time.Hour)
	total = sizeOf(files)
	var errs []error
	for _, f := range files[:max(0, len(files)-1)] {
		day, _, _ := parseFileName(f.Name)
		reason := ""
		switch {
		case l.Keep > 0 && day.Before(first):
			reason = fmt.Sprintf(olderThan, int(l.Keep.Hours()/24))
		case l.crowded(total) && (f.Size >= l.fileSize() || dayOf(day) < dayOf(now)):
			reason = fmt.Sprintf("all files had more than %d bytes", l.MaxSize/8*7)
		default:
			continue
		}
		removed, err := l.remove(f.Name, reason)
		switch {
		case err != nil:
			errs = append(errs, &Error{Op: "remove", Path: filepath.Join(l.Dir, f.Name), Err: cause(err)})
		case removed:
			total -= f.Size
		default:
			busy = true
		}
	}
	return total, busy, errors.Join(errs...)
}

// olderThan is the reason for the removal of a file that is past keeping.
const olderThan = "older than %d days"

// remove removes one file, unless it is held. The record of that is written before, so
// that a crash in between does not look like a file that was taken away.
func (l *Log) remove(name, reason string) (removed bool, err error) {
	file, _, err := openFile(l.Dir, name, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // another program was first
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	if got, err := tryLock(file); !got || err != nil {
		return false, err
	}
	through, err := lastRemoved(file)
	if err != nil {
		return false, err
	}
	if err := l.note(Record{Event: Removed, File: name, Through: through, Reason: reason}); err != nil {
		return false, err
	}
	if runtime.GOOS == "windows" {
		file.Close() // it keeps open files
	}
	if err := os.Remove(filepath.Join(l.Dir, name)); err != nil {
		return false, err
	}
	return true, freePlace(l.Dir, name)
}

// note writes a record that is in no batch.
func (l *Log) note(r Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.batch != nil {
		_ = l.commit() // the batch knows
	}
	if err := l.ready(l.now()); err != nil {
		return err
	}
	end := l.segment.end
	lines := l.begin(nil, &end)
	l.fill(&r, &l.ids)
	if err := l.put(encode(lines, &r, &end), end); err != nil {
		return err
	}
	return l.segment.publish()
}

// lastRemoved is the newest file that the records of this one say was removed: they go
// with it.
func lastRemoved(file *os.File) (name string, err error) {
	next, err := forward(file)
	if err != nil {
		return "", err
	}
	for {
		line, err := next()
		if err == io.EOF || err == errLong {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		if !hasEvent(line, Removed) {
			continue
		}
		if r, err := sealed(line); err == nil {
			name = newerName(name, newerName(r.File, r.Through))
		}
	}
}

func newerName(a, b string) string {
	if compareNames(a, b) < 0 {
		return b
	}
	return a
}

// hasEvent tells lines that may be of this event from the others, without reading
// them as a whole.
func hasEvent(line []byte, event string) bool {
	const before = 256 // seq, prev, time and id are shorter
	return bytes.Contains(line[:min(len(line), before)], []byte(`"event":"`+event+`"`))
}
