package transparency

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// node is a JSON value with its place in the line, so that spelling is seen.
type node struct {
	from, to int
	names    []string // of an object, quoted as they stand
	kids     []*node  // of an object or an array
}

// parse reads one line. It is as loose as JSON allows.
func parse(line string) (*node, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader([]byte(line)),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	root, err := value(decoder)
	if err == nil && strings.TrimSpace(line[root.to:]) != "" {
		err = fmt.Errorf("something stands behind the value")
	}
	return root, err
}

func value(decoder *jsontext.Decoder) (*node, error) {
	token, err := decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	end := int(decoder.InputOffset())
	n := &node{from: end - 1, to: end}
	switch token.Kind() {
	case '{', '[':
		object := token.Kind() == '{'
		for decoder.PeekKind() != '}' && decoder.PeekKind() != ']' {
			if object {
				name, err := decoder.ReadValue()
				if err != nil {
					return nil, err
				}
				n.names = append(n.names, string(name))
			}
			kid, err := element(decoder)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		}
		if _, err := decoder.ReadToken(); err != nil {
			return nil, err
		}
		n.to = int(decoder.InputOffset())
	}
	return n, nil
}

// element reads a value of which the spelling matters: the length of a scalar
// is only known of a value.
func element(decoder *jsontext.Decoder) (*node, error) {
	if kind := decoder.PeekKind(); kind == '{' || kind == '[' {
		return value(decoder)
	}
	scalar, err := decoder.ReadValue()
	end := int(decoder.InputOffset())
	return &node{from: end - len(scalar), to: end}, err
}

// member is the value of the last member with a name, or nil.
func (n *node) member(name string) *node {
	var found *node
	for i, quoted := range n.names {
		if quoted == strconv.Quote(name) {
			found = n.kids[i]
		}
	}
	return found
}

// message is what a line means to JSON-RPC.
type message struct {
	id, method string // id as spelled, empty when absent
	response   bool
}

func understand(line string) (message, error) {
	root, err := parse(line)
	if err != nil {
		return message{}, err
	}
	var m message
	if id := root.member("id"); id != nil {
		m.id = line[id.from:id.to]
	}
	if method := root.member("method"); method != nil {
		var name []byte
		name, err = jsontext.AppendUnquote(nil, line[method.from:method.to])
		m.method = string(name)
	}
	m.response = m.method == "" && (root.member("result") != nil || root.member("error") != nil)
	return m, err
}

// pick is the text at a path like "result.content.0.text".
func pick(line, path string) (string, error) {
	at, err := parse(line)
	if err != nil {
		return "", err
	}
	for step := range strings.SplitSeq(path, ".") {
		next := at.member(step)
		if i, err := strconv.Atoi(step); next == nil && err == nil && i < len(at.kids) {
			next = at.kids[i]
		}
		if next == nil {
			return "", fmt.Errorf("there is no %s in %s", path, shorten(line))
		}
		at = next
	}
	return line[at.from:at.to], nil
}

// sameValue compares what two texts mean: numbers by their exact value, objects
// without their order.
func sameValue(a, b string) bool {
	x, errA := decoded(a)
	y, errB := decoded(b)
	return errA == nil && errB == nil && reflect.DeepEqual(x, y)
}

func decoded(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	err := decoder.Decode(&v)
	return exact(v), err
}

// exact writes numbers as fractions.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			return r.RatString() + " exactly"
		}
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = exact(v[name])
		}
	}
	return v
}

// shorten keeps a line fit for a failure's text.
func shorten(line string) string {
	const most = 1500
	if len(line) <= most {
		return line
	}
	return line[:most/2] + fmt.Sprintf(" … %d bytes … ", len(line)-most) + line[len(line)-most/2:]
}
