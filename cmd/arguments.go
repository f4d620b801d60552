package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker"
)

// arguments makes the arguments of a call of the words key=value and key:=json. A
// key may lead into objects and lists: filter.city=Rome, lines[0].sku=A1, tags[]=x.
// Values get the type that the tool's schema wants.
type arguments struct {
	tool  string
	root  *schema
	value map[string]any
	loose bool // names that the schema does not have pass
}

func newArguments(tool string, inputSchema json.RawMessage, loose bool) *arguments {
	return &arguments{tool: tool, root: parseSchema(inputSchema), value: map[string]any{}, loose: loose}
}

// from starts with an object that was read.
func (a *arguments) from(text []byte) error {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber() // each digit stays
	var value any
	if err := decoder.Decode(&value); err != nil {
		return a.wrong("--input must be one JSON object: " + inputReason(err))
	}
	if decoder.More() {
		return a.wrong("--input must be one JSON object, and nothing behind it")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return a.wrong("--input must be one JSON object, as {\"key\": \"value\"}, and is " + jsonKind(value))
	}
	a.value = object
	return nil
}

// inputReason says what is wrong with what is no JSON.
func inputReason(err error) string {
	if errors.Is(err, io.EOF) {
		return "it is empty"
	}
	return err.Error()
}

// jsonKind is what a value is, in words.
func jsonKind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "true or false"
	}
	return "a number"
}

// add takes one word.
func (a *arguments) add(word string) error {
	at := strings.IndexByte(word, '=')
	if at <= 0 || word[:at] == ":" {
		return a.wrong("not key=value or key:=json: " + word)
	}
	key, value := word[:at], word[at+1:]
	key, isJSON := strings.CutSuffix(key, ":")
	path, s := a.path(key)
	if path == nil {
		return a.wrong("not a name of an argument: " + key)
	}
	if s == nil {
		if err := a.unknown(path); err != nil {
			return err
		}
	}
	made, err := a.make(key, value, isJSON, s)
	if err != nil {
		return err
	}
	return a.put(key, path, made)
}

func (a *arguments) make(key, value string, isJSON bool, s *schema) (any, error) {
	if isJSON {
		decoder := json.NewDecoder(strings.NewReader(value))
		decoder.UseNumber()
		var made any
		if err := decoder.Decode(&made); err != nil || decoder.More() {
			return nil, a.wrong(fmt.Sprintf("%s:= must be JSON, as %s:=5 or %s:='[\"a\"]', not %s", key, key, key, value))
		}
		return made, nil
	}
	made, err := coerce(value, s, a.root, maxDepth)
	if err != nil {
		return nil, a.wrong(fmt.Sprintf("%s must be %s, not %q", key, err, value))
	}
	return made, nil
}

// step is one step of a path: a name, an index, or -1 for one more element.
type step struct {
	name  string
	index int
	list  bool
}

const (
	maxDepth = 8
	maxIndex = 1000
)

