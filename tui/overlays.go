package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// help shows what the keys do: those of the screen below, and those of all.
type help struct {
	screen.Reader
	theme    *widget.Theme
	own, all []widget.Binding
}

func newHelp(m *model) *help {
	h := &help{Reader: *screen.NewReader("Keys", nil), theme: m.Theme, own: m.top().Keys(), all: m.everywhere()}
	if m.top().Typing() {
		h.all = withoutLetters(h.all)
	}
	return h
}

// withoutLetters is what can be done while letters are text.
func withoutLetters(all []widget.Binding) []widget.Binding {
	var left []widget.Binding
	for _, b := range all {
		b.Keys = slices.DeleteFunc(slices.Clone(b.Keys), func(key string) bool { return !slices.Contains(neverText, key) })
		left = append(left, b)
	}
	return left // those without keys are not shown
}

func (h *help) View(width, height int) string {
	lines := []string{h.theme.Heading.Render("THIS SCREEN")}
	lines = append(lines, h.rows(h.own, width)...)
	lines = append(lines, "", h.theme.Heading.Render("EVERYWHERE"))
	lines = append(lines, h.rows(h.all, width)...)
	lines = append(lines, h.rows([]widget.Binding{{Keys: []string{"ctrl+c"}, Help: "stop what runs; again: leave mcpauth"}}, width)...)
	h.Set(lines)
	return strings.Join(h.Pager.View(height), "\n")
}

// keyColumn is the width of the keys in a list of them, and where it is narrow that
// of the first one.
const (
	keyColumn       = 20
	narrowKeyColumn = 7
)

func (h *help) rows(all []widget.Binding, width int) []string {
	var lines []string
	for _, b := range all {
		if len(b.Keys) == 0 {
			continue
		}
		keys, column := strings.Join(b.Keys, " "), keyColumn
		if width < 2*keyColumn {
			keys, column = b.Keys[0], max(narrowKeyColumn, ansi.StringWidth(b.Keys[0]))
		}
		lines = append(lines, widget.Cut("  "+widget.Fit(h.theme.Key.Render(keys), column)+" "+b.Help, width))
	}
	return lines
}

// commands is the palette: all that can be done, found by its name.
type commands struct {
	screen.Quiet
	theme *widget.Theme
	widget.List
	filter widget.Field
	all    []widget.Binding
	found  []widget.Binding
}

func newCommands(m *model) *commands {
	c := &commands{theme: m.Theme, filter: widget.NewField(m.Theme, "what do you want to do?")}
	for _, b := range slices.Concat(m.top().Keys(), m.everywhere()) {
		known := slices.ContainsFunc(c.all, func(own widget.Binding) bool { return own.Help == b.Help })
		if !isMove(b) && !known {
			c.all = append(c.all, b)
		}
	}
	c.filter.Focus()
	c.find()
	return c
}

// isMove says that a binding only moves about: these are not looked for by name.
func isMove(b widget.Binding) bool {
	return len(b.Keys) > 0 && slices.Contains([]string{"up", "down", "pgup", "pgdown", "home", "end", ":"}, b.Keys[0])
}

func (c *commands) find() {
	type hit struct {
		widget.Binding
		score int
	}
	var hits []hit
	for _, b := range c.all {
		if score, ok := widget.Matches(b.Help, c.filter.Value()); ok {
			hits = append(hits, hit{b, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	c.found = nil
	for _, h := range hits {
		c.found = append(c.found, h.Binding)
	}
	c.Cursor = 0
	c.Resize(len(c.found))
}

func (c *commands) Title() string { return "What to do" }

func (c *commands) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		c.filter.Take(msg)
		c.find()
	case tea.MouseWheelMsg:
		c.Move(widget.Wheeled(msg))
	case tea.MouseClickMsg:
		if i, ok := c.At(msg.Y - 2); ok {
			c.Cursor = i
			return c.choose()
		}
	}
	return nil
}

func (c *commands) choose() widget.Action {
	if c.Cursor >= len(c.found) {
		return nil
	}
	return widget.Actions{screen.Closed{}, screen.BindingChosen{Binding: c.found[c.Cursor]}}
}

func (c *commands) Keys() []widget.Binding {
	return []widget.Binding{
		widget.Bind("enter", "do it", "do what is chosen", c.choose),
		widget.Bind("up ctrl+k", "", "up", widget.Do(func() { c.Move(-1) })),
		widget.Bind("down ctrl+j", "", "down", widget.Do(func() { c.Move(1) })),
		widget.Bind("esc", "close", "close this", widget.Does(screen.Closed{})),
	}
}

func (c *commands) View(width, height int) string {
	lines := []string{c.theme.Accent.Render(": ") + c.filter.Show(width-2), ""}
	rows := c.List.View(height-2, func(i int, chosen bool) []string {
		b := c.found[i]
		mark, style := "  ", c.theme.Plain
		if chosen {
			mark, style = "▸ ", c.theme.Chosen
		}
		key := ""
		if len(b.Keys) > 0 {
			key = b.Keys[0]
		}
		return []string{style.Render(widget.Right(mark+b.Help, key, width))}
	})
	if len(rows) == 0 {
		rows = []string{c.theme.Dim.Render("  nothing of that name")}
	}
	return strings.Join(append(lines, rows...), "\n")
}

func (c *commands) Typing() bool { return true }

// saving asks for the name of a file and writes it.
type saving struct {
	screen.Quiet
	theme *widget.Theme
	name  widget.Field
	data  []byte
}

func newSaving(l *widget.Theme, s widget.SaveFile) *saving {
	f := widget.NewField(l, "name of the file")
	f.SetValue(s.Name)
	f.Focus()
	f.CursorEnd()
	return &saving{theme: l, name: f, data: s.Data}
}

func (s *saving) Title() string { return "Save as" }

func (s *saving) Update(msg tea.Msg) widget.Action {
	switch msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		s.name.Take(msg)
	}
	return nil
}

func (s *saving) Keys() []widget.Binding {
	return []widget.Binding{
		widget.Bind("enter", "save", "write the file", func() widget.Action {
			return widget.Actions{screen.Closed{}, screen.AsModel{Action: writeFile(s.name.Value(), s.data)}}
		}),
		widget.Bind("esc", "no", "leave it", widget.Does(screen.Closed{})),
	}
}

func (s *saving) View(width, _ int) string {
	return strings.Join([]string{
		s.name.Show(width), "",
		s.theme.Dim.Render(widget.ByteSize(len(s.data)) + "; a file that exists is not written over"),
	}, "\n")
}

func (s *saving) Typing() bool { return true }
