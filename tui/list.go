package tui

import (
	"slices"
	"strings"
)

// list is a column of entries, one of which is chosen. What the entries are is
// known to whoever holds it.
type list struct {
	size   int
	cursor int
	top    int   // first entry that is shown
	lines  []int // which entry stands in which line, as last shown; -1 for none
}

// resize takes a new number of entries. The cursor stays in bounds.
func (l *list) resize(size int) {
	l.size = size
	l.cursor = min(max(l.cursor, 0), max(size-1, 0))
}

// move moves the cursor.
func (l *list) move(by int) { l.cursor = min(max(l.cursor+by, 0), max(l.size-1, 0)) }

// key moves the cursor by a key, and reports whether it is one of these.
func (l *list) key(key string) bool {
	page := max(1, l.shown()-1)
	switch key {
	case "up", "k":
		l.move(-1)
	case "down", "j":
		l.move(1)
	case "pgup", "ctrl+b":
		l.move(-page)
	case "pgdown", "ctrl+f":
		l.move(page)
	case "home", "g":
		l.cursor = 0
	case "end", "G":
		l.move(l.size)
	default:
		return false
	}
	return true
}

// shown is the number of entries that were shown last.
func (l *list) shown() int {
	return len(slices.Compact(slices.DeleteFunc(slices.Clone(l.lines), func(i int) bool { return i < 0 })))
}

// at is the entry in a line of the last view.
func (l *list) at(line int) (int, bool) {
	if line < 0 || line >= len(l.lines) || l.lines[line] < 0 {
		return 0, false
	}
	return l.lines[line], true
}

// view shows the entries around the cursor in height lines. row gives the lines
// of one entry.
func (l *list) view(height int, row func(i int, chosen bool) []string) []string {
	l.lines = l.lines[:0]
	if l.size == 0 || height <= 0 {
		return nil
	}
	l.cursor = min(max(l.cursor, 0), l.size-1)
	l.top = min(l.top, l.cursor)
	// The entries between top and cursor have to fit; else top moves on.
	need := 0
	for i := l.cursor; i >= l.top; i-- {
		if need += len(row(i, i == l.cursor)); need > height {
			l.top = min(i+1, l.cursor)
			break
		}
	}
	// Room at the end is used.
	for l.top > 0 && l.linesFrom(l.top-1, row, height+1) <= height {
		l.top--
	}
	var lines []string
	for i := l.top; i < l.size && len(lines) < height; i++ {
		for _, line := range row(i, i == l.cursor) {
			lines, l.lines = append(lines, line), append(l.lines, i)
		}
	}
	l.lines = l.lines[:min(len(l.lines), height)]
	return lines[:min(len(lines), height)]
}

// linesFrom counts the lines from an entry on, up to a number.
func (l *list) linesFrom(from int, row func(int, bool) []string, most int) (n int) {
	for i := from; i < l.size && n < most; i++ {
		n += len(row(i, i == l.cursor))
	}
	return n
}

// keysOf are the bindings of moving, for help and palette.
func (l *list) bindings() []binding {
	step := func(key string) func() action { return func() action { l.key(key); return nil } }
	return []binding{
		{keys: []string{"up", "k"}, help: "up", act: step("up")},
		{keys: []string{"down", "j"}, help: "down", act: step("down")},
		{keys: []string{"pgup", "ctrl+b"}, help: "a page up", act: step("pgup")},
		{keys: []string{"pgdown", "ctrl+f"}, help: "a page down", act: step("pgdown")},
		{keys: []string{"home", "g"}, help: "to the first", act: step("home")},
		{keys: []string{"end", "G"}, help: "to the last", act: step("end")},
	}
}

// matches says where the letters of a filter stand in a text, in order and
// without regard to case. ok is false where they do not. Whole words come before
// letters that are strewn about: score tells, more is better.
func matches(text, filter string) (score int, ok bool) {
	text, filter = strings.ToLower(text), strings.ToLower(strings.TrimSpace(filter))
	if filter == "" {
		return 0, true
	}
	if i := strings.Index(text, filter); i >= 0 {
		return 1000 - min(i, 900), true
	}
	at := 0
	for _, r := range filter {
		i := strings.IndexRune(text[at:], r)
		if i < 0 {
			return 0, false
		}
		score -= i
		at += i + len(string(r))
	}
	return score, true
}
