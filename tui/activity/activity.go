// Package activity shows what happened: the audit log of all proxies on this machine,
// and what the explored server logs.
package activity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// Screen is the live record of all proxies on this machine.
type Screen struct {
	*screen.Terminal
	folder     audit.Folder
	explorable bool   // there can be a server, which logs
	record     record // what all proxies of this machine did
	widget.List
	filter widget.Filter

	who, method string // only these; empty for all
	only        int    // one of the constants below
	paused      bool
	rows        []callRow    // those that are shown; stand still while paused
	found       []int        // of rows, by the filters
	detail      bool         // with one pane: the detail is shown
	text        widget.Pager // the detail
	textOf      string       // the entry that it tells of
}

// What the screen is narrowed down to.
const (
	onlyAll = iota
	onlyDenied
	onlyErrors // and what was denied
)

func New(t *screen.Terminal, folder audit.Folder, explorable bool) *Screen {
	return &Screen{Terminal: t, folder: folder, explorable: explorable, filter: widget.NewFilter(t.Theme)}
}

func (s *Screen) Begin() widget.Action { return followRecord(s.folder) }

// Whole reports whether the audit log was read.
func (s *Screen) Whole() bool { return s.record.read }

// LastCalls are the newest n entries, each in a line.
func (s *Screen) LastCalls(n, width int) []string {
	var lines []string
	for _, row := range s.record.rows[:min(n, len(s.record.rows))] {
		lines = append(lines, row.line(s.Theme, width, false))
	}
	return lines
}

func (s *Screen) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case recordRead:
		s.record.take(msg)
		s.refresh()
	case screen.ThemeChanged:
		s.filter.Dress(s.Theme)
	case tea.KeyPressMsg, tea.PasteMsg:
		s.filter.Typed(msg, s.find)
	case tea.MouseWheelMsg:
		if s.detail {
			s.text.Scroll(widget.Wheeled(msg))
		} else {
			s.Move(widget.Wheeled(msg))
		}
	case tea.MouseClickMsg:
		if i, ok := s.At(msg.Y - 1); ok && !s.detail {
			s.Cursor, s.text.Top = i, 0
		}
	}
	return nil
}

// refresh takes what is new, unless it is to stand still.
func (s *Screen) refresh() {
	if !s.paused {
		s.rows = slices.Clone(s.record.rows)
	}
	s.find()
}

// find applies the filters. The entry that is chosen stays so, but at the top,
// where the newest is.
func (s *Screen) find() {
	chosen := ""
	if row, ok := s.chosen(); ok && s.Cursor > 0 {
		chosen = row.ID
	}
	s.found = s.found[:0]
	for i := range s.rows {
		if s.wants(&s.rows[i]) {
			s.found = append(s.found, i)
		}
	}
	s.Resize(len(s.found))
	if chosen != "" {
		s.Cursor = max(0, slices.IndexFunc(s.found, func(i int) bool { return s.rows[i].ID == chosen }))
	}
}

func (s *Screen) wants(c *callRow) bool {
	switch {
	case s.who != "" && c.who() != s.who, s.method != "" && kind(c) != s.method:
		return false
	case s.only == onlyDenied && !c.denied(), s.only == onlyErrors && !c.denied() && !c.failed():
		return false
	}
	filter := strings.ToLower(strings.TrimSpace(s.filter.Value()))
	text := strings.ToLower(strings.Join([]string{c.who(), c.what(), c.Method, c.outcome(), c.Email, c.Profile, c.Reason, c.Server}, " "))
	return strings.Contains(text, filter)
}

// kind is what an entry is filtered by as its method.
func kind(c *callRow) string { return cmp.Or(c.Method, c.Event) }

func (s *Screen) chosen() (callRow, bool) {
	if s.Cursor >= len(s.found) || s.found[s.Cursor] >= len(s.rows) {
		return callRow{}, false
	}
	return s.rows[s.found[s.Cursor]], true
}

func (s *Screen) Keys() []widget.Binding {
	if s.filter.On {
		return s.filter.Keys(s.find, s.Move)
	}
	var all []widget.Binding
	switch {
	case s.detail:
		all = append(all, widget.Bind("esc enter q", "back", "back to the list", widget.Do(func() { s.detail = false })))
		all = append(all, s.text.Bindings()...)
	case s.Width < widget.TwoPanes:
		all = append(all, widget.Bind("enter", "detail", "show all of this entry", s.open))
		all = append(all, s.narrowing()...)
	default:
		all = append(all, s.narrowing()...)
		all = append(all, s.text.SideBindings([]string{"shift+down"}, []string{"shift+up"})...)
	}
	if row, ok := s.chosen(); ok {
		all = append(all, widget.Bind("y", "copy", "copy the entry as JSON",
			widget.Does(widget.CopyText{What: "the entry", Text: string(row.raw)})),
			widget.Bind("c", "", "copy the command that shows the entry",
				widget.Does(widget.CopyText{What: "the command", Text: "mcpauth audit show " + row.ID})))
	}
	if len(s.found) > 0 {
		all = append(all, widget.Bind("x", "export", "save what is listed as JSON lines", s.export))
	}
	if s.explorable && !s.detail {
		all = append(all, screen.LogBinding("l", "server log"))
	}
	if s.narrowed() && !s.detail {
		all = append(all, widget.Bind("esc", "", "take all filters away", func() widget.Action {
			s.who, s.method, s.only = "", "", onlyAll
			s.filter.End(s.find)
			return nil
		}))
	}
	if !s.detail {
		all = append(all, s.List.Bindings()...)
	}
	return all
}

