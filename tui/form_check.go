package tui

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/mcpauth/mcpauth/broker"
)

// problem is what is wrong with a field, for people.
type problem struct {
	node *node
	at   string // JSON pointer in the value
	text string
}

// required is what is wrong with a required field that has no value.
const required = "required"

// validator judges values by a schema, at any of its places. It is safe for
// concurrent use.
type validator struct {
	schema *jsonschema.Resolved // nil where the library does not take the schema
	places map[string]bool      // JSON pointers into the schema that can be judged by
	note   string               // what is not judged, and why; empty for nothing
}

// schemaBase is the address of the schema inside of the wrapper that newValidator makes.
const schemaBase = "https://schema.invalid/form"

// newValidator wraps the schema, so that each place in it can be judged by alone:
// the member "/properties/x" of the wrapper's value is judged by the schema there.
// The library stops at the first error and tells no place in the value, so one
// judgement over all would mend one field at a time.
func newValidator(schema *jsonValue) *validator {
	v := &validator{places: map[string]bool{}}
	if schema == nil || schema.kind != '{' {
		return v
	}
	var dropped []string
	root := known(schema, &dropped)
	id := jsonText(schemaBase)
	root = &jsonValue{kind: '{', members: append([]jsonMember{{"$id", id}}, without(without(root, "$id"), "$schema").members...)}
	properties := &jsonValue{kind: '{'}
	for _, at := range schemaPlaces(root, "", nil) {
		v.places[at] = true
		ref := &jsonValue{kind: '{', members: []jsonMember{{"$ref", jsonText(schemaBase + "#" + (&url.URL{Fragment: at}).EscapedFragment())}}}
		properties.members = append(properties.members, jsonMember{at, ref})
	}
	wrapper := &jsonValue{kind: '{', members: []jsonMember{
		{"$schema", jsonText(draftOf(schema))},
		{"$defs", &jsonValue{kind: '{', members: []jsonMember{{"form", root}}}},
		{"properties", properties},
	}}
	var parsed jsonschema.Schema
	err := json.Unmarshal([]byte(wrapper.compact()), &parsed)
	if err == nil {
		v.schema, err = parsed.Resolve(nil)
	}
	if err != nil {
		v.note = "only simple checks: " + innermost(err)
	} else if len(dropped) > 0 {
		v.note = "not checked: " + strings.Join(dropped, ", ")
	}
	return v
}

// draftOf is the draft to judge by. Older ones are near enough to draft-07, and
// MCP's own default is 2020-12.
func draftOf(schema *jsonValue) string {
	for _, old := range []string{"draft-07", "draft-06", "draft-04"} {
		if strings.Contains(schema.getText("$schema"), old) {
			return "http://json-schema.org/draft-07/schema#"
		}
	}
	return "https://json-schema.org/draft/2020-12/schema"
}

// known leaves out of a schema what the library cannot judge and would refuse:
// patterns that Go's regular expressions do not know, and references to elsewhere.
func known(s *jsonValue, dropped *[]string) *jsonValue {
	switch s.kind {
	case '[':
		list := &jsonValue{kind: '['}
		for _, item := range s.items {
			list.items = append(list.items, known(item, dropped))
		}
		return list
	case '{':
		object := &jsonValue{kind: '{'}
		for _, m := range s.members {
			if reason := unknown(m); reason != "" {
				*dropped = append(*dropped, reason)
				continue
			}
			if m.name != "default" && m.name != "examples" && m.name != "enum" && m.name != "const" {
				m.value = known(m.value, dropped)
			}
			object.members = append(object.members, m)
		}
		return object
	}
	return s
}

func unknown(m jsonMember) string {
	switch {
	case m.name == "pattern" && m.value.kind == '"':
		if _, err := regexp.Compile(m.value.text); err != nil {
			return "the pattern " + broker.CleanLine(m.value.text)
		}
	case m.name == "patternProperties" && m.value.kind == '{':
		for _, pattern := range m.value.members {
			if _, err := regexp.Compile(pattern.name); err != nil {
				return "names by the pattern " + broker.CleanLine(pattern.name)
			}
		}
	case m.name == "$ref" && m.value.kind == '"' && !strings.HasPrefix(m.value.text, "#"):
		return "the schema at " + broker.CleanLine(m.value.text)
	case m.name == "examples", m.name == "$comment":
		return ""
	}
	return ""
}

// keywords that hold one schema, a list of them, or one for each name.
var (
	oneSchema   = []string{"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"}
	schemaLists = []string{"allOf", "anyOf", "oneOf", "prefixItems"}
	schemaMaps  = []string{"properties", "patternProperties", "$defs", "definitions"}
)

