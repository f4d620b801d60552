package activity

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// Log shows the log of the server. It stays at the end, unless it is scrolled
// away from there.
type Log struct {
	*screen.Terminal
	log *screen.ServerLog
	widget.Pager
	filter  widget.Filter
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

func NewLog(t *screen.Terminal, log *screen.ServerLog) *Log {
	return &Log{Terminal: t, log: log, filter: widget.NewFilter(t.Theme)}
}

func (s *Log) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		s.filter.Typed(msg, func() {})
	case tea.MouseWheelMsg:
		s.Scroll(widget.Wheeled(msg))
		s.noteAway()
	case screen.ThemeChanged:
		s.filter.Dress(s.Theme)
	}
	return nil
}

// noteAway notes whether the end is in sight.
func (s *Log) noteAway() { s.away = s.Top+s.Pager.Height < len(s.Pager.Lines) }

func (s *Log) wants(line screen.LogLine) bool {
	filter := strings.ToLower(strings.TrimSpace(s.filter.Value()))
	return (!s.serious || line.Serious()) && strings.Contains(strings.ToLower(line.Level+" "+line.Text), filter)
}

func (s *Log) Keys() []widget.Binding {
	if s.filter.On {
		return s.filter.Keys(func() {}, func(by int) { s.Scroll(by); s.noteAway() })
	}
	all := []widget.Binding{
		widget.Bind("esc q", "back", "back to where you were", widget.Does(screen.Closed{})),
		s.filter.Open("filter by text"),
		widget.Bind("e", "warnings", "only warnings and errors, or all", widget.Do(func() { s.serious = !s.serious })),
		widget.Bind("y", "copy", "copy what is listed", widget.Copies("the log", s.text)),
		widget.Bind("w", "save", "save what is listed in a file",
			func() widget.Action { return widget.SaveFile{Name: "mcpauth-server.log", Data: []byte(s.text())} }),
		widget.Bind("x", "clear", "forget what was logged so far", widget.Do(func() { s.log.Lines = nil; s.log.Total++ })),
	}
	for _, b := range s.Pager.Bindings() {
		act := b.Act
		b.Act = func() widget.Action { act(); s.noteAway(); return nil }
		all = append(all, b)
	}
	return all
}

// text is what is listed, for the clipboard and for files.
func (s *Log) text() string {
	var b strings.Builder
	for _, line := range s.log.Lines {
		if s.wants(line) {
			fmt.Fprintf(&b, "%s %s %s\n", line.At.Local().Format("2006-01-02T15:04:05.000"), line.Level, line.Text)
		}
	}
	return b.String()
}

func (s *Log) View(width, height int) string {
	l := s.Theme
	s.draw(width)
	count := text.Count(len(s.log.Lines), "line")
	if s.serious {
		count = "warnings and errors · " + count
	}
	head := []string{widget.Right(l.Heading.Render("SERVER LOG")+"  "+l.Accent.Render("/ ")+s.filter.Show(max(width/3, 4)),
		l.Dim.Render(count), width)}
	if len(s.Pager.Lines) == 0 {
		for _, line := range widget.Wrapped(s.nothing(), width-2) {
			head = append(head, "  "+l.Dim.Render(line))
		}
		return strings.Join(head, "\n")
	}
	if s.Pager.Height = height - 1; !s.away {
		s.Scroll(len(s.Pager.Lines))
	}
	return strings.Join(append(head, s.Pager.View(height-1)...), "\n")
}

func (s *Log) nothing() string {
	if len(s.log.Lines) > 0 {
		return "Nothing matches."
	}
	return "The server has logged nothing yet. What it writes to standard error and what it logs by MCP appears here."
}

// draw makes the lines again where something changed.
func (s *Log) draw(width int) {
	key := logKey{s.log.Total, width, widget.Shade(s.Theme), s.filter.Value(), s.serious}
	if key == s.drawn {
		return
	}
	s.drawn = key
	var lines []string
	for _, line := range s.log.Lines {
		if s.wants(line) {
			lines = append(lines, logLines(s.Theme, line, width)...)
		}
	}
	s.Set(lines)
}

// logLines is a line of a log, broken for a width.
func logLines(l *widget.Theme, line screen.LogLine, width int) []string {
	lead, room := "", 7
	if width >= 50 {
		lead = l.Dim.Render(line.At.Local().Format(time.TimeOnly)) + " "
		room = 17
	}
	lead += l.ByLevel(line.Level).Render(widget.Fit(line.Level, 7)) + " "
	parts := widget.Wrapped(line.Text, max(width-room-1, 10))
	for i, part := range parts {
		if i > 0 {
			lead = strings.Repeat(" ", room)
		}
		parts[i] = lead + part
	}
	return parts
}

func (s *Log) Status() string {
	if s.away {
		return s.Theme.Warn.Render("‖ scrolled") + s.Theme.Dim.Render("   G goes on at the end")
	}
	return s.Theme.Good.Render("● live")
}

func (s *Log) Typing() bool      { return s.filter.On }
func (s *Log) Busy() *widget.Job { return nil }
func (s *Log) AtHome() bool      { return false }
