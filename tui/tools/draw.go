package tools

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// listShare is the part of a wide terminal that the list takes.
const listShare = 0.42

func (s *Screen) View(width, height int) string {
	switch {
	case s.page != nil:
		return s.page.View(width, height)
	case s.list.Problem != nil:
		return strings.Join(s.Theme.ProblemLines(s.list.Problem, width), "\n")
	case !s.list.Loaded && s.Server == nil && s.Down != nil:
		return strings.Join(s.Theme.ProblemLines(s.Down, width), "\n")
	case !s.list.Loaded:
		return s.Theme.Dim.Render(s.waiting())
	}
	left, right := widget.Panes(width, listShare)
	switch {
	case right > 0:
		return s.Theme.SplitPanes(s.drawList(left, height), s.drawDetail(right, height), left, right, height)
	case s.detailed:
		return strings.Join(s.drawDetail(width, height), "\n")
	}
	return strings.Join(s.drawList(width, height), "\n")
}

func (s *Screen) waiting() string {
	switch {
	case s.Server != nil || s.Starting:
		return "reading the tools …"
	case !s.Explorable:
		return "there is no server: start mcpauth tui -- COMMAND"
	}
	return "no server runs"
}

// Status is what the line below tells.
func (s *Screen) Status() string {
	if page, ok := s.page.(interface{ Status() string }); ok {
		return page.Status()
	}
	parts := []string{s.Theme.Good.Render("● connected")}
	if asking := s.asking(); asking > 0 { // it is not cut, at 40 columns either
		parts[0] = s.Theme.Warn.Render("? " + widget.Plural(asking, "call asks", "calls ask") + ": a answers")
	}
	denied := 0
	for _, t := range s.list.All {
		if t.denied() {
			denied++
		}
	}
	if denied > 0 && s.noDeny {
		parts = append(parts, s.Theme.Warn.Render(fmt.Sprintf("left out: %d denied by policy", denied))+s.Theme.Dim.Render(" (h shows them)"))
	} else if denied > 0 {
		parts = append(parts, s.Theme.Warn.Render(fmt.Sprintf("✗ %d denied by policy", denied))+s.Theme.Dim.Render(" (h leaves them out)"))
	}
	if running := s.running() - s.asking(); running > 0 {
		parts = append(parts, s.Theme.Accent.Render(widget.Plural(running, "call runs", "calls run")))
	}
	if len(parts) == 1 && s.asking() == 0 {
		return ""
	}
	return strings.Join(parts, "   ")
}

func (s *Screen) running() int { return s.number((*call).runs) }

func (s *Screen) asking() int { return s.number((*call).waits) }

func (s *Screen) number(state func(*call) bool) (n int) {
	for _, c := range s.calls {
		if state(c) {
			n++
		}
	}
	return n
}

// drawList is the filter and the tools.
func (s *Screen) drawList(width, height int) []string {
	l := s.Theme
	count := fmt.Sprintf("%d of %d", len(s.found), len(s.list.All))
	lines := []string{widget.Right(l.Accent.Render("/ ")+s.filter.Show(width-len(count)-4), l.Dim.Render(count), width), ""}
	if len(s.found) == 0 {
		words := s.EmptyText("tools", s.list.Loaded, nil, len(s.list.All) > 0)[0]
		return append(lines, l.Dim.Render(widget.Cut("  "+words, width)))
	}
	// Two lines for a tool where there is room: so that nothing jumps, all have them or none.
	two := 2*len(s.list.All) <= height-2 || width < widget.TwoPanes && s.Width < widget.TwoPanes && height >= 14
	return append(lines, s.List.View(height-2, func(i int, chosen bool) []string { return s.drawTool(s.found[i], chosen, two, width) })...)
}

func (s *Screen) drawTool(t toolItem, chosen, two bool, width int) []string {
	l := s.Theme
	mark, style := "  ", l.Strong.UnsetBold()
	if chosen {
		mark, style = "▸ ", l.Chosen
	}
	marks := s.marks(t)
	room := width - lipgloss.Width(marks) - 1
	name := markedIn(style, l.Match, widget.Cut(mark+t.name, room), s.filter.Value())
	line := widget.Right(name, marks, width)
	if !two {
		return []string{line}
	}
	about, _, _ := strings.Cut(cmp.Or(t.description, t.title), "\n")
	return []string{line, l.Dim.Render(widget.Cut("    "+about, width))}
}

// marks are what to know of a tool before it is called.
func (s *Screen) marks(t toolItem) string {
	l := s.Theme
	var parts []string
	of := func(state func(*call) bool) bool {
		return slices.ContainsFunc(s.calls, func(c *call) bool { return c.tool.Name == t.Name && state(c) })
	}
	switch {
	case of((*call).waits):
		parts = append(parts, l.Warn.Render("? asks"))
	case of((*call).runs):
		parts = append(parts, l.Accent.Render("runs"))
	}
	switch {
	case t.denied():
		parts = append(parts, l.Bad.Render("✗ policy"))
	case s.ReadOnly && !t.ReadOnly:
		parts = append(parts, l.Dim.Render("✗ look only"))
	case t.Access.Effect == "step_up":
		parts = append(parts, l.Warn.Render("! step-up"))
	}
	if t.TaskOnly {
		parts = append(parts, l.Dim.Render("task"))
	}
	switch {
	case t.ReadOnly:
		parts = append(parts, l.Good.Render("read"))
	case t.Destructive:
		parts = append(parts, l.Warn.Render("destroys"))
	default:
		parts = append(parts, l.Dim.Render("write"))
	}
	return strings.Join(parts, " ")
}

// markedIn renders a text, with the letters that a filter found in it marked.
func markedIn(style, match lipgloss.Style, text, filter string) string {
	at := matchAt(text, filter)
	if len(at) == 0 {
		return style.Render(text)
	}
	var b strings.Builder
	var run []rune
	marked := false
	flush := func() {
		if len(run) > 0 {
			b.WriteString(map[bool]lipgloss.Style{true: match, false: style}[marked].Render(string(run)))
			run = run[:0]
		}
	}
	for i, r := range []rune(text) {
		if at[i] != marked {
			flush()
			marked = at[i]
		}
		run = append(run, r)
	}
	flush()
	return b.String()
}

// matchAt are the runes of a text that [matches] finds a filter at.
func matchAt(text, filter string) map[int]bool {
	whole, wanted := []rune(strings.ToLower(text)), []rune(strings.ToLower(strings.TrimSpace(filter)))
	at := map[int]bool{}
	if len(wanted) == 0 || len(whole) != len([]rune(text)) {
		return nil
	}
	for i := 0; i+len(wanted) <= len(whole); i++ {
		if slices.Equal(whole[i:i+len(wanted)], wanted) {
			for j := range wanted {
				at[i+j] = true
			}
			return at
		}
	}
	next := 0
	for i, r := range whole {
		if next < len(wanted) && r == wanted[next] {
			at[i] = true
			next++
		}
	}
	if next < len(wanted) {
		return nil
	}
	return at
}
