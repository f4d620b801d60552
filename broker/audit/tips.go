package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// tipsName is the file that says of each audit file how far it goes, since a chain
// does not show that its end was cut off. A line of fixed size belongs to each
// audit file, and is written in place by the program with the lock of that file; lines
// are given out under the lock of the heads file.
const tipsName = "heads"

// tip is one line: where the chain of a file ended when last looked at.
type tip struct {
	name string // of the audit file; empty: the line is free
	link
}

const tipFormat = "%-40s %-7s %020d %s\n"

const tipSize = 40 + 1 + 7 + 1 + 20 + 1 + hashSize + 1

func (h tip) line() []byte {
	state := "live"
	if h.name == "" {
		state = "free"
	}
	return fmt.Appendf(nil, tipFormat, h.name, state, h.seq, h.hash[:])
}

var errNoTip = errors.New("it is no line of this file")

// parseTip reads what line writes. A file may be "removed", too: earlier versions wrote
// that before they removed it. It means no more than "live".
func parseTip(line []byte) (h tip, err error) {
	fields := bytes.Fields(line)
	if len(fields) == 3 {
		fields = append([][]byte{nil}, fields...) // of a line that is free
	}
	if len(fields) != 4 {
		return h, errNoTip
	}
	state := string(fields[1])
	h.name = string(fields[0])
	h.seq, err = strconv.ParseInt(string(fields[2]), 10, 64)
	copy(h.hash[:], fields[3])
	known := state == "live" || state == "free" || state == "removed"
	if err != nil || !known || !isHash(h.hash[:]) || !bytes.Equal(fmt.Appendf(nil, tipFormat, h.name, state, h.seq, h.hash[:]), line) {
		return tip{}, errNoTip
	}
	if (state == "free") != (h.name == "") {
		return tip{}, errors.New("it was changed: a line is free when it names no file")
	}
	if h.seq == 0 && h.link != origin() {
		return tip{}, errors.New("it was changed: before the first record there is no hash")
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

// tipPlace is where the head of one file is kept.
type tipPlace struct {
	file   *os.File
	offset int64
}

func (p tipPlace) put(h tip) error {
	_, err := p.file.WriteAt(h.line(), p.offset)
	return err
}

// lockTips opens the heads file with its lock, which ends with the file.
func lockTips(dir string) (*os.File, error) {
	file, _, err := openFile(dir, tipsName, os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := waitLock(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// place finds the line of an audit file, or gives it one, and returns what it says, and
// the name of the newest other file. The caller holds the lock of the audit
// file, and closes the place's file.
func place(dir, name string) (at tipPlace, own tip, newest string, err error) {
	locked, err := lockTips(dir)
	if err != nil {
		return at, own, newest, err
	}
	defer locked.Close()
	offset, own, newest, err := search(locked, name)
	if err == nil && own.name == "" {
		own = tip{name: name, link: origin()}
		err = tipPlace{locked, offset}.put(own)
	}
	if err != nil {
		return at, own, newest, err
	}
	file, _, err := openFile(dir, tipsName, 0) // another, without the lock
	return tipPlace{file, offset}, own, newest, err
}

// freePlace frees the line of a file that was removed.
func freePlace(dir, name string) error {
	locked, err := lockTips(dir)
	if err != nil {
		return err
	}
	defer locked.Close()
	offset, own, _, err := search(locked, name)
	if err != nil || own.name == "" {
		return err
	}
	own.name = ""
	return tipPlace{locked, offset}.put(own)
}

// search looks for the line of a file, and for the name of the newest other one. If the file
// has none, own has no name, and the offset is that of the first free place.
func search(file *os.File, name string) (offset int64, own tip, newest string, err error) {
	data, err := io.ReadAll(io.NewSectionReader(file, 0, maxTips))
	if err != nil {
		return 0, own, newest, err
	}
	free := int64(-1)
	for at := 0; at+tipSize <= len(data); at += tipSize {
		h, err := parseTip(data[at : at+tipSize])
		switch {
		case err != nil: // verify tells of it
		case h.name == "" && free < 0:
			free = int64(at)
		case h.name == "":
		case h.name == name && own.name == "":
			offset, own = int64(at), h
		case h.name != name && h.seq > 0:
			newest = newerName(newest, h.name)
		}
	}
	switch {
	case own.name != "":
	case free >= 0:
		offset = free
	default:
		offset = int64(len(data) - len(data)%tipSize)
	}
	return offset, own, newest, nil
}

// maxTips bounds what is read of the heads file: some 100,000 audit files.
const maxTips = 100_000 * tipSize

// readTips reads all lines. A missing file is empty.
func readTips(dir string) (heads map[string]tip, problems []Finding, err error) {
	data, err := readWhole(dir, tipsName)
	for range 10 { // a line may be half old and half new while it is written
		before := data
		if data, err = readWhole(dir, tipsName); err != nil {
			return nil, nil, err
		}
		if bytes.Equal(data, before) {
			break
		}
	}
	if err != nil {
		return nil, nil, err
	}
	heads = map[string]tip{}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		h, err := parseTip(line)
		if err == nil && h.name != "" && heads[h.name].name != "" {
			err = fmt.Errorf("it is a second line for %s", h.name)
		}
		if err != nil {
			problems = append(problems, Finding{File: tipsName, Line: number, Problem: err.Error()})
		}
		if h.name != "" && h.seq >= heads[h.name].seq {
			heads[h.name] = h
		}
	}
	return heads, problems, nil
}
