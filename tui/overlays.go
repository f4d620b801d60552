package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// help shows what the keys do: those of the screen below, and those of all.
type help struct {
	*world
	pager
	own, all []binding
}

func newHelp(m *model) *help {
	h := &help{world: m.world, own: m.top().keys(), all: m.everywhere()}
	if m.top().typing() {
		h.all = withoutLetters(h.all)
	}
	return h
}

// withoutLetters is what can be done while letters are text.
func withoutLetters(all []binding) []binding {
	var left []binding
	for _, b := range all {
		b.keys = slices.DeleteFunc(slices.Clone(b.keys), func(key string) bool { return !slices.Contains(neverText, key) })
		left = append(left, b)
	}
	return left // those without keys are not shown
}

func (h *help) title() string { return "Keys" }

func (h *help) update(msg tea.Msg) action {
	if msg, ok := msg.(tea.MouseWheelMsg); ok {
		h.scroll(wheeled(msg))
	}
	return nil
}

func (h *help) keys() []binding {
	return append(h.pager.bindings(), binding{keys: []string{"esc", "q", "?", "enter"}, label: "close", help: "close this", act: does(closed{})})
}

func (h *help) view(width, height int) string {
	lines := []string{h.look.heading.Render("THIS SCREEN")}
	lines = append(lines, h.rows(h.own, width)...)
	lines = append(lines, "", h.look.heading.Render("EVERYWHERE"))
	lines = append(lines, h.rows(h.all, width)...)
	lines = append(lines, h.rows([]binding{{keys: []string{"ctrl+c"}, help: "stop what runs; again: leave mcpauth"}}, width)...)
	h.set(lines)
	return strings.Join(h.pager.view(height), "\n")
}

// keyColumn is the width of the keys in a list of them, and where it is narrow that
// of the first one.
const (
	keyColumn       = 20
	narrowKeyColumn = 7
)

func (h *help) rows(all []binding, width int) []string {
	var lines []string
	for _, b := range all {
		if len(b.keys) == 0 {
			continue
		}
		keys, column := strings.Join(b.keys, " "), keyColumn
		if width < 2*keyColumn {
			keys, column = b.keys[0], max(narrowKeyColumn, ansi.StringWidth(b.keys[0]))
		}
		lines = append(lines, cut("  "+fit(h.look.key.Render(keys), column)+" "+b.help, width))
	}
	return lines
}

func (h *help) typing() bool { return false }
func (h *help) busy() *job   { return nil }
func (h *help) home() bool   { return false }

// commands is the palette: all that can be done, found by its name.
type commands struct {
	*world
	list
	filter field
	all    []binding
	found  []binding
}

func newCommands(m *model) *commands {
	c := &commands{world: m.world, filter: newField(m.look, "what do you want to do?")}
	for _, b := range slices.Concat(m.top().keys(), m.everywhere()) {
		known := slices.ContainsFunc(c.all, func(own binding) bool { return own.help == b.help })
		if !isMove(b) && !known {
			c.all = append(c.all, b)
		}
	}
	c.filter.Focus()
	c.find()
	return c
}

// isMove says that a binding only moves about: nobody looks for these by name.
func isMove(b binding) bool {
	return len(b.keys) > 0 && slices.Contains([]string{"up", "down", "pgup", "pgdown", "home", "end", ":"}, b.keys[0])
}

