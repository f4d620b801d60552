package relay

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// oracle reads lines with jsontext, member for member as Parser does. It is what
// Parser is compared with.
type oracle struct {
	reserved Reserved
	dec      jsontext.Decoder
	in       bytes.Buffer
	msg      Message
}

func (p *oracle) parse(line []byte) (*Message, *Refusal) {
	line = blanked(bytes.TrimSuffix(line, []byte{'\r'}))
	if len(bytes.Trim(line, " ")) == 0 {
		return nil, nil
	}
	if refusal := p.read(line); refusal != nil {
		return nil, refusal
	}
	return &p.msg, nil
}

// blanked is the line with blanks for the raw control bytes outside of strings.
func blanked(line []byte) []byte {
	line = bytes.Clone(line)
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '\r' || c == '\t' || c == '\n'):
			line[i] = ' '
		}
	}
	return line
}

func (p *oracle) read(line []byte) *Refusal {
	if tooDeep(line) {
		return refuse(CodeInvalidRequest, "the message is nested too deeply")
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
func (p *oracle) object(at level) *Refusal {
	if _, err := p.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	open := int(p.dec.InputOffset())
	var seen [members]bool
	var names map[string]bool
	cutter := newCutter(&p.msg.cuts, open)
	for p.dec.PeekKind() == '"' {
		name, err := p.dec.ReadValue()
		if err != nil {
			return syntax(err)
		}
		end := int(p.dec.InputOffset())
		from := end - len(name)
		if at != ref && at != notifications && p.reserved.has(name) {
			if len(p.msg.cuts) == maxForged {
				return refuse(CodeInvalidRequest, "too many members that only the proxy may set")
			}
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
		if at == named {
			if names = noteName(names, name); names == nil {
				return refuse(CodeInvalidRequest, "two members have names that could be taken for each other")
			}
		}
		decoded := unquoted(name)
		where, refusal := p.value(at, which)
		if refusal != nil {
			return refusal
		}
		if at == arguments {
			p.msg.args = append(p.msg.args, argumentAt{decoded, where})
		}
		cutter.kept(where.to)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return syntax(err)
	}
	p.noteObject(at, object{open: open, empty: cutter.close()})
	return nil
}

func (p *oracle) noteObject(at level, o object) {
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
func (p *oracle) value(at level, which member) (span, *Refusal) {
	inner, opens := opened(at, which)
	if opens && p.dec.PeekKind() == '{' {
		where := span{from: p.valueStart()}
		if refusal := p.object(inner); refusal != nil {
			return where, refusal
		}
		where.to = int(p.dec.InputOffset())
		p.noteValue(at, which, where, '{')
		return where, nil
	}
	text, err := p.dec.ReadValue()
	if err != nil {
		return span{}, syntax(err)
	}
	end := int(p.dec.InputOffset())
	where := span{end - len(text), end}
	p.noteValue(at, which, where, text[0])
	return where, nil
}

func (p *oracle) noteValue(at level, which member, where span, first byte) {
	if at == envelope {
		p.msg.first[which] = first
	}
	if which == other || which == memberMeta && at != params || at == params && which == memberProtocolVersion {
		return
	}
	p.msg.members[which] = where
}

// valueStart is the offset of an object that comes next: of the next brace, as
// only a colon and blanks stand before it.
func (p *oracle) valueStart() int {
	at := int(p.dec.InputOffset())
	for at < len(p.msg.line) && p.msg.line[at] != '{' {
		at++
	}
	return at
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
	return "an unexpected character"
}

// looseOutput reads a line of the backend with jsontext, as Scanner does.
func looseOutput(line []byte) *Output {
	out := &Output{line: line}
	dec := jsontext.NewDecoder(bytes.NewBuffer(line), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '{' {
		return nil
	}
	seen := map[member]bool{}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			return nil
		}
		which, ok := lookup(envelope, name)
		if !ok || which != other && seen[which] {
			return nil
		}
		seen[which] = true
		value, err := dec.ReadValue()
		if err != nil || !out.noteLoosely(which, value, int(dec.InputOffset())) {
			return nil
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil
	}
	out.kind = out.kindNow()
	switch result := out.res.present(); {
	case out.kind == 0, out.method != nil && (out.fail.present() || result && !out.empty):
		return nil
	case out.kind == Response && out.fail.present() && result:
		return looseOutput(withoutResult(line))
	}
	return out
}

func (o *Output) noteLoosely(which member, value jsontext.Value, end int) bool {
	where, null := span{end - len(value), end}, string(value) == "null"
	switch {
	case which == memberResult:
		o.res, o.empty = where, null
	case null:
	case which == memberID:
		o.id, o.idAt = o.line[where.from:where.to], where
	case which == memberMethod:
		if value[0] != '"' {
			return false
		}
		o.method, o.called = o.line[where.from:where.to], decodeString(value)
	case which == memberError:
		o.fail = where
	}
	return true
}
