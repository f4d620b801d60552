package edit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/tailscale/hujson"
)

// jsonFormat edits JSON by the byte ranges of its syntax tree. Strict JSON has
// no comments and no trailing commas: a client that takes none could not read
// the file, so it is refused.
type jsonFormat struct{ strict bool }

func (f jsonFormat) parse(data []byte) (map[string]any, error) {
	root, err := f.root(data)
	if err != nil {
		return nil, err
	}
	clean := root.Clone()
	clean.Standardize()
	decoder := json.NewDecoder(bytes.NewReader(clean.Pack()))
	decoder.UseNumber()
	tree := map[string]any{}
	return tree, decoder.Decode(&tree)
}

// root parses a file; an empty one is an empty object.
func (f jsonFormat) root(data []byte) (hujson.Value, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return hujson.Value{Value: &hujson.Object{}}, nil
	}
	root, err := hujson.Parse(data)
	switch {
	case err != nil:
		return root, jsonError(err)
	case f.strict && !root.IsStandard():
		return root, atLine(1, "it has comments or trailing commas, which this client does not read")
	case root.Value.Kind() != '{':
		return root, atLine(1, "it is not an object")
	}
	return root, nil
}

var hujsonAt = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^hujson: line (\d+), column \d+: `) })

func jsonError(err error) error {
	text := err.Error()
	if m := hujsonAt().FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[1])
		return atLine(line, text[len(m[0]):])
	}
	return atLine(1, text)
}

func (f jsonFormat) put(data []byte, path []string, value any) ([]byte, error) {
	at, err := f.root(data)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		eol := LineEnd(data)
		style := jsonStyle{eol: eol, unit: "  "}
		return []byte("{" + eol + style.member("  ", path, value) + eol + "}" + eol), nil
	}
	style := styleOf(data, at)
	for i, name := range path {
		object, ok := at.Value.(*hujson.Object)
		if !ok {
			return nil, fmt.Errorf("%s is not an object", strings.Join(path[:i], "."))
		}
		n, err := member(object, name)
		switch {
		case err != nil:
			return nil, err
		case n < 0:
			return insertMember(data, at, style, path[i:], value), nil
		}
		at = object.Members[n].Value
	}
	old := data[at.StartOffset:at.EndOffset]
	style.oneLine = !bytes.Contains(old, []byte("\n"))
	style.lists = !style.oneLine
	return splice(data, at.StartOffset, at.EndOffset, style.value(indentAt(data, at.StartOffset), value)), nil
}

// member is the index of a member, or -1. JSON.parse takes the last of two of
// the same name, other parsers the first: such a file is refused.
func member(object *hujson.Object, name string) (int, error) {
	found := -1
	for i, m := range object.Members {
		if m.Name.Value.(hujson.Literal).String() != name {
			continue
		}
		if found >= 0 {
			return -1, fmt.Errorf("%q is in it twice", name)
		}
		found = i
	}
	return found, nil
}

// jsonStyle is how a file is written.
type jsonStyle struct {
	eol, unit string
	oneLine   bool // all on one line
	tight     bool // on one line, without spaces
	lists     bool // a list has a line for each item
}

// styleOf learns from the first member of the file.
func styleOf(data []byte, root hujson.Value) jsonStyle {
	style := jsonStyle{eol: LineEnd(data), unit: "  "}
	object := root.Value.(*hujson.Object)
	if len(object.Members) == 0 {
		return style
	}
	first := object.Members[0]
	style.tight = len(first.Value.BeforeExtra) == 0
	style.oneLine = !bytes.Contains(data[root.StartOffset:root.EndOffset], []byte("\n"))
	if indent := indentAt(data, first.Name.StartOffset); indent != "" && firstOnLine(data, first.Name.StartOffset) {
		style.unit = indent
	}
	return style
}

// value spells a value whose first line is indented already.
func (s jsonStyle) value(indent string, value any) string {
	switch v := value.(type) {
	case Object:
		members := make([]string, len(v))
		for i, m := range v {
			members[i] = s.member(indent+s.unit, []string{m.Name}, m.Value)
		}
		return s.block(indent, "{", "}", members, s.oneLine)
	case []string:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = jsonText(item)
			if s.lists {
				items[i] = indent + s.unit + items[i]
			}
		}
		return s.block(indent, "[", "]", items, !s.lists)
	case string:
		return jsonText(v)
	}
	return fmt.Sprint(value)
}

func (s jsonStyle) block(indent, open, end string, items []string, oneLine bool) string {
	switch {
	case len(items) == 0:
		return open + end
	case oneLine && s.tight && s.oneLine:
		return open + strings.Join(items, ",") + end
	case oneLine:
		return open + strings.Join(items, ", ") + end
	}
	return open + s.eol + strings.Join(items, ","+s.eol) + s.eol + indent + end
}

// member spells a member; more than one name means objects in objects.
func (s jsonStyle) member(indent string, path []string, value any) string {
	for i := len(path) - 1; i > 0; i-- {
		value = Object{{path[i], value}}
	}
	switch {
	case s.oneLine && s.tight:
		return jsonText(path[0]) + ":" + s.value("", value)
	case s.oneLine:
		return jsonText(path[0]) + ": " + s.value("", value)
	}
	return indent + jsonText(path[0]) + ": " + s.value(indent, value)
}

// jsonText is a string in quotes, with no more escapes than it needs.
func jsonText(text string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// insertMember adds a last member to the object at.
func insertMember(data []byte, at hujson.Value, style jsonStyle, path []string, value any) []byte {
	object := at.Value.(*hujson.Object)
	inner := data[at.StartOffset+1 : at.EndOffset-1]
	if len(object.Members) == 0 {
		return insertFirst(data, at, style, path, value, inner)
	}
	last := object.Members[len(object.Members)-1]
	end, trailing := commaAfter(object, len(object.Members)-1)
	if !bytes.Contains(inner, []byte("\n")) {
		style.oneLine = true
		gap := " "
		if style.tight {
			gap = ""
		}
		if trailing {
			return splice(data, end, end, gap+style.member("", path, value)+",")
		}
		return splice(data, end, end, ","+gap+style.member("", path, value))
	}
	style.oneLine = false
	indent := indentAt(data, at.StartOffset) + style.unit
	if firstOnLine(data, last.Name.StartOffset) {
		indent = indentAt(data, last.Name.StartOffset)
	}
	text := style.eol + style.member(indent, path, value)
	after := restOfLine(data, end)
	if trailing {
		return splice(data, after, after, text+",")
	}
	return splice(splice(data, after, after, text), end, end, ",")
}

// insertFirst adds the only member. Comments in the object stay before it.
func insertFirst(data []byte, at hujson.Value, style jsonStyle, path []string, value any, inner []byte) []byte {
	start, end := at.StartOffset+1, at.EndOffset-1
	if style.oneLine {
		return splice(data, end, end, style.member("", path, value))
	}
	base := indentAt(data, at.StartOffset)
	text := style.eol + style.member(base+style.unit, path, value)
	kept := len(bytes.TrimRight(inner, " \t\r\n"))
	if kept > 0 && bytes.Contains(inner[kept:], []byte("\n")) {
		return splice(data, start+kept, start+kept, text)
	}
	return splice(data, start+kept, end, text+style.eol+base)
}

// commaAfter is the offset behind the value of a member, or behind the comma
// that follows it.
func commaAfter(object *hujson.Object, n int) (end int, comma bool) {
	value := object.Members[n].Value
	last := n == len(object.Members)-1
	if last && value.AfterExtra == nil { // the library's mark of no trailing comma
		return value.EndOffset, false
	}
	return value.EndOffset + len(value.AfterExtra) + 1, true
}

// restOfLine moves an offset over the comment in the rest of its line, if there
// is nothing else.
func restOfLine(data []byte, at int) int {
	line := data[at:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = bytes.TrimSuffix(line[:i], []byte("\r"))
	}
	text := bytes.TrimSpace(line)
	block := bytes.HasPrefix(text, []byte("/*")) && bytes.Index(text[2:], []byte("*/")) == len(text)-4
	if bytes.HasPrefix(text, []byte("//")) || block {
		return at + len(line)
	}
	return at
}

func (f jsonFormat) cut(data []byte, path []string) ([]byte, error) {
	at, err := f.root(data)
	if err != nil {
		return nil, err
	}
	for i, name := range path {
		object, ok := at.Value.(*hujson.Object)
		if !ok {
			return data, nil
		}
		n, err := member(object, name)
		if err != nil || n < 0 {
			return data, err
		}
		if i == len(path)-1 {
			return cutMember(data, at, object, n), nil
		}
		at = object.Members[n].Value
	}
	return data, nil
}

// cutMember removes a member with its comma and the comment in the rest of its line.
func cutMember(data []byte, at hujson.Value, object *hujson.Object, n int) []byte {
	m, last := object.Members[n], n == len(object.Members)-1
	start := m.Name.StartOffset
	end, comma := commaAfter(object, n)
	var before int // where the comma of the member before it begins
	if n > 0 {
		before, _ = commaAfter(object, n-1)
		before--
	}
	if !firstOnLine(data, start) {
		switch {
		case n > 0 && comma:
			return Cut(data, []Range{{before + 1, end}})
		case n > 0:
			return Cut(data, []Range{{before, end}})
		case !last:
			end = object.Members[1].Name.StartOffset
		}
		return Cut(data, []Range{{start, end}})
	}
	cuts := []Range{{beforeBreak(data, start), restOfLine(data, end)}}
	switch {
	case n > 0 && last && !comma:
		cuts = append(cuts, Range{before, before + 1})
	case last && n == 0 && len(bytes.TrimSpace(Cut(data[:at.EndOffset-1], cuts)[at.StartOffset+1:])) == 0:
		cuts = []Range{{at.StartOffset + 1, at.EndOffset - 1}}
	}
	return Cut(data, cuts)
}

// beforeBreak is the offset before the line end that an offset's line follows.
func beforeBreak(data []byte, at int) int {
	line := bytes.LastIndexByte(data[:at], '\n')
	if line < 0 {
		return at
	}
	return len(bytes.TrimSuffix(data[:line], []byte("\r")))
}

func (f jsonFormat) fragment(path []string, value any) string {
	style := jsonStyle{eol: "\n", unit: "  "}
	return "{\n" + style.member("  ", path, value) + "\n}\n"
}