func (c *commands) find() {
	type hit struct {
		binding
		score int
	}
	var hits []hit
	for _, b := range c.all {
		if score, ok := matches(b.help, c.filter.Value()); ok {
			hits = append(hits, hit{b, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	c.found = nil
	for _, h := range hits {
		c.found = append(c.found, h.binding)
	}
	c.cursor = 0
	c.resize(len(c.found))
}

func (c *commands) title() string { return "What to do" }

func (c *commands) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		c.filter.update(msg)
		c.find()
	case tea.MouseWheelMsg:
		c.move(wheeled(msg))
	case tea.MouseClickMsg:
		if i, ok := c.at(msg.Y - 2); ok {
			c.cursor = i
			return c.choose()
		}
	}
	return nil
}

func (c *commands) choose() action {
	if c.cursor >= len(c.found) {
		return nil
	}
	return actions{closed{}, bindingChosen{c.found[c.cursor]}}
}

// bindingChosen does what a binding does, on the screen that is on top then.
type bindingChosen struct{ binding }

func (c *commands) keys() []binding {
	return []binding{
		{keys: []string{"enter"}, label: "do it", help: "do what is chosen", act: c.choose},
		{keys: []string{"up", "ctrl+k"}, help: "up", act: func() action { c.move(-1); return nil }},
		{keys: []string{"down", "ctrl+j"}, help: "down", act: func() action { c.move(1); return nil }},
		{keys: []string{"esc"}, label: "close", help: "close this", act: does(closed{})},
	}
}

func (c *commands) view(width, height int) string {
	lines := []string{c.look.accent.Render(": ") + c.filter.show(width-2), ""}
	rows := c.list.view(height-2, func(i int, chosen bool) []string {
		b := c.found[i]
		mark, style := "  ", c.look.plain
		if chosen {
			mark, style = "▸ ", c.look.chosen
		}
		key := ""
		if len(b.keys) > 0 {
			key = b.keys[0]
		}
		return []string{style.Render(right(mark+b.help, key, width))}
	})
	if len(rows) == 0 {
		rows = []string{c.look.dim.Render("  nothing of that name")}
	}
	return strings.Join(append(lines, rows...), "\n")
}

func (c *commands) typing() bool { return true }
func (c *commands) busy() *job   { return nil }
func (c *commands) home() bool   { return false }

// question asks before something is done that cannot be taken back.
type question struct {
	*world
	asks  string
	lines []string
	verb  string
	then  action

	careful bool // enter, which may be pressed once too often, is no yes
	choices int  // the line in which yes and no stand
}

func newQuestion(w *world, asks string, lines []string, verb string, then action) *question {
	return &question{world: w, asks: asks, lines: lines, verb: verb, then: then}
}

func (q *question) title() string { return q.asks }

func (q *question) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case notice:
		return msg
	case tea.MouseClickMsg:
		if yes := len("y " + q.verb); msg.Y != q.choices {
			return nil
		} else if msg.X >= 0 && msg.X < yes {
			return q.keys()[0].act()
		} else if no := yes + 4; msg.X >= no && msg.X < no+len("n no") {
			return closed{}
		}
	}
	return nil
}

func (q *question) keys() []binding {
	yes := []string{"y", "enter"}
	if q.careful {
		yes = yes[:1]
	}
	return []binding{
		{keys: yes, label: q.verb, help: q.verb, act: func() action { return actions{closed{}, asModel{q.then}} }},
		{keys: []string{"n", "esc", "q"}, label: "no", help: "leave it", act: does(closed{})},
	}
}

func (q *question) view(width, height int) string {
	var lines []string
	for _, line := range q.lines {
		lines = append(lines, wrapped(line, width)...)
	}
	if len(lines) > height-2 {
		lines = lines[:max(0, height-2)]
	}
	q.choices = len(lines) + 1
	return strings.Join(append(lines, "", q.look.key.Render("y")+" "+q.verb+"    "+q.look.key.Render("n")+" no"), "\n")
}

func (q *question) typing() bool { return false }
func (q *question) busy() *job   { return nil }
func (q *question) home() bool   { return false }

// asModel carries an action out in the model's own name: what its jobs say goes
// to the model, since the screen that began them is closed.
type asModel struct{ action }

// saving asks for the name of a file and writes it.
type saving struct {
	*world
	name field
	data []byte
}

func newSaving(w *world, s saveFile) *saving {
	f := newField(w.look, "name of the file")
	f.SetValue(s.name)
	f.Focus()
	f.CursorEnd()
	return &saving{world: w, name: f, data: s.data}
}

func (s *saving) title() string { return "Save as" }

func (s *saving) update(msg tea.Msg) action {
	switch msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		s.name.update(msg)
	}
	return nil
}

func (s *saving) keys() []binding {
	return []binding{
		{keys: []string{"enter"}, label: "save", help: "write the file", act: func() action {
			return actions{closed{}, asModel{writeFile(s.name.Value(), s.data)}}
		}},
		{keys: []string{"esc"}, label: "no", help: "leave it", act: does(closed{})},
	}
}

func (s *saving) view(width, _ int) string {
	return strings.Join([]string{
		s.name.show(width), "",
		s.look.dim.Render(byteSize(len(s.data)) + "; a file that exists is not written over"),
	}, "\n")
}

func (s *saving) typing() bool { return true }
func (s *saving) busy() *job   { return nil }
func (s *saving) home() bool   { return false }
