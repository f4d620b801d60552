package form

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
)

// sent is what goes out for a form, and which node each part of it is of.
type sent struct {
	value  *toolargs.Value
	nodes  map[string]*node          // by JSON pointer, those that are not sent, too
	at     map[*node]string          // the other way round
	values map[*node]*toolargs.Value // of those that are sent
	broken []problem                 // texts that are no value of their kind
}

// problem is what is wrong with a field.
type problem struct {
	node    *node
	at      string // JSON pointer in the value
	text    string
	missing bool // it is required and not there
}

// sentence is the problem with the name of its field.
func (p problem) sentence() string {
	return toolargs.Problem{At: p.at, Text: p.text}.Sentence()
}

// emit makes what goes out for a node. The value is nil where nothing does.
func (n *node) emit() *sent {
	s := &sent{nodes: map[string]*node{}, at: map[*node]string{}, values: map[*node]*toolargs.Value{}}
	s.value = s.add(n, "")
	return s
}

// add is the value of a node, or nil.
func (s *sent) add(n *node, at string) *toolargs.Value {
	s.nodes[at], s.at[n] = n, at
	v := s.valueOf(n, at)
	if v != nil {
		s.values[n] = v
	}
	return v
}

func (s *sent) valueOf(n *node, at string) *toolargs.Value {
	switch {
	case !n.present():
		return s.impliedOf(n, at)
	case n.null:
		return toolargs.Null
	case n.isJSON():
		v, err := toolargs.Parse([]byte(n.text))
		if err != nil {
			// Sent as a string, so that one who sends it anyway gets the server's answer.
			return s.breaks(n, at, "no JSON: "+err.Error())
		}
		return v
	}
	switch n.field.Kind {
	case toolargs.Text:
		return toolargs.String(n.text)
	case toolargs.Scalar:
		v, wanted := n.field.FromWord(strings.TrimSpace(n.text))
		if wanted != "" {
			return s.breaks(n, at, "must be "+wanted)
		}
		return v
	case toolargs.Choice:
		return n.field.Choices[n.picks[0]].Value
	case toolargs.Choices:
		list := &toolargs.Value{Kind: '['}
		for _, i := range n.picks {
			list.Items = append(list.Items, n.field.Choices[i].Value)
		}
		return list
	case toolargs.List:
		return s.rows(n, at)
	}
	return s.group(n, at)
}

// impliedOf is what goes out for a node without a value of its own.
func (s *sent) impliedOf(n *node, at string) *toolargs.Value {
	if v := n.implied(); v != nil || n.raw || n.field.Kind != toolargs.Group {
		return v
	}
	v := s.group(n, at) // for the places of its fields, too
	if n.field.Required && (n.up == nil || !n.up.loaded) {
		return v
	}
	return nil
}

func (s *sent) breaks(n *node, at, text string) *toolargs.Value {
	s.broken = append(s.broken, problem{node: n, at: at, text: text})
	return toolargs.String(n.text)
}

// rows leaves out rows that were not touched. A group is there even if it is empty.
func (s *sent) rows(n *node, at string) *toolargs.Value {
	list := &toolargs.Value{Kind: '['}
	for _, row := range n.kids {
		here := at + "/" + strconv.Itoa(len(list.Items))
		v := s.add(row, here)
		if v == nil && row.field.Kind == toolargs.Group {
			v = toolargs.Object()
			s.values[row] = v
		}
		if v != nil {
			list.Items = append(list.Items, v)
		}
	}
	return list
}

// group keeps the order of the JSON that was loaded; what is new follows in the
// order of the schema.
func (s *sent) group(n *node, at string) *toolargs.Value {
	byName := map[string]*toolargs.Value{}
	for _, m := range n.extra {
		byName[m.Name] = m.Value
	}
	names := slices.Clone(n.order)
	kids := n.kids // not of groups that were never opened: schemas may be recursive
	if n.present() || n.field.Required {
		kids = n.members()
	}
	for _, kid := range kids {
		v := s.add(kid, at+"/"+toolargs.PointerToken(kid.field.Name))
		if v == nil {
			continue
		}
		byName[kid.field.Name] = v
		if !slices.Contains(n.order, kid.field.Name) {
			names = append(names, kid.field.Name)
		}
	}
	object := toolargs.Object()
	for _, name := range names {
		if v := byName[name]; v != nil {
			object.Members = append(object.Members, toolargs.Member{Name: name, Value: v})
		}
	}
	return object
}

// check finds what is wrong with what goes out. What is no value of its kind is
// said in its own words.
func (s *sent) check(schema *toolargs.Schema) []problem {
	all := slices.Clone(s.broken)
	for _, p := range schema.Check(s.value) {
		inBroken := func(b problem) bool { return p.At == b.at || strings.HasPrefix(p.At, b.at+"/") }
		if !slices.ContainsFunc(s.broken, inBroken) {
			all = append(all, problem{s.nodeAt(p.At), p.At, p.Text, p.Sort == toolargs.Missing})
		}
	}
	return all
}

// nodeAt is the node of a place, or of what it lies in.
func (s *sent) nodeAt(at string) *node {
	for s.nodes[at] == nil && at != "" {
		at = at[:strings.LastIndexByte(at, '/')]
	}
	return s.nodes[at]
}

// withoutSecrets leaves out the values of secret fields, and members of any value
// whose name says that they are secret.
func (s *sent) withoutSecrets() *toolargs.Value {
	return s.hiding().strip(s.value, "")
}

// secretNames are the names of what a node holds and [sent.withoutSecrets] leaves
// out, as they are shown.
func (s *sent) secretNames(n *node) []string {
	v := s.values[n]
	if v == nil {
		return nil
	}
	if n.field.Secret {
		return []string{text.CleanLine(n.field.Label)}
	}
	h := s.hiding()
	h.strip(v, s.at[n])
	return slices.Compact(slices.Sorted(slices.Values(h.names)))
}

// hiding finds what is secret in a value.
type hiding struct {
	at    map[string]bool // JSON pointers of secret fields
	names []string        // what strip left out
}

func (s *sent) hiding() *hiding {
	h := &hiding{at: map[string]bool{}}
	for n := range s.values {
		if n.field.Secret {
			h.at[s.at[n]] = true
		}
	}
	return h
}

// hides reports whether the member at a place is secret, by its field or its name.
func (h *hiding) hides(at, name string) bool { return h.at[at] || toolargs.SecretName(name) }

func (h *hiding) strip(v *toolargs.Value, at string) *toolargs.Value {
	kept := &toolargs.Value{Kind: v.Kind, Text: v.Text}
	for _, m := range v.Members {
		here := at + "/" + toolargs.PointerToken(m.Name)
		if h.hides(here, m.Name) {
			h.names = append(h.names, text.CleanLine(m.Name))
			continue
		}
		kept.Members = append(kept.Members, toolargs.Member{Name: m.Name, Value: h.strip(m.Value, here)})
	}
	for i, item := range v.Items {
		here := at + "/" + strconv.Itoa(i)
		if h.at[here] {
			h.names = append(h.names, "an item of a list")
			continue
		}
		kept.Items = append(kept.Items, h.strip(item, here))
	}
	return kept
}
