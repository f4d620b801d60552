// Package toolargs reads JSON Schemas and makes arguments: fields to be filled in,
// arguments of words as on a command line, and what is wrong with a value, field by
// field and in plain words. It is the only reader of schemas. A schema is the
// server's: what is not understood of it allows anything, and the server is the
// judge. Nothing here is cleaned for a terminal.
package toolargs

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Schema is one JSON Schema: a tool's inputSchema or outputSchema, or the
// requestedSchema of an elicitation.
type Schema struct{ root *Value }

// Read reads a schema. It never fails: what cannot be read allows anything.
func Read(text []byte) *Schema {
	root, err := ParseLenient(text)
	if err != nil {
		root = True
	}
	return &Schema{root}
}

// place is where a schema stands: the schema objects that hold for a value at once,
// which are the schema itself, what its $ref leads to, and each of its allOf. A
// keyword is taken from the first that has it.
type place []*Value

// maxDepth bounds how many references a schema is followed through, one inside of
// the other.
const maxDepth = 8

// place puts a schema, its $ref and its allOf beside each other, each schema once.
func (s *Schema) place(schema *Value) place { return s.follow(schema, nil) }

func (s *Schema) follow(schema *Value, all place) place {
	if schema == nil || schema.Kind != '{' || slices.Contains(all, schema) {
		return all
	}
	all = append(all, schema)
	if ref := schema.GetText("$ref"); ref != "" {
		all = s.follow(s.resolve(ref), all)
	}
	if list := schema.Get("allOf"); list != nil {
		for _, one := range list.Items {
			all = s.follow(one, all)
		}
	}
	return all
}

// resolve finds what a $ref means within the schema: a JSON pointer, or an $anchor.
// It is nil for all else.
func (s *Schema) resolve(ref string) *Value {
	ref = strings.TrimPrefix(ref, s.root.GetText("$id"))
	fragment, local := strings.CutPrefix(ref, "#")
	if !local {
		return nil
	}
	if fragment != "" && fragment[0] != '/' {
		return findAnchor(s.root, fragment)
	}
	target := s.root
	for _, token := range pointerTokens(fragment) {
		if target = child(target, token); target == nil {
			return nil
		}
	}
	return target
}

