package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/mcpauth/mcpauth/broker"
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
		return append(lines, l.dim.Render("  no tool of that kind"))
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

// detailKey says what the detail was drawn for.
type detailKey struct {
	tool          string
	width         int
	schema, found bool
	calls, asks   int
}

// drawDetail is all about the tool at the cursor.
func (s *toolsScreen) drawDetail(width, height int) []string {
	t, ok := s.chosen()
	key := detailKey{t.Name, width, s.schema, ok, s.settled(), s.asking()}
	if key != s.drawn {
		if key.tool != s.drawn.tool {
			s.detail.top = 0
		}
		s.drawn = key
		s.detail.set(nil)
		if ok {
			s.detail.lines = s.detailLines(t, width)
		}
	}
	return s.detail.view(height)
}

// settled counts what changes in the calls.
func (s *toolsScreen) settled() int { return 2*len(s.calls) - s.running() }

func (s *toolsScreen) detailLines(t toolItem, width int) []string {
	l := s.look
	lines := []string{right(l.heading.Render(cut(t.name, width)), l.dim.Render(annotations(t)), width)}
	if t.title != "" && t.title != t.name {
		lines = append(lines, cut(t.title, width))
	}
	if t.denied() {
		lines = append(lines, "")
		lines = append(lines, s.policyLines(t, width)...)
	}
	if t.description != "" {
		lines = append(lines, "")
		lines = append(lines, wrapped(t.description, width)...)
	}
	if s.schema {
		lines = append(lines, "", l.heading.Render("DEFINITION"))
		return append(lines, definitionLines(t, width)...)
	}
	required, optional := 0, 0
	for _, f := range t.plan.members() {
		if f.required {
			required++
		} else {
			optional++
		}
	}
	lines = append(lines, "", right(l.heading.Render("INPUT"), l.dim.Render(fmt.Sprintf("%d required · %d optional", required, optional)), width))
	lines = append(lines, s.fieldTable(t.plan, width)...)
	if t.output != nil {
		lines = append(lines, "", l.heading.Render("OUTPUT"))
		lines = append(lines, s.fieldTable(t.output, width)...)
	}
	if !t.denied() {
		lines = append(lines, "")
		lines = append(lines, s.policyLines(t, width)...)
	}
	return append(lines, s.callLines(t, width)...)
}

func annotations(t toolItem) string {
	var words []string
	for _, a := range []struct {
		on   bool
		word string
	}{{t.ReadOnly, "read-only"}, {t.Destructive, "destructive"}, {t.Idempotent, "idempotent"}, {t.OpenWorld, "open world"}, {t.TaskOnly, "runs as a task"}} {
		if a.on {
			words = append(words, a.word)
		}
	}
	return strings.Join(words, " · ")
}

// definitionLines is the tool's definition as JSON.
func definitionLines(t toolItem, width int) []string {
	v, err := parseServerJSON(t.Raw)
	if err != nil {
		return wrapped(broker.CleanText(string(t.Raw)), width)
	}
	var lines []string
	for _, line := range strings.Split(v.indented(), "\n") {
		lines = append(lines, wrapped(broker.CleanLine(line), width)...)
	}
	return lines
}

// policyLines is what the policy says to the tool, and what mends it.
func (s *toolsScreen) policyLines(t toolItem, width int) []string {
	l, m := s.look, t.Mark
	words, style := "allowed", l.good
	switch {
	case t.denied():
		words, style = "✗ denied", l.bad
	case m.Effect == "step_up":
		words, style = "! asks for a fresh sign-in", l.warn
	}
	if m.Rule != "" {
		words += " by " + broker.CleanLine(m.Rule)
	}
	lines := []string{l.heading.Render("POLICY") + "  " + style.Render(cut(words, width-8))}
	for i, text := range append([]string{m.Why}, m.Notes...) {
		if text != "" && (i == 0 || text != m.Why) {
			lines = append(lines, indented(wrapped(broker.CleanLine(text), width-2), 2)...)
		}
	}
	for _, cure := range m.Cures {
		lead := "→ "
		for _, line := range wrappedWords(broker.CleanLine(cure), width-4) {
			lines = append(lines, "  "+l.accent.Render(lead+line))
			lead = "  "
		}
	}
	return lines
}

// fieldTable is a row for each field of a group: name, kind, what it is for.
func (s *toolsScreen) fieldTable(f *spec, width int) []string {
	if f.kind != kindGroup {
		return []string{"  " + cut(f.typeWords(), width-2)}
	}
	if len(f.members()) == 0 {
		return []string{s.look.dim.Render("  none")}
	}
	name := 6
	for _, row := range fieldRows(f, 0) {
		name = max(name, lipgloss.Width(row[0]))
	}
	name = min(name, width/3)
	kind := min(max(width/3, 8), 28)
	var lines []string
	for _, row := range fieldRows(f, 0) {
		lines = append(lines, cut("  "+fit(row[0], name)+"  "+fit(row[1], kind)+"  "+s.look.dim.Render(row[2]), width))
	}
	return lines
}

// fieldRows are the cells of a fieldTable: name, kind, and what it is for.
func fieldRows(f *spec, depth int) [][3]string {
	var rows [][3]string
	for _, kid := range f.members() {
		label := strings.Repeat("  ", depth) + kid.label
		if kid.required {
			label += " *"
		}
		about, _, _ := strings.Cut(kid.about, "\n")
		if kid.preset != nil && !kid.secret {
			about = strings.TrimSpace("default " + kid.preset.compact() + "  " + about)
		}
		rows = append(rows, [3]string{label, kid.typeWords(), about})
		inner := kid
		if kid.kind == kindList {
			inner = kid.members()[0]
		}
		if depth < 2 && inner.kind == kindGroup {
			rows = append(rows, fieldRows(inner, depth+1)...)
		}
	}
	return rows
}

// callLines tell of the calls of the tool in this session.
func (s *toolsScreen) callLines(t toolItem, width int) []string {
	l := s.look
	var lines []string
	var times []time.Duration
	count := 0
	for _, c := range s.calls {
		if c.tool.Name != t.Name {
			continue
		}
		if count++; count <= 5 {
			lines = append(lines, cut("  "+c.began.Local().Format("15:04:05")+"  "+c.outcome(l)+"  "+l.dim.Render(c.arguments()), width))
		}
		if !c.runs() {
			times = append(times, c.took())
		}
	}
	if count == 0 {
		return nil
	}
	words := plural(count, "time", "times")
	if len(times) > 0 {
		slices.Sort(times)
		words += ", median " + took(times[len(times)/2])
	}
	return append([]string{"", l.heading.Render("CALLED") + "  " + words}, lines...)
}
