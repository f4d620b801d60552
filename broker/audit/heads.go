package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// headsName is the file that says of each audit file how far it goes, since a chain
// does not show that its end was cut off. A line of fixed size belongs to each
// audit file, and is written in place by whoever holds the lock of that file; lines
// are given out under the lock of the heads file.
const headsName = "heads"

// head is one line: where the chain of a file ended when last looked at.
type head struct {
	name    string // of the audit file; empty: the line is free
	removed bool   // the file is old and about to be removed
	link
}

const headFormat = "%-40s %-7s %020d %s\n"

const headSize = 40 + 1 + 7 + 1 + 20 + 1 + hashSize + 1

func (h head) line() []byte {
	state := "live"
	switch {
	case h.name == "":
		state = "free"
	case h.removed:
		state = "removed"
	}
	return fmt.Appendf(nil, headFormat, h.name, state, h.seq, h.hash[:])
}

var errNoHead = errors.New("it is no line of this file")

// parseHead reads what line writes.
func parseHead(line []byte) (h head, err error) {
	fields := bytes.Fields(line)
	if len(fields) == 3 {
		fields = append([][]byte{nil}, fields...) // of a line that is free
	}
	if len(fields) != 4 {
		return h, errNoHead
	}
	state := string(fields[1])
	h.name, h.removed = string(fields[0]), state == "removed"
	h.seq, err = strconv.ParseInt(string(fields[2]), 10, 64)
	copy(h.hash[:], fields[3])
	known := h.removed || state == "live" || state == "free"
	if err != nil || !known || !isHash(h.hash[:]) || !bytes.Equal(fmt.Appendf(nil, headFormat, h.name, state, h.seq, h.hash[:]), line) {
		return head{}, errNoHead
	}
	if (state == "free") != (h.name == "") {
		return head{}, errors.New("it was changed: a line is free when it names no file")
	}
	if h.seq == 0 && h.link != origin() {
		return head{}, errors.New("it was changed: before the first record there is no hash")
	}
	return h, nil
}

func isHash(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// headPlace is where the head of one file is kept.
type headPlace struct {
	file   *os.File
	offset int64
}

func (p headPlace) put(h head) error {
	_, err := p.file.WriteAt(h.line(), p.offset)
	return err
}

// lockHeads opens the heads file with its lock, which ends with the file.
func lockHeads(dir string) (*os.File, error) {
	file, _, err := openFile(dir, headsName, os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := waitLock(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// place finds the line of an audit file, or gives it one, and returns what it says.
// The caller holds the lock of the audit file, and closes the place's file.
func place(dir, name string) (headPlace, head, error) {
	locked, err := lockHeads(dir)
	if err != nil {
		return headPlace{}, head{}, err
	}
	defer locked.Close()
	offset, h, known, err := search(locked, head{name: name, link: origin()})
	if err == nil && !known {
		err = headPlace{locked, offset}.put(h)
	}
	if err != nil {
		return headPlace{}, head{}, err
	}
	file, _, err := openFile(dir, headsName, 0) // another, without the lock
	return headPlace{file, offset}, h, err
}

// search looks for the line of want.name. If there is none it returns want and the
// first free place.
func search(file *os.File, want head) (offset int64, found head, known bool, err error) {
	data, err := io.ReadAll(io.NewSectionReader(file, 0, maxHeads))
	if err != nil {
		return 0, want, false, err
	}
	free := int64(-1)
	for at := 0; at+headSize <= len(data); at += headSize {
		h, err := parseHead(data[at : at+headSize])
		switch {
		case err != nil: // verify tells of it
		case h.name == want.name:
			return int64(at), h, true, nil
		case h.name == "" && free < 0:
			free = int64(at)
		}
	}
	if free < 0 {
		free = int64(len(data) - len(data)%headSize)
	}
	return free, want, false, nil
}

// maxHeads bounds what is read of the heads file: some 100,000 audit files.
const maxHeads = 100_000 * headSize

// readHeads reads all lines. A missing file is empty.
func readHeads(dir string) (heads map[string]head, problems []Finding, err error) {
	data, err := readWhole(dir, headsName)
	if err != nil {
		return nil, nil, err
	}
	heads = map[string]head{}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		h, err := parseHead(line)
		if err != nil {
			problems = append(problems, Finding{File: headsName, Line: number, Problem: err.Error()})
		} else if h.name != "" {
			heads[h.name] = h
		}
	}
	return heads, problems, nil
}
