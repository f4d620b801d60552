package audit

import (
	"bytes"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// maxJoin bounds the calls, or the results, that wait for the other half.
const maxJoin = 8192

// Entry is a record and, of a call, its result.
type Entry struct {
	Line
	Result *Line // nil: none is logged yet
	Apart  bool  // there is no Result, since it may be too far away from the call
}

// Outcome is in one word how it went: the status of the result, or the decision.
func (e *Entry) Outcome() string {
	switch {
	case e.Result != nil:
		return e.Result.Record.Status
	case e.Apart:
		return "unknown"
	case e.Record.Event == Call && e.Record.Decision == Allow:
		return "sent"
	case e.Record.Event == Result:
		return e.Record.Status
	}
	return e.Record.Decision
}

// ErrBroken says that a line is no record.
type ErrBroken struct{ File string }

func (e *ErrBroken) Error() string { return "a line of " + e.File + " is no record" }

// Newest yields the entries that a filter chooses, newest first and at most limit of
// them; 0 means all. Results come with their calls. An error tells of a line (an
// [*ErrBroken]) or a file that could not be read; the others go on. Raw is good until the
// next entry. No more than a few thousand entries are held at once.
func (f Folder) Newest(filter Filter, limit int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		results := resultsAhead{}
		for line, err := range f.Back(filter.Since) {
			if err == nil && line.Err != nil {
				err = &ErrBroken{line.File}
			}
			switch {
			case err != nil:
				if !yield(Entry{Line: line}, err) {
					return
				}
				continue
			case line.Record.Event == Result:
				results.put(line)
				continue
			}
			entry := Entry{Line: line}
			results.join(&entry)
			if !filter.Match(&line.Record) {
				continue
			}
			if limit--; !yield(entry, nil) || limit == 0 {
				return
			}
		}
	}
}

// resultsAhead are results whose calls are still to come: they are older.
type resultsAhead struct {
	byCall  map[string]*Line
	dropped bool
}

func (a *resultsAhead) put(line Line) {
	if a.byCall == nil {
		a.byCall = map[string]*Line{}
	}
	if len(a.byCall) >= maxJoin {
		a.shrink(line.Record.Time)
	}
	line.Raw = bytes.Clone(line.Raw)
	a.byCall[line.Record.Call] = &line
}

// shrink drops the results whose calls should have come by now, and others if that is not
// enough.
func (a *resultsAhead) shrink(now time.Time) {
	for call := range a.byCall {
		if at, ok := idTime(call); ok && at.After(now.Add(slack)) {
			delete(a.byCall, call)
		}
	}
	for call := range a.byCall {
		if len(a.byCall) <= maxJoin/2 {
			return
		}
		a.dropped = true
		delete(a.byCall, call)
	}
}

func (a *resultsAhead) join(e *Entry) {
	e.Result = a.byCall[e.Record.ID]
	delete(a.byCall, e.Record.ID)
	e.Apart = a.dropped && e.Result == nil && e.Record.awaitsResult()
}

func (r *Record) awaitsResult() bool { return r.Event == Call && r.Decision == Allow }

// Oldest yields the entries that a filter chooses, oldest first: all, or the newest, so many
// of them as limit says. A result that comes after thousands of other calls is an entry of
// its own. What Newest says of errors, Raw and memory holds here, too.
func (f Folder) Oldest(filter Filter, limit int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		switch {
		case limit == 0:
			f.joined(filter, yield)
		case limit <= maxJoin:
			f.reversed(filter, limit, yield)
		default:
			first := ""
			for e, err := range f.Newest(filter, limit) {
				if err == nil {
					filter.Since, first = e.Record.Time, e.Record.ID
				}
			}
			f.joined(filter, func(e Entry, err error) bool {
				if err == nil && first != "" && e.Record.ID != first {
					return true // of the same moment
				}
				if err == nil {
					first = ""
				}
				return yield(e, err)
			})
		}
	}
}

// reversed yields the newest entries, which are few.
func (f Folder) reversed(filter Filter, limit int, yield func(Entry, error) bool) {
	var entries []Entry
	for e, err := range f.Newest(filter, limit) {
		if err == nil {
			e.Raw = bytes.Clone(e.Raw)
			entries = append(entries, e)
		} else if !yield(e, err) {
			return
		}
	}
	for _, e := range slices.Backward(entries) {
		if !yield(e, nil) {
			return
		}
	}
}

// joined reads from the oldest entry on. Calls wait for their results, in their order.
func (f Folder) joined(filter Filter, yield func(Entry, error) bool) {
	w := waiting{byID: map[string]*Entry{}, late: map[string]bool{}}
	for line, err := range f.Since(filter.Since) {
		if err == nil && line.Err != nil {
			err = &ErrBroken{line.File}
		}
		switch {
		case err != nil:
			if !yield(Entry{Line: line}, err) {
				return
			}
		case line.Record.Event == Result:
			if w.result(line) && !yield(Entry{Line: line}, nil) {
				return
			}
		case filter.Match(&line.Record):
			w.add(line)
		}
		for w.ready() {
			if !yield(w.next(), nil) {
				return
			}
		}
	}
	for len(w.entries) > 0 && yield(w.next(), nil) {
	}
}

