package tui

import "slices"

// node is a spec with what a person filled in. It is in one of three states: it
// has a value; it is left to the schema's default; or it is not sent.
type node struct {
	field *spec
	up    *node
	key   string // the name of a row of a map

	set    bool // it has a value of its own
	unsent bool // left out on purpose: nothing is implied for it either
	null   bool
	raw    bool   // edited as JSON: text is all of its value
	text   string // of text, number and JSON
	picks  []int  // of choices, in the order they were picked; of a variant, the one

	kids  []*node      // of a group, one for each field; rows; of a variant, one for each variant that was open
	extra []jsonMember // of a group: members that the schema does not name
	order []string     // of a group: how its members stood in the JSON that was loaded

	folded  bool
	touched bool // the cursor was there, so that what is missing was left out
}

func newNode(f *spec, up *node) *node {
	n := &node{field: f, up: up}
	n.folded = up != nil && f.kind == kindGroup && !f.required
	return n
}

// members makes the nodes inside, where they are needed: a schema may be recursive.
func (n *node) members() []*node {
	if n.kids == nil && !n.raw {
		switch n.field.kind {
		case kindGroup:
			for _, f := range n.field.members() {
				n.kids = append(n.kids, newNode(f, n))
			}
		case kindVariant:
			for _, f := range n.field.members() {
				kid := newNode(f, n)
				kid.folded = false
				n.kids = append(n.kids, kid)
			}
		}
	}
	return n.kids
}

// variant is the field that was picked of a variant, or nil.
func (n *node) variant() *node {
	if n.field.kind != kindVariant || n.raw || len(n.picks) == 0 {
		return nil
	}
	return n.members()[n.picks[0]]
}

// present reports whether the node has a value of its own, or something inside it has.
func (n *node) present() bool {
	if n.set {
		return true
	}
	return n.field.kind == kindGroup && !n.raw && slices.ContainsFunc(n.kids, (*node).present)
}

// clear takes the value away.
func (n *node) clear() {
	*n = node{field: n.field, up: n.up, key: n.key, folded: n.folded, touched: n.touched}
}

// addRow appends a row to a list or map.
func (n *node) addRow(key string) *node {
	row := newNode(n.field.members()[0], n)
	row.key, row.folded = key, false
	n.set, n.null = true, false
	n.kids = append(n.kids, row)
	return row
}
