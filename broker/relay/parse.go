package relay

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// JSON-RPC error codes of refusals (JSON-RPC 2.0, section 5.1).
const (
	CodeParseError     = -32700
	CodeInvalidRequest = -32600
	CodeInvalidParams  = -32602
)

// MaxDepth bounds the nesting of a client's message. Deeper ones crash
// recursive parsers (Python's gives up near 1000) and no tool needs them.
const MaxDepth = 256

// Refusal says why a line of the client goes nowhere.
type Refusal struct {
	Code   int    // JSON-RPC error code
	Reason string // for the answer and the record; holds no bytes of the line
	ID     []byte // text of the id when it can be read without doubt, else nil
}

// Error makes a Refusal an error.
func (r *Refusal) Error() string { return r.Reason }

func refuse(code int, reason string) *Refusal { return &Refusal{Code: code, Reason: reason} }

// Parser reads lines of the client. It is not safe for concurrent use; the
// message that it returns is valid until the next Parse.
type Parser struct {
	reserved Reserved
	dec      jsontext.Decoder
	in       bytes.Buffer
	compact  []byte
	msg      Message
}

// NewParser returns a Parser that cuts reserved members out of what it reads.
func NewParser(reserved Reserved) *Parser { return &Parser{reserved: reserved} }

// Parse reads one line without its '\n'. It returns nil and nil for a blank
// line. A line that is not one JSON-RPC message with one reading is refused:
// invalid JSON or UTF-8, a BOM, trailing data, a batch, a doubtful spelling of
// a protocol name, two values for one of them, an id that is neither a string
// nor an integer (MCP 2026-07-28, basic, "Requests").
func (p *Parser) Parse(line []byte) (*Message, *Refusal) {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(bytes.Trim(line, " \t\r")) == 0 {
		return nil, nil
	}
	refusal := p.read(line)
	if refusal != nil {
		refusal.ID = SoleID(line)
		return nil, refusal
	}
	return &p.msg, nil
}

func (p *Parser) read(line []byte) *Refusal {
	if tooDeep(line) {
		return refuse(CodeInvalidRequest, "the message is nested too deeply")
	}
	line, ok := p.withoutRawControls(line)
	if !ok {
		return refuse(CodeParseError, "the line is not valid JSON")
	}
	p.msg = Message{line: line, cuts: p.msg.cuts[:0], args: p.msg.args[:0]}
	p.in = *bytes.NewBuffer(line)
	p.dec.Reset(&p.in, jsontext.AllowDuplicateNames(true))
	switch p.dec.PeekKind() {
	case '[':
		return refuse(CodeInvalidRequest, "batches are not accepted: send one message a line")
	case '{':
	default:
		if err := p.dec.SkipValue(); err != nil {
			return refuse(CodeParseError, "the line is not valid JSON")
		}
		return refuse(CodeInvalidRequest, "a message is a JSON object")
	}
	if refusal := p.object(envelope); refusal != nil {
		return refusal
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return refuse(CodeParseError, "there is more than one value on the line")
	}
	return p.msg.check()
}

// withoutRawControls rewrites a line in which raw control bytes stand between
// tokens. JSON allows CR and TAB there, but Python's universal newlines and
// node's readline end a line at CR: the backend would see two messages where we
// saw one (the CR smuggling of threats.md 0.1).
func (p *Parser) withoutRawControls(line []byte) ([]byte, bool) {
	if bytes.IndexByte(line, '\r') < 0 && bytes.IndexByte(line, '\t') < 0 {
		return line, true
	}
	value := jsontext.Value(append(p.compact[:0], line...))
	if err := value.Compact(); err != nil {
		return nil, false
	}
	p.compact = value
	return value, true
}

