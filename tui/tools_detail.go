package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/mcpauth/mcpauth/broker"
)

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
	if m.Rule != "" { // which may be a rule's name, or words of their own
		words += "  " + broker.CleanLine(m.Rule)
	}
	var lines []string
	for i, line := range wrapped(words, width-8) {
		heading := []string{"POLICY", "      "}[min(i, 1)]
		lines = append(lines, l.heading.Render(heading)+"  "+style.Render(line))
	}
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
