package relay

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Output is one line of the backend, read loosely: what the backend says is
// passed on, so only what the relay itself needs is looked at. It refers to the
// line that it was scanned from.
type Output struct {
	kind                          Kind
	line                          []byte
	id, method, params, res, fail span
}

// Kind says whether the line is a call of the client, a notification or a response.
func (o *Output) Kind() Kind { return o.kind }

// Bytes is the line as the backend sent it, without its line end.
func (o *Output) Bytes() []byte { return o.line }

// ID is the text of the id, or nil.
func (o *Output) ID() []byte { return o.line[o.id.from:o.id.to] }

// Method is the decoded method, empty for a response.
func (o *Output) Method() string {
	text := o.line[o.method.from:o.method.to]
	if len(text) < 2 || text[0] != '"' {
		return ""
	}
	return decodeString(text)
}

// Result is the text of the result, or nil.
func (o *Output) Result() []byte { return o.line[o.res.from:o.res.to] }

// ResultAt is the offset of the result within Bytes.
func (o *Output) ResultAt() int { return o.res.from }

// Failed reports whether the response is an error.
func (o *Output) Failed() bool { return o.fail.present() }

// Scanner reads lines of the backend. It is not safe for concurrent use; the
// output that it returns is valid until the next Scan.
type Scanner struct {
	dec jsontext.Decoder
	in  bytes.Buffer
	out Output
}

// Scan reads one line. It returns nil when the line is not a JSON object, or
// is one that is no JSON-RPC message.
func (s *Scanner) Scan(line []byte) *Output {
	s.out = Output{line: line}
	s.in = *bytes.NewBuffer(line)
	s.dec.Reset(&s.in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if s.dec.PeekKind() != '{' || !s.members() {
		return nil
	}
	if _, err := s.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil
	}
	switch o := &s.out; {
	case o.method.present() && o.id.present():
		o.kind = Call
	case o.method.present():
		o.kind = Notification
	case o.res.present() || o.fail.present():
		o.kind = Response
	default:
		return nil
	}
	return &s.out
}

func (s *Scanner) members() bool {
	if _, err := s.dec.ReadToken(); err != nil {
		return false
	}
	for s.dec.PeekKind() == '"' {
		name, err := s.dec.ReadValue()
		if err != nil {
			return false
		}
		where := s.memberOf(name)
		value, err := s.dec.ReadValue()
		if err != nil {
			return false
		}
		end := int(s.dec.InputOffset())
		*where = span{end - len(value), end}
	}
	_, err := s.dec.ReadToken()
	return err == nil
}

func (s *Scanner) memberOf(quoted []byte) *span {
	switch string(quoted) {
	case `"id"`:
		return &s.out.id
	case `"method"`:
		return &s.out.method
	case `"params"`:
		return &s.out.params
	case `"result"`:
		return &s.out.res
	case `"error"`:
		return &s.out.fail
	}
	return new(span)
}

// SoleID finds the id of a line that is too broken to be read, so that its
// sender gets an answer: the value of the only top-level member "id", if that
// is a string or an integer.
func SoleID(line []byte) []byte {
	var found []byte
	depth := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(line, i)
			if depth == 1 && string(line[i:end]) == `"id"` {
				value := valueAfterColon(line, end)
				if value == nil || found != nil {
					return nil
				}
				found = value
			}
			i = end - 1
		}
	}
	return found
}

// stringEnd is the offset behind the string that begins at from, or the end of
// the line when the string has none.
func stringEnd(line []byte, from int) int {
	for i := from + 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(line)
}

func valueAfterColon(line []byte, at int) []byte {
	rest := bytes.TrimLeft(line[at:], " \t\r")
	if len(rest) == 0 || rest[0] != ':' {
		return nil
	}
	rest = bytes.TrimLeft(rest[1:], " \t\r")
	if len(rest) == 0 {
		return nil
	}
	end := bytes.IndexAny(rest, ",} \t\r")
	if rest[0] == '"' {
		end = stringEnd(rest, 0)
	}
	if end < 0 || !validID(rest[:end]) || !jsontext.Value(rest[:end]).IsValid() {
		return nil
	}
	return bytes.Clone(rest[:end])
}
