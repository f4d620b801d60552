package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// Quiet is what a screen embeds that takes no text, runs nothing and is no first step.
type Quiet struct{}

// Typing, Busy and AtHome are those of a [Screen].
func (Quiet) Typing() bool      { return false }
func (Quiet) Busy() *widget.Job { return nil }
func (Quiet) AtHome() bool      { return false }

// Question asks before something is done that cannot be taken back.
type Question struct {
	Quiet
	theme *widget.Theme
	asks  string
	lines []string
	verb  string
	then  widget.Action

	Careful bool // enter, which may be pressed once too often, is no yes
	choices int  // the line in which yes and no stand
}

// NewQuestion asks, and does then where the user says yes; verb names that.
func NewQuestion(l *widget.Theme, asks string, lines []string, verb string, then widget.Action) *Question {
	return &Question{theme: l, asks: asks, lines: lines, verb: verb, then: then}
}

func (q *Question) Title() string { return q.asks }

func (q *Question) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case widget.Notice:
		return msg
	case tea.MouseClickMsg:
		if yes := len("y " + q.verb); msg.Y != q.choices {
			return nil
		} else if msg.X >= 0 && msg.X < yes {
			return q.Keys()[0].Act()
		} else if no := yes + 4; msg.X >= no && msg.X < no+len("n no") {
			return Closed{}
		}
	}
	return nil
}

func (q *Question) Keys() []widget.Binding {
	yes := []string{"y", "enter"}
	if q.Careful {
		yes = yes[:1]
	}
	return []widget.Binding{
		{Keys: yes, Label: q.verb, Help: q.verb, Act: func() widget.Action { return widget.Actions{Closed{}, AsModel{Action: q.then}} }},
		widget.Bind("n esc q", "no", "leave it", widget.Does(Closed{})),
	}
}

func (q *Question) View(width, height int) string {
	var lines []string
	for _, line := range q.lines {
		lines = append(lines, widget.Wrapped(line, width)...)
	}
	if len(lines) > height-2 {
		lines = lines[:max(0, height-2)]
	}
	q.choices = len(lines) + 1
	return strings.Join(append(lines, "", q.theme.Key.Render("y")+" "+q.verb+"    "+q.theme.Key.Render("n")+" no"), "\n")
}

// Reader shows lines of text in a box.
type Reader struct {
	Quiet
	widget.Pager
	name string
	Text []string
}

// NewReader shows a text under a name.
func NewReader(name string, text []string) *Reader { return &Reader{name: name, Text: text} }

func (r *Reader) Title() string { return r.name }

func (r *Reader) Update(msg tea.Msg) widget.Action {
	if msg, ok := msg.(tea.MouseWheelMsg); ok {
		r.Scroll(widget.Wheeled(msg))
	}
	return nil
}

func (r *Reader) Keys() []widget.Binding {
	return append(r.Pager.Bindings(), widget.Bind("esc q ? enter", "close", "close this", widget.Does(Closed{})))
}

func (r *Reader) View(width, height int) string {
	var lines []string
	for _, line := range r.Text {
		indent := ansi.StringWidth(line) - ansi.StringWidth(strings.TrimLeft(line, " "))
		for i, part := range widget.Wrapped(line, width) {
			if i > 0 {
				part = strings.Repeat(" ", min(indent+2, width/3)) + part
			}
			lines = append(lines, widget.Cut(part, width))
		}
	}
	r.Set(lines)
	return strings.Join(r.Pager.View(height), "\n")
}
