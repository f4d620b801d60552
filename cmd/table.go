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
	stacked := room > 0 && fixedWidth(widths)+minLast > room
	for _, row := range rows {
		if stacked {
			a.factStacked(row, room)
			continue
		}
		a.fact("%s", tableLine(row, widths, room))
	}
}

// minFold is how narrow a column may be that texts are folded into, in columns.
const minFold = 20

// fold cuts a text between its words into lines of so many columns. A word that is
// longer, such as a URL to copy, has a line of its own, and stays whole.
func fold(text string, room int) []string {
	if room < minFold {
		return []string{text}
	}
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && textWidth(lines[last])+1+textWidth(word) <= room {
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
func (a *app) factStacked(row []string, room int) {
	for i, cell := range row {
		switch {
		case i == 0:
			a.fact("%s", cell)
		case cell != "":
			a.fact("    %s", cut(cell, max(room-4, minLast)))
		}
	}
}

func tableLine(row []string, widths []int, room int) string {
	var line strings.Builder
	for i, cell := range row {
		if last := i == len(row)-1; last {
			if room > 0 {
				cell = cut(cell, room-fixedWidth(widths))
			}
			line.WriteString(cell)
			break
		}
		if widths[i] == 0 {
			continue // nothing in any row
		}
		line.WriteString(cell)
		line.WriteString(strings.Repeat(" ", widths[i]-textWidth(cell)+columnGap))
	}
	return strings.TrimRight(line.String(), " ")
}

// cut shortens a text to so many columns.
func cut(text string, room int) string {
	if textWidth(text) <= room {
		return text
	}
	used := 0
	var w widthReader
	for i, r := range text {
		if used += w.next(r); used > room-1 {
			return strings.TrimRight(text[:i], " ") + "…"
		}
	}
	return text
}

// textWidth is how many columns of a terminal a line takes.
func textWidth(text string) int {
	sum := 0
	var w widthReader
	for _, r := range text {
		sum += w.next(r)
	}
	return sum
}

// widthReader knows what stands before a character: several can be one emoji.
type widthReader struct {
	last  int // width of the last character that has one
	after rune
}

const (
	joiner     = '\u200d' // makes one emoji of two
	emojiStyle = '\ufe0f' // makes an emoji, which is wide, of a symbol
)

// next is how many columns a character adds.
func (w *widthReader) next(r rune) int {
	before := w.after
	w.after = r
	switch {
	case r == emojiStyle && w.last == 1:
		w.last = 2
		return 1
	case before == joiner && w.last == 2:
		return 0
	case r >= 0x1F3FB && r <= 0x1F3FF && w.last == 2: // colour of the skin
		return 0
	}
	width := runeWidth(r)
	if width > 0 {
		w.last = width
	}
	return width
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
