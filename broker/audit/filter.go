package audit

import (
	"bytes"
	"regexp"
	"strings"
	"time"
)

// Filter chooses records. Its zero value chooses all but starts; of a Result it can only judge
// the time and the name.
type Filter struct {
	User    string // sub, or e-mail address without regard to case
	Tool    string // name of a tool, prompt or resource; * stands for anything
	Profile string
	Client  string // the AI client's name
	Denied  bool   // only what was not allowed
	Starts  bool   // also that a program began to write, where nothing was amiss
	Since   time.Time

	tool *regexp.Regexp
}

// Match reports whether the filter chooses a record.
func (f *Filter) Match(r *Record) bool {
	if f.Tool != "" && f.tool == nil {
		f.tool = regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(f.Tool), `\*`, ".*") + "$")
	}
	switch {
	case r.Time.Before(f.Since):
	case r.Event == Start && !f.Starts && r.Torn == 0 && r.Damaged == "":
	case f.User != "" && f.User != r.Sub && !strings.EqualFold(f.User, r.Email):
	case f.Tool != "" && !f.tool.MatchString(r.Name):
	case f.Profile != "" && f.Profile != r.Profile:
	case f.Client != "" && f.Client != r.Client:
	case f.Denied && (r.Decision == "" || r.Decision == Allow):
	default:
		return true
	}
	return false
}

// Entry is a record and, of a call, its result.
type Entry struct {
	Line
	Result *Line // nil: none is recorded yet
}

// Outcome is in one word how it went: the status of the result, or the decision.
func (e *Entry) Outcome() string {
	switch {
	case e.Result != nil:
		return e.Result.Record.Status
	case e.Record.Event == Call && e.Record.Decision == Allow:
		return "sent"
	case e.Record.Event == Result:
		return e.Record.Status
	}
	return e.Record.Decision
}

// Found is what a search found.
type Found struct {
	Entries []Entry // newest first
	Broken  []Line  // lines that are no records, on the way
	Errs    []error // of files that could not be read
}

// Search finds the newest entries, at most limit of them; 0 means all. Results come
// with their calls.
func (f Folder) Search(filter Filter, limit int) Found {
	var found Found
	results := map[string]*Line{} // newest first, so a result comes before its call
	for line, err := range f.Back(filter.Since) {
		switch {
		case err != nil:
			found.Errs = append(found.Errs, err)
			continue
		case line.Err != nil:
			line.Raw = bytes.Clone(line.Raw)
			found.Broken = append(found.Broken, line)
			continue
		}
		line.Raw = bytes.Clone(line.Raw)
		if line.Record.Event == Result {
			results[line.Record.Call] = &line
			continue
		}
		result := results[line.Record.ID]
		delete(results, line.Record.ID)
		if !filter.Match(&line.Record) {
			continue
		}
		found.Entries = append(found.Entries, Entry{line, result})
		if len(found.Entries) == limit {
			break
		}
	}
	return found
}

// Find returns the entry of this ID.
func (f Folder) Find(id string) (entry Entry, ok bool, errs []error) {
	results := map[string]*Line{}
	for line, err := range f.Back(time.Time{}) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case line.Err != nil:
		case line.Record.ID == id:
			line.Raw = bytes.Clone(line.Raw)
			return Entry{line, results[id]}, true, errs
		case line.Record.Event == Result && line.Record.Call == id:
			line.Raw = bytes.Clone(line.Raw)
			results[id] = &line
		}
	}
	return Entry{}, false, errs
}
