package form

import (
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// node is a field with what was filled in. It has a value, or it is not sent.
type node struct {
	field *toolargs.Field
	up    *node

	set   bool // it has a value of its own
	null  bool
	raw   bool   // edited as JSON: text is all of its value
	text  string // of Text, Scalar and JSON
	picks []int  // of choices, in the order they were picked

	kids   []*node           // of a group, one for each field; rows
	extra  []toolargs.Member // of a group: members that the schema does not name
	order  []string          // of a group: how its members stood in the JSON that was loaded
	loaded bool              // of a group: it was

	folded  bool
	touched bool // the cursor was there, so that what is missing was left out
}

func newNode(f *toolargs.Field, up *node) *node {
	n := &node{field: f, up: up}
	n.folded = up != nil && f.Kind == toolargs.Group && !f.Required
	return n
}

// implied is the value that goes with a group without being filled in: the default
// of a required field, or the one value that it may have. Nothing is added to what
// was loaded.
func (n *node) implied() *toolargs.Value {
	switch f := n.field; {
	case !f.Required || n.up != nil && n.up.loaded:
		return nil
	case f.Default != nil:
		return f.Default
	case f.Kind == toolargs.Choice && len(f.Choices) == 1:
		return f.Choices[0].Value
	}
	return nil
}

// members makes the nodes of a group, where they are needed: a schema may be
// recursive.
func (n *node) members() []*node {
	if n.kids == nil && !n.raw && n.field.Kind == toolargs.Group {
		for _, f := range n.field.Fields() {
			n.kids = append(n.kids, newNode(f, n))
		}
	}
	return n.kids
}

// present reports whether the node has a value of its own, or something inside it has.
func (n *node) present() bool {
	return n.set || n.field.Kind == toolargs.Group && !n.raw && slices.ContainsFunc(n.kids, (*node).present)
}

// clear takes the value away.
func (n *node) clear() {
	*n = node{field: n.field, up: n.up, folded: n.folded, touched: n.touched}
}

// addRow appends a row to a list.
func (n *node) addRow() *node {
	row := newNode(n.field.Fields()[0], n)
	row.folded = false
	n.set, n.null = true, false
	n.kids = append(n.kids, row)
	return row
}

// isJSON reports whether the node is edited as JSON.
func (n *node) isJSON() bool { return n.raw || n.field.Kind == toolargs.JSON }

// isWord reports whether the node is edited as text.
func (n *node) isWord() bool { return n.field.Kind == toolargs.Text || n.field.Kind == toolargs.Scalar }

// fill loads a value. One that the form cannot show as it is becomes JSON, so that
// what goes out is always what came in.
func (n *node) fill(v *toolargs.Value) {
	n.clear()
	n.set = true
	if v.Kind == 'n' && n.field.Nullable {
		n.null = true
		return
	}
	if !n.fillKind(v) {
		n.clear()
		n.set, n.raw, n.text = true, true, v.Indented()
	}
}

func (n *node) fillKind(v *toolargs.Value) bool {
	switch n.field.Kind {
	case toolargs.Text:
		n.text = v.Text
		return v.Kind == '"' && editable(widget.Untab(v.Text))
	case toolargs.Scalar:
		n.text = toolargs.Word(v)
		same, wanted := n.field.FromWord(n.text)
		return wanted == "" && same.Kind == v.Kind && same.Text == v.Text && editable(n.text)
	case toolargs.Choice:
		n.picks = []int{optionOf(n.field, v)}
		return n.picks[0] >= 0
	case toolargs.Choices:
		return n.fillChoices(v)
	case toolargs.List:
		return n.fillRows(v)
	case toolargs.Group:
		return n.fillGroup(v)
	}
	n.text = v.Indented()
	return true
}

// editable reports whether a text survives a text editor: no control bytes, tabs
// or invisible marks. Others are edited as JSON, where they are spelled out.
func editable(s string) bool {
	return text.CleanText(s) == s && !strings.ContainsAny(s, "\t\r")
}

func optionOf(f *toolargs.Field, v *toolargs.Value) int {
	return slices.IndexFunc(f.Choices, func(o toolargs.Option) bool { return o.Value.Equal(v) && o.Value.Text == v.Text })
}

func (n *node) fillChoices(v *toolargs.Value) bool {
	for _, item := range v.Items {
		i := optionOf(n.field, item)
		if i < 0 || slices.Contains(n.picks, i) {
			return false
		}
		n.picks = append(n.picks, i)
	}
	return v.Kind == '['
}

// maxRows bounds the rows of a list. More are edited as JSON.
const maxRows = 200

func (n *node) fillRows(v *toolargs.Value) bool {
	if v.Kind != '[' || len(v.Items) > maxRows {
		return false
	}
	for _, item := range v.Items {
		n.addRow().fill(item)
	}
	return true
}

func (n *node) fillGroup(v *toolargs.Value) bool {
	if v.Kind != '{' || hasDuplicates(v) {
		return false
	}
	n.members()
	n.loaded = true
	for _, m := range v.Members {
		n.order = append(n.order, m.Name)
		i := slices.IndexFunc(n.kids, func(kid *node) bool { return kid.field.Name == m.Name })
		if i < 0 {
			n.extra = append(n.extra, m)
			continue
		}
		n.kids[i].fill(m.Value)
	}
	n.folded = false
	return true
}

// hasDuplicates reports whether a name stands twice in an object.
func hasDuplicates(v *toolargs.Value) bool {
	seen := make(map[string]bool, len(v.Members))
	for _, m := range v.Members {
		if seen[m.Name] {
			return true
		}
		seen[m.Name] = true
	}
	return false
}
