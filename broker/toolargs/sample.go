package toolargs

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// SampleCall is the shortest call that may work: the required arguments, as words that
// [Arguments.Add] takes. A pattern may still refuse a value.
func (s *Schema) SampleCall() (words []string) {
	sample := s.sample("", s.place(s.root), 0)
	for _, m := range sample.Members {
		words = append(words, s.sampleWords(m)...)
	}
	return words
}

// sampleWords are the words of one argument: field by field where they mean what they
// should, and otherwise as JSON.
func (s *Schema) sampleWords(m Member) []string {
	words, made := s.leaves(m.Name, m.Value, nil), s.Arguments(true)
	for _, word := range words {
		if made.Add(word) != nil {
			break
		}
	}
	if got := made.Value().Get(m.Name); got == nil || !got.Equal(m.Value) {
		return []string{m.Name + ":=" + m.Value.Compact()}
	}
	return words
}

// leaves are the words of the values inside of a value that hold no other.
func (s *Schema) leaves(key string, v *Value, words []string) []string {
	switch {
	case v.Kind == '{' && len(v.Members) > 0:
		for _, m := range v.Members {
			words = s.leaves(key+"."+m.Name, m.Value, words)
		}
		return words
	case v.Kind == '[' && len(v.Items) > 0:
		for i, item := range v.Items {
			words = s.leaves(fmt.Sprintf("%s[%d]", key, i), item, words)
		}
		return words
	}
	if _, where := s.Arguments(true).path(key); where != nil {
		if made, wanted := s.fromWord(where, Word(v), maxDepth); wanted == "" && made.Equal(v) {
			return append(words, key+"="+Word(v))
		}
	}
	return append(words, key+":="+v.Compact())
}

// sample is a value that may stand in a place: the first candidate that its schemas
// allow.
func (s *Schema) sample(name string, p place, depth int) *Value {
	candidates := s.candidates(name, p, depth)
	for _, v := range candidates {
		fits := func(schema *Value) bool { return (&checker{schema: s}).fits(schema, v, "", 0) }
		if !slices.ContainsFunc(p, func(schema *Value) bool { return !fits(schema) }) {
			return v
		}
	}
	return candidates[0]
}

// candidates are values to try in a place, at least one.
func (s *Schema) candidates(name string, p place, depth int) (all []*Value) {
	if depth > maxDepth {
		return []*Value{Null}
	}
	if value := p.keyword("default"); value != nil {
		all = append(all, value)
	}
	if values := p.keyword("examples"); values != nil {
		all = append(all, values.Items...)
	}
	all = append(all, p.values()...)
	branches, base, null := s.union(p)
	for _, b := range branches {
		all = append(all, s.sample(name, append(slices.Clone(b), base...), depth+1))
	}
	types, nullable := base.types()
	for _, kind := range types {
		all = append(all, s.ofKind(kind, name, base, depth)...)
	}
	if null || nullable {
		all = append(all, Null)
	}
	if len(all) == 0 {
		all = append(all, String(placeholder(name)))
	}
	return all
}

func (s *Schema) ofKind(kind, name string, p place, depth int) []*Value {
	switch kind {
	case "boolean":
		return []*Value{True, False}
	case "array":
		return []*Value{s.sampleList(name, p, depth), {Kind: '['}}
	case "object":
		return []*Value{s.sampleObject(p, depth)}
	case "string":
		return sampleStrings(name, p)
	}
	return sampleNumbers(p)
}

func (s *Schema) sampleObject(p place, depth int) *Value {
	made := Object()
	for _, name := range p.requiredNames() {
		made = made.with(name, s.sample(name, s.below(p, "properties", name), depth+1))
	}
	return made
}

// sampleList has an item also where none is required: it shows what one looks like.
func (s *Schema) sampleList(name string, p place, depth int) *Value {
	const most = 5
	made := &Value{Kind: '['}
	if first := p.keyword("prefixItems"); first != nil {
		for _, item := range first.Items {
			made.Items = append(made.Items, s.sample(name, s.place(item), depth+1))
		}
		return made
	}
	for range min(max(p.count("minItems"), 1), most) {
		made.Items = append(made.Items, s.sample(name, s.below(p, "items"), depth+1))
	}
	return made
}

