package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"
)

// segment is the file that a log has taken: it alone writes to it.
type segment struct {
	file      *os.File
	name      string
	path      string
	mark      fileMark
	day       int64 // since 1970
	size      int64 // of what we know to be in it
	end       link
	place     tipPlace
	published link // what the heads file says
	other     tip  // where the newest other file ended, when we took this one
	begun     bool // we have written to it
	dirty     bool // half a line may stand behind size
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

// take finds today's first file that is not held and not full. Numbers are
// given once: a file that was removed is not made again.
func (l *Log) take(now time.Time) error {
	if err := l.release(); err != nil {
		return err
	}
	last, err := lastNumber(l.Dir, now)
	if err != nil {
		return &Error{Op: "open", Path: l.Dir, Err: cause(err)}
	}
	for number := 1; number <= maxFiles; number++ {
		name := fileName(now, number)
		h, err := l.hold(name, number > last)
		if errors.Is(err, errTaken) || number <= last && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return &Error{Op: "open", Path: l.Dir + string(os.PathSeparator) + name, Err: cause(err)}
		}
		h.day, h.looked = dayOf(now), now
		l.segment = h
		l.tidy = l.tidy || h.size == 0
		return nil
	}
	return &Error{Op: "open", Path: l.Dir, Err: errors.New("all files of the day are taken")}
}

// lastNumber is the highest number of the files of a day, 0 if there is none.
func lastNumber(dir string, day time.Time) (last int, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, entry := range entries {
		if date, number, ok := parseFileName(entry.Name()); ok && dayOf(date) == dayOf(day) {
			last = max(last, number)
		}
	}
	return last, err
}

// hold takes one file, if it can be gone on with.
func (l *Log) hold(name string, create bool) (*segment, error) {
	flags := os.O_APPEND
	if create {
		flags |= os.O_CREATE
	}
	file, mark, err := openFile(l.Dir, name, flags)
	if err != nil {
		return nil, err
	}
	h := &segment{file: file, name: name, path: file.Name(), mark: mark}
	err = h.take(l)
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *segment) take(l *Log) error {
	switch got, err := tryLock(h.file); {
	case err != nil:
		return err
	case !got:
		return errTaken
	}
	size, same := h.mark.sizeAt(h.path)
	if !same || size >= l.fileSize() {
		return errTaken // removed as too old while we opened it, or full
	}
	h.size = size
	place, own, other, err := place(l.Dir, h.name)
	if err != nil {
		return err
	}
	h.place, h.published, h.other = place, own.link, lookAt(l.Dir, other)
	if err := h.findEnd(own); err != nil {
		l.aside = h.name
		return errTaken
	}
	return h.repair()
}

// findEnd reads the last record, which the chain goes on from. It returns an error
// where what is there was changed, or ends before the place that the heads file
// knows of: that is evidence, and not to be built upon.
func (h *segment) findEnd(known tip) error {
	end, torn, err := lastRecord(h.file, h.size)
	h.end, h.torn, h.dirty = end, torn, torn > 0
	h.size -= int64(torn)
	if err != nil {
		return err
	}
	return known.reached(h.end)
}

// lastRecord reads where the chain of a file of this size ends, and how many bytes of half a
// line are behind that.
func lastRecord(file io.ReaderAt, size int64) (end link, torn int, err error) {
	end = origin()
	tail := make([]byte, min(size, 2*maxLine))
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil {
		return end, 0, err
	}
	whole := bytes.LastIndexByte(tail, '\n') + 1
	if whole == 0 && size > int64(len(tail)) {
		return end, 0, errors.New("it ends with a line that is too long")
	}
	torn = len(tail) - whole
	if whole == 0 {
		return end, torn, nil
	}
	start := bytes.LastIndexByte(tail[:whole-1], '\n') + 1
	last, err := sealed(tail[start : whole-1])
	if err != nil {
		return end, torn, err
	}
	end.seq = last.Seq
	copy(end.hash[:], last.Hash)
	return end, torn, nil
}

// reached reports whether a chain that ends here may be the one whose head was
// noted some time before.
func (h tip) reached(end link) error {
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

// repair takes half a line away, which must not swallow the next record.
func (h *segment) repair() error {
	if !h.dirty {
		return nil
	}
	if err := h.file.Truncate(h.size); err != nil {
		return err
	}
	h.dirty = false
	return nil
}

// publish writes in the heads file how far the chain goes.
func (h *segment) publish() error {
	if h.end == h.published {
		return nil
	}
	if err := h.place.put(tip{name: h.name, link: h.end}); err != nil {
		return &Error{Op: "append", Path: h.place.file.Name(), Err: cause(err)}
	}
	h.published = h.end
	return nil
}

func (h *segment) close() error {
	var err error
	if h.place.file != nil {
		err = h.place.file.Close()
	}
	return errors.Join(err, h.file.Close())
}

// release lets go of the held file. Nothing of a write that failed stays in it: the next
// program that takes it goes on behind whole lines.
func (l *Log) release() error {
	if l.segment == nil {
		return nil
	}
	h := l.segment
	l.segment = nil
	return errors.Join(h.repair(), h.publish(), h.close())
}
