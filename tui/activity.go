package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// activityScreen is the live record of all proxies on this machine.
type activityScreen struct {
	*world
	list
	filter filter

	who, method string // only these; empty for all
	only        int    // one of the constants below
	paused      bool
	rows        []callRow // those that are shown; stand still while paused
	found       []int     // of rows, by the filters
	detail      bool      // with one pane: the detail is shown
	text        pager     // the detail
	textOf      string    // the entry that it tells of
}

// What the screen is narrowed down to.
const (
	onlyAll = iota
	onlyDenied
	onlyErrors // and what was denied
)

func newActivityScreen(w *world) *activityScreen {
	return &activityScreen{world: w, filter: newFilter(w.look)}
}

func (s *activityScreen) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case recordNew:
		s.refresh()
	case lookNew:
		s.filter.dress(s.look)
	case tea.KeyPressMsg, tea.PasteMsg:
		s.filter.typed(msg, s.find)
	case tea.MouseWheelMsg:
		if s.detail {
			s.text.scroll(wheeled(msg))
		} else {
			s.move(wheeled(msg))
		}
	case tea.MouseClickMsg:
		if i, ok := s.at(msg.Y - 1); ok && !s.detail {
			s.cursor, s.text.top = i, 0
		}
	}
	return nil
}

// refresh takes what is new, unless it is to stand still.
func (s *activityScreen) refresh() {
	if !s.paused {
		s.rows = slices.Clone(s.record.rows)
	}
	s.find()
}

// find applies the filters. The entry that is chosen stays so, but at the top,
// where the newest is.
func (s *activityScreen) find() {
	chosen := ""
	if row, ok := s.chosen(); ok && s.cursor > 0 {
		chosen = row.ID
	}
	s.found = s.found[:0]
	for i := range s.rows {
		if s.wants(&s.rows[i]) {
			s.found = append(s.found, i)
		}
	}
	s.resize(len(s.found))
	if chosen != "" {
		s.cursor = max(0, slices.IndexFunc(s.found, func(i int) bool { return s.rows[i].ID == chosen }))
	}
}

