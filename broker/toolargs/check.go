package toolargs

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is what is wrong with a value, or with one inside it.
type Problem struct {
	At   string // JSON pointer in the value
	Text string // the end of a sentence about it: "must be at most 100, not 500"
	Sort Sort
}

// Sort is what a caller may decide on.
type Sort int

const (
	Other   Sort = iota
	Missing      // a required value is not there
	Format       // it is not of its format, which JSON Schema only notes
	wrongType
	wrongValue // not one of those that are allowed
)

// Name is where the problem is, as a command line spells it: "lines[0].sku". It is
// empty for the whole value.
func (p Problem) Name() string {
	name := ""
	for _, token := range pointerTokens(strings.ReplaceAll(p.At, "%", "%25")) {
		if _, err := strconv.Atoi(token); err == nil {
			name += "[" + token + "]"
		} else {
			name += "." + token
		}
	}
	return strings.TrimPrefix(name, ".")
}

// Sentence is the problem with its name.
func (p Problem) Sentence() string {
	if p.At == "" {
		return "the whole " + p.Text
	}
	return p.Name() + " " + p.Text
}

// Check finds what is wrong with a value, the innermost first: a value whose inside
// is wrong is not blamed for it. What is not understood of the schema allows
// anything.
func (s *Schema) Check(v *Value) []Problem {
	return (&checker{schema: s}).check(s.root, v, "", 0)
}

// checker is one check. Schemas may refer to themselves, so it is bounded.
type checker struct {
	schema *Schema
	steps  int
}

const (
	maxSteps = 100_000
	maxRefs  = 50 // schemas that are followed for one value
)

// check checks a value by a schema. chain is how many schemas led to it for the
// same value.
func (c *checker) check(s, v *Value, at string, chain int) []Problem {
	if c.steps++; s == nil || c.steps > maxSteps || chain > maxRefs {
		return nil
	}
	if s.Kind == 'f' {
		return one(at, "is not allowed", wrongValue)
	}
	if s.Kind != '{' {
		return nil
	}
	var found []Problem
	if ref := s.GetText("$ref"); ref != "" {
		found = c.check(c.schema.resolve(ref), v, at, chain+1)
	}
	if found == nil {
		found = c.ofValue(s, v, at)
	}
	for _, part := range []func(s, v *Value, at string, chain int) []Problem{c.members, c.items, c.combined} {
		if found == nil || found[0].Sort == Format {
			found = append(found, part(s, v, at, chain)...)
		}
	}
	return found
}

func one(at, text string, sort Sort) []Problem { return []Problem{{at, text, sort}} }

// excerpt is a value, cut, for a sentence.
func excerpt(v *Value) string {
	const most = 60
	text := v.Compact()
	if utf8.RuneCountInString(text) > most {
		return string([]rune(text)[:most]) + "…"
	}
	return text
}

// ofValue checks what is said of the value alone.
func (c *checker) ofValue(s, v *Value, at string) []Problem {
	wrong := func(text string, sort Sort) []Problem { return one(at, text+", not "+excerpt(v), sort) }
	if names := typeNames(s.Get("type")); len(names) > 0 && !c.hasType(names, s, v) {
		return wrong("must be "+c.schema.describe(c.schema.place(s), 2), wrongType)
	}
	equal := func(other *Value) bool { return other.Equal(v) }
	if enum := s.Get("enum"); enum != nil && len(enum.Items) > 0 && !slices.ContainsFunc(enum.Items, equal) {
		return wrong("must be one of "+wordList(enum.Items), wrongValue)
	}
	if constant := s.Get("const"); constant != nil && !constant.Equal(v) {
		return wrong("must be "+Word(constant), wrongValue)
	}
	switch v.Kind {
	case '0':
		if text := outOfBounds(s, v); text != "" {
			return wrong("must be "+text, Other)
		}
	case '"':
		return c.ofString(s, v, at)
	}
	return nil
}

func (c *checker) hasType(names []string, s, v *Value) bool {
	switch v.Kind {
	case 'n':
		return slices.Contains(names, "null") || place{s}.yes("nullable")
	case 't', 'f':
		return slices.Contains(names, "boolean")
	case '"':
		return slices.Contains(names, "string")
	case '[':
		return slices.Contains(names, "array")
	case '{':
		return slices.Contains(names, "object")
	}
	return slices.Contains(names, "number") || slices.Contains(names, "integer") && ratio(v.Text).IsInt()
}