// PointerToken is a name as a JSON pointer spells it.
func PointerToken(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// pointerTokens are the names of a JSON pointer that is the fragment of a URI.
func pointerTokens(fragment string) []string {
	if fragment == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(fragment, "/"), "/")
	for i, token := range tokens {
		if plain, err := url.PathUnescape(token); err == nil {
			token = plain
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return tokens
}

// child is the member or item that a token of a JSON pointer means, or nil.
func child(v *Value, token string) *Value {
	if v.Kind == '[' {
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 || i >= len(v.Items) {
			return nil
		}
		return v.Items[i]
	}
	return v.Get(token)
}

// findAnchor looks for the schema with an $anchor.
func findAnchor(v *Value, anchor string) *Value {
	if v.GetText("$anchor") == anchor {
		return v
	}
	for _, m := range v.Members {
		if found := findAnchor(m.Value, anchor); found != nil {
			return found
		}
	}
	for _, item := range v.Items {
		if found := findAnchor(item, anchor); found != nil {
			return found
		}
	}
	return nil
}

// keyword is the first value of a keyword, or nil.
func (p place) keyword(name string) *Value {
	for _, schema := range p {
		if value := schema.Get(name); value != nil {
			return value
		}
	}
	return nil
}

func (p place) text(name string) string {
	if value := p.keyword(name); value != nil && value.Kind == '"' {
		return value.Text
	}
	return ""
}

func (p place) yes(name string) bool {
	value := p.keyword(name)
	return value != nil && value.Kind == 't'
}

// count is a keyword that counts, or -1.
func (p place) count(name string) int { return countOf(p.keyword(name)) }

func countOf(value *Value) int {
	if value == nil || value.Kind != '0' {
		return -1
	}
	n, err := strconv.ParseFloat(value.Text, 64)
	if err != nil || n < 0 || n > 1<<31-1 {
		return -1
	}
	return int(n)
}

func (p place) number(name string) string {
	if value := p.keyword(name); value != nil && value.Kind == '0' {
		return value.Text
	}
	return ""
}

// knownTypes are the types of JSON Schema. Any other says nothing.
var knownTypes = []string{"string", "number", "integer", "boolean", "array", "object", "null"}

// typeNames are the names that a "type" holds; none where one is not known.
func typeNames(value *Value) (names []string) {
	if value == nil {
		return nil
	}
	for _, item := range append([]*Value{value}, value.Items...) {
		if item.Kind == '"' && !slices.Contains(knownTypes, item.Text) {
			return nil
		}
		if item.Kind == '"' {
			names = append(names, item.Text)
		}
	}
	return names
}

// types are the types that a value may have, without null.
func (p place) types() (types []string, nullable bool) {
	for _, name := range typeNames(p.keyword("type")) {
		if name == "null" {
			nullable = true
			continue
		}
		types = append(types, name)
	}
	if slices.Contains(types, "number") {
		types = slices.DeleteFunc(types, func(t string) bool { return t == "integer" })
	}
	if len(types) == 0 && !nullable {
		types = p.impliedTypes()
	}
	return types, nullable || p.yes("nullable") // OpenAPI's word
}

// impliedTypes is the type of a schema that names none, from its other keywords.
func (p place) impliedTypes() []string {
	for _, hint := range []struct{ keyword, is string }{
		{"properties", "object"}, {"additionalProperties", "object"}, {"patternProperties", "object"},
		{"items", "array"}, {"prefixItems", "array"},
		{"pattern", "string"}, {"minLength", "string"}, {"maxLength", "string"}, {"format", "string"},
		{"minimum", "number"}, {"maximum", "number"}, {"multipleOf", "number"},
	} {
		if p.keyword(hint.keyword) != nil {
			return []string{hint.is}
		}
	}
	return nil
}

// propertyNames are the names of an object's members, in the server's order, which
// says what matters most.
func (p place) propertyNames() (names []string) {
	for _, schema := range p {
		if properties := schema.Get("properties"); properties != nil {
			for _, m := range properties.Members {
				if !slices.Contains(names, m.Name) {
					names = append(names, m.Name)
				}
			}
		}
	}
	return names
}

func (p place) requiredNames() (names []string) {
	for _, schema := range p {
		if required := schema.Get("required"); required != nil {
			for _, item := range required.Items {
				if item.Kind == '"' {
					names = append(names, item.Text)
				}
			}
		}
	}
	return names
}

// below is the place under some keywords of a place, taken from all of its schemas.
func (s *Schema) below(p place, path ...string) (found place) {
	for _, schema := range p {
		for _, name := range path {
			schema = schema.Get(name)
		}
		found = append(found, s.place(schema)...)
	}
	return found
}

// union are the branches of a oneOf or anyOf that say what a value looks like, but
// for null, and the place without them. Branches that only restrict a value
// further, as lists of required names do, are for checking.
func (s *Schema) union(p place) (branches []place, base place, nullable bool) {
	for i, schema := range p {
		for _, word := range []string{"oneOf", "anyOf"} {
			list := schema.Get(word)
			if list == nil || !slices.ContainsFunc(list.Items, shapes) {
				continue
			}
			for _, item := range list.Items {
				branch := s.place(item)
				if types := typeNames(branch.keyword("type")); slices.Equal(types, []string{"null"}) || isNull(branch.keyword("const")) {
					nullable = true
					continue
				}
				branches = append(branches, branch)
			}
			base = slices.Clone(p)
			base[i] = schema.without(word)
			return branches, base, nullable
		}
	}
	return nil, p, false
}

// shapes reports whether a branch says what a value looks like, and not only which
// members it must have.
func shapes(branch *Value) bool {
	return slices.ContainsFunc([]string{"type", "properties", "items", "enum", "const", "$ref", "anyOf", "oneOf", "allOf",
		"additionalProperties"},
		func(name string) bool { return branch.Get(name) != nil })
}

// isSchema reports whether a value is one: an object, true or false.
func isSchema(v *Value) bool { return v != nil && (v.Kind == '{' || v.Kind == 't' || v.Kind == 'f') }

func isNull(v *Value) bool { return v != nil && v.Kind == 'n' }
