package toolargs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcpauth/mcpauth/broker/text"
)

// Value is one JSON value that keeps what a Go value would lose: the order of its
// members, and its numbers as they were written. It is never changed once it is
// made, so goroutines may share it.
type Value struct {
	Kind    jsontext.Kind // 'n', 'f', 't', '"', '0', '{' or '['
	Text    string        // of a string, decoded; of a number, as written
	Members []Member
	Items   []*Value
}

// Member is a member of an object.
type Member struct {
	Name  string
	Value *Value
}

// The values that need no text.
var (
	Null  = &Value{Kind: 'n'}
	True  = &Value{Kind: 't'}
	False = &Value{Kind: 'f'}
)

// String is a JSON string.
func String(s string) *Value { return &Value{Kind: '"', Text: s} }

// Object is a JSON object.
func Object(members ...Member) *Value { return &Value{Kind: '{', Members: members} }

// Parse reads one JSON value. It refuses what two readers could read differently,
// like a name that stands twice. Its errors name line and column.
func Parse(data []byte) (*Value, error) {
	return parse(data, jsontext.NewDecoder(bytes.NewReader(data)))
}

// ParseLenient is [Parse] for what a server sent, which is shown and not judged.
func ParseLenient(data []byte) (*Value, error) {
	return parse(data, jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)))
}

// errEmpty is the error of a text with no value in it.
var errEmpty = errors.New("it is empty")

func parse(data []byte, d *jsontext.Decoder) (*Value, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errEmpty
	}
	v, err := decode(d)
	if err == nil {
		if _, more := d.ReadToken(); !errors.Is(more, io.EOF) {
			err = errors.New("more after the end of the value")
		}
	}
	if err == nil {
		return v, nil
	}
	at := d.InputOffset()
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		at, err = syntactic.ByteOffset, syntactic.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = errors.New("it ends too early")
	}
	before := data[:min(int(at), len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(bytes.Runes(before[bytes.LastIndexByte(before, '\n')+1:])) + 1
	return nil, fmt.Errorf("line %d, column %d: %w", line, column, err)
}

func decode(d *jsontext.Decoder) (*Value, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	v := &Value{Kind: token.Kind()}
	switch v.Kind {
	case '"', '0':
		v.Text = token.String()
	case '{':
		err = v.decodeMembers(d)
	case '[':
		for err == nil && d.PeekKind() != ']' {
			var item *Value
			if item, err = decode(d); err == nil {
				v.Items = append(v.Items, item)
			}
		}
		if err == nil {
			_, err = d.ReadToken()
		}
	}
	return v, err
}

func (v *Value) decodeMembers(d *jsontext.Decoder) error {
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		name := token.String() // before the next token takes its place
		member, err := decode(d)
		if err != nil {
			return err
		}
		v.Members = append(v.Members, Member{name, member})
	}
	_, err := d.ReadToken()
	return err
}

// Get is the member of an object, or nil. It is fine for a nil value.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	for _, m := range v.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// GetText is the member of an object if it is a string, else empty.
func (v *Value) GetText(name string) string {
	if m := v.Get(name); m != nil && m.Kind == '"' {
		return m.Text
	}
	return ""
}

// with is the object with a member of this value.
func (v *Value) with(name string, member *Value) *Value {
	changed := &Value{Kind: '{', Members: slices.Clone(v.Members)}
	for i, m := range changed.Members {
		if m.Name == name {
			changed.Members[i].Value = member
			return changed
		}
	}
	changed.Members = append(changed.Members, Member{name, member})
	return changed
}

// without is the object without a member.
func (v *Value) without(name string) *Value {
	return &Value{Kind: '{', Members: slices.DeleteFunc(slices.Clone(v.Members), func(m Member) bool { return m.Name == name })}
}

// Compact is the value in one line.
func (v *Value) Compact() string {
	var b strings.Builder
	v.write(&b, "", "")
	return b.String()
}

// Indented is the value over several lines.
func (v *Value) Indented() string {
	var b strings.Builder
	v.write(&b, "\n", "  ")
	return b.String()
}

// MarshalJSON implements json.Marshaler.
func (v *Value) MarshalJSON() ([]byte, error) { return []byte(v.Compact()), nil }

// write appends the value. newline is what begins a line at this depth, empty for
// a value in one line.
func (v *Value) write(b *strings.Builder, newline, step string) {
	inner := newline
	if newline != "" {
		inner += step
	}
	between := func(i int) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(inner)
	}
	switch v.Kind {
	case 'n', 't', 'f':
		b.WriteString(v.Kind.String())
	case '0':
		b.WriteString(v.Text)
	case '"':
		b.WriteString(Quote(v.Text))
	case '{':
		b.WriteByte('{')
		for i, m := range v.Members {
			between(i)
			b.WriteString(Quote(m.Name) + ":")
			if newline != "" {
				b.WriteByte(' ')
			}
			m.Value.write(b, inner, step)
		}
		if len(v.Members) > 0 {
			b.WriteString(newline)
		}
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		for i, item := range v.Items {
			between(i)
			item.write(b, inner, step)
		}
		if len(v.Items) > 0 {
			b.WriteString(newline)
		}
		b.WriteByte(']')
	}
}

// Quote spells a string in JSON. What a terminal would not show as itself, like a
// zero-width or a right-to-left mark, becomes an escape, so that the JSON that is
// shown is the JSON that is sent.
func Quote(s string) string {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil { // invalid UTF-8, which becomes U+FFFD
		quoted, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return string(text.CleanJSON(quoted))
}

// Equal compares as JSON Schema does: the order of members and the spelling of
// numbers do not matter.
func (v *Value) Equal(other *Value) bool {
	if v == nil || other == nil {
		return v == other
	}
	if v.Kind != other.Kind || len(v.Items) != len(other.Items) || len(v.Members) != len(other.Members) {
		return false
	}
	switch v.Kind {
	case '"':
		return v.Text == other.Text
	case '0':
		return v.Text == other.Text || compareNumbers(v.Text, other.Text) == 0
	}
	for i := range v.Items {
		if !v.Items[i].Equal(other.Items[i]) {
			return false
		}
	}
	for _, m := range v.Members {
		if !m.Value.Equal(other.Get(m.Name)) {
			return false
		}
	}
	return true
}

// compareNumbers compares two literals. An exponent may be huge, which a ratio
// would write out; such numbers are compared as floats.
func compareNumbers(a, b string) int { return ratio(a).Cmp(ratio(b)) }

func ratio(literal string) *big.Rat {
	if len(literal) <= 40 && !strings.ContainsAny(literal, "eE") {
		if r, ok := new(big.Rat).SetString(literal); ok {
			return r
		}
	}
	f, _ := strconv.ParseFloat(literal, 64)
	if r := new(big.Rat).SetFloat64(f); r != nil {
		return r
	}
	r := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 1024)) // beyond all floats
	if f < 0 {
		r.Neg(r)
	}
	return r
}

// isNumber reports whether a text is a number as JSON spells it.
func isNumber(s string) bool {
	v, err := Parse([]byte(s))
	return err == nil && v.Kind == '0'
}
