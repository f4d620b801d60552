package tui

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

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

	folded bool
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

// sent is what goes out for a node. It belongs to a moment: the node may change,
// and it does not.
type sent struct {
	node    *node
	field   *spec
	value   *jsonValue
	at      string  // JSON pointer in the value
	inside  []*sent // what has a value in it
	missing []*sent // required members that have none
	broken  string  // why the text is no value of its kind
	implied bool    // not filled in, but goes with the group: a constant, or a default that is required
}

// emit makes what goes out for a node, or nil where nothing does.
func (n *node) emit(at string) *sent {
	s := &sent{node: n, field: n.field, at: at}
	switch {
	case n.present():
		n.emitPresent(s)
	case n.unsent || !n.field.required:
		return nil
	case n.field.kind == kindChoice && len(n.field.choices) == 1:
		s.value, s.implied = n.field.choices[0].value, true
	case n.field.preset != nil:
		s.value, s.implied = n.field.preset, true
	case n.field.kind == kindGroup:
		n.emitGroup(s)
		s.implied = true
	default:
		return nil
	}
	return s
}

func (n *node) emitPresent(s *sent) {
	if n.null {
		s.value = jsonNull
		return
	}
	if n.raw || n.field.kind == kindJSON {
		n.emitRaw(s)
		return
	}
	switch n.field.kind {
	case kindText:
		s.value = jsonText(n.text)
	case kindNumber:
		n.emitNumber(s)
	case kindChoice:
		s.value = n.field.choices[n.picks[0]].value
	case kindMulti:
		s.value = &jsonValue{kind: '['}
		for _, i := range n.picks {
			s.value.items = append(s.value.items, n.field.choices[i].value)
		}
	case kindList:
		n.emitRows(s)
	case kindMap:
		n.emitMap(s)
	case kindGroup:
		n.emitGroup(s)
	case kindVariant:
		n.emitVariant(s)
	}
}

// emitRaw parses the JSON that was typed. What is no JSON is sent as text, so that
// a person who sends it anyway gets the server's own words for it.
func (n *node) emitRaw(s *sent) {
	value, err := parseJSON([]byte(n.text))
	if err != nil {
		s.value, s.broken = jsonText(n.text), "no JSON: "+err.Error()
		return
	}
	s.value = value
}

func (n *node) emitNumber(s *sent) {
	literal := strings.TrimSpace(n.text)
	if isNumber(literal) {
		s.value = &jsonValue{kind: '0', text: literal}
		return
	}
	s.value, s.broken = jsonText(n.text), "not a number"
	if n.field.integer {
		s.broken = "not a whole number"
	}
}

// emitRows leaves out rows that nobody has touched.
func (n *node) emitRows(s *sent) {
	s.value = &jsonValue{kind: '['}
	for _, row := range n.kids {
		if one := row.emitRow(s.at + "/" + strconv.Itoa(len(s.value.items))); one != nil {
			s.inside = append(s.inside, one)
			s.value.items = append(s.value.items, one.value)
		}
	}
}

// emitRow is emit for what was added by hand: a group is there even if it is empty.
func (n *node) emitRow(at string) *sent {
	one := n.emit(at)
	if one == nil && n.field.kind == kindGroup {
		one = &sent{node: n, field: n.field, at: at}
		n.emitGroup(one)
	}
	return one
}

func (n *node) emitMap(s *sent) {
	s.value = &jsonValue{kind: '{'}
	for _, row := range n.kids {
		if s.value.get(row.key) != nil {
			s.broken = "two have the name " + broker.CleanLine(row.key)
			continue
		}
		if one := row.emitRow(s.at + "/" + pointerToken(row.key)); one != nil {
			s.inside = append(s.inside, one)
			s.value.members = append(s.value.members, jsonMember{row.key, one.value})
		}
	}
}

// emitGroup keeps the order of the JSON that was loaded; what is new follows in
// the order of the schema.
func (n *node) emitGroup(s *sent) {
	byName := map[string]*jsonValue{}
	for _, m := range n.extra {
		byName[m.name] = m.value
	}
	names := slices.Clone(n.order)
	for _, kid := range n.members() {
		one := kid.emit(s.at + "/" + pointerToken(kid.field.name))
		if one == nil {
			if kid.field.required {
				s.missing = append(s.missing, &sent{node: kid, field: kid.field, at: s.at + "/" + pointerToken(kid.field.name)})
			}
			continue
		}
		s.inside = append(s.inside, one)
		byName[kid.field.name] = one.value
		if !slices.Contains(n.order, kid.field.name) {
			names = append(names, kid.field.name)
		}
	}
	s.value = &jsonValue{kind: '{'}
	for _, name := range names {
		if value := byName[name]; value != nil {
			s.value.members = append(s.value.members, jsonMember{name, value})
		}
	}
}

func (n *node) emitVariant(s *sent) {
	kid := n.variant()
	if one := kid.emitRow(s.at); one != nil {
		s.inside, s.value = []*sent{one}, one.value
		return
	}
	s.value, s.broken = jsonNull, "nothing was filled in for "+kid.field.label
}

// clear takes the value away.
func (n *node) clear() {
	*n = node{field: n.field, up: n.up, key: n.key, folded: n.folded}
}

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
		return v.kind == '"' && editable(v.text)
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

// addRow appends a row to a list or map.
func (n *node) addRow(key string) *node {
	row := newNode(n.field.members()[0], n)
	row.key, row.folded = key, false
	n.set, n.null = true, false
	n.kids = append(n.kids, row)
	return row
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
