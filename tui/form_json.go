package tui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcpauth/mcpauth/broker"
)

// jsonValue is one JSON value that keeps what a Go value would lose: the order of
// its members, and its numbers as they were written. It is never changed once it
// is made, so that a job may read it while a form makes the next one.
type jsonValue struct {
	kind    jsontext.Kind // 'n', 'f', 't', '"', '0', '{' or '['
	text    string        // of a text, decoded; of a number, as written
	members []jsonMember
	items   []*jsonValue
}

type jsonMember struct {
	name  string
	value *jsonValue
}

var (
	jsonNull  = &jsonValue{kind: 'n'}
	jsonTrue  = &jsonValue{kind: 't'}
	jsonFalse = &jsonValue{kind: 'f'}
)

func jsonText(s string) *jsonValue { return &jsonValue{kind: '"', text: s} }

// parseJSON reads one JSON value. It refuses what two readers could read
// differently, like a name that stands twice, with the line and column of it.
func parseJSON(data []byte) (*jsonValue, error) {
	return readJSON(data, jsontext.NewDecoder(bytes.NewReader(data)))
}

// parseServerJSON is [parseJSON] for what a server sent: shown, not judged.
func parseServerJSON(data []byte) (*jsonValue, error) {
	return readJSON(data, jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)))
}

func readJSON(data []byte, d *jsontext.Decoder) (*jsonValue, error) {
	v, err := decodeJSON(d)
	if err == nil {
		if _, more := d.ReadToken(); !errors.Is(more, io.EOF) {
			err = errors.New("more after the end of the value")
		}
	}
	if err == nil {
		return v, nil
	}
	at := d.InputOffset()
	var wrong *jsontext.SyntacticError
	if errors.As(err, &wrong) {
		at, err = wrong.ByteOffset, wrong.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = errors.New("it ends too early")
	}
	before := data[:min(int(at), len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(bytes.Runes(before[bytes.LastIndexByte(before, '\n')+1:])) + 1
	return nil, fmt.Errorf("line %d, column %d: %s", line, column, broker.CleanLine(err.Error()))
}

func decodeJSON(d *jsontext.Decoder) (*jsonValue, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	v := &jsonValue{kind: token.Kind()}
	switch v.kind {
	case '"', '0':
		v.text = token.String()
	case '{':
		err = v.decodeMembers(d)
	case '[':
		for err == nil && d.PeekKind() != ']' {
			var item *jsonValue
			if item, err = decodeJSON(d); err == nil {
				v.items = append(v.items, item)
			}
		}
		if err == nil {
			_, err = d.ReadToken()
		}
	}
	return v, err
}

func (v *jsonValue) decodeMembers(d *jsontext.Decoder) error {
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		text := name.String() // before the next token takes its place
		member, err := decodeJSON(d)
		if err != nil {
			return err
		}
		v.members = append(v.members, jsonMember{text, member})
	}
	_, err := d.ReadToken()
	return err
}

// get is the member of an object, or nil. It is fine for a nil value.
func (v *jsonValue) get(name string) *jsonValue {
	if v == nil {
		return nil
	}
	for _, m := range v.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// getText is the member of an object if it is a text, else empty.
func (v *jsonValue) getText(name string) string {
	if m := v.get(name); m != nil && m.kind == '"' {
		return m.text
	}
	return ""
}

// compact is the value in one line.
func (v *jsonValue) compact() string {
	var b strings.Builder
	v.write(&b, "", "")
	return b.String()
}

// indented is the value over several lines.
func (v *jsonValue) indented() string {
	var b strings.Builder
	v.write(&b, "\n", "  ")
	return b.String()
}

// write appends the value. newline is what begins a line at this depth, empty for
// a value in one line.
func (v *jsonValue) write(b *strings.Builder, newline, step string) {
	switch v.kind {
	case 'n', 't', 'f':
		b.WriteString(v.kind.String())
	case '0':
		b.WriteString(v.text)
	case '"':
		b.WriteString(quoteJSON(v.text))
	case '{':
		b.WriteByte('{')
		for i, m := range v.members {
			betweenItems(b, i, newline, step)
			b.WriteString(quoteJSON(m.name) + ":")
			if newline != "" {
				b.WriteByte(' ')
			}
			m.value.write(b, deeper(newline, step), step)
		}
		closeJSON(b, len(v.members), newline, '}')
	case '[':
		b.WriteByte('[')
		for i, item := range v.items {
			betweenItems(b, i, newline, step)
			item.write(b, deeper(newline, step), step)
		}
		closeJSON(b, len(v.items), newline, ']')
	}
}

func deeper(newline, step string) string {
	if newline == "" {
		return ""
	}
	return newline + step
}

func betweenItems(b *strings.Builder, i int, newline, step string) {
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteString(deeper(newline, step))
}

func closeJSON(b *strings.Builder, n int, newline string, end byte) {
	if n > 0 {
		b.WriteString(newline)
	}
	b.WriteByte(end)
}

// quoteJSON spells a text in JSON. What a terminal would not show as itself, like
// a zero-width or a right-to-left mark, is spelled as an escape, so that whoever
// reads the JSON sees what is sent.
func quoteJSON(s string) string {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil { // invalid UTF-8, which becomes U+FFFD
		quoted, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return string(broker.CleanJSON(quoted))
}

// plain is the value as jsonschema-go reads values. That library takes a
// json.Number for a text, so that numbers are int64, uint64 or float64 here: this
// is for judging, never for sending.
func (v *jsonValue) plain() any {
	switch v.kind {
	case 't', 'f':
		return v.kind == 't'
	case '"':
		return v.text
	case '0':
		return plainNumber(v.text)
	case '{':
		m := make(map[string]any, len(v.members))
		for _, member := range v.members {
			m[member.name] = member.value.plain()
		}
		return m
	case '[':
		list := make([]any, len(v.items))
		for i, item := range v.items {
			list[i] = item.plain()
		}
		return list
	}
	return nil
}

func plainNumber(literal string) any {
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return n
	}
	if n, err := strconv.ParseUint(literal, 10, 64); err == nil {
		return n
	}
	f, _ := strconv.ParseFloat(literal, 64) // the nearest there is
	return f
}

// equal compares as JSON Schema does: the order of members and the spelling of
// numbers do not matter.
func (v *jsonValue) equal(other *jsonValue) bool {
	if v == nil || other == nil {
		return v == other
	}
	if v.kind != other.kind || len(v.items) != len(other.items) || len(v.members) != len(other.members) {
		return false
	}
	switch v.kind {
	case '"':
		return v.text == other.text
	case '0':
		return equalNumbers(v.text, other.text)
	}
	for i := range v.items {
		if !v.items[i].equal(other.items[i]) {
			return false
		}
	}
	for _, m := range v.members {
		if !m.value.equal(other.get(m.name)) {
			return false
		}
	}
	return true
}

func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) > 40 || len(b) > 40 || strings.ContainsAny(a+b, "eE") {
		x, errA := strconv.ParseFloat(a, 64)
		y, errB := strconv.ParseFloat(b, 64)
		return errA == nil && errB == nil && x == y // an exponent may be huge, which a ratio would write out
	}
	x, okA := new(big.Rat).SetString(a)
	y, okB := new(big.Rat).SetString(b)
	return okA && okB && x.Cmp(y) == 0
}

// isNumber reports whether a text is a number as JSON spells it.
func isNumber(s string) bool {
	v, err := parseJSON([]byte(s))
	return err == nil && v.kind == '0'
}
