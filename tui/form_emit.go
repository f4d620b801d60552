package tui

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

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
