package toolargs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Arguments are the arguments of one call, made of words: key=value and key:=json.
// A key may lead into objects and lists: filter.city=Rome, lines[0].sku=A1,
// tags[]=x. Values get the type that the schema wants.
type Arguments struct {
	schema *Schema
	value  *Value
	loose  bool // names that the schema does not have pass
}

// Arguments are none yet. With loose, names that the schema does not have pass.
func (s *Schema) Arguments(loose bool) *Arguments {
	return &Arguments{schema: s, value: Object(), loose: loose}
}

// Value is what the words made.
func (a *Arguments) Value() *Value { return a.value }

// UnknownError is the error of a name that the schema does not have. Most servers
// drop what they do not know, so that a typing error would go unseen.
type UnknownError struct {
	Name  string
	Known []string // all names that it has
}

func (e *UnknownError) Error() string { return "there is no argument " + e.Name }

// Load starts with an object that was read.
func (a *Arguments) Load(text []byte) error {
	v, err := Parse(text)
	if err != nil {
		return fmt.Errorf("must be one JSON object: %w", err)
	}
	if v.Kind != '{' {
		return fmt.Errorf("must be one JSON object, as {\"key\": \"value\"}, and is %s", kindOf(v))
	}
	a.value = v
	return nil
}

// kindOf is what a value is, in words.
func kindOf(v *Value) string {
	switch v.Kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "a list"
	}
	return "an object"
}

// Add takes one word.
func (a *Arguments) Add(word string) error {
	at := strings.IndexByte(word, '=')
	if at <= 0 || word[:at] == ":" {
		return errors.New("not key=value or key:=json: " + word)
	}
	key, isJSON := strings.CutSuffix(word[:at], ":")
	path, where := a.path(key)
	if path == nil {
		return errors.New("not a name of an argument: " + key)
	}
	if where == nil {
		if err := a.unknown(path); err != nil {
			return err
		}
	}
	made, err := a.make(key, word[at+1:], isJSON, where)
	if err != nil {
		return err
	}
	grown := put(a.value, path, made)
	if grown == nil {
		return errors.New(key + " does not fit what was given before it")
	}
	a.value = grown
	return nil
}

