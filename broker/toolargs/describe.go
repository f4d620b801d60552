package toolargs

import (
	"fmt"
	"slices"
	"strings"
)

// describe is a schema in a few words, as "integer 1 to 100" or "a, b or null".
func (s *Schema) describe(p place, depth int) string {
	if values := p.values(); len(values) > 0 {
		return wordList(values)
	}
	branches, base, null := s.union(p)
	types, nullable := base.types()
	if len(branches) > 0 && depth > 0 {
		var each []string
		for _, b := range branches {
			if text := s.describe(append(slices.Clone(b), base...), depth-1); !slices.Contains(each, text) {
				each = append(each, text)
			}
		}
		if null || nullable {
			each = append(each, "null")
		}
		return strings.Join(each, " or ")
	}
	text := strings.Join(types, " or ")
	if text == "" && !nullable {
		text = "any"
	}
	if items := s.below(base, "items"); slices.Contains(types, "array") && len(items) > 0 && depth > 0 {
		text += " of " + s.describe(items, depth-1)
	}
	text += base.limits()
	switch {
	case nullable && text == "":
		return "null"
	case nullable:
		return text + " or null"
	}
	return text
}

func (p place) limits() string {
	text := ""
	if format := p.text("format"); format != "" {
		text = " (" + format + ")"
	}
	switch low, high := p.number("minimum"), p.number("maximum"); {
	case low != "" && high != "":
		text += " " + low + " to " + high
	case low != "":
		text += " from " + low
	case high != "":
		text += " to " + high
	}
	return text
}

// values are those that a value has to be one of; none where any is allowed.
func (p place) values() []*Value {
	if constant := p.keyword("const"); constant != nil {
		return []*Value{constant}
	}
	if enum := p.keyword("enum"); enum != nil {
		return enum.Items
	}
	return nil
}

// Word is a value as it is typed: a string without its quotes.
func Word(v *Value) string {
	if v.Kind == '"' {
		return v.Text
	}
	return v.Compact()
}

// wordList is a choice of values as they are typed. A string that another value
// would be taken for keeps its quotes.
func wordList(values []*Value) string {
	const most = 12
	var words []string
	for i, v := range values {
		if i == most {
			words = append(words, fmt.Sprintf("… %d more", len(values)-most))
			break
		}
		word := Word(v)
		if slices.ContainsFunc(values, func(other *Value) bool { return other != v && Word(other) == word }) {
			word = v.Compact()
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
