package widget

import (
	"slices"
	"strings"
)

// List is a column of entries, one of which is chosen. What the entries are is
// known to its owner.
type List struct {
	size   int
	Cursor int
	top    int   // first entry that is shown
	lines  []int // which entry stands in which line, as last shown; -1 for none
}

// Resize takes a new number of entries. The cursor stays in bounds.
func (l *List) Resize(size int) {
	l.size = size
	l.Cursor = min(max(l.Cursor, 0), max(size-1, 0))
}

// Move moves the cursor.
func (l *List) Move(by int) { l.Cursor = min(max(l.Cursor+by, 0), max(l.size-1, 0)) }

// Key moves the cursor by a key, and reports whether it is one of these.
func (l *List) Key(key string) bool {
	page := max(1, l.shown()-1)
	switch key {
	case "up", "k":
		l.Move(-1)
	case "down", "j":
		l.Move(1)
	case "pgup", "ctrl+b":
		l.Move(-page)
	case "pgdown", "ctrl+f":
		l.Move(page)
	case "home", "g":
		l.Cursor = 0
	case "end", "G":
		l.Move(l.size)
	default:
		return false
	}
	return true
}

// shown is the number of entries that were shown last.
func (l *List) shown() int {
	return len(slices.Compact(slices.DeleteFunc(slices.Clone(l.lines), func(i int) bool { return i < 0 })))
}

// At is the entry in a line of the last view.
func (l *List) At(line int) (int, bool) {
	if line < 0 || line >= len(l.lines) || l.lines[line] < 0 {
		return 0, false
	}
	return l.lines[line], true
}

// View shows the entries around the cursor in height lines. row gives the lines
// of one entry.
func (l *List) View(height int, row func(i int, chosen bool) []string) []string {
	l.lines = l.lines[:0]
	if l.size == 0 || height <= 0 {
		return nil
	}
	l.Cursor = min(max(l.Cursor, 0), l.size-1)
	l.top = min(l.top, l.Cursor)
	// The entries between top and cursor have to fit; else top moves on.
	need := 0
	for i := l.Cursor; i >= l.top; i-- {
		if need += len(row(i, i == l.Cursor)); need > height {
			l.top = min(i+1, l.Cursor)
			break
		}
	}
	// Room at the end is used.
	for l.top > 0 && l.linesFrom(l.top-1, row, height+1) <= height {
		l.top--
	}
	var lines []string
	for i := l.top; i < l.size && len(lines) < height; i++ {
		for _, line := range row(i, i == l.Cursor) {
			lines, l.lines = append(lines, line), append(l.lines, i)
		}
	}
	l.lines = l.lines[:min(len(l.lines), height)]
	return lines[:min(len(lines), height)]
}

// linesFrom counts the lines from an entry on, up to a number.
func (l *List) linesFrom(from int, row func(int, bool) []string, most int) (n int) {
	for i := from; i < l.size && n < most; i++ {
		n += len(row(i, i == l.Cursor))
	}
	return n
}

// keysOf are the bindings of moving, for help and palette.
func (l *List) Bindings() []Binding {
	step := func(key string) func() Action { return func() Action { l.Key(key); return nil } }
	return []Binding{
		Bind("up k", "", "up", step("up")),
		Bind("down j", "", "down", step("down")),
		Bind("pgup ctrl+b", "", "a page up", step("pgup")),
		Bind("pgdown ctrl+f", "", "a page down", step("pgdown")),
		Bind("home g", "", "to the first", step("home")),
		Bind("end G", "", "to the last", step("end")),
	}
}

// Matches finds the words of a filter in a text, in any order and without regard to case.
// ok is false where one is missing. A whole word counts more than its letters strewn
// about: score tells, more is better.
func Matches(text, filter string) (score int, ok bool) {
	text = strings.ToLower(text)
	for _, word := range strings.Fields(strings.ToLower(filter)) {
		n, found := matchesWord(text, word)
		if !found {
			return 0, false
		}
		score += n
	}
	return score, true
}

func matchesWord(text, word string) (score int, ok bool) {
	if i := strings.Index(text, word); i >= 0 {
		return 1000 - min(i, 900), true
	}
	at := 0
	for _, r := range word {
		i := strings.IndexRune(text[at:], r)
		if i < 0 {
			return 0, false
		}
		score -= i
		at += i + len(string(r))
	}
	return score, true
}
