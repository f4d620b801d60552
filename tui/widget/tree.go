package widget

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
)

// Tree shows a JSON value by its names and levels. The user opens what should be
// seen, so that a large value costs no more than what is open.
type Tree struct {
	List
	root *toolargs.Value
	open map[*toolargs.Value]int // how many members of a container are shown; 1 for a text that is shown whole
	rows []treeRow
}

// treeRow is a line of a tree: a value, or what opens more of a container.
type treeRow struct {
	value *toolargs.Value
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

func newTree(root *toolargs.Value) *Tree {
	t := &Tree{root: root, open: map[*toolargs.Value]int{}}
	t.openUpTo(treeFirst)
	return t
}

// size is the number of members of a container; zero of all else.
func size(v *toolargs.Value) int { return len(v.Members) + len(v.Items) }

// child is a member of a container.
func childAt(v *toolargs.Value, i int) *toolargs.Value {
	if v.Kind == '{' {
		return v.Members[i].Value
	}
	return v.Items[i]
}

// openUpTo opens level by level as long as there are no more than that many rows.
func (t *Tree) openUpTo(most int) {
	clear(t.open)
	t.open[t.root] = min(size(t.root), treeStep)
	rows := t.open[t.root]
	for level := []*toolargs.Value{t.root}; len(level) > 0; {
		var next []*toolargs.Value
		for _, v := range level {
			for i := range t.open[v] {
				n := min(size(childAt(v, i)), treeStep)
				if n == 0 || rows+n > most {
					continue
				}
				rows += n
				t.open[childAt(v, i)] = n
				next = append(next, childAt(v, i))
			}
		}
		level = next
	}
	t.flatten()
}

// closeAll leaves only the first level open.
func (t *Tree) closeAll() {
	clear(t.open)
	t.open[t.root] = min(size(t.root), treeStep)
	t.flatten()
}

// flatten makes the rows again.
func (t *Tree) flatten() {
	t.rows = t.rows[:0]
	if size(t.root) == 0 {
		t.rows = append(t.rows, treeRow{value: t.root, up: -1})
	} else {
		t.addMembers(t.root, 0, -1)
	}
	t.Resize(len(t.rows))
}

func (t *Tree) addMembers(v *toolargs.Value, depth, up int) {
	shown := min(t.open[v], size(v))
	for i := range shown {
		row := treeRow{value: childAt(v, i), depth: depth, up: up}
		if v.Kind == '{' {
			row.name = text.CleanLine(v.Members[i].Name)
		} else {
			row.name, row.item = fmt.Sprint(i), true
		}
		t.rows = append(t.rows, row)
		if size(row.value) > 0 && t.open[row.value] > 0 {
			t.addMembers(row.value, depth+1, len(t.rows)-1)
		}
	}
	if rest := size(v) - shown; rest > 0 {
		t.rows = append(t.rows, treeRow{value: v, depth: depth, up: up, more: rest})
	}
}

// press opens or closes the row at the cursor.
func (t *Tree) press() {
	row := &t.rows[t.Cursor]
	v := row.value
	switch {
	case row.more > 0:
		t.open[v] += min(row.more, treeStep)
	case t.open[v] > 0:
		delete(t.open, v)
	case size(v) > 0:
		t.open[v] = min(size(v), treeStep)
	case v.Kind == '"':
		t.open[v] = 1
	}
	t.flatten()
}

// unfold opens the row at the cursor, or goes into what is open already.
func (t *Tree) unfold() {
	if row := t.rows[t.Cursor]; row.more == 0 && t.open[row.value] > 0 {
		t.Move(1)
		return
	}
	t.press()
}

// fold closes the row at the cursor, or goes to the container that it is in.
func (t *Tree) fold() {
	switch row := t.rows[t.Cursor]; {
	case row.more == 0 && t.open[row.value] > 0 && row.value != t.root:
		t.press()
	case row.up >= 0:
		t.Cursor = row.up
	}
}

// Path is the way to the row at the cursor, as programs spell it.
func (t *Tree) Path() string {
	var parts []string
	at := t.Cursor
	if t.rows[at].more > 0 {
		at = t.rows[at].up
	}
	for ; at >= 0 && size(t.root) > 0; at = t.rows[at].up {
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
func (t *Tree) text() string {
	v := t.rows[t.Cursor].value
	if v.Kind == '"' {
		return v.Text
	}
	return v.Indented()
}

func (t *Tree) Bindings() []Binding {
	return append([]Binding{
		Bind("enter space", "open", "open or close what the cursor is on", Do(t.press)),
		Bind("Y", "copy value", "copy the value at the cursor", t.copyValue),
		Bind("right", "", "open it, or go into it", Do(t.unfold)),
		Bind("left", "", "close it, or go to what it is in", Do(t.fold)),
		Bind("-", "close all", "leave the first level open only", Do(func() { t.closeAll(); t.Cursor = 0 })),
		Bind("+", "", "open all, as far as that is sensible", Do(func() { t.openUpTo(treeMost) })),
		Bind("P", "", "copy the way to the value at the cursor", func() Action { return CopyText{"the path", t.Path()} }),
	}, t.List.Bindings()...)
}

func (t *Tree) copyValue() Action {
	text := t.text()
	if len(text) > MaxCopied {
		return Bad(ByteSize(len(text)) + " are too much for the clipboard; w saves all")
	}
	return CopyText{"the value of " + Cut(t.Path(), 60), text}
}

// Click opens or closes the row in a line, or goes there first.
func (t *Tree) Click(line int) {
	i, ok := t.At(line)
	if !ok {
		return
	}
	t.Cursor = i
	t.press()
}

func (t *Tree) View(l *Theme, width, height int) []string {
	return t.List.View(height, func(i int, chosen bool) []string { return t.draw(l, &t.rows[i], chosen, width, height) })
}

// draw is one row: a sign that tells whether there is something in it, the name and
// the value, or as much of it as there is room for.
func (t *Tree) draw(l *Theme, row *treeRow, chosen bool, width, height int) []string {
	v, opened := row.value, t.open[row.value] > 0
	lead, sign := strings.Repeat("  ", min(row.depth, 20)), "  "
	switch {
	case row.more > 0:
		return []string{t.chosenLine(l, chosen, Cut(lead+"  … "+fmt.Sprint(row.more)+" more: enter opens them", width), width)}
	case size(v) > 0 && opened:
		sign = "▾ "
	case size(v) > 0:
		sign = "▸ "
	}
	label := lead + sign
	if row.name != "" {
		label += l.Heading.Render(Cut(row.name, max(width/2, 8))) + "  "
	}
	room := max(width-ansi.StringWidth(label), 1)
	value := ""
	switch {
	case size(v) > 0 && opened:
		value = l.Dim.Render(counted(v))
	case v.Kind == '{' || v.Kind == '[':
		value = l.Dim.Render(Cut(preview(v, room), room))
	case v.Kind == '"' && opened:
		return t.drawText(l, v.Text, label, lead, chosen, width, height)
	case v.Kind == '"':
		value = TextLine(v.Text, room)
	default:
		value = Cut(v.Compact(), room)
	}
	return []string{t.chosenLine(l, chosen, label+value, width)}
}

func (t *Tree) chosenLine(l *Theme, chosen bool, line string, width int) string {
	if !chosen {
		return Cut(line, width)
	}
	return l.Chosen.Render(Fit(ansi.Strip(line), width))
}

// drawText is a text in full, as far as it is shown at all.
func (t *Tree) drawText(l *Theme, body, label, lead string, chosen bool, width, height int) []string {
	lines := []string{t.chosenLine(l, chosen, label, width)}
	indent := lead + "    "
	shown := Wrapped(text.CleanText(strings.ToValidUTF8(body[:min(len(body), treeText)], "")), max(width-len(indent), 10))
	most := max(height-2, 1)
	for _, line := range shown[:min(len(shown), most)] {
		lines = append(lines, indent+line)
	}
	if len(shown) > most || len(body) > treeText {
		lines = append(lines, indent+l.Dim.Render(Cut("… "+ByteSize(len(body))+" in all; Y copies it", width-len(indent))))
	}
	return lines
}

// TextLine is the beginning of a text in one line.
func TextLine(body string, room int) string {
	first, rest, _ := strings.Cut(body[:min(len(body), 8*room)], "\n")
	shown := text.CleanLine(strings.ToValidUTF8(first, ""))
	if rest != "" || len(body) > 8*room {
		shown += " …"
	}
	return Cut(shown, room)
}

// counted is how much is in a container.
func counted(v *toolargs.Value) string {
	if v.Kind == '{' {
		return text.Count(len(v.Members), "member")
	}
	return text.Count(len(v.Items), "item")
}

// preview is a container in one line, as far as there is room.
func preview(v *toolargs.Value, room int) string {
	if size(v) == 0 {
		return map[bool]string{true: "{}", false: "[]"}[v.Kind == '{']
	}
	words := counted(v)
	for i := range size(v) {
		part := ""
		switch child := childAt(v, i); child.Kind {
		case '{', '[':
			part = map[bool]string{true: "{…}", false: "[…]"}[child.Kind == '{']
		case '"':
			part = TextLine(child.Text, 24)
		default:
			part = Cut(child.Compact(), 24)
		}
		if v.Kind == '{' {
			part = TextLine(v.Members[i].Name, 24) + ": " + part
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

// MaxCopied bounds what is put on a clipboard, in bytes: it goes through the
// terminal.
const MaxCopied = 256 << 10
