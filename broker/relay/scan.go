package relay

import (
	"bytes"
	"time"
)

// Output is one line of the backend, read loosely: what the backend says is
// passed on, so only what the relay itself needs is looked at. It refers to the
// line that it was scanned from.
type Output struct {
	kind       Kind
	line       []byte
	id, method []byte // texts
	called     string // method, decoded
	idAt       span
	res, fail  span
	streamed   bool
	size       int       // of a streamed line
	now        time.Time // when it was read, or zero
}

// Kind says whether the line is a call of the client, a notification or a response.
func (o *Output) Kind() Kind { return o.kind }

// Streamed reports whether the line is too long to be held: it passes piece by
// piece, so that only its kind, method and id are known.
func (o *Output) Streamed() bool { return o.streamed }

// Bytes is the line as the backend sent it, without its line end; nil when it
// is streamed.
func (o *Output) Bytes() []byte { return o.line }

// Size is the length of the line in bytes. Of a streamed one it is known when
// that has passed, and 0 before.
func (o *Output) Size() int {
	if o.line != nil {
		return len(o.line)
	}
	return o.size
}

// Now is when the message is judged.
func (o *Output) Now() time.Time {
	if o.now.IsZero() {
		return time.Now()
	}
	return o.now
}

// ID is the text of the id, or nil.
func (o *Output) ID() []byte { return o.id }

// Method is the decoded method, empty for a response.
func (o *Output) Method() string { return o.called }

// AroundID is the line before and behind the id; nil when there is no id or the line
// is streamed.
func (o *Output) AroundID() (before, behind []byte) {
	if o.line == nil || !o.idAt.present() {
		return nil, nil
	}
	return o.line[:o.idAt.from], o.line[o.idAt.to:]
}

// Result is the text of the result; nil when there is none or it is streamed.
func (o *Output) Result() []byte {
	if o.line == nil || !o.res.present() {
		return nil
	}
	return o.line[o.res.from:o.res.to]
}

// Error is the text of the error; nil when there is none or it is streamed.
func (o *Output) Error() []byte {
	if o.line == nil || !o.fail.present() {
		return nil
	}
	return o.line[o.fail.from:o.fail.to]
}

// Failed reports whether the response is an error.
func (o *Output) Failed() bool { return o.fail.present() }

// maxOutputDepth bounds the nesting of what the backend says.
const maxOutputDepth = 10_000

// Scanner reads lines of the backend. It is not safe for concurrent use; the
// output that it returns is valid until the next Scan.
type Scanner struct {
	grammar grammar
	out     Output
	closed  bool // the message was read up to its last brace
	words   wordBook
}

// Scan reads one line. It returns nil when the line is not a JSON object, or
// is one that is no JSON-RPC message.
func (s *Scanner) Scan(line []byte) *Output {
	s.start(line, nil)
	s.out.line = line
	s.message()
	if g := &s.grammar; !s.closed || g.next() != 0 || g.at < len(g.buf) || s.out.kind == 0 {
		return nil
	}
	return &s.out
}

func (s *Scanner) start(line []byte, more func(int) ([]byte, bool)) {
	s.grammar.maxDepth = maxOutputDepth
	s.grammar.start(line)
	s.grammar.more = more
	s.out, s.closed = Output{}, false
}

// message reads the members of the message.
func (s *Scanner) message() {
	g := &s.grammar
	g.open('{')
	for first := true; g.each(first, '}'); first = false {
		quoted, _ := g.name()
		which := s.memberOf(quoted)
		g.take(':')
		s.member(which)
	}
	s.closed = g.flaw == sound
	s.out.kind = s.out.kindNow()
}

// memberOf finds out which member a name stands for. Of a streamed message each
// may stand there once: what was judged must not become another message.
func (s *Scanner) memberOf(quoted []byte) member {
	o := &s.out
	which, twice := other, false
	switch string(quoted) {
	case `"id"`:
		which, twice = memberID, o.id != nil
	case `"method"`:
		which, twice = memberMethod, o.method != nil || o.answers()
	case `"result"`:
		which, twice = memberResult, o.method != nil || o.answers()
	case `"error"`:
		which, twice = memberError, o.method != nil || o.answers()
	}
	if twice && o.streamed {
		s.grammar.fail(strayByte)
	}
	return which
}

// member reads a value and notes it. That there is an answer is noted before it
// is read: it may be what is too long to be held.
func (s *Scanner) member(which member) {
	g, o := &s.grammar, &s.out
	g.next()
	from := g.offset()
	switch which {
	case memberID, memberMethod:
		g.begin()
		g.skip()
		text := g.token()
		if g.more != nil {
			text = bytes.Clone(text) // the window moves on
		}
		if which == memberID {
			o.id, o.idAt = text, span{from, g.offset()}
		} else {
			o.method, o.called = text, ""
			if len(text) > 1 && text[0] == '"' {
				o.called = s.words.decode(text)
			}
		}
	case memberResult:
		o.res = span{from, from + 1}
		g.skip()
		o.res.to = g.offset()
	case memberError:
		o.fail = span{from, from + 1}
		g.skip()
		o.fail.to = g.offset()
	default:
		g.skip()
	}
}

func (o *Output) answers() bool { return o.res.present() || o.fail.present() }

func (o *Output) kindNow() Kind {
	switch {
	case o.method != nil && o.id != nil:
		return Call
	case o.method != nil:
		return Notification
	case o.answers():
		return Response
	}
	return 0
}
