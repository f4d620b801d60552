package relay

import (
	"bytes"
	"strings"
	"time"
)

// Output is one line of the backend. What the backend says is passed on, so only
// the members of the message itself are looked at; a member that is null counts as
// one that is not there, but for a result. It refers to the line that it was
// scanned from.
type Output struct {
	kind       Kind
	line       []byte
	id, method []byte // texts
	called     string // method, decoded
	empty      bool   // the result is null
	idAt       span
	res, fail  span
	streamed   bool
	size       int       // of a streamed line
	now        time.Time // when it was read, or zero
}

// Kind says whether the line is a call of the server, a notification or a response.
// A method that does not begin with notifications/ makes it a call, though it has no
// id: a client might do what it says.
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

// ID is the text of the id; nil when there is none or it is null.
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
	seen    [members]bool
	closed  bool   // the message was read up to its last brace
	doubt   string // why it has more than one reading
	words   wordBook
}

// Doubts about a message of the backend.
const (
	doubtName   = "a member has a name that could be taken for a protocol name"
	doubtTwice  = "a protocol member stands there twice"
	doubtBoth   = "it is a request and an answer at once"
	doubtMethod = "its method is not a string"
)

// Scan reads one line. It returns nil when the line is not a JSON object, is one
// that is no JSON-RPC message, or one that two parsers could read differently: a
// protocol name stands there twice, or another resembles it. Of an error with a
// result beside it the result is cut out. Raw control bytes between tokens are
// overwritten with blanks, in the line itself.
func (s *Scanner) Scan(line []byte) *Output {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	s.start(line, nil)
	s.out.line = line
	s.message()
	if g := &s.grammar; !s.closed || g.next() != 0 || g.at < len(g.buf) || s.out.kind == 0 {
		return nil
	}
	if o := &s.out; o.kind == Response && o.fail.present() && o.res.present() {
		return s.Scan(withoutResult(line))
	}
	return &s.out
}

// withoutResult is a message without its result.
func withoutResult(line []byte) []byte {
	g := grammar{maxDepth: maxOutputDepth}
	g.start(line)
	g.open('{')
	var cuts []span
	cutter := newCutter(&cuts, g.offset())
	for first := true; g.each(first, '}'); first = false {
		quoted, from := g.name()
		result := string(quoted) == `"result"`
		if !result {
			cutter.keep(from)
		}
		g.take(':')
		if end := g.value().to; result {
			cutter.cut(end)
		} else {
			cutter.kept(end)
		}
	}
	cutter.close()
	edits := make([]edit, len(cuts))
	for i, cut := range cuts {
		edits[i].span = cut
	}
	return edited(line, edits)
}

func (s *Scanner) start(line []byte, more func(int) ([]byte, bool)) {
	s.grammar.maxDepth, s.grammar.blanks = maxOutputDepth, true
	s.grammar.start(line)
	s.grammar.more = more
	s.out, s.closed, s.doubt, s.seen = Output{}, false, "", [members]bool{}
}

// message reads the members of the message.
func (s *Scanner) message() {
	g := &s.grammar
	g.open('{')
	for first := true; g.each(first, '}'); first = false {
		quoted, _ := g.name()
		if g.flaw != sound {
			return
		}
		which := s.memberOf(quoted)
		g.take(':')
		s.member(which)
	}
	s.closed = g.flaw == sound
	if s.out.kind = s.out.kindNow(); s.closed {
		s.judge()
	}
}

// refuse ends the reading of a message that has more than one.
func (s *Scanner) refuse(doubt string) {
	s.doubt, s.closed, s.out.kind = doubt, false, 0
	s.grammar.fail(strayByte)
}

// memberOf finds out which member a name stands for. Each may stand there once, and
// no other may resemble it: what was judged must not be another message to the client.
func (s *Scanner) memberOf(quoted []byte) member {
	which, ok := lookup(envelope, quoted)
	switch {
	case !ok:
		s.refuse(doubtName)
		return other
	case which != other && s.seen[which]:
		s.refuse(doubtTwice)
		return other
	}
	s.seen[which] = true
	return which
}

// member reads a value and notes it. That there is an answer is noted before it
// is read: it may be what is too long to be held.
func (s *Scanner) member(which member) {
	g, o := &s.grammar, &s.out
	null := g.next() == 'n'
	from := g.offset()
	switch which {
	case memberID, memberMethod:
		g.begin()
		g.skip()
		text := g.token()
		if null || g.flaw != sound {
			break
		}
		if g.more != nil {
			text = bytes.Clone(text) // the window moves on
		}
		if which == memberID {
			o.id, o.idAt = text, span{from, g.offset()}
		} else {
			s.method(text)
		}
	case memberResult:
		o.res, o.empty = span{from, from + 1}, null
		g.skip()
		o.res.to = g.offset()
	case memberError:
		if !null {
			o.fail = span{from, from + 1}
		}
		if g.skip(); !null {
			o.fail.to = g.offset()
		}
	default:
		g.skip()
	}
	if o.streamed {
		s.judge()
	}
}

func (s *Scanner) method(text []byte) {
	if text[0] != '"' {
		s.refuse(doubtMethod)
		return
	}
	s.out.method, s.out.called = text, s.words.decode(text)
}

// judge refuses a message that is two at once. What has begun to pass as a result
// cannot become an error any more.
func (s *Scanner) judge() {
	o := &s.out
	result := o.res.present() && !o.empty
	if o.method != nil && (result || o.fail.present()) || o.streamed && result && o.fail.present() {
		s.refuse(doubtBoth)
	}
}

func (o *Output) answers() bool { return o.res.present() || o.fail.present() }

func (o *Output) kindNow() Kind {
	switch {
	case o.method == nil && o.answers():
		return Response
	case o.method == nil:
		return 0
	case o.id == nil && strings.HasPrefix(o.called, "notifications/"):
		return Notification
	}
	return Call
}
