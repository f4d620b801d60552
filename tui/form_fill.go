package tui

import (
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

// fill loads a value. One that the form cannot show as it is becomes JSON text, so
// that what goes out is always what came in.
func (n *node) fill(v *jsonValue) {
	n.clear()
	n.set = true
	if v.kind == 'n' && n.field.nullable {
		n.null = true
		return
	}
	if !n.fillKind(v) {
		n.clear()
		n.set, n.raw, n.text = true, true, v.indented()
	}
}

func (n *node) fillKind(v *jsonValue) bool {
	switch n.field.kind {
	case kindText:
		n.text = v.text
		return v.kind == '"' && editable(untab(v.text))
	case kindNumber:
		n.text = v.text
		return v.kind == '0'
	case kindChoice:
		n.picks = []int{n.field.choice(v)}
		return n.picks[0] >= 0
	case kindMulti:
		return n.fillMulti(v)
	case kindList:
		return n.fillRows(v)
	case kindMap:
		return n.fillMap(v)
	case kindGroup:
		return n.fillGroup(v)
	case kindVariant:
		return n.fillVariant(v)
	}
	n.text = v.indented()
	return true
}

// editable reports whether a text survives a text editor: no control bytes, tabs
// or invisible marks. Others are edited as JSON, where they are spelled out.
func editable(s string) bool {
	return broker.CleanText(s) == s && !strings.ContainsAny(s, "\t\r")
}

func (f *spec) choice(v *jsonValue) int {
	return slices.IndexFunc(f.choices, func(c choice) bool { return c.value.equal(v) && (v.kind != '0' || c.value.text == v.text) })
}

func (n *node) fillMulti(v *jsonValue) bool {
	for _, item := range v.items {
		i := n.field.choice(item)
		if i < 0 || slices.Contains(n.picks, i) {
			return false
		}
		n.picks = append(n.picks, i)
	}
	return v.kind == '['
}

// maxRows bounds the rows of a list or map. More are edited as JSON.
const maxRows = 200

func (n *node) fillRows(v *jsonValue) bool {
	if v.kind != '[' || len(v.items) > maxRows {
		return false
	}
	for _, item := range v.items {
		n.addRow("").fill(item)
	}
	return true
}

func (n *node) fillMap(v *jsonValue) bool {
	if v.kind != '{' || len(v.members) > maxRows || doubled(v) {
		return false
	}
	for _, m := range v.members {
		n.addRow(m.name).fill(m.value)
	}
	return true
}

func (n *node) fillGroup(v *jsonValue) bool {
	if v.kind != '{' || doubled(v) {
		return false
	}
	for _, kid := range n.members() {
		kid.unsent = true // nothing is added to what was loaded
	}
	for _, m := range v.members {
		n.order = append(n.order, m.name)
		i := slices.IndexFunc(n.kids, func(kid *node) bool { return kid.field.name == m.name })
		if i < 0 {
			n.extra = append(n.extra, m)
			continue
		}
		n.kids[i].fill(m.value)
	}
	n.folded = false
	return true
}

// doubled reports whether a name stands twice in an object.
func doubled(v *jsonValue) bool {
	seen := make(map[string]bool, len(v.members))
	for _, m := range v.members {
		if seen[m.name] {
			return true
		}
		seen[m.name] = true
	}
	return false
}

// fillVariant takes the variant that fits best.
func (n *node) fillVariant(v *jsonValue) bool {
	best, least := -1, 0
	for i, kid := range n.members() {
		kid.fill(v)
		if misfit := kid.misfit(); !kid.raw && (best < 0 || misfit < least) {
			best, least = i, misfit
		}
	}
	for i, kid := range n.kids {
		if i != best {
			kid.clear()
		}
	}
	n.picks = []int{best}
	return best >= 0
}

// misfit counts what a filled node could not place: values that became JSON,
// members that are missing, and members that the schema does not name.
func (n *node) misfit() int {
	total := len(n.extra)
	switch {
	case n.raw:
		total += 10
	case n.field.kind == kindJSON:
		total += 3
	}
	for _, kid := range n.kids {
		switch {
		case kid.present():
			total += kid.misfit()
		case kid.field.required && n.field.kind == kindGroup:
			total += 5
		}
	}
	return total
}
