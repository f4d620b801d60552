package relay

import (
	"bytes"
	"strings"
)

// stream is a line of the backend that the buffer cannot hold, on its way to
// the client. It is passed on as it is read where nobody has to see it whole
// before. What is then found to be no message in its middle has already begun
// on the client's side: it gets the line end, and an error as the answer.
type stream struct {
	*outbound
	line    *longLine
	fate    fate
	held    []byte // what is collected
	ends    ends
	size    int
	call    *inFlightCall // that it answers, when that is known before it passes
	writing bool          // the client's line has begun
	err     error
}

// fate is what becomes of the pieces of a long line.
type fate int

const (
	undecided fate = iota
	passes         // to the client as it is read
	collected      // and handled like a short line
	stray
	dropped
)

func (out *outbound) takeLong(l *longLine) {
	s := &stream{outbound: out, line: l}
	l.emit = s.emit
	switch begin := bytes.TrimLeft(l.text(), " \t\r"); {
	case len(begin) == 0 || begin[0] == '[':
		s.fate = collected
	case begin[0] != '{':
		s.fate = stray
	default:
		s.scan()
	}
	l.rest()
	s.finish()
}

// scan reads the message. With the first bytes that must make room for others
// it is decided what becomes of all.
func (s *stream) scan() {
	scanner := &s.scanner
	scanner.start(s.line.text(), s.line.more)
	scanner.message()
	if s.fate == undecided {
		s.fate = collected // the message ended, or broke, within the buffer
		return
	}
	if s.fate == passes {
		if scanner.closed && s.belongs() {
			s.line.pass(scanner.grammar.at)
		}
		s.fate = dropped // what stands behind the message, or behind the flaw
	}
}

// belongs reports whether a message that was read to its end may have it. Where the id
// of an answer stood behind what passed already, only now is known what it answers. An
// answer to nothing, or to a call that the gate wants to see whole, stays half a line.
func (s *stream) belongs() bool {
	o := &s.scanner.out
	switch {
	case o.Kind() == Call: // which must be known before the client can answer it
		return s.ask(o)
	case o.Kind() != Response || s.call != nil:
		return true
	}
	var streamed bool
	s.call, streamed = s.inFlight.takeStreamed(o.id)
	return streamed
}

func (s *stream) emit(piece []byte) (more bool) {
	if s.fate == undecided {
		s.fate = s.decide()
	}
	s.ends.add(piece)
	switch s.fate {
	case passes:
		s.write(piece)
		return true
	case collected:
		if s.size <= s.MaxLine {
			s.held = append(s.held, piece...)
		} else {
			s.held = nil
		}
	}
	s.size += len(piece)
	return false
}

func (s *stream) write(piece []byte) {
	if !s.writing {
		s.writing = true
		s.toClient.mu.Lock()
	}
	if s.err == nil {
		_, s.err = s.toClient.part().Write(piece)
	}
}

// decide looks at what is known of the message. It passes as it is read unless
// it must be seen whole: by the gate, who said so of the call; who asked for
// it; or we, because what it is stands too far behind.
func (s *stream) decide() fate {
	o := &s.scanner.out
	switch {
	case o.method != nil && o.answers(), o.res.present() && o.fail.present():
		return collected
	case o.method != nil:
		return s.judged(o)
	case !o.answers():
		return collected
	case o.id == nil:
		if s.asks.any() || s.inFlight.anyWhole() || s.scanner.seen[memberID] {
			return collected
		}
	default:
		if s.asks.has(o.id) {
			return collected
		}
		call, streamed := s.inFlight.takeStreamed(o.id)
		if !streamed {
			return collected
		}
		s.call = call
	}
	o.streamed = true
	return passes
}

// judged asks the gate about a call or a notification of the backend.
func (s *stream) judged(o *Output) fate {
	o.streamed = true
	o.kind = Call
	if o.id == nil && strings.HasPrefix(o.Method(), "notifications/") {
		o.kind = Notification
	}
	if v := s.Gate.FromBackend(o, nil); v.Action != Forward {
		s.refuse(o, v)
		return dropped
	}
	return passes
}

func (s *stream) finish() {
	switch {
	case s.writing:
		s.endLine()
		s.answered()
	case s.fate == stray:
		s.misreadLong(&s.ends)
	case s.fate == dropped:
	case s.size > s.MaxLine:
		s.tooLong(&s.ends)
	default:
		s.take(s.held)
	}
}

func (s *stream) endLine() {
	if s.err == nil {
		_, s.err = s.toClient.part().Write([]byte{'\n'})
	}
	s.toClient.mu.Unlock()
	s.sent(s.err)
}

// answered settles the call whose answer has passed.
func (s *stream) answered() {
	o := &s.scanner.out
	o.size = s.scanner.grammar.offset()
	switch {
	case !s.scanner.closed:
		s.broken()
	case o.Kind() == Response && s.call == nil:
		s.unfinished(o)
	case o.Kind() == Response:
		s.Gate.FromBackend(o, &s.call.Request)
	}
}

// broken answers the call whose answer ended as something else than a message.
func (s *stream) broken() {
	s.Stray(StrayLine, s.ends.head)
	if s.call == nil {
		s.call = s.inFlight.take(s.ends.id())
	}
	if s.call != nil && !s.call.cancelled && !s.call.expired {
		s.giveUp(&s.call.Request, CodeBackendGone, "mcpauth: the server's answer broke off: "+s.scanner.why())
	}
}

// unfinished answers the call whose answer must not pass to its end.
func (s *stream) unfinished(o *Output) {
	call := s.inFlight.take(o.ID())
	switch {
	case call == nil:
		s.answersNothing(o, s.ends.head)
	case !call.cancelled && !call.expired:
		s.giveUp(&call.Request, CodeUnreadable, "mcpauth: the server's answer began before the call")
	}
}