// waiting are entries whose results may come, and those behind them.
type waiting struct {
	entries []*Entry
	byID    map[string]*Entry // those without a result
	late    map[string]bool   // calls that were given without a result
}

func (w *waiting) add(line Line) {
	line.Raw = bytes.Clone(line.Raw)
	e := &Entry{Line: line}
	w.entries = append(w.entries, e)
	if line.Record.awaitsResult() {
		w.byID[line.Record.ID] = e
	}
}

// result takes a result, and reports whether it comes too late for its call.
func (w *waiting) result(line Line) (late bool) {
	e := w.byID[line.Record.Call]
	if e == nil {
		late = w.late[line.Record.Call]
		delete(w.late, line.Record.Call)
		return late
	}
	delete(w.byID, line.Record.Call)
	line.Raw = bytes.Clone(line.Raw)
	e.Result = &line
	return false
}

// ready reports whether the oldest entry is complete, or has waited long enough.
func (w *waiting) ready() bool {
	return len(w.entries) > maxJoin || len(w.entries) > 0 && w.byID[w.entries[0].Record.ID] == nil
}

func (w *waiting) next() Entry {
	e := w.entries[0]
	w.entries[0] = nil
	w.entries = w.entries[1:]
	if w.byID[e.Record.ID] != nil {
		delete(w.byID, e.Record.ID)
		if len(w.late) < maxAwaited {
			w.late[e.Record.ID] = true
		}
	}
	return *e
}

// maxAwaited bounds the calls whose results may come late.
const maxAwaited = 100_000

// Find returns the entry of this ID. It begins where the time in the ID says, and at the
// very beginning only if the clock was set since.
func (f Folder) Find(id string) (entry Entry, ok bool, errs []error) {
	if at, known := idTime(id); known {
		if entry, ok, errs = f.find(id, at.Add(-slack)); ok {
			return entry, ok, errs
		}
	}
	return f.find(id, time.Time{})
}

// find looks only into lines that hold the ID.
func (f Folder) find(id string, since time.Time) (entry Entry, ok bool, errs []error) {
	files, err := f.files()
	if err != nil {
		return entry, false, []error{err}
	}
	var result *Line
	for _, file := range files {
		if day, _, _ := parseFileName(file.Name); !day.AddDate(0, 0, 1).After(since) {
			continue
		}
		err := f.lines(file.Name, since, []byte(id), func(line Line) bool {
			line.Raw = bytes.Clone(line.Raw)
			switch {
			case line.Err != nil:
			case line.Record.ID == id:
				entry.Line, ok = line, true
			case line.Record.Event == Result && line.Record.Call == id:
				result = &line
			}
			return !ok || result == nil && entry.Record.awaitsResult()
		})
		if err != nil {
			errs = append(errs, err)
		}
		if ok && (result != nil || !entry.Record.awaitsResult()) {
			break
		}
	}
	entry.Result = result
	return entry, ok, errs
}

// lines reads the lines of one file that hold a text, from a moment on, until see has enough.
func (f Folder) lines(name string, since time.Time, text []byte, see func(Line) bool) error {
	path := filepath.Join(string(f), name)
	file, err := sharedfile.Open(path, 0)
	if err != nil {
		if os.IsNotExist(err) {
			return nil // too old, and just removed
		}
		return &Error{Op: "open", Path: path, Err: cause(err)}
	}
	defer file.Close()
	_, err = seekTime(file, since)
	if err != nil {
		return &Error{Op: "read", Path: path, Err: cause(err)}
	}
	next, err := forward(file)
	for err == nil {
		var raw []byte
		if raw, err = next(); err == nil && bytes.Contains(raw, text) {
			line := Line{File: name}
			if line.parse(raw); !see(line) {
				return nil
			}
		}
	}
	if err == io.EOF {
		return nil
	}
	return &Error{Op: "read", Path: path, Err: cause(err)}
}

// seekTime sets a file to the first line that may be of this moment or later, as far as its
// lines are in the order of time, and returns the offset of that.
func seekTime(file *os.File, since time.Time) (offset int64, err error) {
	if since.Year() < 1970 {
		return 0, nil
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	low, high := int64(0), info.Size() // what is before low is older
	piece := make([]byte, 2*maxLine)
	for high-low > 4*maxLine {
		middle := low + (high-low)/2
		n, err := file.ReadAt(piece, middle)
		if err != nil && err != io.EOF {
			return 0, err
		}
		start := bytes.IndexByte(piece[:n], '\n') + 1
		at, ok := timeOf(piece[start:n])
		switch {
		case start == 0 || !ok:
			return file.Seek(low, io.SeekStart)
		case at.Before(since):
			low = middle + int64(start)
		default:
			high = middle
		}
	}
	return file.Seek(low, io.SeekStart)
}

// timeOf is the time of the record at the beginning of a text.
func timeOf(text []byte) (at time.Time, ok bool) {
	const size = len("2006-01-02T15:04:05.000Z")
	_, rest, found := bytes.Cut(text, []byte(`,"time":"`))
	if !found || len(rest) < size {
		return at, false
	}
	at, err := time.Parse(time.RFC3339, string(rest[:size]))
	return at, err == nil
}
