package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
)

// listShare is the part of a wide terminal that the list takes.
const listShare = 0.42

func (s *toolsScreen) view(width, height int) string {
	switch {
	case s.page != nil:
		return s.page.view(width, height)
	case s.err != nil:
		return strings.Join(s.look.problemLines(s.err, width), "\n")
	case !s.loaded && s.server == nil && s.down != nil:
		return strings.Join(s.look.problemLines(s.down, width), "\n")
	case !s.loaded:
		return s.look.dim.Render(s.waiting())
	}
	left, right := panes(width, listShare)
	switch {
	case right > 0:
		return s.look.beside(s.drawList(left, height), s.drawDetail(right, height), left, right, height)
	case s.detailed:
		return strings.Join(s.drawDetail(width, height), "\n")
	}
	return strings.Join(s.drawList(width, height), "\n")
}

func (s *toolsScreen) waiting() string {
	switch {
	case s.server != nil || s.starts:
		return "reading the tools …"
	case s.Open == nil:
		return "there is no server: start mcpauth tui -- COMMAND"
	}
	return "no server runs"
}

// status is what the line below tells.
func (s *toolsScreen) status() string {
	if page, ok := s.page.(interface{ status() string }); ok {
		return page.status()
	}
	parts := []string{s.look.good.Render("● connected")}
	if asking := s.asking(); asking > 0 { // it is not cut, at 40 columns either
		parts[0] = s.look.warn.Render("? " + plural(asking, "call asks", "calls ask") + ": a answers")
	}
	denied := 0
	for _, t := range s.all {
		if t.denied() {
			denied++
		}
	}
	if denied > 0 && s.noDeny {
		parts = append(parts, s.look.warn.Render(fmt.Sprintf("left out: %d denied by policy", denied))+s.look.dim.Render(" (h shows them)"))
	} else if denied > 0 {
		parts = append(parts, s.look.warn.Render(fmt.Sprintf("✗ %d denied by policy", denied))+s.look.dim.Render(" (h leaves them out)"))
	}
	if running := s.running() - s.asking(); running > 0 {
		parts = append(parts, s.look.accent.Render(plural(running, "call runs", "calls run")))
	}
	if len(parts) == 1 && s.asking() == 0 {
		return ""
	}
	return strings.Join(parts, "   ")
}

func (s *toolsScreen) running() int { return s.number((*call).runs) }

func (s *toolsScreen) asking() int { return s.number((*call).waits) }

func (s *toolsScreen) number(state func(*call) bool) (n int) {
	for _, c := range s.calls {
		if state(c) {
			n++
		}
	}
	return n
}

// drawList is the filter and the tools.
func (s *toolsScreen) drawList(width, height int) []string {
	l := s.look
	count := fmt.Sprintf("%d of %d", len(s.found), len(s.all))
	lines := []string{right(l.accent.Render("/ ")+s.filter.show(width-len(count)-4), l.dim.Render(count), width), ""}
	if len(s.found) == 0 {
		words := s.emptyWords("tools", s.loaded, nil, len(s.all) > 0)[0]
		return append(lines, l.dim.Render(cut("  "+words, width)))
	}
	// Two lines for a tool where there is room: so that nothing jumps, all have them or none.
	two := 2*len(s.all) <= height-2 || width < twoPanes && s.width < twoPanes && height >= 14
	return append(lines, s.list.view(height-2, func(i int, chosen bool) []string { return s.drawTool(s.found[i], chosen, two, width) })...)
}

func (s *toolsScreen) drawTool(t toolItem, chosen, two bool, width int) []string {
	l := s.look
	mark, style := "  ", l.strong.UnsetBold()
	if chosen {
		mark, style = "▸ ", l.chosen
	}
	if s.likes.liked[t.Name] {
		mark = mark[:len(mark)-1] + "*"
	}
	marks := s.marks(t)
	room := width - lipgloss.Width(marks) - 1
	name := markedIn(style, l.match, cut(mark+t.name, room), s.filter.Value())
	line := right(name, marks, width)
	if !two {
		return []string{line}
	}
	about, _, _ := strings.Cut(cmp.Or(t.description, t.title), "\n")
	return []string{line, l.dim.Render(cut("    "+about, width))}
}

// marks are what is to be known of a tool before it is called.
func (s *toolsScreen) marks(t toolItem) string {
	l := s.look
	var parts []string
	of := func(state func(*call) bool) bool {
		return slices.ContainsFunc(s.calls, func(c *call) bool { return c.tool.Name == t.Name && state(c) })
	}
	switch {
	case of((*call).waits):
		parts = append(parts, l.warn.Render("? asks"))
	case of((*call).runs):
		parts = append(parts, l.accent.Render("runs"))
	}
	switch {
	case t.denied():
		parts = append(parts, l.bad.Render("✗ policy"))
	case s.ReadOnly && !t.ReadOnly:
		parts = append(parts, l.dim.Render("✗ look only"))
	case t.Mark.Effect == "step_up":
		parts = append(parts, l.warn.Render("! step-up"))
	}
	if t.TaskOnly {
		parts = append(parts, l.dim.Render("task"))
	}
	switch {
	case t.ReadOnly:
		parts = append(parts, l.good.Render("read"))
	case t.Destructive:
		parts = append(parts, l.warn.Render("destroys"))
	default:
		parts = append(parts, l.dim.Render("write"))
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
