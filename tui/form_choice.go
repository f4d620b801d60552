package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// inlineChoices is how many values stand beside each other. More are a list with
// a filter.
const inlineChoices = 5

func (f *spec) hasChoices() bool {
	return f.kind == kindChoice || f.kind == kindMulti || f.kind == kindVariant
}

// values are what a choice or a variant is picked from.
func (f *spec) values() []choice {
	if f.kind != kindVariant {
		return f.choices
	}
	var all []choice
	for _, kid := range f.members() {
		all = append(all, choice{label: kid.label, about: kid.about})
	}
	return all
}

func inline(f *spec) bool { return len(f.values()) <= inlineChoices }

// stop is one of the states of a choice that left and right go through.
type stop struct {
	label string
	on    bool
	take  func(n *node)
}

// stops are the values of a choice, and what else it can be.
func (n *node) stops() []stop {
	var all []stop
	for i, c := range n.field.values() {
		all = append(all, stop{c.label, n.picked(i), func(n *node) { n.take(i) }})
	}
	if n.field.nullable {
		all = append(all, stop{"null", n.null, func(n *node) { n.clear(); n.set, n.null = true, true }})
	}
	if !n.field.required || len(all) == 0 {
		all = append(all, stop{"not sent", !n.present() && (n.unsent || !n.implied()), func(n *node) { n.clear(); n.unsent = n.field.required }})
	}
	return all
}

// picked reports whether a value of a choice is the one, or one of those, that
// would be sent.
func (n *node) picked(i int) bool {
	if n.present() {
		return !n.null && !n.raw && slices.Contains(n.picks, i)
	}
	return n.implied() && n.field.kind == kindChoice && n.emit("") != nil && n.emit("").value == n.field.choices[i].value
}

// implied reports whether the field goes with its group without being filled in.
func (n *node) implied() bool {
	return !n.unsent && n.field.required && (n.field.preset != nil || n.field.kind == kindChoice && len(n.field.choices) == 1)
}

// take picks a value.
func (n *node) take(i int) {
	kids := n.kids // of variants: what was filled in for one is there when it is picked again
	n.clear()
	n.kids = kids
	n.set, n.picks = true, []int{i}
}

// toggle adds a value to those that are picked, or takes it away.
func (n *node) toggle(i int) {
	picks := slices.Clone(n.picks)
	if n.raw || n.null || !n.set {
		picks = nil
	}
	if at := slices.Index(picks, i); at >= 0 {
		picks = slices.Delete(picks, at, at+1)
	} else {
		picks = append(picks, i)
	}
	n.clear()
	n.picks, n.set = picks, len(picks) > 0 || n.field.required
}

// step goes to the value before or behind.
func (f *form) step(by int) {
	row, ok := f.row()
	if !ok {
		return
	}
	n := row.node
	if n.field.kind == kindMulti {
		f.mark = min(max(f.mark+by, 0), len(n.field.choices)-1)
		return
	}
	all := n.stops()
	at := slices.IndexFunc(all, func(s stop) bool { return s.on })
	if at < 0 && by < 0 {
		at = 0
	}
	all[((at+by)%len(all)+len(all))%len(all)].take(n)
	f.layout()
	f.changed()
}

// press does what space and enter do on a row that is not text.
func (f *form) press() {
	row, ok := f.row()
	if !ok {
		return
	}
	n := row.node
	switch {
	case row.kind == rowAdd || row.kind == rowField && n.rowless():
		f.add(n)
		return
	case row.kind == rowMore:
		return
	case n.field.hasChoices() && !inline(n.field) && !n.raw:
		f.openPicker()
		return
	case n.field.kind == kindMulti:
		n.toggle(f.mark)
	case n.field.hasChoices():
		f.step(1)
	case n.field.kind == kindGroup || n.field.kind == kindList || n.field.kind == kindMap:
		n.folded = !n.folded
	}
	f.layout()
	f.changed()
}

// rowless reports whether a node is a list or map that has no rows yet.
func (n *node) rowless() bool {
	return (n.field.kind == kindList || n.field.kind == kindMap) && len(n.kids) == 0 && !n.raw && !n.null
}

