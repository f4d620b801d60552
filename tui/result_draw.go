package tui

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/glamour/v2"
	"charm.land/lipgloss/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// maxMarkdown bounds what is laid out as markdown, in bytes: glamour takes about
// 9 ms for a kilobyte.
const maxMarkdown = 64 << 10

func looksLikeMarkdown(text string) bool {
	text = text[:min(len(text), 4<<10)]
	marks := 0
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		for _, mark := range []string{"# ", "## ", "### ", "- ", "* ", "```", "| ", "> ", "1. "} {
			if strings.HasPrefix(line, mark) {
				marks++
			}
		}
		if strings.Contains(line, "**") || strings.Contains(line, "](") {
			marks++
		}
	}
	return marks >= 2
}

func drawText(text string, width int, l *look) []string {
	shown, more := capped(text)
	lines := wrapped(broker.CleanText(shown), width)
	lines = lines[:min(len(lines), 2*maxShownLines)]
	if more {
		lines = append(lines, moreNote(l, len(text))...)
	}
	return lines
}

func drawMarkdown(text string, width int, l *look) []string {
	style := "notty"
	switch {
	case l.neutral:
	case l.dark:
		style = "dark"
	default:
		style = "light"
	}
	renderer, err := glamour.NewTermRenderer(glamour.WithStandardStyle(style), glamour.WithWordWrap(max(width-2, 10)))
	if err != nil {
		return drawText(text, width, l)
	}
	out, err := renderer.Render(broker.CleanText(text))
	if err != nil {
		return drawText(text, width, l)
	}
	lines := strings.Split(strings.Trim(out, "\n"), "\n")
	for i, line := range lines {
		lines[i] = cut(strings.TrimRight(line, " "), width)
	}
	return lines
}

func drawJSON(v *jsonValue, mode string, width int, l *look, size int) []string {
	var lines []string
	more := false
	switch mode {
	case "table":
		table, _ := findTable(v)
		lines, more = drawTable(table, width, l)
	default:
		w := jsonWriter{look: l, width: width}
		w.value(v, "", "", "")
		lines, more = w.lines, w.full
	}
	if more {
		lines = append(lines, moreNote(l, size)...)
	}
	return lines
}

// table is a list of objects of the same kind.
type table struct {
	name    string // of the member that holds it; empty where it is the value itself
	columns []string
	rows    []*jsonValue
	rest    []jsonMember // what stands beside it
}

// findTable finds the list in a value that is best shown as a table: the value
// itself, or the longest of its members.
func findTable(v *jsonValue) (table, bool) {
	if columns := columnsOf(v); columns != nil {
		return table{columns: columns, rows: v.items}, true
	}
	var best table
	for _, m := range v.members {
		if columns := columnsOf(m.value); columns != nil && len(m.value.items) > len(best.rows) {
			best = table{name: m.name, columns: columns, rows: m.value.items}
		}
	}
	for _, m := range v.members {
		if m.name != best.name {
			best.rest = append(best.rest, m)
		}
	}
	return best, best.columns != nil && len(best.rest) <= 6
}

// columnsOf are the names of the members of a list's objects, or nil where it is
// no list of flat objects.
func columnsOf(v *jsonValue) []string {
	if v == nil || v.kind != '[' || len(v.items) == 0 {
		return nil
	}
	var names []string
	flat, all := 0, 0
	for _, item := range v.items[:min(len(v.items), 50)] {
		if item.kind != '{' || len(item.members) == 0 {
			return nil
		}
		for _, m := range item.members {
			all++
			if m.value.kind != '{' && m.value.kind != '[' {
				flat++
			}
			if !slices.Contains(names, m.name) {
				names = append(names, m.name)
			}
		}
	}
	if flat*10 < all*7 || len(names) > 40 {
		return nil
	}
	return names
}

// maxCell bounds the width of a column.
const maxCell = 40

