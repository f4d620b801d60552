package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// tree shows a JSON value by its names and levels. A person opens what they want to
// see, so that a large value costs no more than what is open.
type tree struct {
	list
	root *jsonValue
	open map[*jsonValue]int // how many members of a container are shown; 1 for a text that is shown whole
	rows []treeRow
}

// treeRow is a line of a tree: a value, or what opens more of a container.
type treeRow struct {
	value *jsonValue
	name  string // cleaned; of an item its place in the list
	item  bool
	depth int
	up    int // the row of its container; -1 for none
	more  int // members that are not shown yet; the value is their container then
}

// Bounds of what is open.
const (
	treeFirst = 200  // rows that are open at first, if it need not be fewer
	treeStep  = 500  // members that are opened at once
	treeMost  = 5000 // rows that are opened by "open all"
	treeText  = 8 << 10
)

func newTree(root *jsonValue) *tree {
	t := &tree{root: root, open: map[*jsonValue]int{}}
	t.openUpTo(treeFirst)
	return t
}

// size is the number of members of a container; zero of all else.
func (v *jsonValue) size() int { return len(v.members) + len(v.items) }

// child is a member of a container.
func (v *jsonValue) child(i int) *jsonValue {
	if v.kind == '{' {
		return v.members[i].value
	}
	return v.items[i]
}

// openUpTo opens level by level as long as there are no more than that many rows.
func (t *tree) openUpTo(most int) {
	clear(t.open)
	t.open[t.root] = min(t.root.size(), treeStep)
	rows := t.open[t.root]
	for level := []*jsonValue{t.root}; len(level) > 0; {
		var next []*jsonValue
		for _, v := range level {
			for i := range t.open[v] {
				n := min(v.child(i).size(), treeStep)
				if n == 0 || rows+n > most {
					continue
				}
				rows += n
				t.open[v.child(i)] = n
				next = append(next, v.child(i))
			}
		}
		level = next
	}
	t.flatten()
}

// closeAll leaves only the first level open.
func (t *tree) closeAll() {
	clear(t.open)
	t.open[t.root] = min(t.root.size(), treeStep)
	t.flatten()
}

// flatten makes the rows anew.
func (t *tree) flatten() {
	t.rows = t.rows[:0]
	if t.root.size() == 0 {
		t.rows = append(t.rows, treeRow{value: t.root, up: -1})
	} else {
		t.addMembers(t.root, 0, -1)
	}
	t.resize(len(t.rows))
}

func (t *tree) addMembers(v *jsonValue, depth, up int) {
	shown := min(t.open[v], v.size())
	for i := range shown {
		row := treeRow{value: v.child(i), depth: depth, up: up}
		if v.kind == '{' {
			row.name = broker.CleanLine(v.members[i].name)
		} else {
			row.name, row.item = fmt.Sprint(i), true
		}
		t.rows = append(t.rows, row)
		if row.value.size() > 0 && t.open[row.value] > 0 {
			t.addMembers(row.value, depth+1, len(t.rows)-1)
		}
	}
	if rest := v.size() - shown; rest > 0 {
		t.rows = append(t.rows, treeRow{value: v, depth: depth, up: up, more: rest})
	}
}

// press opens or closes the row at the cursor.
func (t *tree) press() {
	row := &t.rows[t.cursor]
	v := row.value
	switch {
	case row.more > 0:
		t.open[v] += min(row.more, treeStep)
	case t.open[v] > 0:
		delete(t.open, v)
	case v.size() > 0:
		t.open[v] = min(v.size(), treeStep)
	case v.kind == '"':
		t.open[v] = 1
	}
	t.flatten()
}

// unfold opens the row at the cursor, or goes into what is open already.
func (t *tree) unfold() {
	if row := t.rows[t.cursor]; row.more == 0 && t.open[row.value] > 0 {
		t.move(1)
		return
	}
	t.press()
}

// fold closes the row at the cursor, or goes to the container that it is in.
func (t *tree) fold() {
	switch row := t.rows[t.cursor]; {
	case row.more == 0 && t.open[row.value] > 0 && row.value != t.root:
		t.press()
	case row.up >= 0:
		t.cursor = row.up
	}
}

// path is the way to the row at the cursor, as programs spell it.
func (t *tree) path() string {
	var parts []string
	at := t.cursor
	if t.rows[at].more > 0 {
		at = t.rows[at].up
	}
	for ; at >= 0 && t.root.size() > 0; at = t.rows[at].up {
		part := "." + t.rows[at].name
		if t.rows[at].item {
			part = "[" + t.rows[at].name + "]"
		}
		parts = append(parts, part)
	}
	var b strings.Builder
	b.WriteString("$")
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString(parts[i])
	}
	return b.String()
}

// text is the value at the cursor for the clipboard: a text as it is, else JSON.
func (t *tree) text() string {
	v := t.rows[t.cursor].value
	if v.kind == '"' {
		return v.text
	}
	return v.indented()
}

