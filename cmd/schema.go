package cmd

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// schema is what the command line reads of a JSON Schema: enough to make values of
// words and to show fields. What a server got wrong is left out; whether a whole
// call is right is asked of a library.
type schema struct {
	Ref                  string
	Types                []string
	Enum                 []json.RawMessage
	Const, Default       json.RawMessage
	Properties           []property // in the server's order
	Required             []string
	Items                *schema
	AnyOf, OneOf, AllOf  []*schema
	Additional           *schema // nil where it is not said; see closed
	Title, Description   string
	Format, Pattern      string
	Minimum, Maximum     json.RawMessage
	MinLength, MaxLength json.RawMessage
	Defs                 map[string]*schema
	closed               bool // nothing but its properties
}

type property struct {
	name string
	*schema
}

// parseSchema reads a schema. It never fails: what cannot be read allows anything.
func parseSchema(text json.RawMessage) *schema {
	s := &schema{}
	_ = s.UnmarshalJSON(text)
	return s
}

// UnmarshalJSON never fails.
func (s *schema) UnmarshalJSON(text []byte) error {
	var d struct {
		Ref                                    string `json:"$ref"`
		Type                                   json.RawMessage
		Enum                                   []json.RawMessage
		Const, Default                         json.RawMessage
		Properties                             json.RawMessage
		Required                               []string
		Items                                  *schema
		AnyOf, OneOf, AllOf                    []*schema
		AdditionalProperties                   json.RawMessage
		Title, Description, Format, Pattern    string
		Minimum, Maximum, MinLength, MaxLength json.RawMessage
		Defs                                   map[string]*schema `json:"$defs"`
		Definitions                            map[string]*schema
	}
	_ = json.Unmarshal(text, &d)
	*s = schema{
		Ref: d.Ref, Enum: d.Enum, Const: d.Const, Default: d.Default, Required: d.Required, Items: d.Items,
		AnyOf: solid(d.AnyOf), OneOf: solid(d.OneOf), AllOf: solid(d.AllOf),
		Title: d.Title, Description: d.Description, Format: d.Format, Pattern: d.Pattern,
		Minimum: d.Minimum, Maximum: d.Maximum, MinLength: d.MinLength, MaxLength: d.MaxLength,
		Defs: d.Defs, Properties: parseProperties(d.Properties),
	}
	if s.Defs == nil {
		s.Defs = d.Definitions
	}
	var one string
	if json.Unmarshal(d.Type, &one) == nil && one != "" {
		s.Types = []string{one}
	} else {
		_ = json.Unmarshal(d.Type, &s.Types)
	}
	switch string(d.AdditionalProperties) {
	case "false":
		s.closed = true
	case "", "null":
	default:
		s.Additional = parseSchema(d.AdditionalProperties)
	}
	return nil
}

// solid leaves out what is null.
func solid(list []*schema) []*schema {
	return slices.DeleteFunc(list, func(s *schema) bool { return s == nil })
}

func parseProperties(text json.RawMessage) (all []property) {
	for _, m := range parseMembers(text) {
		all = append(all, property{m.name, parseSchema(m.value)})
	}
	return all
}

type member struct {
	name  string
	value json.RawMessage
}

// parseMembers keeps the order of an object, which says what matters most.
func parseMembers(text json.RawMessage) (all []member) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return all
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return all
		}
		if text, ok := name.(string); ok {
			all = append(all, member{text, value})
		}
	}
	return all
}

// maxRefs bounds how many references are followed, one after the other.
const maxRefs = 16

// resolved follows references within the root, and joins what allOf says.
func (s *schema) resolved(root *schema) *schema {
	for range maxRefs {
		name, local := strings.CutPrefix(s.Ref, "#/$defs/")
		if !local {
			name, local = strings.CutPrefix(s.Ref, "#/definitions/")
		}
		next := root.Defs[name]
		switch {
		case s.Ref == "#":
			next = root
		case !local || next == nil:
			return s.joined(root)
		}
		if s.Description != "" || s.Default != nil { // said beside the reference
			own := *next
			if s.Description != "" {
				own.Description = s.Description
			}
			if s.Default != nil {
				own.Default = s.Default
			}
			next = &own
		}
		s = next
	}
	return &schema{}
}

// joined is the schema with the members of its allOf: pydantic puts a reference
// there to say more of it.
func (s *schema) joined(root *schema) *schema {
	if len(s.AllOf) != 1 || len(s.Types) > 0 || len(s.Properties) > 0 {
		return s
	}
	inner := *s.AllOf[0].resolved(root)
	if s.Description != "" {
		inner.Description = s.Description
	}
	if s.Default != nil {
		inner.Default = s.Default
	}
	return &inner
}

// property returns the schema of a member; nil where none is known.
func (s *schema) property(name string) *schema {
	for _, p := range s.Properties {
		if p.name == name {
			return p.schema
		}
	}
	return nil
}

// kinds are the types that a value may have, where they are told or to be seen.
func (s *schema) kinds() []string {
	switch {
	case len(s.Types) > 0:
		return s.Types
	case len(s.Properties) > 0 || s.Additional != nil:
		return []string{"object"}
	case s.Items != nil:
		return []string{"array"}
	}
	return nil
}

func (s *schema) choices() []*schema {
	if len(s.AnyOf) > 0 {
		return s.AnyOf
	}
	return s.OneOf
}

// words is a schema in a few words, as "integer 1 to 100" or "a, b or null".
func (s *schema) words(root *schema, depth int) string {
	s = s.resolved(root)
	switch {
	case len(s.Enum) > 0:
		return wordList(s.Enum)
	case s.Const != nil:
		return typed(s.Const)
	case len(s.choices()) > 0 && depth > 0:
		var each []string
		for _, c := range s.choices() {
			if w := c.words(root, depth-1); !slices.Contains(each, w) {
				each = append(each, w)
			}
		}
		return strings.Join(each, " or ")
	}
	text := strings.Join(s.kinds(), " or ")
	if text == "" {
		text = "any"
	}
	if slices.Contains(s.kinds(), "array") && s.Items != nil && depth > 0 {
		text += " of " + s.Items.words(root, depth-1)
	}
	return text + s.bounds()
}

func (s *schema) bounds() string {
	text := ""
	if s.Format != "" {
		text += " (" + s.Format + ")"
	}
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		text += " " + string(s.Minimum) + " to " + string(s.Maximum)
	case s.Minimum != nil:
		text += " from " + string(s.Minimum)
	case s.Maximum != nil:
		text += " to " + string(s.Maximum)
	}
	return text
}

// wordList is a choice of values as a person types them.
func wordList(values []json.RawMessage) string {
	const most = 12
	var words []string
	for i, v := range values {
		if i == most {
			words = append(words, "…")
			break
		}
		words = append(words, typed(v))
	}
	return strings.Join(words, ", ")
}

// typed is a value as a person types it: a text without its quotes.
func typed(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