func drawTable(t table, width int, l *look) (lines []string, more bool) {
	rows := t.rows[:min(len(t.rows), maxShownLines)]
	cells := make([][]string, len(rows))
	widths, numbers := make([]int, len(t.columns)), make([]bool, len(t.columns))
	for i, name := range t.columns {
		widths[i], numbers[i] = lipgloss.Width(broker.CleanLine(name)), true
	}
	for r, row := range rows {
		cells[r] = make([]string, len(t.columns))
		for i, name := range t.columns {
			v := row.get(name)
			cells[r][i] = cell(v)
			numbers[i] = numbers[i] && (v == nil || v.kind == '0' || v.kind == 'n')
			widths[i] = min(max(widths[i], lipgloss.Width(cells[r][i])), maxCell)
		}
	}
	shown, used := 0, 2
	for shown < len(widths) && (used+widths[shown] <= width || shown == 0) {
		used += widths[shown] + 2
		shown++
	}
	head := "  "
	for i, name := range t.columns[:shown] {
		head += aligned(l.heading.Render(cut(broker.CleanLine(name), widths[i])), widths[i], numbers[i]) + "  "
	}
	lines = append(lines, cut(head, width))
	for _, row := range cells {
		line := "  "
		for i, text := range row[:shown] {
			line += aligned(text, widths[i], numbers[i]) + "  "
		}
		lines = append(lines, cut(line, width))
	}
	if missing := len(t.columns) - shown; missing > 0 {
		lines = append(lines, "", l.dim.Render(cut(fmt.Sprintf("  %s did not fit: v shows the tree", plural(missing, "column", "columns")), width)))
	}
	if len(t.rest) > 0 {
		lines = append(lines, "")
	}
	for _, m := range t.rest {
		lines = append(lines, cut("  "+l.heading.Render(broker.CleanLine(m.name))+"  "+cell(m.value), width))
	}
	return lines, len(t.rows) > len(rows)
}

// cell is a value in one short line.
func cell(v *jsonValue) string {
	switch {
	case v == nil:
		return ""
	case v.kind == '"':
		return textLine(v.text, maxCell)
	case v.kind == '{' || v.kind == '[':
		return counted(v)
	}
	return cut(v.compact(), maxCell)
}

func aligned(text string, width int, atRight bool) string {
	if gap := width - lipgloss.Width(text); atRight && gap > 0 {
		return strings.Repeat(" ", gap) + text
	}
	return fit(text, width)
}

// jsonWriter shows a value as JSON, as far as it is shown at all.
type jsonWriter struct {
	look  *look
	width int
	lines []string
	bytes int
	full  bool
}

func (w *jsonWriter) add(line string) {
	w.bytes += len(line)
	if len(w.lines) >= maxShownLines || w.bytes > maxShownBytes {
		w.full = true
		return
	}
	w.lines = append(w.lines, wrapped(line, w.width)...)
}

func (w *jsonWriter) value(v *jsonValue, indent, lead, end string) {
	if w.full {
		return
	}
	switch {
	case v.kind == '{' && len(v.members) > 0:
		w.add(indent + lead + "{")
		for i, m := range v.members {
			w.value(m.value, indent+"  ", w.look.heading.Render(quoteJSON(m.name))+": ", commaAfter(i, len(v.members)))
		}
		w.add(indent + "}" + end)
	case v.kind == '[' && len(v.items) > 0:
		w.add(indent + lead + "[")
		for i, item := range v.items {
			w.value(item, indent+"  ", "", commaAfter(i, len(v.items)))
		}
		w.add(indent + "]" + end)
	case v.kind == '"' && len(v.text) > maxShownBytes:
		w.add(indent + lead + quoteJSON(strings.ToValidUTF8(v.text[:maxShownBytes/2], "")))
		w.full = true
	default:
		w.add(indent + lead + v.compact() + end)
	}
}

func commaAfter(i, n int) string {
	if i < n-1 {
		return ","
	}
	return ""
}
