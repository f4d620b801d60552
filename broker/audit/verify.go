package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// Finding is one thing that is not as it was written.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; 0 means the file as a whole
	Problem string `json:"problem"`
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
// the heads file and the other files say, which also tell of missing files. Programs
// may write meanwhile. It cannot find that a program with the user's rights wrote whole
// chains and the heads file again, or has put back older copies of all of them.
func (f Folder) Verify() (Verdict, error) { return verify(string(f), false) }

// Check is Verify, but files that were whole before and look unchanged, by size, time and
// last hash, are not read again. It is quick, and believes the index beside the folder, which
// another program of the user can write: it serves doctor, and is no evidence as Verify is.
func (f Folder) Check() (Verdict, error) { return verify(string(f), true) }

func verify(dir string, quick bool) (Verdict, error) {
	for tries := 3; ; tries-- {
		v := verification{dir: dir}
		if quick {
			v.kept = Folder(dir).openIndex()
		}
		err := v.all()
		if !v.vanished || tries == 0 || err != nil {
			return v.Verdict, err
		}
	}
}

// verification is the reading of a folder.
type verification struct {
	Verdict
	dir      string
	witness  testimony
	vanished bool   // files were removed meanwhile, so what was read does not fit together
	kept     *index // nil: all is read
}

func (v *verification) all() error {
	heads, broken, err := readTips(v.dir) // before the files, which only grow
	if err != nil {
		return &Error{Op: "read", Path: filepath.Join(v.dir, tipsName), Err: cause(err)}
	}
	v.Findings = broken
	files, err := Folder(v.dir).files()
	if err != nil {
		return err
	}
	if v.witness, err = hear(v.dir, files); err != nil {
		return err
	}
	there := map[string]bool{}
	for _, f := range files {
		there[f.Name] = true
		if err := v.file(f, heads[f.Name]); err != nil {
			return err
		}
	}
	if v.kept != nil {
		v.kept.save(files)
	}
	if _, err := os.Lstat(filepath.Join(v.dir, tipsName)); err == nil && len(files) == 0 {
		v.find(tipsName, 0, "it is there, and no audit file is: they were removed")
	}
	v.missing(heads, there)
	return nil
}

// missing finds the files that are missing and that mcpauth is not known to have removed: those
// that the heads file or another file tells of, and gaps in the numbers of a day.
func (v *verification) missing(heads map[string]tip, there map[string]bool) {
	gone := map[string]int64{} // how many records each had at least
	for name, h := range heads {
		gone[name] = h.seq
	}
	for name, places := range v.witness.places {
		for seq := range places {
			gone[name] = max(gone[name], seq)
		}
	}
	for name := range there {
		day, number, _ := parseFileName(name)
		for before := 1; before < number; before++ {
			name := fileName(day, before)
			gone[name] = max(gone[name], 1)
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(gone), compareNames) {
		if there[name] || gone[name] == 0 || v.witness.tellsRemoval(name) {
			continue
		}
		if info, err := os.Lstat(filepath.Join(v.dir, name)); err == nil && info.Mode().IsRegular() {
			continue // made meanwhile
		}
		v.find(name, 0, fmt.Sprintf("the file is gone, with %d records or more, and no record says that mcpauth removed it", gone[name]))
	}
}

func (v *Verdict) find(file string, line int, problem string) {
	v.Findings = append(v.Findings, Finding{file, line, problem})
}

func (v *Verdict) note(file, text string) {
	v.Notes = append(v.Notes, Finding{File: file, Problem: text})
}

// file checks one file. Its head has no name where the heads file does not list it.
func (v *verification) file(f File, known tip) error {
	places, furthest := v.places(f.Name, known)
	entry := &indexEntry{}
	if v.kept != nil {
		entry = v.kept.entry(f)
	}
	if entry.Whole.covers(places) && known.name != "" {
		v.Files++
		v.Records += entry.Whole.Records
		return nil
	}
	file, err := sharedfile.Open(filepath.Join(v.dir, f.Name), 0)
	if errors.Is(err, fs.ErrNotExist) {
		v.vanished = true // too old, and just removed
		return nil
	}
	if err != nil {
		return &Error{Op: "open", Path: filepath.Join(v.dir, f.Name), Err: cause(err)}
	}
	defer file.Close()
	v.Files++
	found, records := len(v.Findings), v.Records
	c := check{Verdict: &v.Verdict, name: f.Name, end: origin(), known: places}
	if err := c.read(file, furthest.seq); err != nil {
		return &Error{Op: "read", Path: file.Name(), Err: cause(err)}
	}
	if known.name == "" && c.line > 0 {
		v.find(f.Name, 0, "the heads file does not know it: it was put here, or the heads file was changed")
	}
	if !c.lost {
		if err := furthest.reached(c.end); err != nil {
			v.find(f.Name, c.line+1, err.Error())
		}
	}
	if v.kept != nil && len(v.Findings) == found {
		entry.Whole, v.kept.changed = &wholeFile{v.Records - records, places}, true
	}
	return nil
}

// places are the hashes of the records of a file that the heads file, and others, tell of,
// and the furthest of them.
func (v *verification) places(name string, known tip) (places map[int64]string, furthest tip) {
	places, furthest = map[int64]string{}, known
	if known.name == "" {
		furthest.link = origin()
	}
	for seq, hash := range v.witness.places[name] {
		places[seq] = hash
		if seq > furthest.seq {
			furthest.seq = seq
			copy(furthest.hash[:], hash)
		}
	}
	if known.seq > 0 {
		places[known.seq] = string(known.hash[:])
	}
	return places, furthest
}

// check is the reading of one file.
type check struct {
	*Verdict
	name  string
	line  int
	end   link
	known map[int64]string // hashes of records that the heads file, and other files, tell of
	lost  bool             // the line before was no record, so anything may follow it
}

// read checks all lines. So many records were there at least.
func (c *check) read(file io.Reader, least int64) error {
	lines := bufio.NewReaderSize(file, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF && len(line) == 0:
			return nil
		case err == io.EOF:
			if c.end.seq >= least { // it is being written, or a crash cut it
				c.note(c.name, fmt.Sprintf("it ends with %d bytes of a record that is being written, or that a crash cut off", len(line)))
			}
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
// each flaw is named once, and later ones are found, too.
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
	case c.known[r.Seq] != "" && c.known[r.Seq] != r.Hash:
		c.wrong(c.line, "it is not the record that was written: the heads file, or another file, has another hash")
	case r.Damaged != "":
		c.note(c.name, fmt.Sprintf("line %d: mcpauth found then that %s had been changed", c.line, r.Damaged))
	}
}

func (c *check) wrong(line int, problem string) { c.find(c.name, line, problem) }

// readWhole reads a small file of the folder; one that is not there is empty.
func readWhole(dir, name string) ([]byte, error) {
	file, err := sharedfile.Open(filepath.Join(dir, name), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxTips))
}
