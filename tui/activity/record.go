package activity

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// record is the newest of what all proxies of this machine recorded, newest
// first.
type record struct {
	rows   []callRow
	broken int    // lines that are no records
	size   int64  // of all files, in bytes, when they were first read
	err    string // why it cannot be read
	read   bool
}

// callRow is an entry of the record, with its texts cleaned.
type callRow struct {
	audit.Record
	result *audit.Record // of a call that was answered
	raw    []byte        // as it stands in the file
}

// recordRead is news of the record, oldest first.
type recordRead struct {
	rows    []callRow
	results map[string]audit.Record // by the ID of their calls
	broken  int
	size    int64 // 0: not looked at
	err     string
}

const (
	recordKept   = 2000                   // entries that are held
	recordOld    = 500                    // entries that are read at the start
	recordLooked = 300 * time.Millisecond // how often the files are looked at
)

// take adds news.
func (r *record) take(news recordRead) {
	r.read, r.err, r.broken, r.size = true, news.err, r.broken+news.broken, max(r.size, news.size)
	for _, row := range news.rows {
		r.rows = slices.Insert(r.rows, 0, row)
	}
	for i := range r.rows {
		if result, ok := news.results[r.rows[i].ID]; ok {
			r.rows[i].result = &result
			delete(news.results, r.rows[i].ID)
		}
		if len(news.results) == 0 {
			break
		}
	}
	slices.SortStableFunc(r.rows, func(a, b callRow) int { return b.Time.Compare(a.Time) })
	r.rows = r.rows[:min(len(r.rows), recordKept)]
}

// followRecord reads the newest entries and then whatever is added.
func followRecord(folder audit.Folder) *widget.Job {
	return &widget.Job{Do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
		watch, err := folder.Watch() // before reading, so that nothing falls in between
		if err != nil {
			return recordRead{err: text.CleanLine(err.Error())}
		}
		first, known := recordRead{}, map[string]bool{}
		for e, err := range folder.Oldest(audit.Filter{}, recordOld) {
			if _, broken := errors.AsType[*audit.ErrBroken](err); broken {
				first.broken++
				continue
			}
			if err != nil {
				first.err = text.CleanLine(err.Error())
				continue
			}
			known[e.Record.ID] = true
			row := callRow{Record: cleanRecord(e.Record), raw: bytes.Clone(e.Raw)}
			if e.Result != nil {
				result := cleanRecord(e.Result.Record)
				row.result = &result
			}
			first.rows = append(first.rows, row)
		}
		if _, first.size, err = folder.Size(); err != nil {
			first.err = text.CleanLine(err.Error())
		}
		send(first)
		ticker := time.NewTicker(recordLooked)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return nil
			}
			if news, any := recordNews(watch, known); any {
				send(news)
			}
			clear(known) // what comes now was not there before
		}
	}}
}

// recordNews is what was added since the last look.
func recordNews(watch *audit.Watch, known map[string]bool) (news recordRead, any bool) {
	lines, err := watch.Next()
	if err != nil {
		news.err, any = text.CleanLine(err.Error()), true
	}
	news.results = map[string]audit.Record{}
	filter := audit.Filter{}
	for _, line := range lines {
		switch r := line.Record; {
		case line.Err != nil:
			news.broken++
		case known[r.ID]:
			continue
		case r.Call != "":
			news.results[r.Call] = cleanRecord(r)
		case filter.Match(&r):
			news.rows = append(news.rows, callRow{Record: cleanRecord(r), raw: line.Raw})
		}
		any = true
	}
	return news, any
}

// cleanRecord is a record whose texts can be shown. Its ID is ours.
func cleanRecord(r audit.Record) audit.Record {
	for _, field := range []*string{
		&r.ID, &r.Event, &r.Call, &r.Profile, &r.Sub, &r.Email, &r.Client, &r.ClientVersion, &r.Server, &r.Method, &r.Name,
		&r.Decision, &r.Reason, &r.Status, &r.File, &r.Version, &r.Policy, &r.Damaged,
	} {
		*field = text.CleanLine(*field)
	}
	r.Arguments = slices.Clone(r.Arguments)
	for i := range r.Arguments {
		a := &r.Arguments[i]
		a.Name, a.Hash, a.Value = text.CleanLine(a.Name), text.CleanLine(a.Hash), text.CleanLine(a.Value)
	}
	return r
}