var steps = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:\.?([^.\[\]]+)|\[([^\[\]]*)\])`) })

// path reads a key. A name of the schema goes before its reading as a path: some
// servers have dots in their names. s is nil where the schema does not know it.
func (a *arguments) path(key string) (path []step, s *schema) {
	top := a.root.resolved(a.root)
	if s := top.property(key); s != nil {
		return []step{{name: key}}, s.resolved(a.root)
	}
	s = top
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
		path, s = append(path, next), a.inside(s, next)
	}
	return path, s
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

// inside is the schema one step further.
func (a *arguments) inside(s *schema, next step) *schema {
	if s == nil {
		return nil
	}
	for _, c := range append([]*schema{s}, s.choices()...) {
		c = c.resolved(a.root)
		switch found := c.property(next.name); {
		case next.list && c.Items != nil:
			return c.Items.resolved(a.root)
		case next.list:
		case found != nil:
			return found.resolved(a.root)
		case c.Additional != nil:
			return c.Additional.resolved(a.root)
		}
	}
	return nil
}

// unknown is the error of a name that the schema does not have. Most servers drop
// what they do not know, so that a typing error would go unseen.
func (a *arguments) unknown(path []step) error {
	top := a.root.resolved(a.root)
	if a.loose || len(top.Properties) == 0 && !top.closed || len(path) != 1 || top.Additional != nil {
		return nil
	}
	var names []string
	for _, p := range top.Properties {
		names = append(names, p.name)
	}
	if len(names) == 0 {
		return a.wrong(a.tool + " takes no arguments")
	}
	return a.wrong(fmt.Sprintf("%s has no argument %s%s", a.tool, path[0].name, broker.DidYouMean(path[0].name, names)))
}

// put sets a value at a path. A list that is given several times grows.
func (a *arguments) put(key string, path []step, made any) error {
	grown, ok := put(a.value, path, made)
	if !ok {
		return a.wrong(key + " does not fit what was given before it")
	}
	a.value = grown.(map[string]any)
	return nil
}

func put(into any, path []step, made any) (any, bool) {
	if len(path) == 0 {
		before, wasList := into.([]any)
		if more, isList := made.([]any); wasList && isList {
			return append(before, more...), true
		}
		return made, true
	}
	if next := path[0]; next.list {
		list, ok := into.([]any)
		if into != nil && !ok || next.index > len(list) {
			return nil, false
		}
		if next.index < 0 || next.index == len(list) {
			list, next.index = append(list, nil), len(list)
		}
		inner, ok := put(list[next.index], path[1:], made)
		list[next.index] = inner
		return list, ok
	}
	object, ok := into.(map[string]any)
	if into != nil && !ok {
		return nil, false
	}
	if object == nil {
		object = map[string]any{}
	}
	inner, ok := put(object[path[0].name], path[1:], made)
	object[path[0].name] = inner
	return object, ok
}

// missing is the error of arguments that are required and not there.
func (a *arguments) missing() error {
	var names []string
	for _, name := range a.root.resolved(a.root).Required {
		if _, there := a.value[name]; !there {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return a.wrong(a.tool + " needs " + strings.Join(names, ", "))
}

func (a *arguments) wrong(msg string) *broker.Problem {
	return usage(msg, "mcpauth tools show "+broker.QuoteWord(a.tool))
}

func (a *arguments) json() (json.RawMessage, error) { return json.Marshal(a.value) }

var (
	integer = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`) })
	number  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`) })
)

// wanted says what a value must be; it is the end of an error's sentence.
type wanted string

func (w wanted) Error() string { return string(w) }

// coerce makes a value of a word, as the schema wants it. Where it wants nothing,
// the word is a text.
func coerce(word string, s, root *schema, depth int) (any, error) {
	if s == nil || depth == 0 {
		return word, nil
	}
	s = s.resolved(root)
	switch {
	case len(s.Enum) > 0:
		return chosen(word, s.Enum)
	case s.Const != nil:
		return chosen(word, []json.RawMessage{s.Const})
	case len(s.choices()) > 0:
		for _, c := range s.choices() {
			if made, err := coerce(word, c, root, depth-1); err == nil {
				return made, nil
			}
		}
		return nil, wanted(s.words(root, 2))
	}
	kinds := s.kinds()
	if len(kinds) == 0 {
		return word, nil
	}
	for _, kind := range inOrder(kinds) {
		if made, ok := coerceTo(kind, word, s, root, depth); ok {
			return made, nil
		}
	}
	text := s.words(root, 2)
	if slices.Contains(kinds, "object") {
		text += " (as JSON, or field by field: key.field=value)"
	}
	return nil, wanted(text)
}

// inOrder puts text last: any word is one.
func inOrder(kinds []string) []string {
	isText := func(kind string) bool { return kind == "string" }
	sorted := slices.DeleteFunc(slices.Clone(kinds), isText)
	if len(sorted) < len(kinds) {
		sorted = append(sorted, "string")
	}
	return sorted
}

func coerceTo(kind, word string, s, root *schema, depth int) (any, bool) {
	switch kind {
	case "string":
		return word, true
	case "integer":
		return json.Number(word), integer().MatchString(word)
	case "number":
		return json.Number(word), number().MatchString(word)
	case "boolean":
		made, known := map[string]bool{"true": true, "false": false, "yes": true, "no": false}[strings.ToLower(word)]
		return made, known
	case "null":
		return nil, word == "null"
	case "array":
		return coerceList(word, s, root, depth)
	case "object":
		var made map[string]any
		return made, decodeNumbers(word, &made) && made != nil
	}
	return nil, false
}

// coerceList takes a JSON list, or one element; elements that are no texts may come
// with commas between them.
func coerceList(word string, s, root *schema, depth int) (any, bool) {
	var made []any
	if strings.HasPrefix(strings.TrimSpace(word), "[") && decodeNumbers(word, &made) {
		return made, true
	}
	words := []string{word}
	if s.Items != nil {
		if items := s.Items.resolved(root); len(items.Enum) > 0 || len(items.kinds()) > 0 && !slices.Contains(items.kinds(), "string") && !slices.Contains(items.kinds(), "object") {
			words = strings.Split(word, ",")
		}
	}
	made = []any{}
	for _, w := range words {
		element, err := coerce(w, s.Items, root, depth-1)
		if err != nil {
			return nil, false
		}
		made = append(made, element)
	}
	return made, true
}

func decodeNumbers(text string, into any) bool {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into) == nil && !decoder.More()
}

// chosen is the value of a choice that a word means, with its type.
func chosen(word string, values []json.RawMessage) (any, error) {
	for _, v := range values {
		if typed(v) == word {
			var made any
			decodeNumbers(string(v), &made)
			return made, nil
		}
	}
	return nil, wanted("one of " + wordList(values))
}
