package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcpauth/mcpauth/broker"
)

// union handles oneOf and anyOf. It reports whether they made the field what it
// is: where they only restrict it further, as lists of required names do, the
// validator judges them and the plan goes on without.
func (p *planner) union(f *spec, s place, depth int) bool {
	word, at := "", 0
	for i, l := range s.layers {
		for _, name := range []string{"oneOf", "anyOf"} {
			if list := l.schema.get(name); word == "" && list != nil && slices.ContainsFunc(list.items, shapes) {
				word, at = name, i
			}
		}
	}
	if word == "" {
		return false
	}
	owner := s.layers[at]
	base := slices.Clone(s.layers)
	base[at].schema = without(owner.schema, word)
	branches := p.branches(f, owner, word)
	if choices := constants(branches); choices != nil {
		f.choose(choices)
		return true
	}
	if len(branches) == 1 { // null was the other one
		p.classify(f, place{append(branches[0].layers, base...), s.rules}, depth)
		if f.about == "" {
			f.about = broker.CleanText(branches[0].layers.text("description"))
		}
		return true
	}
	f.kind = kindVariant
	f.inside = func() []*spec { return p.variants(f, base, branches, depth) }
	return true
}

// branches are the members of a union, but for null, which is a state of the field.
func (p *planner) branches(f *spec, owner layer, word string) []place {
	var all []place
	for i, branch := range owner.schema.get(word).items {
		at := fmt.Sprintf("%s/%s/%d", owner.at, word, i)
		layers := p.layers(branch, at, nil)
		if kind := layers.keyword("type"); kind != nil && kind.text == "null" || isNull(layers.keyword("const")) {
			f.nullable = true
			continue
		}
		all = append(all, place{layers, []string{at}})
	}
	return all
}

// shapes reports whether a branch of a union says what a value looks like, and
// not only which members it must have.
func shapes(branch *jsonValue) bool {
	return slices.ContainsFunc([]string{"type", "properties", "items", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", "additionalProperties"},
		func(name string) bool { return branch.get(name) != nil })
}

// constants are the choices of a union whose members all name their values, or nil.
func constants(branches []place) []choice {
	var all []choice
	for _, b := range branches {
		title, about := broker.CleanLine(b.layers.text("title")), broker.CleanLine(b.layers.text("description"))
		if value := b.layers.keyword("const"); value != nil {
			all = append(all, choice{value, title, about})
			continue
		}
		enum := b.layers.keyword("enum")
		if enum == nil || len(enum.items) == 0 {
			return nil
		}
		for _, value := range enum.items {
			all = append(all, choice{value: value, about: about})
		}
	}
	return all
}

// variants are the fields that a person picks from.
func (p *planner) variants(f *spec, base layers, branches []place, depth int) []*spec {
	kids := make([]*spec, len(branches))
	used := map[string]bool{}
	for i, b := range branches {
		kid := p.field("", place{append(slices.Clone(b.layers), base...), b.rules}, depth, f.secret)
		kid.required = true
		kid.about = broker.CleanText(b.layers.text("description"))
		kid.label = p.variantLabel(b.layers, kid)
		if used[kid.label] {
			kid.label = fmt.Sprintf("%s %d", kid.label, i+1)
		}
		used[kid.label] = true
		kids[i] = kid
	}
	return kids
}

// variantLabel names a variant: by its title, by the constant that tells it from
// the others, by the schema that it refers to, or by its type.
func (p *planner) variantLabel(ls layers, f *spec) string {
	if title := ls.text("title"); title != "" {
		return broker.CleanLine(title)
	}
	if f.kind == kindGroup {
		for _, kid := range f.members() {
			if kid.kind == kindChoice && len(kid.choices) == 1 {
				return kid.choices[0].label
			}
		}
	}
	if ref := ls.text("$ref"); ref != "" {
		return broker.CleanLine(ref[strings.LastIndexByte(ref, '/')+1:])
	}
	switch f.kind {
	case kindList, kindMulti:
		return "list"
	case kindMap:
		return "map"
	case kindNumber:
		if f.integer {
			return "whole number"
		}
	case kindChoice:
		if isBoolean(f) {
			return "yes or no"
		}
		return "choice"
	case kindGroup:
		var names []string
		for _, kid := range f.members() {
			if kid.required {
				names = append(names, kid.label)
			}
		}
		if len(names) > 0 {
			return strings.Join(names[:min(3, len(names))], ", ")
		}
	}
	return f.kind.String()
}

// byType makes a variant of a field that may have several types.
func (p *planner) byType(f *spec, s place, types []string, depth int) {
	f.kind = kindVariant
	f.inside = func() []*spec {
		branches := make([]place, len(types))
		for i, name := range types {
			only := &jsonValue{kind: '{', members: []jsonMember{{"type", jsonText(name)}}}
			branches[i] = place{layers{{only, ""}}, s.rules}
		}
		kids := p.variants(f, s.layers, branches, depth)
		for _, kid := range kids {
			kid.nullable = false
		}
		return kids
	}
}

// typesOf are the types that a value may have, without null.
func (ls layers) types() (types []string, nullable bool) {
	value := ls.keyword("type")
	if value == nil {
		return nil, ls.yes("nullable") // OpenAPI's word
	}
	for _, item := range append([]*jsonValue{value}, value.items...) {
		switch {
		case item.kind != '"':
		case item.text == "null":
			nullable = true
		default:
			types = append(types, item.text)
		}
	}
	if slices.Contains(types, "number") {
		types = slices.DeleteFunc(types, func(t string) bool { return t == "integer" })
	}
	if value.kind == '"' && nullable {
		return nil, true
	}
	return types, nullable || ls.yes("nullable")
}

// impliedType is the type of a schema that names none, from its other keywords.
func (ls layers) impliedType() string {
	for _, hint := range []struct {
		keyword, is string
	}{
		{"properties", "object"}, {"additionalProperties", "object"}, {"patternProperties", "object"},
		{"items", "array"}, {"prefixItems", "array"},
		{"pattern", "string"}, {"minLength", "string"}, {"maxLength", "string"}, {"format", "string"},
		{"minimum", "number"}, {"maximum", "number"}, {"multipleOf", "number"},
	} {
		if ls.keyword(hint.keyword) != nil {
			return hint.is
		}
	}
	if _, nullable := ls.types(); nullable {
		return "null"
	}
	return ""
}

// keyword is the first value of a keyword among the layers, or nil.
func (ls layers) keyword(name string) *jsonValue {
	for _, l := range ls {
		if value := l.schema.get(name); value != nil {
			return value
		}
	}
	return nil
}

func (ls layers) text(name string) string {
	if value := ls.keyword(name); value != nil && value.kind == '"' {
		return value.text
	}
	return ""
}

func (ls layers) yes(name string) bool {
	value := ls.keyword(name)
	return value != nil && value.kind == jsontext.Kind('t')
}

func isNull(v *jsonValue) bool { return v != nil && v.kind == 'n' }

func without(v *jsonValue, name string) *jsonValue {
	return &jsonValue{kind: v.kind, members: slices.DeleteFunc(slices.Clone(v.members), func(m jsonMember) bool { return m.name == name })}
}