// add appends a row to a list or map, and goes there.
func (f *form) add(n *node) {
	key := ""
	if n.field.kind == kindMap {
		for i := 1; key == "" || slices.ContainsFunc(n.kids, func(kid *node) bool { return kid.key == key }); i++ {
			key = "name" + countText(i)
		}
	}
	n.unsent = false
	row := n.addRow(key)
	f.layout()
	f.changed()
	if kids := row.members(); row.field.kind == kindGroup && len(kids) > 0 {
		row = kids[0]
	}
	f.goToNode(row)
}

// rowOf is the row of a list or map that the cursor is in, or nil.
func (f *form) rowOf() *node {
	row, ok := f.row()
	if !ok {
		return nil
	}
	for n := row.node; n.up != nil; n = n.up {
		if n.up.field.kind == kindList || n.up.field.kind == kindMap {
			return n
		}
	}
	return nil
}

// addHere adds a row to the list that the cursor is in, or at.
func (f *form) addHere() {
	row, ok := f.row()
	if !ok {
		return
	}
	for n := row.node; n != nil; n = n.up {
		if (n.field.kind == kindList || n.field.kind == kindMap) && !n.raw {
			n.folded = false
			f.add(n)
			return
		}
	}
}

// remove takes the row away that the cursor is in. A list without rows is not
// sent, unless it has to be there.
func (f *form) remove() {
	n := f.rowOf()
	if n == nil {
		return
	}
	owner := n.up
	owner.kids = slices.DeleteFunc(owner.kids, func(kid *node) bool { return kid == n })
	owner.set = len(owner.kids) > 0 || owner.field.required
	f.layout()
	f.changed()
	f.enter()
}

// moveRow moves the row that the cursor is in.
func (f *form) moveRow(by int) {
	n := f.rowOf()
	if n == nil {
		return
	}
	rows := n.up.kids
	at := slices.Index(rows, n)
	if to := at + by; to >= 0 && to < len(rows) {
		rows[at], rows[to] = rows[to], rows[at]
		f.layout()
		f.changed()
	}
}

// picker is a list of the values of a choice, with a filter.
type picker struct {
	list
	node   *node
	filter field
	found  []int // indexes of values
}

func (f *form) openPicker() {
	row, _ := f.row()
	p := &picker{node: row.node, filter: newField(f.look, "type to filter")}
	p.filter.Focus()
	p.find()
	if len(row.node.picks) > 0 && row.node.field.kind != kindMulti {
		p.cursor = row.node.picks[0]
	}
	f.pick = p
}

func (p *picker) find() {
	p.found = p.found[:0]
	for i, c := range p.node.field.values() {
		if _, ok := matches(c.label+" "+c.about, p.filter.Value()); ok {
			p.found = append(p.found, i)
		}
	}
	p.resize(len(p.found))
}

func (p *picker) update(msg tea.Msg) {
	p.filter.update(msg)
	p.cursor = 0
	p.find()
}

// choose takes the value at the picker's cursor. Of several, the picker stays.
func (f *form) choose() {
	p := f.pick
	if p.cursor >= len(p.found) {
		return
	}
	if p.node.field.kind == kindMulti {
		p.node.toggle(p.found[p.cursor])
	} else {
		p.node.take(p.found[p.cursor])
		f.pick = nil
	}
	f.layout()
	f.changed()
}

func (f *form) closePicker() { f.pick = nil }

func (p *picker) view(l *look, width, height int) []string {
	n := p.node
	lines := []string{l.strong.Render(cut(n.field.label, width)), l.accent.Render("/ ") + p.filter.show(width-2), ""}
	all := n.field.values()
	return append(lines, p.list.view(height-len(lines), func(i int, chosen bool) []string {
		c := all[p.found[i]]
		mark, style := "  ", l.strong.UnsetBold()
		if chosen {
			mark, style = "▸ ", l.chosen
		}
		line := style.Render(fit(mark+tickBox(n, p.found[i])+" "+c.label, width))
		if chosen && c.about != "" {
			about, _, _ := strings.Cut(c.about, "\n")
			return []string{line, l.dim.Render(cut("      "+about, width))}
		}
		return []string{line}
	})...)
}

// tickBox is the sign before a value: picked, or not.
func tickBox(n *node, i int) string {
	switch {
	case n.field.kind == kindMulti && n.picked(i):
		return "[x]"
	case n.field.kind == kindMulti:
		return "[ ]"
	case n.picked(i):
		return "(•)"
	}
	return "( )"
}
