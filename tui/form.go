package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
)

// form is a value that is being filled in: a part of a screen, of a call as of an
// elicitation. It asks nobody and sends nothing.
type form struct {
	look  *look
	root  *node
	judge *validator

	list           // over rows
	rows []formRow // what can be reached, from top to bottom
	edit editor    // at the cursor
	mark int       // among the values of a choice with several answers
	pick *picker   // over the values of a long choice; nil while there is none
	raw  *rawJSON  // the whole as JSON; nil while it is a form

	version  int // grows with each change
	judged   int // the version that problems are of
	problems []problem
	tried    bool  // somebody wanted to send it: what is missing is wrong now
	bared    bared // what the person agreed to see
	slow     bool  // judging takes so long that it is done aside
	atOnce   bool  // judging is never done aside: the schema is flat
	shown    sent  // what would be sent, of version
	preview  previewCache
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
	rowName          // the name of a row of a map
	rowAdd           // adds a row to a list or map
	rowMore          // members that the schema does not name; only shown
)

// newForm makes an empty form for a schema. It never fails: what the schema does
// not tell is filled in as JSON.
func newForm(l *look, schema []byte) *form {
	parsed, err := parseServerJSON(schema)
	if err != nil {
		parsed = nil
	}
	f := &form{look: l, root: newNode(planForm(parsed), nil), judge: newValidator(parsed)}
	f.layout()
	f.changed()
	f.enter()
	return f
}

// fillDefaults fills the defaults in, so that they are sent unless somebody changes
// them. A tool has its own; who asks a question gets only what is answered.
func (f *form) fillDefaults() {
	for _, kid := range f.root.members() {
		if kid.field.preset != nil {
			kid.fill(kid.field.preset)
		}
	}
	f.layout()
	f.changed()
	f.enter()
}

// layout finds the rows anew. The cursor stays where it was.
func (f *form) layout() {
	var at formRow
	if f.cursor < len(f.rows) {
		at = f.rows[f.cursor]
	}
	f.rows = f.rows[:0]
	f.addMembers(f.root, 0)
	f.resize(len(f.rows))
	if i := slices.IndexFunc(f.rows, func(r formRow) bool { return r.node == at.node && r.kind == at.kind }); i >= 0 {
		f.cursor = i
	}
}

// addMembers adds what is inside of a node.
func (f *form) addMembers(n *node, depth int) {
	if n.raw || n.null {
		if n.up == nil {
			f.rows = append(f.rows, formRow{rowField, n, depth})
		}
		return
	}
	switch n.field.kind {
	case kindGroup:
		for _, kid := range n.members() {
			f.addNode(kid, depth)
		}
		if len(n.extra) > 0 {
			f.rows = append(f.rows, formRow{rowMore, n, depth})
		}
	case kindList, kindMap:
		for _, row := range n.kids {
			if n.field.kind == kindMap {
				f.rows = append(f.rows, formRow{rowName, row, depth})
				f.addNode(row, depth+1)
				continue
			}
			f.addNode(row, depth)
		}
		if !n.rowless() && (n.field.maxLen < 0 || len(n.kids) < n.field.maxLen) {
			f.rows = append(f.rows, formRow{rowAdd, n, depth})
		}
	case kindVariant:
		kid := n.variant()
		switch {
		case kid == nil:
		case kid.field.kind == kindGroup && !kid.raw:
			f.addMembers(kid, depth)
		default:
			f.addNode(kid, depth)
		}
	default:
		if n.up == nil {
			f.rows = append(f.rows, formRow{rowField, n, depth})
		}
	}
}

func (f *form) addNode(n *node, depth int) {
	f.rows = append(f.rows, formRow{rowField, n, depth})
	if !n.folded {
		switch n.field.kind {
		case kindGroup, kindList, kindMap, kindVariant:
			f.addMembers(n, depth+1)
		}
	}
}

// row is where the cursor is. A form without fields has none.
func (f *form) row() (formRow, bool) {
	if f.cursor >= len(f.rows) {
		return formRow{}, false
	}
	return f.rows[f.cursor], true
}

// goTo moves the cursor to a row.
func (f *form) goTo(i int) {
	if row, ok := f.row(); ok && i != f.cursor {
		row.node.touched = true
	}
	f.cursor = min(max(i, 0), max(len(f.rows)-1, 0))
	f.mark = 0
	f.enter()
}

// goToNode moves the cursor to a field, and unfolds what it lies in.
func (f *form) goToNode(n *node) {
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

// changed makes what would be sent anew, and judges it if that is quick.
func (f *form) changed() {
	f.version++
	f.shown = sent{node: f.root, field: f.root.field, value: &jsonValue{kind: '{'}}
	if s := f.root.emit(""); s != nil {
		f.shown = *s
	}
	if !f.slow {
		f.takeProblems(f.judgement()())
	}
}

// judgement finds the problems of what would be sent now. What it returns may run
// anywhere, and its answer goes to takeProblems.
func (f *form) judgement() func() formJudged {
	version, judge, what := f.version, f.judge, f.shown
	return func() formJudged {
		began := time.Now()
		problems := judge.check(&what)
		return formJudged{f, version, problems, time.Since(began)}
	}
}

// formJudged is what a judgement found.
type formJudged struct {
	form     *form
	version  int
	problems []problem
	took     time.Duration
}

// quick is how long a judgement may take inside of an update.
const quick = 4 * time.Millisecond

func (f *form) takeProblems(j formJudged) {
	f.slow = j.took > quick && !f.atOnce
	if j.version == f.version {
		f.problems, f.judged = j.problems, j.version
	}
}

// settle is how long typing has to rest before a slow judgement begins.
const settle = 200 * time.Millisecond

// pending is the judgement that is due, or nil. Whoever holds the form runs it.
func (f *form) pending() tea.Cmd {
	if f.judged == f.version {
		return nil
	}
	judge := f.judgement()
	return func() tea.Msg { return judge() }
}

// problemOf is what is wrong with a field itself, as far as it is time to say so.
func (f *form) problemOf(n *node) string {
	for _, p := range f.problems {
		if p.node == n && !f.early(p) {
			return p.text
		}
	}
	return ""
}

// missing reports whether a field has to have a value, and has none.
func (f *form) missing(n *node) bool {
	return slices.ContainsFunc(f.problems, func(p problem) bool { return p.node == n && p.text == required })
}

// early reports whether a problem is only that nobody has come to a field yet.
func (f *form) early(p problem) bool { return p.text == required && !f.tried && !p.node.touched }

// wrongs are the problems that it is time to speak of.
func (f *form) wrongs() []problem {
	return slices.DeleteFunc(slices.Clone(f.problems), f.early)
}

// fill loads a value, for what was called before and for raw JSON.
func (f *form) fill(v *jsonValue) {
	f.root.fill(v)
	f.root.folded = false
	f.layout()
	f.changed()
	f.goTo(0)
}

// value is what would be sent.
func (f *form) value() *jsonValue { return f.shown.value }

// withoutSecrets is what would be sent, less what is secret.
func (f *form) withoutSecrets() *jsonValue { return f.shown.withoutSecrets() }
