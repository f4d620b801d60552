package audit

import (
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
	// ClientID, Session and Instance choose what [Record] has under these names.
	ClientID, Session, Instance string

	Denied bool // only what was not allowed
	Starts bool // also that a program began to write, where nothing was amiss
	Calls  bool // only calls
	Since  time.Time

	tool *regexp.Regexp
}

// Match reports whether the filter chooses a record.
func (f *Filter) Match(r *Record) bool {
	if f.Tool != "" && f.tool == nil {
		f.tool = regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(f.Tool), `\*`, ".*") + "$")
	}
	switch {
	case r.Time.Before(f.Since):
	case f.Calls && r.Event != Call:
	case r.Event == Start && !f.Starts && r.Torn == 0 && r.Damaged == "":
	case f.User != "" && f.User != r.Sub && !strings.EqualFold(f.User, r.Email):
	case f.Tool != "" && !f.tool.MatchString(r.Name):
	case !fits(f.Profile, r.Profile), !fits(f.Client, r.Client), !fits(f.ClientID, r.ClientID),
		!fits(f.Session, r.Session), !fits(f.Instance, r.Instance):
	case f.Denied && (r.Decision == "" || r.Decision == Allow):
	default:
		return true
	}
	return false
}

// fits reports whether a value is the one that is looked for, if any is.
func fits(wanted, is string) bool { return wanted == "" || wanted == is }