func (t *tree) bindings() []binding {
	do := func(act func()) func() action { return func() action { act(); return nil } }
	return append([]binding{
		{keys: []string{"enter", "space"}, label: "open", help: "open or close what the cursor is on", act: do(t.press)},
		{keys: []string{"Y"}, label: "copy value", help: "copy the value at the cursor", act: t.copyValue},
		{keys: []string{"right"}, help: "open it, or go into it", act: do(t.unfold)},
		{keys: []string{"left"}, help: "close it, or go to what it is in", act: do(t.fold)},
		{keys: []string{"-"}, label: "close all", help: "leave the first level open only", act: do(func() { t.closeAll(); t.cursor = 0 })},
		{keys: []string{"+"}, help: "open all, as far as that is sensible", act: do(func() { t.openUpTo(treeMost) })},
		{keys: []string{"P"}, help: "copy the way to the value at the cursor", act: func() action { return copyText{"the path", t.path()} }},
	}, t.list.bindings()...)
}

func (t *tree) copyValue() action {
	text := t.text()
	if len(text) > maxCopied {
		return notice{bad, byteSize(len(text)) + " are too much for the clipboard; w saves all"}
	}
	return copyText{"the value of " + cut(t.path(), 60), text}
}

// click opens or closes the row in a line, or goes there first.
func (t *tree) click(line int) {
	i, ok := t.at(line)
	if !ok {
		return
	}
	t.cursor = i
	t.press()
}

func (t *tree) view(l *look, width, height int) []string {
	return t.list.view(height, func(i int, chosen bool) []string { return t.draw(l, &t.rows[i], chosen, width, height) })
}

// draw is one row: a sign that tells whether there is something in it, the name and
// the value, or as much of it as there is room for.
func (t *tree) draw(l *look, row *treeRow, chosen bool, width, height int) []string {
	v, opened := row.value, t.open[row.value] > 0
	lead, sign := strings.Repeat("  ", min(row.depth, 20)), "  "
	switch {
	case row.more > 0:
		return []string{t.chosenLine(l, chosen, cut(lead+"  … "+plural(row.more, "more", "more")+": enter opens them", width), width)}
	case v.size() > 0 && opened:
		sign = "▾ "
	case v.size() > 0:
		sign = "▸ "
	}
	label := lead + sign
	if row.name != "" {
		label += l.heading.Render(cut(row.name, max(width/2, 8))) + "  "
	}
	room := max(width-ansi.StringWidth(label), 1)
	value := ""
	switch {
	case v.size() > 0 && opened:
		value = l.dim.Render(counted(v))
	case v.kind == '{' || v.kind == '[':
		value = l.dim.Render(cut(glimpse(v, room), room))
	case v.kind == '"' && opened:
		return t.drawText(l, v.text, label, lead, chosen, width, height)
	case v.kind == '"':
		value = textLine(v.text, room)
	default:
		value = cut(v.compact(), room)
	}
	return []string{t.chosenLine(l, chosen, label+value, width)}
}

func (t *tree) chosenLine(l *look, chosen bool, line string, width int) string {
	if !chosen {
		return cut(line, width)
	}
	return l.chosen.Render(fit(ansi.Strip(line), width))
}

// drawText is a text in full, as far as it is shown at all.
func (t *tree) drawText(l *look, text, label, lead string, chosen bool, width, height int) []string {
	lines := []string{t.chosenLine(l, chosen, label, width)}
	indent := lead + "    "
	shown := wrapped(broker.CleanText(strings.ToValidUTF8(text[:min(len(text), treeText)], "")), max(width-len(indent), 10))
	most := max(height-2, 1)
	for _, line := range shown[:min(len(shown), most)] {
		lines = append(lines, indent+line)
	}
	if len(shown) > most || len(text) > treeText {
		lines = append(lines, indent+l.dim.Render(cut("… "+byteSize(len(text))+" in all; Y copies it", width-len(indent))))
	}
	return lines
}

// textLine is the beginning of a text in one line.
func textLine(text string, room int) string {
	first, rest, _ := strings.Cut(text[:min(len(text), 8*room)], "\n")
	shown := broker.CleanLine(strings.ToValidUTF8(first, ""))
	if rest != "" || len(text) > 8*room {
		shown += " …"
	}
	return cut(shown, room)
}

// counted is how much is in a container.
func counted(v *jsonValue) string {
	if v.kind == '{' {
		return plural(len(v.members), "member", "members")
	}
	return plural(len(v.items), "item", "items")
}

// glimpse is a container in one line, as far as there is room.
func glimpse(v *jsonValue, room int) string {
	if v.size() == 0 {
		return map[bool]string{true: "{}", false: "[]"}[v.kind == '{']
	}
	words := counted(v)
	for i := range v.size() {
		part := ""
		switch child := v.child(i); child.kind {
		case '{', '[':
			part = map[bool]string{true: "{…}", false: "[…]"}[child.kind == '{']
		case '"':
			part = textLine(child.text, 24)
		default:
			part = cut(child.compact(), 24)
		}
		if v.kind == '{' {
			part = textLine(v.members[i].name, 24) + ": " + part
		}
		if i == 0 {
			words += "  "
		} else {
			words += ", "
		}
		if words += part; len(words) > 2*room {
			break
		}
	}
	return words
}