// who made it: the AI client, or mcpauth itself.
func (c *callRow) who() string {
	switch c.Client {
	case "":
		return "mcpauth"
	case OwnClient:
		return "you (tui)"
	}
	return c.Client
}

// OwnClient is how the record names calls that were made here.
const OwnClient = "mcpauth tui"

// what it was: the tool, the method, or the event.
func (c *callRow) what() string {
	words := map[string]string{
		"login": "signed in", "logout": "signed out", "lock": cmp.Or(c.Reason, "locked"), "token": "token handed out",
		"refused_identity": "identity refused", "policy": "policy " + c.Policy, "message": "unreadable message",
		"removed": "removed " + c.File, "gap": "results not recorded", "start": "proxy started",
	}
	if word, ok := words[c.Event]; ok {
		return strings.TrimSpace(word)
	}
	return cmp.Or(c.Name, c.Method, c.Event)
}

// outcome is how it went, in a word.
func (c *callRow) outcome() string {
	switch {
	case c.result != nil && c.result.Status == "tool_error":
		return "tool error"
	case c.result != nil && c.result.Status == "unanswered":
		return "no answer"
	case c.result != nil:
		return c.result.Status
	case c.Event != "call":
		return map[string]string{"deny": "denied", "refused": "refused"}[c.Decision]
	}
	return map[string]string{"allow": "sent", "deny": "denied", "signed_out": "signed out", "refused": "refused"}[c.Decision]
}

func (c *callRow) denied() bool { return c.Decision != "" && c.Decision != "allow" }

func (c *callRow) failed() bool {
	return c.result != nil && (c.result.Status == "error" || c.result.Status == "tool_error" || c.result.Status == "unanswered")
}

// cancelled reports whether the caller gave up, which is no failure.
func (c *callRow) cancelled() bool { return c.result != nil && c.result.Status == "cancelled" }

func (c *callRow) took() string {
	if c.result == nil || c.result.Micros <= 0 {
		return ""
	}
	return text.Elapsed(time.Duration(c.result.Micros) * time.Microsecond)
}

// sign is the outcome as one character, beside the word.
func (c *callRow) sign() string {
	switch {
	case c.denied():
		return "✗"
	case c.failed():
		return "!"
	case c.result != nil && !c.cancelled():
		return "✓"
	}
	return "·"
}

func (c *callRow) style(l *widget.Theme) func(...string) string {
	switch {
	case c.denied():
		return l.Bad.Render
	case c.failed():
		return l.Warn.Render
	case c.result != nil && !c.cancelled():
		return l.Good.Render
	}
	return l.Dim.Render
}

// line is the entry in one line.
func (c *callRow) line(l *widget.Theme, width int, chosen bool) string {
	outcome := strings.TrimSpace(c.sign() + " " + c.outcome())
	time, who := c.Time.Local().Format("15:04:05"), 14
	if width < 56 {
		who = 11
	}
	if width < 44 {
		time, who = c.Time.Local().Format("15:04"), 9
	}
	end := widget.Fit(outcome, 12)
	if width >= 52 {
		took := c.took()
		end += strings.Repeat(" ", max(0, 8-ansi.StringWidth(took))) + took
	}
	if chosen {
		return l.Chosen.Render(widget.Right(time+" "+widget.Fit(c.who(), who)+" "+c.what(), end, width))
	}
	end = c.style(l)(widget.Fit(outcome, 12)) + l.Dim.Render(strings.TrimPrefix(end, widget.Fit(outcome, 12)))
	return widget.Right(l.Dim.Render(time)+" "+widget.Fit(c.who(), who)+" "+c.what(), end, width)
}
