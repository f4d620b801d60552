package tui

import (
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

// withoutSecrets leaves out the values of secret fields, and members of any value
// whose name says that they are secret.
func (s *sent) withoutSecrets() *jsonValue {
	hidden := s.hiding()
	return hidden.strip(s.value, s.at)
}

// secretNames are the names of what [sent.withoutSecrets] leaves out, as a person
// reads them. It is fine for nil.
func (s *sent) secretNames() []string {
	if s == nil || s.value == nil {
		return nil
	}
	hidden := s.hiding()
	if s.field.secret {
		return []string{s.field.label}
	}
	hidden.strip(s.value, s.at)
	return slices.Compact(slices.Sorted(slices.Values(hidden.names)))
}

// hiding finds what is secret in a value.
type hiding struct {
	at    map[string]bool // JSON pointers of secret fields
	names []string        // what strip left out
}

func (s *sent) hiding() *hiding {
	h := &hiding{at: map[string]bool{}}
	h.mark(s)
	return h
}

func (h *hiding) mark(s *sent) {
	if s.field.secret {
		h.at[s.at] = true
	}
	for _, one := range s.inside {
		h.mark(one)
	}
}

// hides reports whether the member at a place is secret, by its field or its name.
func (h *hiding) hides(at, name string) bool { return h.at[at] || secretName(name) }

func (h *hiding) strip(v *jsonValue, at string) *jsonValue {
	switch v.kind {
	case '{':
		kept := &jsonValue{kind: '{'}
		for _, m := range v.members {
			here := at + "/" + pointerToken(m.name)
			if h.hides(here, m.name) {
				h.names = append(h.names, broker.CleanLine(m.name))
				continue
			}
			kept.members = append(kept.members, jsonMember{m.name, h.strip(m.value, here)})
		}
		return kept
	case '[':
		kept := &jsonValue{kind: '['}
		for i, item := range v.items {
			here := at + "/" + countText(i)
			if h.at[here] {
				h.names = append(h.names, "an item of a list")
				continue
			}
			kept.items = append(kept.items, h.strip(item, here))
		}
		return kept
	}
	return v
}

// bared is what a person was told of before secrets are shown: a key, and the
// version of the form in which it was pressed.
type bared struct {
	key     string
	version int
}

// openly is an act that shows values in the clear. Where secrets are among them, it
// says so first, and acts when the key is pressed again.
func (f *form) openly(key string, what func() *sent, act func() action) func() action {
	return func() action {
		names := what().secretNames()
		if told := (bared{key, f.version}); len(names) > 0 && f.bared != told {
			f.bared = told
			return notice{info, key + " again shows in the clear: " + strings.Join(names, ", ")}
		}
		return act()
	}
}

// whole is all that would be sent, unless it is shown as JSON already.
func (f *form) whole() *sent {
	if f.raw != nil {
		return nil
	}
	return &f.shown
}

// here is what would be sent for the row at the cursor, unless it is shown as JSON
// already.
func (f *form) here() *sent {
	row, ok := f.row()
	if !ok || f.raw != nil || row.kind != rowField || row.node.raw {
		return nil
	}
	return f.shown.of(row.node)
}

// of is what is sent for a node, or nil.
func (s *sent) of(n *node) *sent {
	if s.node == n {
		return s
	}
	for _, one := range s.inside {
		if found := one.of(n); found != nil {
			return found
		}
	}
	return nil
}