func (s *activityScreen) wants(c *callRow) bool {
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

func (s *activityScreen) chosen() (callRow, bool) {
	if s.cursor >= len(s.found) || s.found[s.cursor] >= len(s.rows) {
		return callRow{}, false
	}
	return s.rows[s.found[s.cursor]], true
}

func (s *activityScreen) keys() []binding {
	if s.filter.on {
		return s.filter.keys(s.find, s.move)
	}
	var all []binding
	switch {
	case s.detail:
		all = append(all, binding{keys: []string{"esc", "enter", "q"}, label: "back", help: "back to the list", act: func() action { s.detail = false; return nil }})
		all = append(all, s.text.bindings()...)
	case s.width < twoPanes:
		all = append(all, binding{keys: []string{"enter"}, label: "detail", help: "show all of this entry", act: s.open})
		all = append(all, s.narrowing()...)
	default:
		all = append(all, s.narrowing()...)
		all = append(all, s.text.beside([]string{"shift+down"}, []string{"shift+up"})...)
	}
	if row, ok := s.chosen(); ok {
		all = append(all, binding{keys: []string{"y"}, label: "copy", help: "copy the entry as JSON", act: does(copyText{"the entry", string(row.raw)})},
			binding{keys: []string{"c"}, help: "copy the command that shows the entry", act: does(copyText{"the command", "mcpauth audit show " + row.ID})})
	}
	if len(s.found) > 0 {
		all = append(all, binding{keys: []string{"x"}, label: "export", help: "save what is listed as JSON lines", act: s.export})
	}
	if s.Open != nil && !s.detail {
		all = append(all, s.openLog("l", "server log"))
	}
	if s.narrowed() && !s.detail {
		all = append(all, binding{keys: []string{"esc"}, help: "take all filters away", act: func() action {
			s.who, s.method, s.only = "", "", onlyAll
			s.filter.end(s.find)
			return nil
		}})
	}
	if !s.detail {
		all = append(all, s.list.bindings()...)
	}
	return all
}

// narrowing are the bindings that choose what is listed.
func (s *activityScreen) narrowing() []binding {
	next := func(value *string, of func(*callRow) string) func() action {
		return func() action { *value = s.next(*value, of); s.find(); return nil }
	}
	return []binding{
		s.filter.open("filter by text"),
		{keys: []string{"w"}, label: "who", help: "only one client, the next, all", act: next(&s.who, (*callRow).who)},
		{keys: []string{"t"}, label: "method", help: "only one method, the next, all", act: next(&s.method, kind)},
		{keys: []string{"e"}, label: "errors", help: "only what was denied, or failed, or all", act: func() action {
			s.only = (s.only + 1) % 3
			s.find()
			return nil
		}},
		{keys: []string{"space"}, label: "pause", help: "hold still, or go on", act: func() action { s.paused = !s.paused; s.refresh(); return nil }},
	}
}

// next is the value after this one among those that there are; empty after the
// last.
func (s *activityScreen) next(value string, of func(*callRow) string) string {
	values := []string{""}
	for i := range s.rows {
		if v := of(&s.rows[i]); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values[(slices.Index(values, value)+1)%len(values)]
}

func (s *activityScreen) narrowed() bool {
	return s.who != "" || s.method != "" || s.only != onlyAll || s.filter.Value() != ""
}

func (s *activityScreen) open() action {
	_, any := s.chosen()
	s.detail, s.text.top = any && s.width < twoPanes, 0
	return nil
}

func (s *activityScreen) export() action {
	var b strings.Builder
	for _, i := range slices.Backward(s.found) {
		b.Write(s.rows[i].raw)
		b.WriteByte('\n')
	}
	return saveFile{"mcpauth-audit.jsonl", []byte(b.String())}
}

func (s *activityScreen) view(width, height int) string {
	left, right := panes(width, 0.62)
	switch row, any := s.chosen(); {
	case right > 0:
		s.detail = false
		return s.look.beside(s.listLines(left, height), s.detailLines(row, any, right, height), left, right, height)
	case s.detail && any:
		return strings.Join(s.detailLines(row, any, width, height), "\n")
	}
	return strings.Join(s.listLines(width, height), "\n")
}

func (s *activityScreen) listLines(width, height int) []string {
	count := plural(len(s.found), "entry", "entries")
	if len(s.found) != len(s.rows) {
		count = fmt.Sprintf("%d of %d", len(s.found), len(s.rows))
	}
	lines := []string{s.filter.line(s.look, s.chosenFilters()+count, width)}
	if len(s.found) == 0 {
		for _, line := range wrapped(s.nothing(), width-2) {
			lines = append(lines, "  "+s.look.dim.Render(line))
		}
		return lines
	}
	return append(lines, s.list.view(height-1, func(i int, chosen bool) []string {
		mark := "  "
		if chosen {
			mark = "▸ "
		}
		return []string{mark + s.rows[s.found[i]].line(s.look, width-2, chosen)}
	})...)
}

// nothing says why the list is empty.
func (s *activityScreen) nothing() string {
	switch {
	case s.record.err != "":
		return "The record cannot be read: " + s.record.err
	case !s.record.read:
		return "Reading the record…"
	case s.narrowed():
		return "Nothing matches. esc takes the filters away."
	}
	return "Nothing is recorded yet. What AI clients call through mcpauth appears here at once."
}

func (s *activityScreen) chosenFilters() string {
	words := ""
	for _, word := range []string{s.who, s.method, []string{"", "denied", "denied and errors"}[s.only]} {
		if word != "" {
			words += cut(word, 20) + " · "
		}
	}
	return words
}

// detailLines is all that is known of an entry.
func (s *activityScreen) detailLines(c callRow, any bool, width, height int) []string {
	if !any {
		return nil
	}
	l := s.look
	lines := []string{l.strong.Render(cut(c.what(), width)), c.style(l)(c.sign()+" "+cmp.Or(c.outcome(), c.Event)) + l.dim.Render("  "+c.took()), ""}
	if c.denied() {
		for _, line := range wrapped(cmp.Or(c.Reason, "no reason is recorded"), width) {
			lines = append(lines, l.bad.Render(line))
		}
		lines = append(lines, "")
	}
	lines = append(lines, l.factLines(c.facts(), 0, 10, width)...)
	if len(c.Arguments) > 0 {
		lines = append(lines, "", l.heading.Render("→ arguments"))
		for _, a := range c.Arguments {
			lines = append(lines, right(" "+a.Name, l.dim.Render(byteSize(a.Bytes)), width))
			if a.Value != "" {
				lines = append(lines, indented(wrapped(a.Value, width-3), 3)...)
			}
		}
		if c.ArgumentsCut > 0 {
			lines = append(lines, l.dim.Render(fmt.Sprintf(" and %d more", c.ArgumentsCut)))
		}
	}
	if c.Spoofed {
		lines = append(lines, "", l.warn.Render(cut("! the client tried to say who the user is", width)))
	}
	if c.ID != s.textOf {
		s.textOf, s.text.top = c.ID, 0
	}
	s.text.set(lines)
	return s.text.view(height)
}

func (c *callRow) facts() []fact {
	facts := []fact{
		{"time", c.Time.Local().Format("2006-01-02 15:04:05.000")}, {"method", c.Method}, {"user", cmp.Or(c.Email, c.Sub)},
		{"client", strings.TrimSpace(c.Client + " " + c.ClientVersion)}, {"profile", c.Profile}, {"server", c.Server},
	}
	if !c.denied() && c.Reason != "" {
		facts = append(facts, fact{"policy", c.Reason})
	}
	if c.Decision != "" {
		facts = append(facts, fact{"decision", strings.ReplaceAll(c.Decision, "_", " ")})
	}
	if r := c.result; r != nil {
		if r.Bytes > 0 {
			facts = append(facts, fact{"answer", byteSize(r.Bytes)})
		}
		if r.Code != 0 {
			facts = append(facts, fact{"code", fmt.Sprint(r.Code)})
		}
		facts = append(facts, fact{"error", r.Reason})
	}
	return append(facts, fact{"id", c.ID})
}

// sparkStep and sparkCells say what the sparkline shows: the last four minutes.
const (
	sparkStep  = 10 * time.Second
	sparkCells = 24
)

func (s *activityScreen) status() string {
	l := s.look
	cells, now := make([]int, sparkCells), s.now()
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
	live := l.good.Render("● live")
	if s.paused {
		live = l.warn.Render("‖ paused") + l.dim.Render(fmt.Sprintf(", %d new", len(s.record.rows)-len(s.rows)))
	}
	line := l.accent.Render(spark(cells)) + l.dim.Render(fmt.Sprintf("  %d/min", minute))
	line += "  " + l.bad.Render(fmt.Sprintf("✗ %d denied", denied)) + "  " + l.warn.Render(fmt.Sprintf("! %s", plural(failed, "error", "errors"))) + "  " + live
	if ansi.StringWidth(line) >= s.width {
		line = l.accent.Render(spark(cells[sparkCells/2:])) + l.bad.Render(fmt.Sprintf(" ✗ %d denied", denied)) + " " + live
	}
	if s.record.broken > 0 {
		line += l.bad.Render(fmt.Sprintf("  ! %s in the record: mcpauth audit verify", plural(s.record.broken, "broken line", "broken lines")))
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

func (s *activityScreen) typing() bool { return s.filter.on }
func (s *activityScreen) busy() *job   { return nil }
func (s *activityScreen) home() bool   { return !s.filter.on && !s.detail }
