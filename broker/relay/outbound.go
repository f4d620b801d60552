package relay

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// outbound is the way from the backend to the client.
type outbound struct {
	*Relay
	scanner Scanner
	out     batch
}

// pumpBackend reads the backend until it says no more.
func (r *Relay) pumpBackend() {
	out := &outbound{Relay: r, out: batch{to: r.toClient}}
	lines := newLineReader(r.Backend.R, r.MaxLine)
	for {
		for l, ok := lines.next(); ok; l, ok = lines.next() {
			out.take(l)
		}
		out.sent(out.out.flush())
		if lines.fill() != nil {
			break
		}
	}
	if l, ok := lines.last(); ok { // half a line is stray, a whole message is not
		out.take(l)
		out.sent(out.out.flush())
	}
}

// sent ends the session when the client no longer reads. The backend's output
// is drained all the same, so that it can end by itself.
func (out *outbound) sent(err error) {
	if err != nil {
		out.clientGone()
	}
}

func (out *outbound) take(l line) {
	if l.tooLong() {
		out.Stray(l.text)
		if request := out.inFlight.take(l.endID()); request != nil {
			out.outbox.put(AppendError(nil, request.ID, CodeTooLong, "mcpauth: the server's answer is longer than this proxy allows", nil))
		}
		return
	}
	switch o := out.scanner.Scan(l.text); {
	case o != nil:
		out.pass(o)
	case len(bytes.TrimSpace(l.text)) == 0:
	default:
		out.unbatch(l.text)
	}
}

func (out *outbound) pass(o *Output) {
	var request *Request
	if o.Kind() == Response {
		if out.asks.answered(o) {
			return
		}
		request = out.inFlight.take(o.ID())
	}
	v := out.Gate.FromBackend(o, request)
	if v.Action != Forward {
		return
	}
	text := v.Line
	if text == nil {
		text = o.Bytes()
	}
	out.sent(out.out.add(text))
}

// unbatch passes the messages of a batch one by one, because a list inside one
// would get around the gate. Only MCP 2025-03-26 knows batches. What is no
// batch of messages is stray output.
func (out *outbound) unbatch(text []byte) {
	if text[0] != '[' || !jsontext.Value(text).IsValid() {
		out.Stray(text)
		return
	}
	elements := jsontext.NewDecoder(bytes.NewReader(text))
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
		}
	}
}