// schemaPlaces are the JSON pointers of all schemas in a schema.
func schemaPlaces(s *jsonValue, at string, all []string) []string {
	if s.kind != '{' {
		return all
	}
	all = append(all, at)
	for _, m := range s.members {
		here := at + "/" + pointerToken(m.name)
		switch {
		case slices.Contains(oneSchema, m.name) && m.value.kind == '{':
			all = schemaPlaces(m.value, here, all)
		case slices.Contains(schemaLists, m.name) && m.value.kind == '[':
			for i, item := range m.value.items {
				all = schemaPlaces(item, here+"/"+strconv.Itoa(i), all)
			}
		case slices.Contains(schemaMaps, m.name) && m.value.kind == '{':
			for _, member := range m.value.members {
				all = schemaPlaces(member.value, here+"/"+pointerToken(member.name), all)
			}
		}
	}
	return all
}

// judge is what the schema at one of its places says to a value: nil for nothing.
func (v *validator) judge(place string, value any) error {
	if v.schema == nil || !v.places[place] {
		return nil
	}
	return v.schema.Validate(map[string]any{place: value})
}

// check finds what is wrong with what would be sent, the innermost first: a field
// whose inside is wrong is not blamed for it.
func (v *validator) check(s *sent) []problem {
	var found []problem
	for _, one := range s.missing {
		found = append(found, problem{one.node, one.at, required})
	}
	for _, one := range s.inside {
		found = append(found, v.check(one)...)
	}
	if s.broken != "" {
		return append(found, problem{s.node, s.at, s.broken})
	}
	if len(found) > 0 {
		return found
	}
	if words := s.field.wrong(s.value); words != "" {
		return []problem{{s.node, s.at, words}}
	}
	plain := s.value.plain()
	for _, place := range s.field.rules {
		if err := v.judge(place, plain); err != nil {
			return []problem{{s.node, s.at, s.field.words(err)}}
		}
	}
	return nil
}

// wrong is what is wrong with a value that the library does not judge, since
// formats are only notes to it, or would say in its own way.
func (f *spec) wrong(v *jsonValue) string {
	if v.kind == '"' && f.kind == kindText {
		return wrongFormat(f.format, v.text)
	}
	if v.kind == '0' && f.integer && !strings.Contains(fmt.Sprint(plainNumber(v.text)), "e") {
		if n, err := strconv.ParseFloat(v.text, 64); err == nil && n != float64(int64(n)) && n < 1e15 && n > -1e15 {
			return "not a whole number"
		}
	}
	return ""
}

var (
	uuidShape = regexp.MustCompile(`^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	timeShape = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(?i:z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
)

// wrongFormat says what a text lacks to be of a format, or nothing for formats
// that are not checked here.
func wrongFormat(format, s string) string {
	switch format {
	case "date":
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return "use YYYY-MM-DD"
		}
	case "date-time":
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return "use 2026-01-31T09:30:00Z"
		}
	case "time":
		if !timeShape.MatchString(s) {
			return "use 09:30:00Z"
		}
	case "email":
		if address, err := mail.ParseAddress(s); err != nil || address.Address != s {
			return "not an email address"
		}
	case "uri", "url":
		if u, err := url.Parse(s); err != nil || u.Scheme == "" {
			return "not an address with a scheme, like https://…"
		}
	case "uuid":
		if !uuidShape.MatchString(s) {
			return "not a UUID"
		}
	case "ipv4":
		if a, err := netip.ParseAddr(s); err != nil || !a.Is4() {
			return "not an IPv4 address"
		}
	case "ipv6":
		if a, err := netip.ParseAddr(s); err != nil || !a.Is6() {
			return "not an IPv6 address"
		}
	case "json", "json-string":
		if _, err := parseJSON([]byte(s)); err != nil {
			return "no JSON: " + err.Error()
		}
	case "regex":
		if _, err := regexp.Compile(s); err != nil {
			return "not a regular expression"
		}
	}
	return ""
}

// words says an error of the library in the terms of the form.
func (f *spec) words(err error) string {
	inner := innermost(err)
	word, _, _ := strings.Cut(inner, ":")
	switch word {
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "minProperties", "maxProperties":
		if bounds := f.bounds(); bounds != "" {
			return bounds
		}
	case "minLength", "maxLength":
		if bounds := f.bounds(); bounds != "" {
			return bounds + " characters"
		}
	case "pattern":
		return "does not match " + broker.CleanLine(f.pattern)
	case "type":
		return "the wrong kind of value: " + f.typeWords() + " is wanted"
	case "enum", "const":
		return "not one of the values"
	case "oneOf", "anyOf":
		if strings.Contains(inner, "validated against both") {
			return "fits more than one of the variants"
		}
		return "fits none of the variants"
	case "uniqueItems":
		return "an item stands twice"
	}
	return inner
}

// innermost is the end of an error's chain in one clean line: the library puts
// the way to the place in front of it.
func innermost(err error) string {
	all := err.Error()
	if i := strings.LastIndex(all, "validating "); i >= 0 {
		if _, rest, ok := strings.Cut(all[i:], ": "); ok {
			all = rest
		}
	}
	line, _, _ := strings.Cut(all, "\n")
	return broker.CleanLine(line)
}
