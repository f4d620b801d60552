package relay

import (
	"bytes"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// outbound is the way from the backend to the client.
type outbound struct {
	*Relay
	scanner Scanner
	out     batch
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
		out.pass(o)
	case len(bytes.TrimSpace(line)) == 0:
	default:
		out.unbatch(line)
	}
}

// tooLong answers the call whose answer must be held as a whole, but cannot be.
func (out *outbound) tooLong(e *ends) {
	out.Stray(e.head)
	if call := out.inFlight.take(e.id()); call != nil && !call.expired {
		out.giveUp(&call.Request, CodeTooLong, "mcpauth: the server's answer is longer than this proxy allows")
	}
}

func (out *outbound) pass(o *Output) {
	var request *Request
	if o.Kind() == Response {
		if out.asks.answered(o.ID(), o.Bytes) {
			return
		}
		if call := out.inFlight.take(o.ID()); call != nil {
			if call.expired {
				return // the client has had its answer: that it took too long
			}
			request = &call.Request
		}
	}
	o.now = time.Now()
	v := out.Gate.FromBackend(o, request)
	if v.Action != Forward {
		out.refuse(o, v)
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
		out.Stray(line)
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
			out.Stray(element)
		}
	}
}
