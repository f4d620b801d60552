package widget

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// TwoPanes is the width from which on a list and its detail stand side by side.
const TwoPanes = 80

// LowTerminal is the height below which rules and blank lines are left out.
const LowTerminal = 16

// Span is some cells of a line: those from From on, before To.
type Span struct{ From, To int }

// Has reports whether a cell is one of them.
func (s Span) Has(x int) bool { return x >= s.From && x < s.To }

// Fit makes a text exactly width cells wide: it is cut with an ellipsis, or
// filled with spaces.
func Fit(text string, width int) string {
	if width <= 0 {
		return ""
	}
	if w := ansi.StringWidth(text); w <= width {
		return text + strings.Repeat(" ", width-w)
	}
	cut := ansi.Truncate(text, width, "…")
	return cut + strings.Repeat(" ", max(0, width-ansi.StringWidth(cut)))
}

// Cut makes a text at most width cells wide.
func Cut(text string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(text, width, "…")
}

// CutMiddle cuts a text where it tells least, for addresses and paths.
func CutMiddle(text string, width int) string {
	w := ansi.StringWidth(text)
	if w <= width || width < 5 {
		return Cut(text, width)
	}
	left := (width - 1) / 2
	return ansi.Truncate(text, left, "") + "…" + ansi.TruncateLeft(text, w-(width-1-left), "")
}

// Right puts a second text at the end of a line. The first gives way.
func Right(text, end string, width int) string {
	w := ansi.StringWidth(end)
	if w >= width {
		return Fit(end, width)
	}
	if end == "" {
		return Fit(text, width)
	}
	return Fit(text, width-w-1) + " " + end
}

// Wrapped breaks a text into lines of at most width cells, at words where it can.
func Wrapped(text string, width int) []string {
	return strings.Split(ansi.Wrap(Untab(text), max(width, 1), "/-"), "\n")
}

// WrappedWords breaks a text at blanks alone, so that a flag in it stays whole.
// Only a word that is longer than a line is broken.
func WrappedText(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, Wrapped(line, width)...), word
		}
	}
	return append(lines, Wrapped(line, width)...)
}

// Untab replaces tabs, whose width is the terminal's business.
func Untab(text string) string { return strings.ReplaceAll(text, "\t", "    ") }

// Block makes of lines exactly height lines of exactly width cells.
func Block(lines []string, width, height int) []string {
	full := make([]string, max(height, 0))
	for i := range full {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		full[i] = Fit(line, width)
	}
	return full
}

// Indented puts spaces before each line.
func Indented(lines []string, by int) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if line != "" {
			line = strings.Repeat(" ", by) + line
		}
		out[i] = line
	}
	return out
}

// Panes are the widths of two panes with a bar between them. left is the whole
// width, and right zero, where there is room for one.
func Panes(width int, share float64) (left, right int) {
	if width < TwoPanes {
		return width, 0
	}
	left = int(float64(width) * share)
	return left, width - left - 3
}

// SplitPanes joins two panes with a bar of full height.
func (l *Theme) SplitPanes(left, right []string, leftWidth, rightWidth, height int) string {
	bar := l.Border.Render("│")
	a, b := Block(left, leftWidth, height), Block(right, rightWidth, height)
	var out strings.Builder
	for i := range height {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(a[i] + " " + bar + " " + b[i])
	}
	return out.String()
}

// Boxed lays a box with a frame and a title over the middle of a view.
func (l *Theme) Boxed(under string, title string, lines []string, width, height int) (view string, left, top int) {
	inner := ansi.StringWidth(title) + 4
	for _, line := range lines {
		inner = max(inner, ansi.StringWidth(line))
	}
	inner = min(inner, width-4)
	rows := []string{l.Border.Render("╭─ ") + l.Heading.Render(Cut(title, inner-3)) +
		l.Border.Render(" "+strings.Repeat("─", max(0, inner-1-ansi.StringWidth(Cut(title, inner-3))))+"╮")}
	for _, line := range lines[:min(len(lines), max(0, height-2))] {
		rows = append(rows, l.Border.Render("│")+" "+Fit(line, inner)+" "+l.Border.Render("│"))
	}
	rows = append(rows, l.Border.Render("╰"+strings.Repeat("─", inner+2)+"╯"))
	below := Block(strings.Split(under, "\n"), width, height)
	x, y := max(0, (width-inner-4)/2), max(0, (height-len(rows))/2)
	for i, row := range rows {
		if y+i < len(below) {
			line := below[y+i]
			below[y+i] = ansi.Truncate(line, x, "") + row + ansi.TruncateLeft(line, x+inner+4, "")
		}
	}
	return strings.Join(below, "\n"), x + 2, y + 1
}

// Centered puts lines in the middle, as one block.
func Centered(lines []string, width, height int) string {
	widest := 0
	for _, line := range lines {
		widest = max(widest, ansi.StringWidth(line))
	}
	return strings.Repeat("\n", CenteredTop(lines, height)) + strings.Join(Indented(lines, max(0, (width-widest)/2)), "\n")
}

// CenteredTop is the line in which [Centered] begins.
func CenteredTop(lines []string, height int) int {
	return max(0, (height-len(lines))/3)
}

// Fact is a line "name  value": its name, and its value.
type Fact [2]string

// Facts sets facts below each other: their names in a column after an indent, and
// what is too long below itself.
func (l *Theme) Facts(facts []Fact, indent, column, width int) []string {
	var lines []string
	for _, f := range facts {
		if f[1] == "" {
			continue
		}
		for i, part := range Wrapped(f[1], width-indent-column) {
			label := f[0]
			if i > 0 {
				label = ""
			}
			lines = append(lines, strings.Repeat(" ", indent)+l.Dim.Render(Fit(label, column))+part)
		}
	}
	return lines
}

// FirstLine is the first line of a text, with an ellipsis where there are more.
func FirstLine(text string) string {
	line, rest, _ := strings.Cut(text, "\n")
	if rest != "" {
		line += " …"
	}
	return line
}
