// Package table prints rows in columns.
package table

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// Print prints rows in columns that fit the terminal: the last column gives way.
func Print(a *console.App, rows [][]string) {
	widths := make([]int, 0)
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = text.CleanLine(cell)
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
	}
	for _, row := range rows {
		if len(row) > 0 {
			row[0] = a.Name(row[0])
		}
	}
	room := console.Columns(a.Protocol())
	stacked := room > 0 && fixedWidth(widths)+minLast > room
	for _, row := range rows {
		if stacked {
			factStacked(a, row, room)
			continue
		}
		a.Fact("%s", tableLine(row, widths, room))
	}
}

// minFold is how narrow a column may be that texts are folded into, in columns.
const minFold = 20

// Fold cuts a text between its words into lines of so many columns. A word that is
// longer, such as a URL to copy, has a line of its own, and stays whole.
func Fold(text string, room int) []string {
	if room < minFold {
		return []string{text}
	}
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && ansi.StringWidth(lines[last])+1+ansi.StringWidth(word) <= room {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

const columnGap = 2

// minLast is how narrow the last column may get, before each row becomes lines.
const minLast = 16

// fixedWidth is what the columns before the last one take.
func fixedWidth(widths []int) int {
	sum := 0
	for _, width := range widths[:max(0, len(widths)-1)] {
		if width > 0 {
			sum += width + columnGap
		}
	}
	return sum
}

// factStacked prints a row on a terminal that is too narrow for it: what it is about
// as it is, and below it the rest.
func factStacked(a *console.App, row []string, room int) {
	for i, cell := range row {
		switch {
		case i == 0:
			a.Fact("%s", cell)
		case cell != "":
			a.Fact("    %s", Cut(cell, max(room-4, minLast)))
		}
	}
}

func tableLine(row []string, widths []int, room int) string {
	var line strings.Builder
	for i, cell := range row {
		if last := i == len(row)-1; last {
			if room > 0 {
				cell = Cut(cell, room-fixedWidth(widths))
			}
			line.WriteString(cell)
			break
		}
		if widths[i] == 0 {
			continue // nothing in any row
		}
		line.WriteString(cell)
		line.WriteString(strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+columnGap))
	}
	return strings.TrimRight(line.String(), " ")
}

// Cut shortens a text to so many columns.
func Cut(text string, room int) string {
	if ansi.StringWidth(text) <= room {
		return text
	}
	return strings.TrimRight(ansi.Truncate(text, room-1, ""), " ") + "…"
}

// FirstLine is the first line of a text that says something.
func FirstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
