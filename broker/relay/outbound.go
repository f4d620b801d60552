package relay

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// outbound is the way from the backend to the client.
type outbound struct {
	*Relay
	scanner Scanner
	out     batch
	lines   fragments
}

// pumpBackend reads the backend until it says no more.
func (r *Relay) pumpBackend(from io.Reader) {
	out := &outbound{Relay: r, scanner: Scanner{words: wordBook{}}, out: batch{sink: func() *sink { return r.toClient }}}
	out.pump(newLineReader(from, bufferSize))
}

func (out *outbound) pump(lines *lineReader) {
	for {
		for line, ok := lines.next(); ok; line, ok = lines.next() {
			out.take(line)
		}
		out.sent(out.out.flush())
		out.lines.framed(out, lines.rest())
		if lines.full() {
			out.takeLong(lines.long(out.MaxLine))
		} else if lines.fill() != nil {
			break
		}
	}
	out.take(lines.last()) // half a line is stray, a whole message is not
	out.sent(out.out.flush())
}

// sent ends the session when the client no longer reads. The backend's output
// is drained all the same, so that it can end by itself.
func (out *outbound) sent(err error) {
	if err != nil {
		out.clientGone()
	}
}

func (out *outbound) take(line []byte) {
	if len(line) > out.MaxLine {
		var e ends
		e.add(line)
		out.tooLong(&e)
		return
	}
	switch o := out.scanner.Scan(line); {
	case o != nil:
		out.lines.over()
		out.pass(o)
	case len(bytes.TrimSpace(line)) == 0:
	default:
		out.unbatch(line)
	}
}

// tooLong answers the call whose answer must be held as a whole, but cannot be.
func (out *outbound) tooLong(e *ends) {
	out.Stray(StrayLine, e.head)
	if call := out.inFlight.take(e.id()); call != nil && !call.expired {
		out.giveUp(&call.Request, CodeTooLong, "mcpauth: the server's answer is longer than this proxy allows")
	}
}

// answersNothing drops an answer to no call in flight. The call that it is for, if
// that is clear, gets an error.
func (out *outbound) answersNothing(o *Output, beginning []byte) {
	out.Stray(StrayAnswer, beginning)
	if len(o.ID()) == 0 && o.Failed() && !unreadRequest(o) {
		return // it may be about a notification
	}
	if call := out.inFlight.meant(o.ID()); call != nil {
		out.giveUp(&call.Request, CodeUnreadable, otherID("server", o.ID()))
	}
}

// unreadRequest reports whether an error is the one of JSON-RPC 2.0, section 5, for a
// request whose id could not even be read.
func unreadRequest(o *Output) bool {
	var e struct {
		Code float64 `json:"code"`
	}
	return DecodeStrict(o.Error(), &e) == nil && (e.Code == CodeParseError || e.Code == CodeInvalidRequest)
}

func otherID(who string, id []byte) string {
	const most = 60 // bytes
	switch {
	case len(id) == 0:
		return "mcpauth: the " + who + " answered without the id of the request"
	case len(id) > most:
		id = append(id[:most:most], "…"...)
	}
	return "mcpauth: the " + who + " answered under another id: " + strings.ToValidUTF8(string(id), "\ufffd")
}

func (out *outbound) pass(o *Output) {
	var request *Request
	switch o.Kind() {
	case Response:
		if out.asks.answered(o.ID(), o.Bytes) {
			return
		}
		call := out.inFlight.take(o.ID())
		switch {
		case call == nil:
			out.answersNothing(o, o.Bytes())
			return
		case call.expired:
			return // the client has had its answer
		}
		request = &call.Request
	case Call, Notification:
	}
	o.now = time.Now()
	v := out.Gate.FromBackend(o, request)
	if v.Action != Forward {
		out.refuse(o, v)
		return
	}
	if o.Kind() == Call && !out.ask(o) {
		return
	}
	text := v.Line
	if text == nil {
		text = o.Bytes()
	}
	if out.Revive != nil && request != nil && request.Method == "initialize" && !o.Failed() {
		out.handshake.answered(text)
	}
	err := out.out.add(text)
	if err == nil && out.out.full() {
		err = out.out.flush()
	}
	out.sent(err)
}

// ask notes that the client owes an answer to a request of the backend.
func (out *outbound) ask(o *Output) bool {
	if o.ID() == nil {
		return true
	}
	_, refusal := out.owed.add(Request{ID: bytes.Clone(o.ID()), Method: o.Method()}, false)
	if refusal != nil {
		out.backendBox.put(AppendError(nil, o.ID(), refusal.Code, "mcpauth: "+refusal.Reason, nil))
	}
	return refusal == nil
}

// refuse answers a call of the backend that does not reach the client.
func (r *Relay) refuse(o *Output, v Verdict) {
	if v.Action == Answer && o.Kind() == Call && o.ID() != nil {
		r.backendBox.put(v.Line)
	}
}

// unbatch passes the messages of a batch one by one, because a list inside one
// would get around the gate. Only MCP 2025-03-26 knows batches. What is no
// batch of messages is stray output.
func (out *outbound) unbatch(line []byte) {
	loosely := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	text := bytes.TrimLeft(line, " \t\r")
	if text[0] != '[' || !jsontext.Value(text).IsValid(loosely...) {
		if text[0] == '[' {
			out.scanner.start(line, nil) // to find what is wrong with it
			out.scanner.grammar.skip()
		}
		out.misread(line)
		return
	}
	elements := jsontext.NewDecoder(bytes.NewReader(text), loosely...)
	if _, err := elements.ReadToken(); err != nil {
		return
	}
	for elements.PeekKind() != ']' {
		element, err := elements.ReadValue()
		if err != nil {
			return
		}
		if o := out.scanner.Scan(bytes.Clone(element)); o != nil {
			out.pass(o)
		} else {
			out.misread(element)
		}
	}
}
