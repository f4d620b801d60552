package relay

import (
	"bytes"
	"strings"
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

// maxForged bounds the copies of reserved members that are cut out of one
// message: more are no mistake of a client.
const maxForged = 1000

// maxListed bounds the arguments of a call that are noted one by one.
const maxListed = 10_000

// Parser reads lines of the client. It is not safe for concurrent use; the
// message that it returns is valid until the next Parse.
type Parser struct {
	reserved Reserved
	grammar  grammar
	msg      Message
	words    wordBook // names of methods, tools and arguments
}

// NewParser returns a Parser that cuts reserved members out of what it reads.
func NewParser(reserved Reserved) *Parser {
	return &Parser{reserved: reserved, grammar: grammar{strict: true, blanks: true, maxDepth: MaxDepth}, words: wordBook{}}
}

// Parse reads one line without its '\n'. It returns nil and nil for a blank
// line. A line that is not one JSON-RPC message with one reading is refused:
// invalid JSON or UTF-8, a BOM, trailing data, a batch, a doubtful spelling of
// a protocol name, two values for one of them, an id that is neither a string
// nor an integer (MCP 2026-07-28, basic, "Requests"). Raw control bytes between
// tokens, which JSON allows, are overwritten with blanks, in the line itself.
func (p *Parser) Parse(line []byte) (*Message, *Refusal) {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	p.grammar.start(line)
	p.begin(line, nil)
	m, refusal := p.read()
	if refusal != nil {
		refusal.ID = SoleID(line)
	}
	return m, refusal
}

// parseLong reads a line whose beginning is given and whose rest comes
// with more. What was looked at is found again in the spool. The id of a
// refusal is not looked for.
func (p *Parser) parseLong(beginning []byte, more func(int) ([]byte, bool), held *spool) (*Message, *Refusal) {
	p.grammar.start(beginning)
	p.grammar.more = more
	p.begin(nil, held)
	return p.read()
}

func (p *Parser) begin(line []byte, held *spool) {
	p.msg = Message{line: line, held: held, cuts: p.msg.cuts[:0], args: p.msg.args[:0], room: p.msg.room, words: p.msg.words}
}

func (p *Parser) read() (*Message, *Refusal) {
	g := &p.grammar
	switch g.next() {
	case 0:
		if g.at == len(g.buf) {
			return nil, nil
		}
	case '[':
		return nil, refuse(CodeInvalidRequest, "batches are not accepted: send one message a line")
	case '{':
		return p.envelope()
	}
	if g.skip(); g.flaw != sound {
		return nil, p.syntax()
	}
	return nil, refuse(CodeInvalidRequest, "a message is a JSON object")
}

func (p *Parser) envelope() (*Message, *Refusal) {
	g := &p.grammar
	if refusal := p.object(envelope); refusal != nil {
		return nil, refusal
	}
	if g.next() != 0 || g.at < len(g.buf) {
		return nil, refuse(CodeParseError, "there is more than one value on the line")
	}
	if refusal := p.msg.check(); refusal != nil {
		return nil, refusal
	}
	p.msg.method, p.msg.name = p.decoded(memberMethod), p.decoded(memberName)
	return &p.msg, nil
}

// object reads the object that comes next.
func (p *Parser) object(at level) *Refusal {
	g := &p.grammar
	g.open('{')
	open := g.offset()
	var seen [members]bool
	var names map[string]bool
	cutter := newCutter(&p.msg.cuts, open)
	for first := true; g.each(first, '}'); first = false {
		quoted, from := g.name()
		if g.flaw != sound {
			break
		}
		if at != ref && at != notifications && p.reserved.has(quoted) {
			if len(p.msg.cuts) == maxForged {
				return refuse(CodeInvalidRequest, "too many members that only the proxy may set")
			}
			g.take(':')
			cutter.cut(g.value().to)
			continue
		}
		cutter.keep(from)
		which, ok := lookup(at, quoted)
		if !ok {
			return refuse(CodeInvalidRequest, "a member has a name that could be taken for a protocol name")
		}
		if which != other && seen[which] {
			return refuse(CodeInvalidRequest, "a protocol member stands there twice")
		}
		seen[which] = true
		if at == named {
			if names = noteName(names, quoted); names == nil {
				return refuse(CodeInvalidRequest, "two members have names that could be taken for each other")
			}
		}
		name := ""
		if at == arguments && len(p.msg.args) < maxListed {
			name = p.words.decode(quoted)
		}
		g.take(':')
		where, refusal := p.value(at, which)
		if refusal != nil {
			return refusal
		}
		if at == arguments && len(p.msg.args) < maxListed {
			p.msg.args = append(p.msg.args, argumentAt{name, where})
		}
		cutter.kept(where.to)
	}
	if g.flaw != sound {
		return p.syntax()
	}
	p.noteObject(at, object{open: open, empty: cutter.close()})
	return nil
}

// decoded is the text of a member that is a string, and else empty.
func (p *Parser) decoded(which member) string {
	if text := p.msg.text(which); len(text) > 0 && text[0] == '"' {
		return p.words.decode(text)
	}
	return ""
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
	g := &p.grammar
	first := g.next()
	where := span{from: g.offset()}
	if inner, opens := opened(at, which); opens && first == '{' {
		if refusal := p.object(inner); refusal != nil {
			return where, refusal
		}
	} else {
		g.skip()
	}
	where.to = g.offset()
	if at == envelope {
		p.msg.first[which] = first
	}
	p.note(at, which, where)
	return where, nil
}

func opened(at level, which member) (level, bool) {
	switch {
	case at == envelope && which == memberParams:
		return params, true
	case at == envelope && which == memberResult:
		return result, true
	case at == params && which == memberMeta:
		return meta, true
	case at == params && which == memberArguments:
		return arguments, true
	case at == params && which == memberRef:
		return ref, true
	case at == params && which == memberNotifications:
		return notifications, true
	case at == params && which == memberArgument:
		return argument, true
	case at == params && which == memberContext:
		return completing, true
	case at == completing && which == memberContextArguments, at == params && which == memberInputResponses:
		return named, true
	case at == params && which == memberTask:
		return task, true
	case at == named:
		return response, true
	case at == params && which == memberPlainMeta:
		return bag, true
	case which == memberMeta: // of the envelope, the arguments or a result
		return bag, true
	}
	return 0, false
}

// noteName notes the name of a member; nil says that another has one that a careless
// parser takes for it.
func noteName(names map[string]bool, quoted []byte) map[string]bool {
	plain := strings.ToLower(visible(unquoted(quoted)))
	if names[plain] {
		return nil
	}
	if names == nil {
		names = map[string]bool{}
	}
	names[plain] = true
	return names
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

func (p *Parser) syntax() *Refusal {
	if p.grammar.flaw == nestedTooDeep {
		return refuse(CodeInvalidRequest, "the message is nested too deeply")
	}
	return refuse(CodeParseError, "the line is not valid JSON: "+p.grammar.flaw.String())
}

// check holds what the members must be together (JSON-RPC 2.0, sections 4 and 5).
// That params is an object is MCP's rule, for every method that there may be (schema,
// JSONRPCRequest): what stands in a list by its place could not be judged.
func (m *Message) check() *Refusal {
	has := func(which member) bool { return m.members[which].present() }
	if string(m.text(memberJSONRPC)) != `"2.0"` {
		return refuse(CodeInvalidRequest, `jsonrpc is not "2.0"`)
	}
	if has(memberID) && !(validID(m.ID()) || isNull(m.ID()) && has(memberError)) {
		return refuse(CodeInvalidRequest, "the id is neither a string nor an integer")
	}
	if has(memberParams) && m.first[memberParams] != '{' && m.first[memberParams] != 'n' {
		return refuse(CodeInvalidRequest, "params is not an object")
	}
	answers := has(memberResult) || has(memberError)
	switch {
	case has(memberMethod) && answers, has(memberResult) && has(memberError):
		return refuse(CodeInvalidRequest, "the message is a request and an answer at once")
	case has(memberMethod) && m.first[memberMethod] != '"':
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