// narrowing are the bindings that choose what is listed.
func (s *Screen) narrowing() []widget.Binding {
	next := func(value *string, of func(*callRow) string) func() widget.Action {
		return func() widget.Action { *value = s.next(*value, of); s.find(); return nil }
	}
	return []widget.Binding{
		s.filter.Open("filter by text"),
		widget.Bind("w", "who", "only one client, the next, all", next(&s.who, (*callRow).who)),
		widget.Bind("t", "method", "only one method, the next, all", next(&s.method, kind)),
		widget.Bind("e", "errors", "only what was denied, or failed, or all", func() widget.Action {
			s.only = (s.only + 1) % 3
			s.find()
			return nil
		}),
		widget.Bind("space", "pause", "hold still, or go on", widget.Do(func() { s.paused = !s.paused; s.refresh() })),
	}
}

// next is the value after this one among those that there are; empty after the
// last.
func (s *Screen) next(value string, of func(*callRow) string) string {
	values := []string{""}
	for i := range s.rows {
		if v := of(&s.rows[i]); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values[(slices.Index(values, value)+1)%len(values)]
}

func (s *Screen) narrowed() bool {
	return s.who != "" || s.method != "" || s.only != onlyAll || s.filter.Value() != ""
}

func (s *Screen) open() widget.Action {
	_, any := s.chosen()
	s.detail, s.text.Top = any && s.Width < widget.TwoPanes, 0
	return nil
}

func (s *Screen) export() widget.Action {
	var b strings.Builder
	for _, i := range slices.Backward(s.found) {
		b.Write(s.rows[i].raw)
		b.WriteByte('\n')
	}
	return widget.SaveFile{Name: "mcpauth-audit.jsonl", Data: []byte(b.String())}
}

func (s *Screen) View(width, height int) string {
	left, right := widget.Panes(width, 0.62)
	switch row, any := s.chosen(); {
	case right > 0:
		s.detail = false
		return s.Theme.SplitPanes(s.listLines(left, height), s.detailLines(row, any, right, height), left, right, height)
	case s.detail && any:
		return strings.Join(s.detailLines(row, any, width, height), "\n")
	}
	return strings.Join(s.listLines(width, height), "\n")
}

func (s *Screen) listLines(width, height int) []string {
	count := widget.Plural(len(s.found), "entry", "entries")
	if len(s.found) != len(s.rows) {
		count = fmt.Sprintf("%d of %d", len(s.found), len(s.rows))
	}
	lines := []string{s.filter.Line(s.Theme, s.chosenFilters()+count, width)}
	if len(s.found) == 0 {
		for _, line := range widget.Wrapped(s.nothing(), width-2) {
			lines = append(lines, "  "+s.Theme.Dim.Render(line))
		}
		return lines
	}
	return append(lines, s.List.View(height-1, func(i int, chosen bool) []string {
		mark := "  "
		if chosen {
			mark = "▸ "
		}
		return []string{mark + s.rows[s.found[i]].line(s.Theme, width-2, chosen)}
	})...)
}

// nothing says why the list is empty.
func (s *Screen) nothing() string {
	switch {
	case s.record.err != "":
		return "The audit log cannot be read: " + s.record.err
	case !s.record.read:
		return "Reading the audit log…"
	case s.narrowed():
		return "Nothing matches. esc takes the filters away."
	}
	return "Nothing is logged yet. What AI clients call through mcpauth appears here at once."
}

func (s *Screen) chosenFilters() string {
	words := ""
	for _, word := range []string{s.who, s.method, []string{"", "denied", "denied and errors"}[s.only]} {
		if word != "" {
			words += widget.Cut(word, 20) + " · "
		}
	}
	return words
}

// detailLines is all that is known of an entry.
func (s *Screen) detailLines(c callRow, any bool, width, height int) []string {
	if !any {
		return nil
	}
	l := s.Theme
	lines := []string{l.Strong.Render(widget.Cut(c.what(), width)),
		c.style(l)(c.sign()+" "+cmp.Or(c.outcome(), c.Event)) + l.Dim.Render("  "+c.took()), ""}
	if c.denied() {
		for _, line := range widget.Wrapped(cmp.Or(c.Reason, "no reason is logged"), width) {
			lines = append(lines, l.Bad.Render(line))
		}
		lines = append(lines, "")
	}
	lines = append(lines, l.Facts(c.facts(), 0, 10, width)...)
	if len(c.Arguments) > 0 {
		lines = append(lines, "", l.Heading.Render("→ arguments"))
		for _, a := range c.Arguments {
			lines = append(lines, widget.Right(" "+a.Name, l.Dim.Render(widget.ByteSize(a.Bytes)), width))
			if a.Value != "" {
				lines = append(lines, widget.Indented(widget.Wrapped(a.Value, width-3), 3)...)
			}
		}
		if c.ArgumentsCut > 0 {
			lines = append(lines, l.Dim.Render(fmt.Sprintf(" and %d more", c.ArgumentsCut)))
		}
	}
	if c.Spoofed {
		lines = append(lines, "", l.Warn.Render(widget.Cut("! the client tried to say who the user is", width)))
	}
	if c.ID != s.textOf {
		s.textOf, s.text.Top = c.ID, 0
	}
	s.text.Set(lines)
	return s.text.View(height)
}

func (c *callRow) facts() []widget.Fact {
	facts := []widget.Fact{
		{"time", c.Time.Local().Format("2006-01-02 15:04:05.000")}, {"method", c.Method}, {"user", cmp.Or(c.Email, c.Sub)},
		{"client", strings.TrimSpace(c.Client + " " + c.ClientVersion)}, {"profile", c.Profile}, {"server", c.Server},
	}
	if !c.denied() && c.Reason != "" {
		facts = append(facts, widget.Fact{"policy", c.Reason})
	}
	if c.Decision != "" {
		facts = append(facts, widget.Fact{"decision", strings.ReplaceAll(c.Decision, "_", " ")})
	}
	if r := c.result; r != nil {
		if r.Bytes > 0 {
			facts = append(facts, widget.Fact{"answer", widget.ByteSize(r.Bytes)})
		}
		if r.Code != 0 {
			facts = append(facts, widget.Fact{"code", fmt.Sprint(r.Code)})
		}
		facts = append(facts, widget.Fact{"error", r.Reason})
	}
	return append(facts, widget.Fact{"id", c.ID})
}

// sparkStep and sparkCells say what the sparkline shows: the last four minutes.
const (
	sparkStep  = 10 * time.Second
	sparkCells = 24
)

func (s *Screen) Status() string {
	l := s.Theme
	cells, now := make([]int, sparkCells), s.Now()
	minute, denied, failed := 0, 0, 0
	for i := range s.record.rows {
		c := &s.record.rows[i]
		age := now.Sub(c.Time)
		if c.Event != "call" || age < 0 {
			continue
		}
		if age < time.Minute {
			minute++
		}
		if at := int(age / sparkStep); at < sparkCells {
			cells[sparkCells-1-at]++
		}
		if c.denied() {
			denied++
		}
		if c.failed() {
			failed++
		}
	}
	live := l.Good.Render("● live")
	if s.paused {
		live = l.Warn.Render("‖ paused") + l.Dim.Render(fmt.Sprintf(", %d new", len(s.record.rows)-len(s.rows)))
	}
	line := l.Accent.Render(spark(cells)) + l.Dim.Render(fmt.Sprintf("  %d/min", minute))
	line += "  " + l.Bad.Render(fmt.Sprintf("✗ %d denied", denied)) + "  " +
		l.Warn.Render(fmt.Sprintf("! %s", text.Count(failed, "error"))) + "  " + live
	if ansi.StringWidth(line) >= s.Width {
		line = l.Accent.Render(spark(cells[sparkCells/2:])) + l.Bad.Render(fmt.Sprintf(" ✗ %d denied", denied)) + " " + live
	}
	if kept := s.record.size >> 20; kept > 0 {
		line += l.Dim.Render(fmt.Sprintf("  %d MB kept", kept))
	}
	if s.record.broken > 0 {
		line += l.Bad.Render(fmt.Sprintf("  ! %s in the audit log: mcpauth audit verify",
			text.Count(s.record.broken, "broken line")))
	}
	return line
}

// spark draws numbers as a row of bars.
func spark(cells []int) string {
	most := max(1, slices.Max(cells))
	var b strings.Builder
	for _, n := range cells {
		b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(7, (n*7+most-1)/most)])
	}
	return b.String()
}

func (s *Screen) Typing() bool      { return s.filter.On }
func (s *Screen) Busy() *widget.Job { return nil }
func (s *Screen) AtHome() bool      { return !s.filter.On && !s.detail }
