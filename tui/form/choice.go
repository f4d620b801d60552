package form

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// inlineChoices is how many values stand beside each other. More are a list with
// a filter.
const inlineChoices = 5

// hasChoices reports whether the node is filled in by picking.
func (n *node) hasChoices() bool {
	return n.field.Kind == toolargs.Choice || n.field.Kind == toolargs.Choices
}

func inline(f *toolargs.Field) bool { return len(f.Choices) <= inlineChoices }

// option is one of the values that left and right go through.
type option struct {
	label string
	on    bool
	take  func(n *node)
}

// options are the values of a choice, and what else it can be.
func (n *node) options() []option {
	var all []option
	for i, o := range n.field.Choices {
		all = append(all, option{text.CleanLine(o.Label), n.picked(i), func(n *node) { n.take(i) }})
	}
	if n.field.Nullable {
		all = append(all, option{"null", n.null, func(n *node) { n.clear(); n.set, n.null = true, true }})
	}
	if !n.field.Required || len(all) == 0 {
		all = append(all, option{"not sent", !n.present() && n.implied() == nil, (*node).clear})
	}
	return all
}

// picked reports whether a value of a choice is the one, or one of those, that
// would be sent.
func (n *node) picked(i int) bool {
	if n.present() {
		return !n.null && !n.raw && slices.Contains(n.picks, i)
	}
	v := n.implied()
	return v != nil && n.field.Kind == toolargs.Choice && v.Equal(n.field.Choices[i].Value)
}

// take picks a value.
func (n *node) take(i int) {
	n.clear()
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
	n.picks, n.set = picks, len(picks) > 0 || n.field.Required
}

// step goes to the value before or behind.
func (f *Form) step(by int) {
	row, ok := f.row()
	if !ok {
		return
	}
	n := row.node
	if n.field.Kind == toolargs.Choices {
		f.mark = min(max(f.mark+by, 0), len(n.field.Choices)-1)
		return
	}
	all := n.options()
	at := slices.IndexFunc(all, func(s option) bool { return s.on })
	if at < 0 && by < 0 {
		at = 0
	}
	all[((at+by)%len(all)+len(all))%len(all)].take(n)
	f.changed()
}

// press does what space and enter do on a row that is not text.
func (f *Form) press() {
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
	case n.hasChoices() && !inline(n.field) && !n.raw:
		f.openPicker()
		return
	case n.field.Kind == toolargs.Choices:
		n.toggle(f.mark)
	case n.hasChoices():
		f.step(1)
	case n.field.Kind == toolargs.Group || n.field.Kind == toolargs.List:
		n.folded = !n.folded
	}
	f.changed()
}

// rowless reports whether a node is a list that has no rows yet.
func (n *node) rowless() bool {
	return n.field.Kind == toolargs.List && len(n.kids) == 0 && !n.raw && !n.null
}

// add appends a row to a list, and goes there.
func (f *Form) add(n *node) {
	row := n.addRow()
	f.changed()
	if kids := row.members(); row.field.Kind == toolargs.Group && len(kids) > 0 {
		row = kids[0]
	}
	f.goToNode(row)
}

// rowOf is the row of a list that the cursor is in, or nil.
func (f *Form) rowOf() *node {
	row, ok := f.row()
	if !ok {
		return nil
	}
	for n := row.node; n.up != nil; n = n.up {
		if n.up.field.Kind == toolargs.List {
			return n
		}
	}
	return nil
}

// addHere adds a row to the list that the cursor is in, or at.
func (f *Form) addHere() {
	row, ok := f.row()
	if !ok {
		return
	}
	for n := row.node; n != nil; n = n.up {
		if n.field.Kind == toolargs.List && !n.raw {
			n.folded = false
			f.add(n)
			return
		}
	}
}

// remove takes the row away that the cursor is in. A list without rows is not
// sent, unless it has to be there.
func (f *Form) remove() {
	n := f.rowOf()
	if n == nil {
		return
	}
	owner := n.up
	owner.kids = slices.DeleteFunc(owner.kids, func(kid *node) bool { return kid == n })
	owner.set = len(owner.kids) > 0 || owner.field.Required
	f.changed()
	f.enter()
}

// moveRow moves the row that the cursor is in.
func (f *Form) moveRow(by int) {
	n := f.rowOf()
	if n == nil {
		return
	}
	rows := n.up.kids
	at := slices.Index(rows, n)
	if to := at + by; to >= 0 && to < len(rows) {
		rows[at], rows[to] = rows[to], rows[at]
		f.changed()
	}
}

// picker is a list of the values of a choice, with a filter.
type picker struct {
	widget.List
	node   *node
	filter widget.Field
	found  []int // indexes of values
}

func (f *Form) openPicker() {
	row, _ := f.row()
	p := &picker{node: row.node, filter: widget.NewField(f.theme, "type to filter")}
	p.filter.Focus()
	p.find()
	if len(row.node.picks) > 0 && row.node.field.Kind != toolargs.Choices {
		p.Cursor = row.node.picks[0]
	}
	f.pick = p
}

func (p *picker) find() {
	p.found = p.found[:0]
	for i, c := range p.node.field.Choices {
		if _, ok := widget.Matches(c.Label+" "+c.About, p.filter.Value()); ok {
			p.found = append(p.found, i)
		}
	}
	p.Resize(len(p.found))
}

func (p *picker) update(msg tea.Msg) {
	p.filter.Take(msg)
	p.Cursor = 0
	p.find()
}

// choose takes the value at the picker's cursor. Of several, the picker stays.
func (f *Form) choose() {
	p := f.pick
	if p.Cursor >= len(p.found) {
		return
	}
	if p.node.field.Kind == toolargs.Choices {
		p.node.toggle(p.found[p.Cursor])
	} else {
		p.node.take(p.found[p.Cursor])
		f.pick = nil
	}
	f.changed()
}

func (f *Form) closePicker() { f.pick = nil }

func (p *picker) view(l *widget.Theme, width, height int) []string {
	n := p.node
	lines := []string{l.Strong.Render(widget.Cut(text.CleanLine(n.field.Label), width)), l.Accent.Render("/ ") + p.filter.Show(width-2), ""}
	all := n.field.Choices
	return append(lines, p.List.View(height-len(lines), func(i int, chosen bool) []string {
		c := all[p.found[i]]
		mark, style := "  ", l.Strong.UnsetBold()
		if chosen {
			mark, style = "▸ ", l.Chosen
		}
		line := style.Render(widget.Fit(mark+tickBox(n, p.found[i])+" "+text.CleanLine(c.Label), width))
		if chosen && c.About != "" {
			return []string{line, l.Dim.Render("      " + widget.TextLine(c.About, width-6))}
		}
		return []string{line}
	})...)
}

// tickBox is the sign before a value: picked, or not.
func tickBox(n *node, i int) string {
	switch {
	case n.field.Kind == toolargs.Choices && n.picked(i):
		return "[x]"
	case n.field.Kind == toolargs.Choices:
		return "[ ]"
	case n.picked(i):
		return "(•)"
	}
	return "( )"
}
