// Package form fills in the fields that broker/toolargs reads of a schema. It knows
// widgets and fields, and no screen: it sends nothing.
package form

import (
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// Form is a value that is being filled in: a part of a screen, of a call as of an
// elicitation. It sends nothing.
type Form struct {
	theme  *widget.Theme
	schema *toolargs.Schema
	root   *node

	widget.List           // over rows
	rows        []formRow // what can be reached, from top to bottom
	edit        editor    // at the cursor
	mark        int       // among the values of a choice with several answers
	pick        *picker   // over the values of a long choice; nil while there is none
	raw         *rawJSON  // the whole as JSON; nil while it is a form

	version  int // grows with each change
	problems []problem
	tried    bool     // it was to be sent: what is missing is wrong now
	warned   int      // the version whose problems were shown when it was to be sent
	revealed revealed // what the user agreed to see
	sent     *sent    // what would be sent, of version
	preview  previewCache
	offered  []string // proposals for the field at the cursor

	Blurred bool // it has not the keys: no row is marked
}

// formRow is a line that the cursor can be in.
type formRow struct {
	kind  rowKind
	node  *node
	depth int
}

type rowKind int

const (
	rowField rowKind = iota
	rowAdd           // adds a row to a list
	rowMore          // members that the schema does not name; only shown
)

// New makes an empty form for a schema. It never fails: what the schema does
// not tell is filled in as JSON.
func New(l *widget.Theme, schema *toolargs.Schema) *Form {
	f := &Form{theme: l, schema: schema, root: newNode(schema.Root(), nil)}
	f.changed()
	f.enter()
	return f
}

// FillDefaults fills the defaults in, so that they are sent unless they are changed.
// A tool has its own; who asks a question gets only what is answered.
func (f *Form) FillDefaults() {
	for _, kid := range f.root.members() {
		if kid.field.Default != nil {
			kid.fill(kid.field.Default)
		}
	}
	f.changed()
	f.enter()
}

// layout finds the rows again. The cursor stays where it was.
func (f *Form) layout() {
	var at formRow
	if f.Cursor < len(f.rows) {
		at = f.rows[f.Cursor]
	}
	f.rows = f.rows[:0]
	if f.root.raw || f.root.null || f.root.field.Kind == toolargs.JSON {
		f.rows = append(f.rows, formRow{rowField, f.root, 0})
	} else {
		f.addMembers(f.root, 0)
	}
	f.Resize(len(f.rows))
	if i := slices.IndexFunc(f.rows, func(r formRow) bool { return r.node == at.node && r.kind == at.kind }); i >= 0 {
		f.Cursor = i
	}
}

// addMembers adds what is inside of a node.
func (f *Form) addMembers(n *node, depth int) {
	if n.raw || n.null {
		return
	}
	switch n.field.Kind {
	case toolargs.Group:
		for _, kid := range n.members() {
			f.addNode(kid, depth)
		}
		if len(n.extra) > 0 {
			f.rows = append(f.rows, formRow{rowMore, n, depth})
		}
	case toolargs.List:
		for _, row := range n.kids {
			f.addNode(row, depth)
		}
		if !n.rowless() && (n.field.MaxItems < 0 || len(n.kids) < n.field.MaxItems) {
			f.rows = append(f.rows, formRow{rowAdd, n, depth})
		}
	}
}

func (f *Form) addNode(n *node, depth int) {
	f.rows = append(f.rows, formRow{rowField, n, depth})
	if !n.folded {
		f.addMembers(n, depth+1)
	}
}

// row is where the cursor is. A form without fields has none.
func (f *Form) row() (formRow, bool) {
	if f.Cursor >= len(f.rows) {
		return formRow{}, false
	}
	return f.rows[f.Cursor], true
}

// goTo moves the cursor to a row.
func (f *Form) goTo(i int) {
	if row, ok := f.row(); ok && i != f.Cursor {
		row.node.touched = true
	}
	f.Cursor = min(max(i, 0), max(len(f.rows)-1, 0))
	f.mark = 0
	f.enter()
}

// goToNode moves the cursor to a field, and unfolds what it lies in.
func (f *Form) goToNode(n *node) {
	for up := n.up; up != nil; up = up.up {
		up.folded = false
	}
	f.layout()
	for n != nil {
		if i := slices.IndexFunc(f.rows, func(r formRow) bool { return r.node == n }); i >= 0 {
			f.goTo(i)
			return
		}
		n = n.up
	}
}

// changed finds the rows, makes what would be sent, and checks it.
func (f *Form) changed() {
	f.layout()
	f.version++
	f.sent = f.root.emit()
	if f.sent.value == nil {
		f.sent.value = toolargs.Object()
	}
	f.problems = f.sent.check(f.schema)
}

// required is how it is said that a value is missing.
const required = "required"

// problemOf is what is wrong with a field itself, as far as it is time to say so.
func (f *Form) problemOf(n *node) (text string, missing bool) {
	for _, p := range f.problems {
		if p.node == n && !f.early(p) {
			return p.text, p.missing
		}
	}
	return "", false
}

// missing reports whether a field has to have a value, and has none.
func (f *Form) missing(n *node) bool {
	return slices.ContainsFunc(f.problems, func(p problem) bool { return p.node == n && p.missing })
}

// early reports whether a problem is only that the field was not visited yet.
func (f *Form) early(p problem) bool { return p.missing && !f.tried && !p.node.touched }

// errors are the problems that it is time to speak of.
func (f *Form) errors() []problem {
	return slices.DeleteFunc(slices.Clone(f.problems), f.early)
}

// Submit says what keeps the form from being sent; nil for nothing. What is wrong
// is said once: the second time it is sent anyway, since the server is the judge.
func (f *Form) Submit(sends string) widget.Action {
	if f.raw != nil {
		if words := f.ToggleJSON(); words != "" {
			return widget.Bad(words)
		}
	}
	if len(f.problems) == 0 || f.tried && f.warned == f.version {
		return nil
	}
	f.tried, f.warned = true, f.version
	f.goToNode(f.problems[0].node)
	return widget.Bad(text.Count(len(f.problems), "field") + " to fix; ctrl+s again " + sends + " anyway")
}

// Fill loads a value, for what was called before and for raw JSON.
func (f *Form) Fill(v *toolargs.Value) {
	f.raw = nil
	f.root.fill(v)
	f.root.folded = false
	f.changed()
	f.goTo(0)
}

// Value is what would be sent.
func (f *Form) Value() *toolargs.Value { return f.sent.value }

// WithoutSecrets is what would be sent, less what is secret.
func (f *Form) WithoutSecrets() *toolargs.Value { return f.sent.withoutSecrets() }

// revealed is what the user saw before secrets are shown: a key, and the
// version of the form in which it was pressed.
type revealed struct {
	key     string
	version int
}

// Openly is an act that shows values in the clear, of one row or of all. Where
// secrets are among them, it says so first, and acts when the key is pressed again.
func (f *Form) Openly(key string, all bool, act func() widget.Action) func() widget.Action {
	return func() widget.Action {
		var names []string
		switch row, ok := f.row(); {
		case f.raw != nil:
		case all:
			names = f.sent.secretNames(f.root)
		case ok && row.kind == rowField && !row.node.raw:
			names = f.sent.secretNames(row.node)
		}
		if now := (revealed{key, f.version}); len(names) > 0 && f.revealed != now {
			f.revealed = now
			return widget.Info(key + " again shows in the clear: " + strings.Join(names, ", "))
		}
		return act()
	}
}
