package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// held is the file that a log has taken.
type held struct {
	file  *os.File
	name  string
	path  string
	mark  fileMark
	day   int64 // since 1970
	size  int64 // of what we know to be in it
	end   link
	place headPlace
	shown link // what the heads file says
	begun bool // we have written to it
	dirty bool // half a line may stand behind size
	// looked is when the file was last seen to be as we left it.
	looked time.Time
	torn   int // bytes of half a line that we found
}

// fileName is the name of a day's file. The first has no number.
func fileName(day time.Time, number int) string {
	name := "audit-" + day.UTC().Format(time.DateOnly)
	if number > 1 {
		name += "." + strconv.Itoa(number)
	}
	return name + ".jsonl"
}

var fileNamePattern = compiled(`^audit-(\d{4}-\d\d-\d\d)(?:\.([1-9]\d{0,5}))?\.jsonl$`)

// parseFileName is the day and the number of an audit file.
func parseFileName(name string) (day time.Time, number int, ok bool) {
	m := fileNamePattern().FindStringSubmatch(name)
	if m == nil {
		return day, 0, false
	}
	day, err := time.Parse(time.DateOnly, m[1])
	number = 1
	if m[2] != "" {
		number, _ = strconv.Atoi(m[2]) // of six digits at most
	}
	return day, number, err == nil && fileName(day, number) == name
}

// maxFiles bounds the files of a day.
const maxFiles = 100_000

// errTaken: the file is held by another program, full, or not to be touched.
var errTaken = errors.New("the file is taken")

// take finds today's first file that nobody holds and that is not full.
func (l *Log) take(now time.Time) error {
	if err := l.release(); err != nil {
		return err
	}
	for number := 1; number <= maxFiles; number++ {
		name := fileName(now, number)
		h, err := l.hold(name)
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			return &Error{Op: "open", Path: l.Dir + string(os.PathSeparator) + name, Err: cause(err)}
		}
		h.day, h.looked = dayOf(now), now
		l.held = h
		l.tidy = l.tidy || h.size == 0
		return nil
	}
	return &Error{Op: "open", Path: l.Dir, Err: errors.New("all files of the day are taken")}
}

// hold takes one file, if it can be gone on with.
func (l *Log) hold(name string) (*held, error) {
	file, mark, err := openFile(l.Dir, name, os.O_CREATE|os.O_APPEND)
	if err != nil {
		return nil, err
	}
	h := &held{file: file, name: name, path: file.Name(), mark: mark}
	err = h.take(l)
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *held) take(l *Log) error {
	switch got, err := tryLock(h.file); {
	case err != nil:
		return err
	case !got:
		return errTaken
	}
	size, same := h.mark.sizeAt(h.path)
	if !same || size >= l.MaxSize {
		return errTaken // removed as too old while we opened it, or full
	}
	h.size = size
	place, head, err := place(l.Dir, h.name)
	if err != nil {
		return err
	}
	h.place, h.shown = place, head.link
	if err := h.findEnd(head); err != nil {
		l.aside = h.name
		return errTaken
	}
	return h.mend()
}

// findEnd reads the last record, which the chain goes on from. It returns an error
// where what is there was changed, or ends before the place that the heads file
// knows of: that is evidence, and not to be built upon.
func (h *held) findEnd(known head) error {
	h.end = origin()
	tail := make([]byte, min(h.size, 2*maxLine))
	if _, err := h.file.ReadAt(tail, h.size-int64(len(tail))); err != nil {
		return err
	}
	whole := bytes.LastIndexByte(tail, '\n') + 1
	if whole == 0 && h.size > int64(len(tail)) {
		return errors.New("it ends with a line that is too long")
	}
	h.torn = len(tail) - whole
	h.size -= int64(h.torn)
	h.dirty = h.torn > 0
	if whole == 0 {
		return known.reached(h.end)
	}
	start := bytes.LastIndexByte(tail[:whole-1], '\n') + 1
	last, err := sealed(tail[start : whole-1])
	if err != nil {
		return err
	}
	h.end.seq = last.Seq
	copy(h.end.hash[:], last.Hash)
	return known.reached(h.end)
}

// reached reports whether a chain that ends here may be the one whose head was
// noted some time before.
func (h head) reached(end link) error {
	switch {
	case h.seq > end.seq:
		if h.seq == end.seq+1 {
			return fmt.Errorf("record %d is missing at its end: it was removed, or lost when the machine broke down", h.seq)
		}
		return fmt.Errorf("records %d to %d are missing at its end: they were removed, or lost when the machine broke down", end.seq+1, h.seq)
	case h.seq == end.seq && h.hash != end.hash:
		return fmt.Errorf("record %d is not the one that was written", end.seq)
	}
	return nil
}

// mend takes half a line away, which must not swallow the next record.
func (h *held) mend() error {
	if !h.dirty {
		return nil
	}
	if err := h.file.Truncate(h.size); err != nil {
		return err
	}
	h.dirty = false
	return nil
}

// show notes in the heads file how far the chain goes.
func (h *held) show() error {
	if h.end == h.shown {
		return nil
	}
	if err := h.place.put(head{name: h.name, link: h.end}); err != nil {
		return &Error{Op: "append", Path: h.place.file.Name(), Err: cause(err)}
	}
	h.shown = h.end
	return nil
}

func (h *held) close() error {
	var err error
	if h.place.file != nil {
		err = h.place.file.Close()
	}
	return errors.Join(err, h.file.Close())
}

// release lets go of the held file. Nothing of a write that failed stays in it: whoever
// takes it next would go on behind whole lines.
func (l *Log) release() error {
	if l.held == nil {
		return nil
	}
	h := l.held
	l.held = nil
	return errors.Join(h.mend(), h.show(), h.close())
}
