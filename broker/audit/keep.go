package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// removeOld removes the files of days that are past keeping, whole and only those
// that bear an audit file's name, are ours and are held by nobody. Each removal is
// recorded. The caller holds mu and has a file.
func (l *Log) removeOld() error {
	entries, err := os.ReadDir(l.Dir)
	if err != nil {
		return &Error{Op: "open", Path: l.Dir, Err: cause(err)}
	}
	now := l.now()
	first := now.Add(-l.Keep).UTC().Truncate(24 * time.Hour)
	var errs []error
	for _, entry := range entries {
		day, _, ok := parseFileName(entry.Name())
		if !ok || !day.Before(first) || day.After(now) {
			continue
		}
		removed, err := remove(l.Dir, entry.Name())
		if err != nil {
			errs = append(errs, &Error{Op: "remove", Path: filepath.Join(l.Dir, entry.Name()), Err: cause(err)})
		}
		if removed {
			errs = append(errs, l.noteRemoved(entry.Name()))
		}
	}
	return errors.Join(errs...)
}

func (l *Log) noteRemoved(name string) error {
	r := Record{Event: Removed, File: name, Reason: fmt.Sprintf("older than %d days", int(l.Keep.Hours()/24))}
	if err := l.add(&r); err != nil {
		return err
	}
	if err := l.commit(); err != nil {
		return err
	}
	return l.held.show()
}

// remove removes one file. The heads file says so before and is free of it
// afterwards, so that a crash in between looks neither like a file that was taken
// away nor like one that was put there.
func remove(dir, name string) (removed bool, err error) {
	heads, err := lockHeads(dir)
	if err != nil {
		return false, err
	}
	defer heads.Close()
	if free, err := isFree(dir, name); !free || err != nil {
		return false, err
	}
	offset, head, _, err := search(heads, head{name: name, link: origin()})
	if err != nil {
		return false, err
	}
	place := headPlace{heads, offset}
	head.removed = true
	if err := place.put(head); err != nil {
		return false, err
	}
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		return false, err
	}
	head.name, head.removed = "", false
	return true, place.put(head)
}

// isFree reports whether nobody holds a file. Nobody takes one of a day that is over.
func isFree(dir, name string) (bool, error) {
	file, _, err := openFile(dir, name, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // another program was first
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	return tryLock(file)
}