// outOfBounds says what a number must be. Draft 4 had a boolean exclusiveMinimum
// beside minimum; since draft 6 it is a bound.
func outOfBounds(s, v *Value) string {
	p := place{s}
	for _, bound := range []struct {
		keyword, text string
		allowed       func(order int) bool
	}{
		{"minimum", "at least ", func(o int) bool { return o > 0 || o == 0 && !p.yes("exclusiveMinimum") }},
		{"maximum", "at most ", func(o int) bool { return o < 0 || o == 0 && !p.yes("exclusiveMaximum") }},
		{"exclusiveMinimum", "more than ", func(o int) bool { return o > 0 }},
		{"exclusiveMaximum", "less than ", func(o int) bool { return o < 0 }},
	} {
		limit := p.number(bound.keyword)
		if limit == "" {
			continue
		}
		if order := compareNumbers(v.Text, limit); !bound.allowed(order) {
			if order == 0 {
				return strings.NewReplacer("at least", "more than", "at most", "less than").Replace(bound.text) + limit
			}
			return bound.text + limit
		}
	}
	if step := p.number("multipleOf"); step != "" && ratio(step).Sign() > 0 && !new(big.Rat).Quo(ratio(v.Text), ratio(step)).IsInt() {
		return "a multiple of " + step
	}
	return ""
}

// ofString checks a string. Lengths are in characters.
func (c *checker) ofString(s, v *Value, at string) []Problem {
	p := place{s}
	if text := wrongSize(utf8.RuneCountInString(v.Text), p.count("minLength"), p.count("maxLength"), "character"); text != "" {
		return one(at, text, Other)
	}
	if pattern := p.text("pattern"); pattern != "" {
		if re, err := regexp.Compile(pattern); err == nil && !re.MatchString(v.Text) {
			return one(at, "must match "+pattern+", not "+excerpt(v), Other)
		}
	}
	if text := wrongFormat(p.text("format"), v.Text); text != "" {
		return one(at, "must be "+text, Format)
	}
	return nil
}

// members checks an object.
func (c *checker) members(s, v *Value, at string, _ int) (found []Problem) {
	if v.Kind != '{' {
		return nil
	}
	p := place{s}
	for _, name := range p.requiredNames() {
		if v.Get(name) == nil {
			found = append(found, Problem{at + "/" + PointerToken(name), "is required", Missing})
		}
	}
	for _, m := range v.Members {
		found = append(found, c.member(s, m, at)...)
		found = append(found, dependent(s, v, m.Name, at)...)
	}
	if found != nil {
		return found
	}
	if text := wrongSize(len(v.Members), p.count("minProperties"), p.count("maxProperties"), "member"); text != "" {
		return one(at, text, Other)
	}
	return nil
}

func (c *checker) member(s *Value, m Member, at string) (found []Problem) {
	here, known := at+"/"+PointerToken(m.Name), false
	if names := s.Get("propertyNames"); names != nil && c.check(names, String(m.Name), here, 0) != nil {
		found = append(found, Problem{here, "has a name that is not allowed", Other})
	}
	if own := s.Get("properties").Get(m.Name); own != nil {
		known, found = true, append(found, c.check(own, m.Value, here, 0)...)
	}
	if patterns := s.Get("patternProperties"); patterns != nil {
		for _, pattern := range patterns.Members {
			re, err := regexp.Compile(pattern.Name)
			if err != nil {
				known = true // unknown
			} else if re.MatchString(m.Name) {
				known, found = true, append(found, c.check(pattern.Value, m.Value, here, 0)...)
			}
		}
	}
	if rest := s.Get("additionalProperties"); rest != nil && !known {
		if rest.Kind == 'f' {
			return append(found, Problem{here, "is not known to the tool", wrongValue})
		}
		found = append(found, c.check(rest, m.Value, here, 0)...)
	}
	return found
}

// dependent checks what has to be there because a member is.
func dependent(s, v *Value, name, at string) (found []Problem) {
	for _, keyword := range []string{"dependentRequired", "dependencies"} {
		if needed := s.Get(keyword).Get(name); needed != nil {
			for _, other := range needed.Items {
				if other.Kind == '"' && v.Get(other.Text) == nil {
					found = append(found, Problem{at + "/" + PointerToken(other.Text), "is required where " + name + " is given", Missing})
				}
			}
		}
	}
	return found
}