// sampleFormats are strings of the formats that a name in capitals is not of.
var sampleFormats = map[string]string{
	"date": "2026-01-31", "date-time": "2026-01-31T09:30:00Z", "time": "09:30:00Z", "email": "alice@example.com",
	"uri": "https://example.com", "url": "https://example.com", "hostname": "example.com",
	"ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uuid": "00000000-0000-4000-8000-000000000000",
}

// sampleStrings are the name in capitals, and what other patterns may want.
func sampleStrings(name string, p place) (all []*Value) {
	const most = 1000
	least, longest := min(p.count("minLength"), most), p.count("maxLength")
	if known := sampleFormats[p.text("format")]; known != "" {
		all = append(all, String(known))
	}
	for _, word := range []string{placeholder(name), strings.ToLower(placeholder(name)), "0"} {
		if len(word) < least {
			word += strings.Repeat(word[len(word)-1:], least-len(word))
		}
		if longest >= 0 && len(word) > longest {
			word = strings.ToValidUTF8(word[:longest], "")
		}
		all = append(all, String(word))
	}
	return all
}

func placeholder(name string) string {
	if name == "" {
		return "VALUE"
	}
	return strings.ToUpper(strings.ReplaceAll(name, " ", "_"))
}

// sampleNumbers are 1, and numbers at and beside the bounds.
func sampleNumbers(p place) []*Value {
	all := []*Value{{Kind: '0', Text: "1"}, {Kind: '0', Text: "0"}}
	step := big.NewRat(1, 1)
	if text := p.number("multipleOf"); text != "" && ratio(text).Sign() > 0 {
		step = ratio(text)
		all = append(all, numberOf(step))
	}
	for _, keyword := range []string{"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"} {
		text := p.number(keyword)
		if text == "" {
			continue
		}
		steps := new(big.Rat).Quo(ratio(text), step)
		whole := new(big.Rat).SetInt(new(big.Int).Div(steps.Num(), steps.Denom()))
		for _, more := range []int64{0, 1, -1} {
			count := new(big.Rat).Add(whole, big.NewRat(more, 1))
			all = append(all, numberOf(count.Mul(count, step)))
		}
		all = append(all, &Value{Kind: '0', Text: text})
	}
	return all
}

func numberOf(r *big.Rat) *Value {
	if r.IsInt() {
		return &Value{Kind: '0', Text: r.Num().String()}
	}
	f, _ := r.Float64()
	return &Value{Kind: '0', Text: strconv.FormatFloat(f, 'g', -1, 64)}
}

// maxSignature bounds [Schema.Signature], in bytes.
const maxSignature = 48

// Signature is the arguments in a few words, the required ones first:
// "(a: number, limit?: integer)". What is too long ends in "…".
func (s *Schema) Signature() string {
	root := s.Root()
	fields := slices.Clone(root.Fields())
	slices.SortStableFunc(fields, func(a, b *Field) int {
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		}
		return 1
	})
	text, gap := "(", ""
	for _, f := range fields {
		mark := ": "
		if !f.Required {
			mark = "?: "
		}
		one := gap + f.Name + mark + f.shortType()
		if len(text)+len(one) > maxSignature {
			return text + gap + "…)"
		}
		text, gap = text+one, ", "
	}
	return text + ")"
}

// shortType is the type of a field without its bounds.
func (f *Field) shortType() string {
	const most = 20
	types, _ := f.place.types()
	var words []string
	for _, o := range f.Choices {
		words = append(words, Word(o.Value))
	}
	choice := strings.Join(words, "|")
	switch {
	case f.Boolean():
		return "boolean"
	case f.Kind == Choice && len(choice) <= most:
		return choice
	case f.Kind == List && len(f.kids[0].shortType()) <= most:
		return f.kids[0].shortType() + "[]"
	case len(types) == 0:
		return "any"
	}
	return strings.Join(types, "|")
}
