package relay

// inbound is the way from the client to the backend.
type inbound struct {
	*Relay
	parser  *Parser
	out     batch
	sending []Request // calls in the batch that is not written yet
	scratch []byte
}

// pumpClient reads the client until it says no more.
func (r *Relay) pumpClient() {
	in := &inbound{Relay: r, parser: NewParser(r.Reserved), out: batch{to: r.toBackend}}
	lines := newLineReader(r.Client.R, r.MaxLine)
	for {
		for l, ok := lines.next(); ok; l, ok = lines.next() {
			in.take(l)
		}
		in.flush()
		if lines.fill() != nil {
			break
		}
	}
	if l, ok := lines.last(); ok {
		in.take(l)
		in.flush()
	}
}

// take judges one line and does what the verdict says.
func (in *inbound) take(l line) {
	if l.tooLong() {
		in.refuse(&Refusal{Code: CodeTooLong, Reason: "the message is longer than this proxy allows", ID: l.endID()})
		return
	}
	m, refusal := in.parser.Parse(l.text)
	if refusal != nil {
		in.refuse(refusal)
		return
	}
	if m == nil {
		return // a blank line
	}
	if m.Method() == "notifications/cancelled" {
		if in.parked.cancel(m.RequestID()) {
			return // the call never reached the backend, and nobody is owed an answer
		}
		in.inFlight.cancel(m.RequestID())
	}
	if m.Kind() == Call && m.Method() != "ping" && in.parked.busy() {
		in.park(m, nil) // behind the calls that wait, so that their order stays
		return
	}
	in.do(m, in.judge(m))
}

// judge asks the gate. The line of the verdict is good until the next judge.
func (in *inbound) judge(m *Message) Verdict {
	v := in.Gate.FromClient(m, in.scratch[:0])
	if cap(v.Line) > cap(in.scratch) && cap(v.Line) <= bufferSize {
		in.scratch = v.Line
	}
	return v
}

func (in *inbound) refuse(refusal *Refusal) {
	in.Gate.Refused(refusal)
	in.outbox.put(AppendError(nil, refusal.ID, refusal.Code, "mcpauth: "+refusal.Reason, nil))
}

func (in *inbound) do(m *Message, v Verdict) {
	switch v.Action {
	case Forward:
		in.forward(m, v)
	case Answer:
		in.outbox.put(v.Line)
	case Wait:
		in.park(m, v.Until)
	case Drop:
	}
}

func (in *inbound) park(m *Message, until waiter) {
	if !in.parked.put(m.Clone(), until) {
		in.refuse(&Refusal{Code: CodeTooMany, Reason: "too many calls wait at once", ID: m.ID()})
	}
}

func (in *inbound) forward(m *Message, v Verdict) {
	if m.Kind() == Call {
		request := m.request(v.Tag)
		if !in.inFlight.add(request) {
			in.refuse(&Refusal{Code: CodeInvalidRequest, Reason: "the id belongs to a call that is not answered yet", ID: m.ID()})
			return
		}
		in.sending = append(in.sending, request)
	}
	text := v.Line
	if text == nil {
		text = m.Bytes()
	}
	if in.out.add(text) != nil {
		in.unsent()
	}
}

// flush sends the batch.
func (in *inbound) flush() {
	if in.out.flush() != nil {
		in.unsent()
	}
	in.sending = in.sending[:0]
}

// unsent answers the calls that a backend which no longer reads did not get.
func (in *inbound) unsent() {
	in.out.lines = in.out.lines[:0]
	for _, request := range in.sending {
		if in.inFlight.take(request.ID) != nil {
			in.outbox.put(AppendError(nil, request.ID, CodeBackendGone, "mcpauth: the server no longer reads", nil))
		}
	}
	in.sending = in.sending[:0]
}
