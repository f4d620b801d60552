package tools

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// detailKey says what the detail was drawn for.
type detailKey struct {
	tool          string
	width         int
	schema, found bool
	calls, asks   int
}

// drawDetail is all about the tool at the cursor.
func (s *Screen) drawDetail(width, height int) []string {
	t, ok := s.chosen()
	key := detailKey{t.Name, width, s.schema, ok, s.settled(), s.asking()}
	if key != s.drawn {
		if key.tool != s.drawn.tool {
			s.detail.Top = 0
		}
		s.drawn = key
		s.detail.Set(nil)
		if ok {
			s.detail.Lines = s.detailLines(t, width)
		}
	}
	return s.detail.View(height)
}

// settled counts what changes in the calls.
func (s *Screen) settled() int { return 2*len(s.calls) - s.running() }

func (s *Screen) detailLines(t toolItem, width int) []string {
	l := s.Theme
	lines := []string{widget.Right(l.Heading.Render(widget.Cut(t.name, width)), l.Dim.Render(annotations(t)), width)}
	if t.title != "" && t.title != t.name {
		lines = append(lines, widget.Cut(t.title, width))
	}
	if t.denied() {
		lines = append(lines, "")
		lines = append(lines, s.Theme.PolicyLines(t.Access, width)...)
	}
	if t.description != "" {
		lines = append(lines, "")
		lines = append(lines, widget.Wrapped(t.description, width)...)
	}
	if s.schema {
		lines = append(lines, "", l.Heading.Render("DEFINITION"))
		return append(lines, definitionLines(t, width)...)
	}
	required, optional := 0, 0
	for _, f := range t.input.Fields() {
		if f.Required {
			required++
		} else {
			optional++
		}
	}
	lines = append(lines, "", widget.Right(l.Heading.Render("INPUT"),
		l.Dim.Render(fmt.Sprintf("%d required · %d optional", required, optional)), width))
	lines = append(lines, s.fieldTable(t.input, width)...)
	if t.output != nil {
		lines = append(lines, "", l.Heading.Render("OUTPUT"))
		lines = append(lines, s.fieldTable(t.output, width)...)
	}
	if !t.denied() {
		lines = append(lines, "")
		lines = append(lines, s.Theme.PolicyLines(t.Access, width)...)
	}
	return append(lines, s.callLines(t, width)...)
}

func annotations(t toolItem) string {
	var words []string
	for _, a := range []struct {
		on   bool
		word string
	}{{t.ReadOnly, "read-only"}, {t.Destructive, "destructive"}, {t.Idempotent, "idempotent"}, {t.OpenWorld,
		"open world"}, {t.TaskOnly, "runs as a task"}} {
		if a.on {
			words = append(words, a.word)
		}
	}
	return strings.Join(words, " · ")
}

// definitionLines is the tool's definition as JSON.
func definitionLines(t toolItem, width int) []string {
	v, err := toolargs.ParseLenient(t.Raw)
	if err != nil {
		return widget.Wrapped(text.CleanText(string(t.Raw)), width)
	}
	var lines []string
	for _, line := range strings.Split(v.Indented(), "\n") {
		lines = append(lines, widget.Wrapped(text.CleanLine(line), width)...)
	}
	return lines
}

// fieldTable is a row for each field of a group: name, kind, what it is for.
func (s *Screen) fieldTable(f *toolargs.Field, width int) []string {
	if f.Kind != toolargs.Group {
		return []string{"  " + widget.Cut(text.CleanLine(f.Type), width-2)}
	}
	if len(f.Fields()) == 0 {
		return []string{s.Theme.Dim.Render("  none")}
	}
	name := 6
	for _, row := range fieldRows(f, 0) {
		name = max(name, lipgloss.Width(row[0]))
	}
	name = min(name, width/3)
	kind := min(max(width/3, 8), 28)
	var lines []string
	for _, row := range fieldRows(f, 0) {
		lines = append(lines, widget.Cut("  "+widget.Fit(row[0], name)+"  "+widget.Fit(row[1], kind)+"  "+s.Theme.Dim.Render(row[2]), width))
	}
	return lines
}

// fieldRows are the cells of a fieldTable: name, kind, and what it is for.
func fieldRows(f *toolargs.Field, depth int) [][3]string {
	var rows [][3]string
	for _, kid := range f.Fields() {
		label := strings.Repeat("  ", depth) + text.CleanLine(kid.Label)
		if kid.Required {
			label += " *"
		}
		about := widget.TextLine(kid.About, 200)
		if kid.Default != nil && !kid.Secret {
			about = strings.TrimSpace("default " + kid.Default.Compact() + "  " + about)
		}
		rows = append(rows, [3]string{label, text.CleanLine(kid.Type), about})
		inner := kid
		if kid.Kind == toolargs.List {
			inner = kid.Fields()[0]
		}
		if depth < 2 && inner.Kind == toolargs.Group {
			rows = append(rows, fieldRows(inner, depth+1)...)
		}
	}
	return rows
}

// callLines tell of the calls of the tool in this session.
func (s *Screen) callLines(t toolItem, width int) []string {
	l := s.Theme
	var lines []string
	var times []time.Duration
	count := 0
	for _, c := range s.calls {
		if c.tool.Name != t.Name {
			continue
		}
		if count++; count <= 5 {
			lines = append(lines, widget.Cut("  "+c.began.Local().Format("15:04:05")+"  "+c.outcome(l)+"  "+l.Dim.Render(c.arguments()), width))
		}
		if !c.runs() {
			times = append(times, c.took())
		}
	}
	if count == 0 {
		return nil
	}
	words := text.Count(count, "time")
	if len(times) > 0 {
		slices.Sort(times)
		words += ", median " + text.Elapsed(times[len(times)/2])
	}
	return append([]string{"", l.Heading.Render("CALLED") + "  " + words}, lines...)
}
