package widget

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/glamour/v2"
	"charm.land/glamour/v2/ansi"
	"charm.land/glamour/v2/styles"
	"charm.land/lipgloss/v2"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
)

// maxMarkdown bounds what is laid out as markdown, in bytes: glamour takes about
// 9 ms for a kilobyte.
const maxMarkdown = 64 << 10

func looksLikeMarkdown(body string) bool {
	body = body[:min(len(body), 4<<10)]
	marks := 0
	for _, line := range strings.Split(body, "\n") {
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

func drawText(body string, width int, l *Theme) []string {
	shown, more := capped(body)
	lines := Wrapped(text.CleanText(shown), width)
	lines = lines[:min(len(lines), 2*MaxShownLines)]
	if more {
		lines = append(lines, moreNote(l, len(body))...)
	}
	return lines
}

// drawMarkdown renders markdown. What makes glamour fail is shown as it is.
func drawMarkdown(body string, width int, l *Theme) []string {
	style := styles.ASCIIStyleConfig
	switch {
	case l.ASCII:
	case l.Neutral:
		yes := true
		style.Strong = ansi.StylePrimitive{Bold: &yes}
		style.Emph = ansi.StylePrimitive{Italic: &yes}
	case l.Dark:
		style = styles.DarkStyleConfig
	default:
		style = styles.LightStyleConfig
	}
	margin := uint(0)
	style.Document.Margin = &margin
	style.Document.BlockPrefix, style.Document.BlockSuffix = "", ""
	renderer, err := glamour.NewTermRenderer(glamour.WithStyles(style), glamour.WithWordWrap(max(width, 10)))
	if err != nil {
		return drawText(body, width, l)
	}
	rendered, err := renderer.Render(text.CleanText(body))
	if err != nil {
		return drawText(body, width, l)
	}
	rendered = strings.ReplaceAll(strings.Trim(rendered, "\n"), "\u00a0", " ") // around code
	lines := strings.Split(rendered, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(Cut(Untab(withoutLinks(line)), width), " ")
	}
	return lines
}

// withoutLinks takes out the sequences by which a renderer makes links (OSC 8):
// a link is shown as body, so that everybody sees where it leads.
func withoutLinks(line string) string {
	for {
		before, rest, found := strings.Cut(line, "\x1b]8;")
		if !found {
			return line
		}
		if end := strings.IndexAny(rest, "\a\x1b"); end < 0 {
			rest = ""
		} else if rest = rest[end:]; rest[0] == '\a' {
			rest = rest[1:]
		} else {
			rest = strings.TrimPrefix(rest[1:], `\`)
		}
		line = before + rest
	}
}

func drawJSON(v *toolargs.Value, mode string, width int, l *Theme, size int) []string {
	var lines []string
	more := false
	switch mode {
	case "table":
		table, _ := findTable(v)
		lines, more = drawTable(table, width, l)
	default:
		w := jsonWriter{theme: l, width: width}
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
	rows    []*toolargs.Value
	rest    []toolargs.Member // what stands beside it: counts, the next page
}

// findTable finds the list of alike objects that a value is: the value itself, or its one
// member that is not simple, as a structured result is always an object.
func findTable(v *toolargs.Value) (t table, ok bool) {
	t.columns, t.rows = columnsOf(v), v.Items
	for _, m := range v.Members {
		switch columns := columnsOf(m.Value); {
		case columns != nil && t.columns == nil:
			t.name, t.columns, t.rows = m.Name, columns, m.Value.Items
		case m.Value.Kind == '{' || m.Value.Kind == '[':
			return table{}, false
		default:
			t.rest = append(t.rest, m)
		}
	}
	return t, t.columns != nil && len(t.rest) <= 6
}

// columnsOf are the names of the members of a list's objects, or nil where it is
// no list of flat objects.
func columnsOf(v *toolargs.Value) []string {
	if v == nil || v.Kind != '[' || len(v.Items) == 0 {
		return nil
	}
	var names []string
	flat, all := 0, 0
	for _, item := range v.Items[:min(len(v.Items), 50)] {
		if item.Kind != '{' || len(item.Members) == 0 {
			return nil
		}
		for _, m := range item.Members {
			all++
			if m.Value.Kind != '{' && m.Value.Kind != '[' {
				flat++
			}
			if !slices.Contains(names, m.Name) {
				names = append(names, m.Name)
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

func drawTable(t table, width int, l *Theme) (lines []string, more bool) {
	cells, widths, numbers := t.cells()
	shown, used := 0, 2
	for shown < len(widths) && (used+widths[shown] <= width || shown == 0) {
		used += widths[shown] + 2
		shown++
	}
	head := "  "
	for i, name := range t.columns[:shown] {
		head += aligned(l.Heading.Render(Cut(text.CleanLine(name), widths[i])), widths[i], numbers[i]) + "  "
	}
	lines = append(lines, Cut(head, width))
	for _, row := range cells {
		line := "  "
		for i, text := range row[:shown] {
			line += aligned(text, widths[i], numbers[i]) + "  "
		}
		lines = append(lines, Cut(line, width))
	}
	if missing := len(t.columns) - shown; missing > 0 {
		lines = append(lines, "", l.Dim.Render(Cut(fmt.Sprintf("  %s did not fit: v shows the tree",
			text.Count(missing, "column")), width)))
	}
	if len(t.rest) > 0 {
		lines = append(lines, "")
	}
	for _, m := range t.rest {
		lines = append(lines, Cut("  "+l.Heading.Render(text.CleanLine(m.Name))+"  "+Cell(m.Value), width))
	}
	return lines, len(t.rows) > len(cells)
}

// cells are the texts of the rows that are shown, how wide each column is, and
// which columns hold numbers alone.
func (t table) cells() (cells [][]string, widths []int, numbers []bool) {
	rows := t.rows[:min(len(t.rows), MaxShownLines)]
	cells = make([][]string, len(rows))
	widths, numbers = make([]int, len(t.columns)), make([]bool, len(t.columns))
	for i, name := range t.columns {
		widths[i], numbers[i] = lipgloss.Width(text.CleanLine(name)), true
	}
	for r, row := range rows {
		cells[r] = make([]string, len(t.columns))
		for i, name := range t.columns {
			v := row.Get(name)
			cells[r][i] = Cell(v)
			numbers[i] = numbers[i] && (v == nil || v.Kind == '0' || v.Kind == 'n')
			widths[i] = min(max(widths[i], lipgloss.Width(cells[r][i])), maxCell)
		}
	}
	return cells, widths, numbers
}

// Cell is a value in one short line.
func Cell(v *toolargs.Value) string {
	switch {
	case v == nil:
		return ""
	case v.Kind == '"':
		return TextLine(v.Text, maxCell)
	case v.Kind == '{' || v.Kind == '[':
		return counted(v)
	}
	return Cut(v.Compact(), maxCell)
}

func aligned(body string, width int, atRight bool) string {
	if gap := width - lipgloss.Width(body); atRight && gap > 0 {
		return strings.Repeat(" ", gap) + body
	}
	return Fit(body, width)
}

// jsonWriter shows a value as JSON, as far as it is shown at all.
type jsonWriter struct {
	theme *Theme
	width int
	lines []string
	bytes int
	full  bool
}

func (w *jsonWriter) add(line string) {
	w.bytes += len(line)
	if len(w.lines) >= MaxShownLines || w.bytes > MaxShownBytes {
		w.full = true
		return
	}
	w.lines = append(w.lines, Wrapped(line, w.width)...)
}

func (w *jsonWriter) value(v *toolargs.Value, indent, lead, end string) {
	if w.full {
		return
	}
	switch {
	case v.Kind == '{' && len(v.Members) > 0:
		w.add(indent + lead + "{")
		for i, m := range v.Members {
			w.value(m.Value, indent+"  ", w.theme.Heading.Render(toolargs.Quote(m.Name))+": ", commaAfter(i, len(v.Members)))
		}
		w.add(indent + "}" + end)
	case v.Kind == '[' && len(v.Items) > 0:
		w.add(indent + lead + "[")
		for i, item := range v.Items {
			w.value(item, indent+"  ", "", commaAfter(i, len(v.Items)))
		}
		w.add(indent + "]" + end)
	case v.Kind == '"' && len(v.Text) > MaxShownBytes:
		w.add(indent + lead + toolargs.Quote(strings.ToValidUTF8(v.Text[:MaxShownBytes/2], "")))
		w.full = true
	default:
		w.add(indent + lead + v.Compact() + end)
	}
}

func commaAfter(i, n int) string {
	if i < n-1 {
		return ","
	}
	return ""
}