// items checks a list. A list of schemas is "prefixItems", and before draft 2020-12
// it was "items", with "additionalItems" for the rest.
func (c *checker) items(s, v *Value, at string, _ int) (found []Problem) {
	if v.Kind != '[' {
		return nil
	}
	p, first, rest := place{s}, s.Get("prefixItems"), s.Get("items")
	if rest != nil && rest.Kind == '[' {
		first, rest = rest, s.Get("additionalItems")
	}
	matching := 0
	for i, item := range v.Items {
		schema, here := rest, at+"/"+strconv.Itoa(i)
		if first != nil && i < len(first.Items) {
			schema = first.Items[i]
		}
		found = append(found, c.check(schema, item, here, 0)...)
		if c.check(s.Get("contains"), item, here, 0) == nil {
			matching++
		}
	}
	if found != nil {
		return found
	}
	if text := wrongSize(len(v.Items), p.count("minItems"), p.count("maxItems"), "item"); text != "" {
		return one(at, text, Other)
	}
	if contains := s.Get("contains"); contains != nil && matching == 0 && p.count("minContains") != 0 {
		return one(at, "must have an item that is "+c.schema.describe(c.schema.place(contains), 2), Other)
	}
	if p.yes("uniqueItems") {
		return c.unique(v, at)
	}
	return nil
}

func (c *checker) unique(v *Value, at string) []Problem {
	for i, item := range v.Items {
		for _, other := range v.Items[:i] {
			if c.steps++; c.steps <= maxSteps && other.Equal(item) {
				return one(at, "must not have the same item twice", Other)
			}
		}
	}
	return nil
}

// combined checks by the schemas of allOf, anyOf, oneOf, not and if.
func (c *checker) combined(s, v *Value, at string, chain int) (found []Problem) {
	if all := s.Get("allOf"); all != nil {
		for _, item := range all.Items {
			found = append(found, c.check(item, v, at, chain+1)...)
		}
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list := s.Get(word); list != nil && len(list.Items) > 0 {
			found = append(found, c.alternatives(s, list, v, at, chain)...)
		}
	}
	if not := s.Get("not"); isSchema(not) && c.fits(not, v, at, chain) {
		found = append(found, Problem{at, "must not be " + excerpt(v), Other})
	}
	if condition := s.Get("if"); isSchema(condition) {
		then := s.Get("else")
		if c.fits(condition, v, at, chain) {
			then = s.Get("then")
		}
		found = append(found, c.check(then, v, at, chain+1)...)
	}
	return found
}

// fits reports whether nothing but formats is wrong. A schema that is not
// understood, or too deep, fits.
func (c *checker) fits(s, v *Value, at string, chain int) bool {
	return !slices.ContainsFunc(c.check(s, v, at, chain+1), hard)
}

func hard(p Problem) bool { return p.Sort != Format }

// alternatives checks by anyOf or oneOf. Of several that fail, it is the problems of
// the one that was meant, if it is clear.
func (c *checker) alternatives(s, list, v *Value, at string, chain int) []Problem {
	var fitting, failing [][]Problem
	for _, item := range list.Items {
		if found := c.check(item, v, at, chain+1); slices.ContainsFunc(found, hard) {
			failing = append(failing, found)
		} else {
			fitting = append(fitting, found)
		}
	}
	switch isOne := list == s.Get("oneOf"); {
	case isOne && len(fitting) > 1:
		return one(at, "fits more than one of the forms that are allowed", Other)
	case len(fitting) > 0:
		return fitting[0]
	}
	meant := slices.DeleteFunc(slices.Clone(failing), func(found []Problem) bool {
		return slices.ContainsFunc(found, func(p Problem) bool { return otherForm(p, at) })
	})
	if len(meant) == 1 {
		return meant[0]
	}
	if text := needs(failing); text != "" {
		return one(at, text, Other)
	}
	return one(at, "must be "+c.schema.describe(place{s}, 2)+", not "+excerpt(v), wrongType)
}

// otherForm reports whether a problem says that another form was meant: the value
// is of another type, or a member names another one.
func otherForm(p Problem, at string) bool {
	inside := strings.TrimPrefix(p.At, at)
	return p.Sort == wrongType && inside == "" || p.Sort == wrongValue && strings.Count(inside, "/") <= 1
}

// needs says which members are missing, where that is all that is wrong with each
// form.
func needs(failing [][]Problem) string {
	var forms []string
	for _, found := range failing {
		var names []string
		for _, p := range found {
			if p.Sort != Missing {
				return ""
			}
			names = append(names, p.At[strings.LastIndexByte(p.At, '/')+1:])
		}
		forms = append(forms, strings.Join(names, " and "))
	}
	return "needs " + strings.Join(forms, " or ")
}
