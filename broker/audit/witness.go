package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// testimony is what the files of a folder say of each other.
type testimony struct {
	places  map[string]map[int64]string // of a file: hashes of records, by number
	removed map[string]bool             // files that mcpauth removed
	through string                      // what is as old as this one was removed, too
}

// hear collects what the files say of each other, from whole records only.
func hear(dir string, files []File) (testimony, error) {
	t := testimony{places: map[string]map[int64]string{}, removed: map[string]bool{}}
	for _, f := range files {
		file, err := sharedfile.Open(filepath.Join(dir, f.Name), 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = t.read(file)
			file.Close()
		}
		if err != nil {
			return t, &Error{Op: "read", Path: filepath.Join(dir, f.Name), Err: cause(err)}
		}
	}
	return t, nil
}

func (t *testimony) read(file *os.File) error {
	next, err := forward(file)
	if err != nil {
		return err
	}
	for {
		line, err := next()
		if err == io.EOF || err == errLong {
			return nil
		}
		if err != nil {
			return err
		}
		if !hasEvent(line, Start) && !hasEvent(line, Removed) {
			continue
		}
		if r, err := sealed(line); err == nil {
			t.add(&r)
		}
	}
}

func (t *testimony) add(r *Record) {
	if r.Event == Start && isFileName(r.Witness) && r.WitnessSeq > 0 {
		if t.places[r.Witness] == nil {
			t.places[r.Witness] = map[int64]string{}
		}
		t.places[r.Witness][r.WitnessSeq] = r.WitnessHash
	}
	if r.Event == Removed && isFileName(r.File) && !tooEarly(r) {
		t.removed[r.File] = true
		t.through = newerName(t.through, r.Through)
	}
}

// tooEarly reports whether a file was not as old as the record of its removal says.
func tooEarly(r *Record) bool {
	var days int
	if _, err := fmt.Sscanf(r.Reason, olderThan, &days); err != nil {
		return false
	}
	day, _, _ := parseFileName(r.File)
	return !day.Before(r.Time.Add(-time.Duration(days) * 24 * time.Hour).Truncate(24 * time.Hour))
}

// tellsRemoval reports whether mcpauth removed a file. The record of the removal may have been
// removed itself, with a file that was newer.
func (t *testimony) tellsRemoval(name string) bool {
	return t.removed[name] || t.through != "" && isFileName(name) && compareNames(name, t.through) <= 0
}

// lookAt reads where the chain of a file ends. It is no matter if that cannot be said:
// then there is one witness less.
func lookAt(dir, name string) tip {
	if name == "" {
		return tip{}
	}
	file, _, err := openFile(dir, name, 0)
	if err != nil {
		return tip{}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return tip{}
	}
	end, _, err := lastRecord(file, info.Size())
	if err != nil || end.seq == 0 {
		return tip{}
	}
	return tip{name, end}
}

func isFileName(name string) bool {
	_, _, ok := parseFileName(name)
	return ok
}
