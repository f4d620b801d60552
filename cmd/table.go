package cmd

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/mcpauth/mcpauth/broker"
)

// table prints rows in columns that fit the terminal: the last column gives way.
func (a *app) table(rows [][]string) {
	widths := make([]int, 0)
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = broker.CleanLine(cell)
			widths[i] = max(widths[i], textWidth(row[i]))
		}
	}
	room := columns(a.protocol())
	for _, row := range rows {
		a.fact("%s", tableLine(row, widths, room))
	}
}

const columnGap = 2

// minLast is how narrow the last column gets before it goes.
const minLast = 8

func tableLine(row []string, widths []int, room int) string {
	var line strings.Builder
	used := 0
	for i, cell := range row {
		if last := i == len(row)-1; last {
			if room > 0 {
				cell = cut(cell, max(room-used, minLast))
			}
			line.WriteString(cell)
			break
		}
		if widths[i] == 0 {
			continue // nothing in any row
		}
		line.WriteString(cell)
		line.WriteString(strings.Repeat(" ", widths[i]-textWidth(cell)+columnGap))
		used += widths[i] + columnGap
	}
	return strings.TrimRight(line.String(), " ")
}

// cut shortens a text to so many columns.
func cut(text string, room int) string {
	if textWidth(text) <= room {
		return text
	}
	used := 0
	for i, r := range text {
		if used += runeWidth(r); used > room-1 {
			return strings.TrimRight(text[:i], " ") + "…"
		}
	}
	return text
}

// textWidth is how many columns of a terminal a line takes.
func textWidth(text string) int {
	sum := 0
	for _, r := range text {
		sum += runeWidth(r)
	}
	return sum
}

func runeWidth(r rune) int {
	switch {
	case r < 0x7F:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// firstLine is the first line of a text that says something.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
