package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// twoPanes is the width from which on a list and its detail stand side by side.
const twoPanes = 80

// fit makes a text exactly width cells wide: it is cut with an ellipsis, or
// filled with spaces.
func fit(text string, width int) string {
	if width <= 0 {
		return ""
	}
	if w := ansi.StringWidth(text); w <= width {
		return text + strings.Repeat(" ", width-w)
	}
	cut := ansi.Truncate(text, width, "…")
	return cut + strings.Repeat(" ", max(0, width-ansi.StringWidth(cut)))
}

// cut makes a text at most width cells wide.
func cut(text string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(text, width, "…")
}

// cutMiddle cuts a text where it tells least, for addresses and paths.
func cutMiddle(text string, width int) string {
	w := ansi.StringWidth(text)
	if w <= width || width < 5 {
		return cut(text, width)
	}
	left := (width - 1) / 2
	return ansi.Truncate(text, left, "") + "…" + ansi.TruncateLeft(text, w-(width-1-left), "")
}

// right puts a second text at the end of a line. The first gives way.
func right(text, end string, width int) string {
	w := ansi.StringWidth(end)
	if w >= width {
		return fit(end, width)
	}
	if end == "" {
		return fit(text, width)
	}
	return fit(text, width-w-1) + " " + end
}

// wrapped breaks a text into lines of at most width cells, at words where it can.
func wrapped(text string, width int) []string {
	return strings.Split(ansi.Wrap(untab(text), max(width, 1), "/-"), "\n")
}

// wrappedWords breaks a text at blanks alone, so that a flag in it stays whole.
// Only a word that is longer than a line is broken.
func wrappedWords(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, wrapped(line, width)...), word
		}
	}
	return append(lines, wrapped(line, width)...)
}

// untab replaces tabs, whose width is the terminal's business.
func untab(text string) string { return strings.ReplaceAll(text, "\t", "    ") }

// block makes of lines exactly height lines of exactly width cells.
func block(lines []string, width, height int) []string {
	full := make([]string, max(height, 0))
	for i := range full {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		full[i] = fit(line, width)
	}
	return full
}

// indented puts spaces before each line.
func indented(lines []string, by int) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if line != "" {
			line = strings.Repeat(" ", by) + line
		}
		out[i] = line
	}
	return out
}

// panes are the widths of two panes with a bar between them. left is the whole
// width, and right zero, where there is room for one.
func panes(width int, share float64) (left, right int) {
	if width < twoPanes {
		return width, 0
	}
	left = int(float64(width) * share)
	return left, width - left - 3
}

// beside joins two panes with a bar of full height.
func (l *look) beside(left, right []string, leftWidth, rightWidth, height int) string {
	bar := l.border.Render("│")
	a, b := block(left, leftWidth, height), block(right, rightWidth, height)
	var out strings.Builder
	for i := range height {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(a[i] + " " + bar + " " + b[i])
	}
	return out.String()
}

// boxed lays a box with a frame and a title over the middle of a view.
func (l *look) boxed(under string, title string, lines []string, width, height int) (view string, left, top int) {
	inner := ansi.StringWidth(title) + 4
	for _, line := range lines {
		inner = max(inner, ansi.StringWidth(line))
	}
	inner = min(inner, width-4)
	rows := []string{l.border.Render("╭─ ") + l.heading.Render(cut(title, inner-3)) +
		l.border.Render(" "+strings.Repeat("─", max(0, inner-1-ansi.StringWidth(cut(title, inner-3))))+"╮")}
	for _, line := range lines[:min(len(lines), max(0, height-2))] {
		rows = append(rows, l.border.Render("│")+" "+fit(line, inner)+" "+l.border.Render("│"))
	}
	rows = append(rows, l.border.Render("╰"+strings.Repeat("─", inner+2)+"╯"))
	below := block(strings.Split(under, "\n"), width, height)
	x, y := max(0, (width-inner-4)/2), max(0, (height-len(rows))/2)
	for i, row := range rows {
		if y+i < len(below) {
			line := below[y+i]
			below[y+i] = ansi.Truncate(line, x, "") + row + ansi.TruncateLeft(line, x+inner+4, "")
		}
	}
	return strings.Join(below, "\n"), x + 2, y + 1
}
