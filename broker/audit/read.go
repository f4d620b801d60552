package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// Folder is the audit files of one folder, for reading. Reading takes no lock and
// changes nothing, and does not judge what it finds: [Verify] does.
type Folder string

// Line is one line of a file.
type Line struct {
	File   string // its name in the folder
	Number int    // from 1; 0 where the file was not read from its beginning
	Record Record
	Raw    []byte // as it stands in the file; good until the next line
	Err    error  // it is no record
}

// day is the files of one day.
type day struct {
	date  time.Time
	names []string
}

// days lists what there is, oldest first.
func (f Folder) days() (days []day, err error) {
	files, err := f.files()
	for _, file := range files {
		date, _, _ := parseFileName(file.Name)
		if last := len(days) - 1; last < 0 || !days[last].date.Equal(date) {
			days = append(days, day{date: date})
		}
		last := &days[len(days)-1]
		last.names = append(last.names, file.Name)
	}
	return days, err
}

// compareNames compares the names of two audit files: older ones are less.
func compareNames(a, b string) int {
	dayA, numberA, _ := parseFileName(a)
	dayB, numberB, _ := parseFileName(b)
	return cmp.Or(dayA.Compare(dayB), cmp.Compare(numberA, numberB))
}

// Since yields the lines from this moment on, oldest first, over all files by time.
// A line that is no record comes with its Err; a file that cannot be read comes as
// the error of a pair, and the others go on.
func (f Folder) Since(since time.Time) iter.Seq2[Line, error] {
	return f.merged(merging{open: forward, order: 1, since: since})
}

// Back yields the lines newest first, back to this moment. What Since says of errors
// holds here, too.
func (f Folder) Back(to time.Time) iter.Seq2[Line, error] {
	return f.merged(merging{open: backward, order: -1, since: to})
}

// merging is in which direction files are read, and to what end.
type merging struct {
	open  func(file *os.File) (next func() ([]byte, error), err error)
	order int
	since time.Time
}

func (f Folder) merged(m merging) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		days, err := f.days()
		if err != nil {
			yield(Line{}, err)
			return
		}
		if m.order < 0 {
			slices.Reverse(days)
		}
		for _, d := range days {
			if d.date.AddDate(0, 0, 1).After(m.since) && !f.merge(d, m, yield) {
				return
			}
		}
	}
}

// slack is how far the lines of one file may be out of the order of time, at most:
// a clock that was set back breaks more than this.
const slack = time.Minute

// source is one file, and the line of it that comes next.
type source struct {
	file    *os.File
	next    func() ([]byte, error)
	forward bool // from the first line on
	line    Line
	err     error // io.EOF after the last line
}

// merge yields the lines of one day's files by time.
func (f Folder) merge(d day, m merging, yield func(Line, error) bool) bool {
	var sources []*source
	defer func() {
		for _, s := range sources {
			s.file.Close()
		}
	}()
	for _, name := range d.names {
		s, err := f.source(name, m)
		if errors.Is(err, fs.ErrNotExist) {
			continue // too old, and just removed
		}
		if err != nil {
			if !yield(Line{File: name}, err) {
				return false
			}
			continue
		}
		sources = append(sources, s)
		s.advance()
	}
	for {
		s := nearest(sources, m.order)
		if s == nil {
			return true
		}
		switch at := s.line.Record.Time; {
		case s.err != nil:
			err := &Error{Op: "read", Path: s.file.Name(), Err: cause(s.err)}
			s.err = io.EOF
			if !yield(Line{File: s.line.File}, err) {
				return false
			}
			continue
		case m.order < 0 && at.Before(m.since.Add(-slack)):
			s.err = io.EOF
			continue
		case !at.Before(m.since) && !yield(s.line, nil):
			return false
		}
		s.advance()
	}
}

// nearest is the source whose line comes next, or that has an error to tell.
func nearest(sources []*source, order int) (first *source) {
	for _, s := range sources {
		switch {
		case s.err == io.EOF:
		case s.err != nil:
			return s
		case first == nil || order*s.line.Record.Time.Compare(first.line.Record.Time) < 0:
			first = s
		}
	}
	return first
}

func (f Folder) source(name string, m merging) (*source, error) {
	file, err := sharedfile.Open(filepath.Join(string(f), name), 0)
	if err != nil {
		return nil, &Error{Op: "open", Path: filepath.Join(string(f), name), Err: cause(err)}
	}
	forward := m.order > 0
	if forward {
		offset, seekErr := seekTime(file, m.since.Add(-slack))
		if forward = offset == 0; seekErr != nil {
			file.Close()
			return nil, &Error{Op: "read", Path: file.Name(), Err: cause(seekErr)}
		}
	}
	next, err := m.open(file)
	if err != nil {
		file.Close()
		return nil, &Error{Op: "read", Path: file.Name(), Err: cause(err)}
	}
	return &source{file: file, next: next, forward: forward, line: Line{File: name}}, nil
}

// advance reads the next line. One that is no record keeps the time of the one
// before it, and so its place.
func (s *source) advance() {
	raw, err := s.next()
	if s.err = err; err != nil {
		return
	}
	if s.forward {
		s.line.Number++
	}
	s.line.parse(raw)
}

func (l *Line) parse(raw []byte) {
	at := l.Record.Time
	l.Raw, l.Record = raw, Record{}
	if l.Err = json.Unmarshal(raw, &l.Record); l.Err == nil && l.Record.Event == "" {
		l.Err = errors.New("it has no event")
	}
	if l.Err != nil {
		l.Record = Record{Time: at}
	}
}

var errLong = errors.New("a line is longer than any record")

// forward gives the whole lines of a file from its beginning. Half a line at the
// end is being written, or will never be a record.
func forward(file *os.File) (func() ([]byte, error), error) {
	buffered := bufio.NewReaderSize(file, 4*maxLine)
	return func() ([]byte, error) {
		line, err := buffered.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			return nil, errLong
		}
		return bytes.TrimSuffix(line, []byte{'\n'}), err
	}, nil
}

// backward gives the whole lines of a file from its end.
func backward(file *os.File) (func() ([]byte, error), error) {
	start, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	var rest []byte // of the file from start on, what was not given yet
	seen := false   // the end of the last whole line
	return func() ([]byte, error) {
		for {
			if i := bytes.LastIndexByte(rest, '\n'); i >= 0 {
				line := rest[i+1:]
				rest = rest[:i]
				if seen {
					return line, nil
				}
				seen = true
				continue
			}
			if start == 0 {
				line := rest
				if rest = nil; seen {
					seen = false
					return line, nil
				}
				return nil, io.EOF
			}
			if len(rest) > 4*maxLine {
				return nil, errLong
			}
			size := min(start, 4*maxLine)
			start -= size
			chunk := make([]byte, int(size)+len(rest))
			copy(chunk[size:], rest)
			if _, err := file.ReadAt(chunk[:size], start); err != nil {
				return nil, err
			}
			rest = chunk
		}
	}, nil
}
