package relay

import (
	"bytes"
	"strconv"
	"time"
)

// misread drops a line that is no message, and answers the calls whose answer it is
// meant to be: their client would wait for ever.
func (out *outbound) misread(line []byte) {
	out.Stray(StrayLine, line)
	why := out.scanner.why()
	ids := namedIDs(line)
	whole := beginsMessage(line)
	switch {
	case out.scanner.isEmpty():
		ids, why = [][]byte{out.scanner.out.id}, "has neither a result nor an error"
	case len(ids) > 0 && !whole:
		why = textAround(line)
	case len(ids) == 0:
		if ids = out.lines.add(line); ids != nil {
			why, whole = "is spread over several lines: a message is one line", false
		}
	}
	// console.log() and print() write no names in double quotes: it may be a log of the answer.
	out.unreadable(ids, why, whole && out.scanner.grammar.flaw != nameNoString)
}

// misreadLong is misread for a line whose two ends alone are kept.
func (out *outbound) misreadLong(e *ends) {
	out.Stray(StrayLine, e.head)
	ids := namedIDs(e.head)
	if len(ids) == 0 {
		if id := e.id(); id != nil {
			ids = [][]byte{id}
		}
	}
	out.unreadable(ids, textAround(e.head), false)
}

// logging is how long a server that writes an answer to its log, on the way to the
// client, may take for the answer itself.
const logging = 200 * time.Millisecond

// unreadable answers calls whose answer cannot be read. What may be a log of an answer
// is not taken for it at once.
func (out *outbound) unreadable(ids [][]byte, why string, atOnce bool) {
	why = "mcpauth: the server's answer " + why
	for _, id := range ids {
		if out.asks.answered(id, func() []byte { return AppendError(nil, id, CodeUnreadable, why, nil) }) {
			continue
		}
		if atOnce {
			out.failed(out.inFlight.take(id), why)
		} else if call := out.inFlight.waiting(id); call != nil {
			time.AfterFunc(logging, func() { out.failed(out.inFlight.takeCall(call), why) })
		}
	}
}

func (r *Relay) failed(call *inFlightCall, why string) {
	if call != nil && !call.cancelled && !call.expired {
		r.giveUp(&call.Request, CodeUnreadable, why)
	}
}

// waiting returns the call with this id, and leaves it where it is.
func (p *pending) waiting(id []byte) *inFlightCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	if call := p.find(id); call != nil && call.left {
		return call
	}
	return nil
}

// takeCall removes and returns this call, or nil if it was taken.
func (p *pending) takeCall(call *inFlightCall) *inFlightCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls[call.key] != call {
		return nil
	}
	return p.answered(call)
}

// isEmpty reports whether the line that was scanned last is an answer but for a result:
// what JavaScript writes of one that is undefined.
func (s *Scanner) isEmpty() bool {
	return s.closed && s.out.kind == 0 && s.seen[memberJSONRPC] && s.out.id != nil
}

// why is what is wrong with the line that was scanned last.
func (s *Scanner) why() string {
	g := &s.grammar
	switch {
	case s.doubt != "":
		return "has two readings: " + s.doubt
	case g.flaw == strayByte:
		what, at := g.culprit()
		return "is not JSON: " + what + " at byte " + strconv.Itoa(at)
	case g.flaw != sound:
		return "is not JSON: " + g.flaw.String()
	case s.closed:
		return "is not JSON: other text stands behind it"
	}
	return "is no message"
}

// culprit names what ended the reading, and says where in the line it is. Only words
// that some languages write for numbers and constants are quoted.
func (g *grammar) culprit() (what string, at int) {
	from, to := g.at, g.at
	for from > 0 && isLetter(g.buf[from-1]) {
		from--
	}
	for to < len(g.buf) && isLetter(g.buf[to]) {
		to++
	}
	switch word := string(g.buf[from:to]); word {
	case "NaN", "nan", "Infinity", "inf", "None", "True", "False", "nil", "undefined":
		if from > 0 && g.buf[from-1] == '-' {
			return "-" + word, g.base + from - 1
		}
		return word, g.base + from
	}
	return g.flaw.String(), g.offset()
}

// beginsMessage reports whether a line begins as a message does, or a batch of them,
// and not as a line of a log.
func beginsMessage(line []byte) bool {
	text := bytes.TrimLeft(line, " \t\r")
	if len(text) > 0 && text[0] == '[' {
		text = bytes.TrimLeft(text[1:], " \t\r")
	}
	return len(text) > 0 && text[0] == '{'
}