func (a *Arguments) make(key, text string, isJSON bool, where place) (*Value, error) {
	if isJSON {
		made, err := Parse([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("%s:= must be JSON, as %s:=5 or %s:='[\"a\"]', not %s", key, key, key, text)
		}
		return made, nil
	}
	made, wanted := a.schema.fromWord(where, text, maxDepth)
	if wanted != "" {
		return nil, fmt.Errorf("%s must be %s, not %q", key, wanted, text)
	}
	return made, nil
}

// step is one step of a path: a name, an index, or -1 for one more element.
type step struct {
	name  string
	index int
	list  bool
}

const maxIndex = 1000

var steps = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:\.?([^.\[\]]+)|\[([^\[\]]*)\])`) })

// path reads a key. A name of the schema goes before its reading as a path: some
// servers have dots in their names. where is nil where the schema does not know it.
func (a *Arguments) path(key string) (path []step, where place) {
	s := a.schema
	top := s.merged(s.place(s.root))
	if where := s.below(top, "properties", key); where != nil {
		return []step{{name: key}}, where
	}
	where = top
	for rest := key; rest != ""; {
		m := steps().FindStringSubmatch(rest)
		if m == nil || len(path) > maxDepth {
			return nil, nil
		}
		rest = rest[len(m[0]):]
		next := step{name: m[1]}
		if m[1] == "" {
			next = bracketed(m[2])
		}
		if len(path) == 0 && next.list || next.index > maxIndex {
			return nil, nil
		}
		path, where = append(path, next), s.inside(where, next)
	}
	return path, where
}

func bracketed(text string) step {
	if text == "" {
		return step{list: true, index: -1}
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return step{list: true, index: n}
	}
	return step{name: text}
}

// inside is the place one step further, or nil.
func (s *Schema) inside(p place, next step) place {
	branches, base, _ := s.union(p)
	for _, c := range append([]place{base}, branches...) {
		keywords := [][]string{{"properties", next.name}, {"additionalProperties"}}
		if next.list {
			keywords = [][]string{{"items"}}
		}
		for _, path := range keywords {
			if found := s.below(c, path...); found != nil {
				return found
			}
		}
	}
	return nil
}

func (a *Arguments) unknown(path []step) error {
	top := a.schema.merged(a.schema.place(a.schema.root))
	names, rest := top.propertyNames(), top.keyword("additionalProperties")
	closed := rest != nil && rest.Kind == 'f'
	if a.loose || len(path) != 1 || slices.Contains(names, path[0].name) || len(names) == 0 && !closed || rest != nil && !closed {
		return nil
	}
	return &UnknownError{path[0].name, names}
}

// put is a value with another at a path in it, or nil where they do not fit. A list
// that is given several times grows.
func put(into *Value, path []step, made *Value) *Value {
	if len(path) == 0 {
		if into != nil && into.Kind == '[' && made.Kind == '[' {
			return &Value{Kind: '[', Items: append(slices.Clone(into.Items), made.Items...)}
		}
		return made
	}
	next := path[0]
	if next.list {
		return putItem(into, next.index, path[1:], made)
	}
	if into == nil {
		into = Object()
	}
	inner := put(into.Get(next.name), path[1:], made)
	if into.Kind != '{' || inner == nil {
		return nil
	}
	return into.with(next.name, inner)
}

func putItem(into *Value, index int, path []step, made *Value) *Value {
	list := &Value{Kind: '['}
	if into != nil {
		list.Items = slices.Clone(into.Items)
	}
	if into != nil && into.Kind != '[' || index > len(list.Items) {
		return nil
	}
	if index < 0 || index == len(list.Items) {
		index = len(list.Items)
		list.Items = append(list.Items, nil)
	}
	list.Items[index] = put(list.Items[index], path, made)
	if list.Items[index] == nil {
		return nil
	}
	return list
}

// FromWord makes a value of a word, as the field needs it. wanted says what it must
// be where it is none, as the end of the sentence "it must be …".
func (f *Field) FromWord(word string) (v *Value, wanted string) {
	return f.schema.fromWord(f.place, word, maxDepth)
}

// fromWord makes a value of a word. Where the schema says nothing, it is a string.
func (s *Schema) fromWord(p place, word string, depth int) (made *Value, wanted string) {
	if len(p) == 0 || depth <= 0 {
		return String(word), ""
	}
	if values := p.values(); len(values) > 0 {
		return chosen(word, values)
	}
	branches, base, null := s.union(p)
	types, nullable := base.types()
	if (null || nullable) && word == "null" {
		return Null, ""
	}
	for _, b := range inOrder(branches) {
		if made, wanted := s.fromWord(append(slices.Clone(b), base...), word, depth-maxDepth/2); wanted == "" {
			return made, ""
		}
	}
	if len(branches) == 0 {
		if len(types) == 0 && !nullable {
			return String(word), ""
		}
		for _, name := range stringLast(types) {
			if made := s.ofType(name, word, base, depth); made != nil {
				return made, ""
			}
		}
	}
	wanted = s.describe(p, 2)
	if slices.Contains(types, "object") {
		wanted += " (as JSON, or field by field: key.field=value)"
	}
	return nil, wanted
}

// inOrder puts branches that take any word last.
func inOrder(branches []place) []place {
	takesAny := func(p place) bool {
		types, _ := p.types()
		return len(p.values()) == 0 && (len(types) == 0 || slices.Contains(types, "string"))
	}
	sorted := slices.Clone(branches)
	slices.SortStableFunc(sorted, func(a, b place) int {
		switch x, y := takesAny(a), takesAny(b); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	return sorted
}

// stringLast puts string last: any word is one.
func stringLast(types []string) []string {
	isString := func(name string) bool { return name == "string" }
	sorted := slices.DeleteFunc(slices.Clone(types), isString)
	if len(sorted) < len(types) {
		sorted = append(sorted, "string")
	}
	return sorted
}

var integer = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`) })

// ofType is the value of a type that a word means, or nil.
func (s *Schema) ofType(name, word string, p place, depth int) *Value {
	switch name {
	case "string":
		return String(word)
	case "integer":
		if integer().MatchString(word) {
			return &Value{Kind: '0', Text: word}
		}
	case "number":
		if isNumber(word) {
			return &Value{Kind: '0', Text: strings.TrimSpace(word)}
		}
	case "boolean":
		return map[string]*Value{"true": True, "yes": True, "false": False, "no": False}[strings.ToLower(word)]
	case "array":
		return s.listOf(word, p, depth)
	case "object":
		if v, err := Parse([]byte(word)); err == nil && v.Kind == '{' {
			return v
		}
	}
	return nil
}

// listOf takes a JSON list, or one element; elements that are no strings may come
// with commas between them.
func (s *Schema) listOf(word string, p place, depth int) *Value {
	if v, err := Parse([]byte(word)); err == nil && v.Kind == '[' {
		return v
	}
	words, items := []string{word}, s.below(p, "items")
	types, _ := items.types()
	if len(items.values()) > 0 || len(types) > 0 && !slices.Contains(types, "string") && !slices.Contains(types, "object") {
		words = strings.Split(word, ",")
	}
	made := &Value{Kind: '['}
	for _, one := range words {
		item, wanted := s.fromWord(items, one, depth-1)
		if wanted != "" {
			return nil
		}
		made.Items = append(made.Items, item)
	}
	return made
}

// chosen is the value of a choice that a word means, with its type.
func chosen(word string, values []*Value) (*Value, string) {
	for _, spelling := range []func(*Value) string{(*Value).Compact, Word} {
		for _, v := range values {
			if spelling(v) == word {
				return v, ""
			}
		}
	}
	return nil, "one of " + wordList(values)
}
