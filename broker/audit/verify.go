package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Finding is one thing that is not as it was written.
type Finding struct {
	File    string
	Line    int // from 1; 0 means the file as a whole
	Problem string
}

func (f Finding) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Problem
	}
	return fmt.Sprintf("%s: line %d: %s", f.File, f.Line, f.Problem)
}

// Verdict is what Verify found.
type Verdict struct {
	Files    int // that were read
	Records  int64
	Findings []Finding // empty: all is as it was written
	Notes    []Finding // what a crash explains, and no record is missing for
}

// Verify checks every file of a folder: each record's own hash, that it follows the
// one before it, that the first names the file, and that the chain goes as far as
// the heads file says, which also tells of files that are gone. Programs may write
// meanwhile. It cannot find that somebody with the user's rights has made a whole
// chain and the heads file anew.
func Verify(dir string) (Verdict, error) {
	var v Verdict
	heads, broken, err := readHeads(dir) // before the files, which only grow
	if err != nil {
		return v, &Error{Op: "read", Path: filepath.Join(dir, headsName), Err: cause(err)}
	}
	v.Findings = broken
	days, err := Folder(dir).days()
	if err != nil {
		return v, err
	}
	for _, d := range days {
		for _, name := range d.names {
			known, listed := heads[name]
			delete(heads, name)
			if listed && known.removed {
				v.note(name, "it is too old and was about to be removed")
				continue
			}
			if err := v.file(dir, name, known, listed); err != nil {
				return v, err
			}
		}
	}
	for name, h := range heads {
		if !h.removed && h.seq > 0 {
			v.find(name, 0, fmt.Sprintf("the file is gone, with %d records", h.seq))
		}
	}
	return v, nil
}

func (v *Verdict) find(file string, line int, problem string) {
	v.Findings = append(v.Findings, Finding{file, line, problem})
}

func (v *Verdict) note(file, text string) {
	v.Notes = append(v.Notes, Finding{File: file, Problem: text})
}

// file checks one file.
func (v *Verdict) file(dir, name string, known head, listed bool) error {
	file, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // too old, and just removed
	}
	if err != nil {
		return &Error{Op: "open", Path: filepath.Join(dir, name), Err: cause(err)}
	}
	defer file.Close()
	v.Files++
	c := check{Verdict: v, name: name, end: origin(), known: known}
	err = c.read(file)
	if err != nil {
		return &Error{Op: "read", Path: file.Name(), Err: cause(err)}
	}
	switch {
	case !listed && c.line > 0:
		v.find(name, 0, "the heads file does not know it: it was put here, or the heads file was changed")
	case listed && !c.lost:
		if err := known.reached(c.end); err != nil {
			v.find(name, c.line+1, err.Error())
		}
	}
	return nil
}

// check is the reading of one file.
type check struct {
	*Verdict
	name  string
	line  int
	end   link
	known head
	lost  bool // the line before was no record, so anything may follow it
}

func (c *check) read(file io.Reader) error {
	lines := bufio.NewReaderSize(file, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF && len(line) == 0:
			return nil
		case err == io.EOF:
			c.half(len(line))
			return nil
		case err == bufio.ErrBufferFull:
			c.line++
			c.wrong(c.line, "it is longer than any record; what follows was not read")
			c.lost = true
			return nil
		case err != nil:
			return err
		}
		c.line++
		c.record(bytes.TrimSuffix(line, []byte{'\n'}))
	}
}

// record checks one line. After a flaw the chain goes on from what is there, so that
// each flaw is told once, and those behind it are found, too.
func (c *check) record(line []byte) {
	r, err := sealed(line)
	if err != nil {
		c.wrong(c.line, err.Error())
		c.lost = true
		return
	}
	switch {
	case c.lost:
	case r.Seq != c.end.seq+1:
		c.wrong(c.line, fmt.Sprintf("record %d stands where record %d should", r.Seq, c.end.seq+1))
	case r.Prev != string(c.end.hash[:]) && c.line == 1:
		c.wrong(c.line, "it does not begin a chain")
	case r.Prev != string(c.end.hash[:]):
		c.wrong(c.line-1, "it was replaced: the next record follows another one")
	}
	c.lost = false
	c.end.seq = r.Seq
	copy(c.end.hash[:], r.Hash)
	c.Records++
	switch {
	case c.line == 1 && (r.Event != Start || r.File != c.name):
		c.wrong(c.line, fmt.Sprintf("it does not begin the file %s, but %q", c.name, r.File))
	case r.Seq == c.known.seq && r.Hash != string(c.known.hash[:]):
		c.wrong(c.line, "it is not the record that was written: the heads file has another hash")
	case r.Damaged != "":
		c.note(c.name, fmt.Sprintf("line %d: mcpauth found then that %s had been changed", c.line, r.Damaged))
	}
}

func (c *check) wrong(line int, problem string) { c.find(c.name, line, problem) }

// half judges a line without an end: a record that is being written, or that a
// crash cut.
func (c *check) half(size int) {
	if c.end.seq >= c.known.seq {
		c.note(c.name, fmt.Sprintf("it ends with %d bytes of a record that is being written, or that a crash cut off", size))
	}
}

// readWhole reads a small file of the folder; one that is not there is empty.
func readWhole(dir, name string) ([]byte, error) {
	file, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxHeads))
}
