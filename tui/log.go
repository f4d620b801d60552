package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// serverLog is what the server logged and wrote to its standard error in this
// session, the newest last.
type serverLog struct {
	lines []logLine
	total int // with those that were dropped
}

// logLine is a line of a log, cleaned.
type logLine struct {
	at          time.Time
	level, text string
}

// Levels of lines that no server gives.
const (
	levelStderr = "stderr"
	levelOurs   = "mcpauth" // we say it: the server was started, or ended
)

// maxServerLog bounds the lines that are kept.
const maxServerLog = 5000

func (l *serverLog) add(line logLine) {
	l.total++
	if len(l.lines) >= maxServerLog { // a tenth at a time: it may be moved
		l.lines = append(l.lines[:0], l.lines[maxServerLog/10:]...)
	}
	l.lines = append(l.lines, line)
}

// logged is the line that an event is; ok is false for other events.
func logged(e broker.ExplorerEvent, now time.Time) (line logLine, ok bool) {
	line = logLine{now, broker.CleanLine(e.Level), broker.CleanLine(e.Message)}
	switch e.Kind {
	case broker.EventStderr:
		line.level = levelStderr
	case broker.EventLog:
	default:
		return logLine{}, false
	}
	if !e.Time.IsZero() {
		line.at = e.Time
	}
	return line, true
}

// serious reports whether a line tells of trouble, as far as its level says so.
func (l logLine) serious() bool {
	switch l.level {
	case "debug", "info", "notice", levelStderr, levelOurs:
		return false
	}
	return true
}

// logScreen shows the log of the server. It stays at the end, unless it is scrolled
// away from there.
type logScreen struct {
	*world
	pager
	filter  filter
	serious bool // only what tells of trouble
	away    bool // it was scrolled away from the end
	drawn   logKey
}

// logKey says what the lines were drawn for.
type logKey struct {
	total, width, shade int
	filter              string
	serious             bool
}

func newLogScreen(w *world) *logScreen {
	return &logScreen{world: w, filter: newFilter(w.look)}
}

// openLog is the key that shows the log.
func (w *world) openLog(key, label string) binding {
	return binding{keys: []string{key}, label: label, help: "what the server logs and writes to stderr", act: func() action { return overlay{newLogScreen(w)} }}
}

func (s *logScreen) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		s.filter.typed(msg, func() {})
	case tea.MouseWheelMsg:
		s.scroll(wheeled(msg))
		s.noteAway()
	case lookNew:
		s.filter.dress(s.look)
	}
	return nil
}

// noteAway notes whether the end is in sight.
func (s *logScreen) noteAway() { s.away = s.top+s.pager.height < len(s.pager.lines) }

func (s *logScreen) wants(line logLine) bool {
	filter := strings.ToLower(strings.TrimSpace(s.filter.Value()))
	return (!s.serious || line.serious()) && strings.Contains(strings.ToLower(line.level+" "+line.text), filter)
}

func (s *logScreen) keys() []binding {
	if s.filter.on {
		return s.filter.keys(func() {}, func(by int) { s.scroll(by); s.noteAway() })
	}
	all := []binding{
		{keys: []string{"esc", "q"}, label: "back", help: "back to where you were", act: does(closed{})},
		s.filter.open("filter by text"),
		{keys: []string{"e"}, label: "warnings", help: "only warnings and errors, or all", act: func() action { s.serious = !s.serious; return nil }},
		{keys: []string{"y"}, label: "copy", help: "copy what is listed", act: func() action { return copyText{"the log", s.text()} }},
		{keys: []string{"w"}, label: "save", help: "save what is listed in a file", act: func() action { return saveFile{"mcpauth-server.log", []byte(s.text())} }},
		{keys: []string{"x"}, label: "clear", help: "forget what was logged so far", act: func() action { s.log.lines = nil; s.log.total++; return nil }},
	}
	for _, b := range s.pager.bindings() {
		act := b.act
		b.act = func() action { act(); s.noteAway(); return nil }
		all = append(all, b)
	}
	return all
}

// text is what is listed, for the clipboard and for files.
func (s *logScreen) text() string {
	var b strings.Builder
	for _, line := range s.log.lines {
		if s.wants(line) {
			fmt.Fprintf(&b, "%s %s %s\n", line.at.Local().Format("2006-01-02T15:04:05.000"), line.level, line.text)
		}
	}
	return b.String()
}

func (s *logScreen) view(width, height int) string {
	l := s.look
	s.draw(width)
	count := plural(len(s.log.lines), "line", "lines")
	if s.serious {
		count = "warnings and errors · " + count
	}
	head := []string{right(l.heading.Render("SERVER LOG")+"  "+l.accent.Render("/ ")+s.filter.show(max(width/3, 4)), l.dim.Render(count), width)}
	if len(s.pager.lines) == 0 {
		for _, line := range wrapped(s.nothing(), width-2) {
			head = append(head, "  "+l.dim.Render(line))
		}
		return strings.Join(head, "\n")
	}
	if s.pager.height = height - 1; !s.away {
		s.scroll(len(s.pager.lines))
	}
	return strings.Join(append(head, s.pager.view(height-1)...), "\n")
}

func (s *logScreen) nothing() string {
	if len(s.log.lines) > 0 {
		return "Nothing matches."
	}
	return "The server has logged nothing yet. What it writes to standard error and what it logs by MCP appears here."
}

// draw makes the lines anew where something has changed.
func (s *logScreen) draw(width int) {
	key := logKey{s.log.total, width, s.look.shade(), s.filter.Value(), s.serious}
	if key == s.drawn {
		return
	}
	s.drawn = key
	var lines []string
	for _, line := range s.log.lines {
		if s.wants(line) {
			lines = append(lines, s.look.logLines(line, width)...)
		}
	}
	s.set(lines)
}

// logLines is a line of a log, broken for a width.
func (l *look) logLines(line logLine, width int) []string {
	lead, room := "", 7
	if width >= 50 {
		lead = l.dim.Render(line.at.Local().Format(time.TimeOnly)) + " "
		room = 17
	}
	lead += levelStyle(l, line.level).Render(fit(line.level, 7)) + " "
	parts := wrapped(line.text, max(width-room-1, 10))
	for i, part := range parts {
		if i > 0 {
			lead = strings.Repeat(" ", room)
		}
		parts[i] = lead + part
	}
	return parts
}

func (s *logScreen) status() string {
	if s.away {
		return s.look.warn.Render("‖ scrolled") + s.look.dim.Render("   G goes on at the end")
	}
	return s.look.good.Render("● live")
}

func (s *logScreen) typing() bool { return s.filter.on }
func (s *logScreen) busy() *job   { return nil }
func (s *logScreen) home() bool   { return false }