// tooDeep counts brackets that are open at once. Lines with few brackets, which
// are nearly all, are not walked.
func tooDeep(line []byte) bool {
	if bytes.Count(line, []byte{'{'})+bytes.Count(line, []byte{'['}) <= MaxDepth {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// object reads the object that comes next.
func (p *Parser) object(at level) *Refusal {
	if _, err := p.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	open := int(p.dec.InputOffset())
	var seen [members]bool
	cutter := newCutter(&p.msg.cuts, open)
	for p.dec.PeekKind() == '"' {
		name, err := p.dec.ReadValue()
		if err != nil {
			return syntax(err)
		}
		end := int(p.dec.InputOffset())
		from := end - len(name)
		if at != ref && at != notifications && p.reserved.has(name) {
			if err := p.dec.SkipValue(); err != nil {
				return syntax(err)
			}
			cutter.cut(int(p.dec.InputOffset()))
			continue
		}
		cutter.keep(from)
		which, ok := lookup(at, name)
		if !ok {
			return refuse(CodeInvalidRequest, "a member has a name that could be taken for a protocol name")
		}
		if which != other && seen[which] {
			return refuse(CodeInvalidRequest, "a protocol member stands there twice")
		}
		seen[which] = true
		where, refusal := p.value(at, which)
		if refusal != nil {
			return refusal
		}
		if at == arguments {
			p.msg.args = append(p.msg.args, argument{span{from, end}, where})
		}
		cutter.kept(where.to)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	p.noteObject(at, object{open: open, empty: cutter.close()})
	return nil
}

func (p *Parser) noteObject(at level, o object) {
	switch at {
	case params:
		p.msg.objects[paramsObject] = o
	case arguments:
		p.msg.objects[argumentsObject] = o
	case meta:
		p.msg.metaAt = o
	}
}

// value reads the value of a member and notes where it is. Objects that hold
// protocol names are opened, all else is only validated.
func (p *Parser) value(at level, which member) (span, *Refusal) {
	inner, opens := opened(at, which)
	if opens && p.dec.PeekKind() == '{' {
		where := span{from: p.valueStart()}
		if refusal := p.object(inner); refusal != nil {
			return where, refusal
		}
		where.to = int(p.dec.InputOffset())
		p.note(at, which, where)
		return where, nil
	}
	text, err := p.dec.ReadValue()
	if err != nil {
		return span{}, syntax(err)
	}
	end := int(p.dec.InputOffset())
	where := span{end - len(text), end}
	p.note(at, which, where)
	return where, nil
}

// valueStart is the offset of an object that comes next: of the next brace, as
// only a colon and blanks stand before it.
func (p *Parser) valueStart() int {
	at := int(p.dec.InputOffset())
	for at < len(p.msg.line) && p.msg.line[at] != '{' {
		at++
	}
	return at
}

func opened(at level, which member) (level, bool) {
	switch {
	case at == envelope && which == memberParams:
		return params, true
	case at == params && which == memberMeta:
		return meta, true
	case at == params && which == memberArguments:
		return arguments, true
	case at == params && which == memberRef:
		return ref, true
	case at == params && which == memberNotifications:
		return notifications, true
	case which == memberMeta: // of the envelope or of the arguments
		return bag, true
	}
	return 0, false
}

func (p *Parser) note(at level, which member, where span) {
	if which == other || which == memberMeta && at != params {
		return
	}
	if at == params && which == memberProtocolVersion {
		return // of initialize; the one in _meta tells the era
	}
	p.msg.members[which] = where
}

func syntax(err error) *Refusal {
	return refuse(CodeParseError, "the line is not valid JSON: "+kindOf(err))
}

// kindOf names a syntax error without its text, which quotes the input.
func kindOf(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it ends too early"
	case errors.Is(err, jsontext.ErrNonStringName):
		return "a member name is not a string"
	}
	return "a byte is where it may not be"
}

// check holds what the members must be together (JSON-RPC 2.0, sections 4 and 5).
func (m *Message) check() *Refusal {
	has := func(which member) bool { return m.members[which].present() }
	if string(m.text(memberJSONRPC)) != `"2.0"` {
		return refuse(CodeInvalidRequest, `jsonrpc is not "2.0"`)
	}
	if has(memberID) && !(validID(m.ID()) || isNull(m.ID()) && has(memberError)) {
		return refuse(CodeInvalidRequest, "the id is neither a string nor an integer")
	}
	if params := m.text(memberParams); params != nil && params[0] != '{' && !isNull(params) {
		return refuse(CodeInvalidRequest, "params is not an object")
	}
	answers := has(memberResult) || has(memberError)
	switch {
	case has(memberMethod) && answers, has(memberResult) && has(memberError):
		return refuse(CodeInvalidRequest, "the message is a request and an answer at once")
	case has(memberMethod) && m.text(memberMethod)[0] != '"':
		return refuse(CodeInvalidRequest, "the method is not a string")
	case has(memberMethod) && has(memberID):
		m.kind = Call
	case has(memberMethod):
		m.kind = Notification
	case answers && has(memberID):
		m.kind = Response
	default:
		return refuse(CodeInvalidRequest, "the message is neither a request nor an answer")
	}
	return nil
}

func isNull(text []byte) bool { return string(text) == "null" }

// validID accepts strings and integers as they come back unchanged from any
// backend: no fraction, no exponent, no negative zero.
func validID(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	if text[0] == '"' {
		return true
	}
	digits := bytes.TrimPrefix(text, []byte{'-'})
	if len(digits) == 0 || len(text) > 40 || string(text) == "-0" {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