// textAround says what stands before an answer.
func textAround(text []byte) string {
	switch {
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return "is not JSON: a byte order mark stands before it"
	case bytes.IndexByte(text, 0) >= 0:
		return "is not JSON: it is not UTF-8"
	}
	return "is not JSON: other text stands before it"
}

// maxObjects bounds the objects of a line that are looked through.
const maxObjects = 64

// namedIDs are the ids of the answers in a text that cannot be read as a message:
// of each object that has an id and a result or an error, by any name that resembles
// these.
func namedIDs(text []byte) (ids [][]byte) {
	if bytes.IndexByte(text, 0) >= 0 {
		text = bytes.ReplaceAll(text, []byte{0}, nil) // ASCII as UTF-16
	}
	if bytes.Contains(text, []byte(`'id'`)) {
		text = bytes.ReplaceAll(text, []byte{'\''}, []byte{'"'}) // a Python dictionary
	}
	for range maxObjects {
		at := bytes.IndexByte(text, '{')
		if at < 0 {
			break
		}
		text = text[at:]
		o := readLoosely(text)
		if found := o.answers(); found != nil {
			ids = append(ids, found...)
			text = text[o.size:]
		} else {
			text = text[1:]
		}
	}
	return ids
}

// looseObject is what can be seen of the members of an object that is not sound.
type looseObject struct {
	ids    [][]byte
	answer bool
	size   int // up to its end, or that of the text
}

func (o *looseObject) answers() [][]byte {
	if !o.answer {
		return nil
	}
	return o.ids
}

func readLoosely(text []byte) (o looseObject) {
	var w window
	w.reset(text)
	for depth := 0; w.ensure(1); {
		c := w.buf[w.at]
		if c == '"' {
			from := w.at
			passString(&w)
			if quoted := w.buf[from:w.at]; depth == 1 && len(quoted) > 1 && afterColon(&w) {
				o.member(resembled(quoted), &w)
			}
			continue
		}
		if depth == 1 && isWord(c) { // a name without quotes, as JSON5 and JavaScript have them
			name := []byte{'"'}
			for ; w.ensure(1) && isWord(w.buf[w.at]); w.at++ {
				name = append(name, w.buf[w.at])
			}
			if afterColon(&w) {
				o.member(resembled(append(name, '"')), &w)
			}
			continue
		}
		w.at++
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				o.size = w.at
				return o
			}
		}
	}
	o.size = len(text)
	return o
}

func (o *looseObject) member(which member, w *window) {
	switch which {
	case memberID:
		from := w.at
		id := doubtfulID(w)
		if number, err := strconv.ParseInt(string(w.buf[from:w.at]), 10, 64); id == nil && err == nil {
			id = strconv.AppendInt(nil, number, 10) // with zeroes, or a plus, in front
		}
		if id != nil {
			o.ids = append(o.ids, id)
		}
	case memberResult, memberError:
		o.answer = true
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isWord(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' || c == '_' || c == '$' }

// resembled is the member of a message that a name is, or could be taken for.
func resembled(quoted []byte) member {
	text := unquoted(quoted)
	for _, known := range protocolNames[envelope] {
		if resembles(text, known.text) {
			return known.member
		}
	}
	return other
}

// fragments are the last lines that were no message: an answer may be spread over them,
// or stand in a frame, as those of the Language Server Protocol.
type fragments struct {
	text  []byte
	frame bool // the head of one was the last that was said
}

// framed answers calls whose answer is in a frame. Its line has no end before the next
// frame comes, so the half line is looked at.
func (f *fragments) framed(out *outbound, half []byte) {
	if f.frame && len(half) > 0 {
		out.unreadable(namedIDs(half), "comes in a frame with Content-Length: a message is one line", true)
	}
}

// maxFragments bounds them, in bytes.
const maxFragments = 32 << 10

// over forgets them: a message came.
func (f *fragments) over() { f.text, f.frame = f.text[:0], false }

// add takes another line and returns the ids of the answer that all make together.
func (f *fragments) add(line []byte) (ids [][]byte) {
	trimmed := bytes.TrimSpace(line)
	f.frame = bytes.HasPrefix(trimmed, []byte("Content-Length:")) || f.frame && bytes.HasPrefix(trimmed, []byte("Content-Type:"))
	if len(trimmed) > 0 && trimmed[0] == '{' && len(line) > 0 && line[0] == '{' {
		f.over()
	} else if len(f.text) == 0 {
		return nil
	}
	if len(f.text)+len(line) > maxFragments {
		f.over()
		return nil
	}
	f.text = append(append(f.text, line...), ' ')
	if ids = namedIDs(f.text); ids != nil {
		f.over()
	}
	return ids
}
