package relay

import (
	"bytes"
	"slices"
	"time"
)

// inbound is the way from the client to the backend.
type inbound struct {
	*Relay
	parser  *Parser
	out     batch
	sending []leaving // calls in the batch that is not written yet
	spools  spoolRack
	called  bool // the client has made a call
}

// leaving is a call in the batch.
type leaving struct {
	Request
	commit Commit // nil when that is done
	lines  span   // where in the batch it is
}

func (r *Relay) newInbound() *inbound {
	in := &inbound{Relay: r, parser: NewParser(r.Reserved)}
	in.out = batch{sink: r.toBackend.Load, before: in.commit}
	return in
}

// pumpClient reads the client until it says no more.
func (r *Relay) pumpClient() {
	in := r.newInbound()
	in.pump(newLineReader(r.Client.R, bufferSize))
	in.spools.close()
}

func (in *inbound) pump(lines *lineReader) {
	for {
		for line, ok := lines.next(); ok; line, ok = lines.next() {
			in.take(line)
		}
		in.flush()
		if in.called {
			in.greeted.Do(func() { close(in.greeting) })
		}
		if lines.full() {
			in.takeLong(lines.long(in.MaxLine))
		} else if lines.fill() != nil {
			break
		}
	}
	in.take(lines.last())
	in.flush()
}

// take reads one line and does what the verdict says.
func (in *inbound) take(line []byte) {
	if len(line) > in.MaxLine {
		var e ends
		e.add(line)
		in.refuseTooLong(&e)
		return
	}
	m, refusal := in.parser.Parse(line)
	switch {
	case refusal != nil:
		in.refuse(refusal)
	case m != nil: // and no blank line
		in.called = in.called || m.Kind() == Call
		in.handle(m)
	}
}

// takeLong reads a line that the buffer cannot hold. It is held in a spool until
// all of it is judged.
func (in *inbound) takeLong(l *longLine) {
	held := in.spools.take()
	var e ends
	l.emit = func(piece []byte) bool {
		e.add(piece)
		if held.size <= in.MaxLine {
			held.add(piece)
		}
		return held.size <= in.MaxLine && held.err == nil
	}
	m, refusal := in.parser.parseLong(l.text(), l.more, held)
	l.rest()
	switch {
	case held.size > in.MaxLine:
		in.refuseTooLong(&e)
	case held.err != nil:
		in.refuse(&Refusal{Code: CodeTooLong, Reason: "there is no memory to hold the message", ID: e.id()})
	case refusal != nil:
		var line window
		held.again(&line)
		refusal.ID = soleID(&line)
		in.refuse(refusal)
	case m != nil:
		in.handle(m)
		if m.held == nil {
			return // it waits
		}
	}
	in.spools.put(held)
}

func (in *inbound) refuseTooLong(e *ends) {
	in.refuse(&Refusal{Code: CodeTooLong, Reason: "the message is longer than this proxy allows", ID: e.id()})
}

// handle judges one message and does what the verdict says.
func (in *inbound) handle(m *Message) {
	switch {
	case m.Kind() == Response:
		if in.clientAsks.answered(m.ID(), m.Bytes) {
			return
		}
	case m.Method() == "notifications/cancelled":
		if in.cancelled(m.RequestID()) {
			return
		}
	}
	switch {
	case in.turnstile.way() != nil:
		in.hold(m)
		return
	case m.Kind() == Call && m.Method() != "ping" && in.parked.busy():
		in.wait(m, Verdict{}) // behind the calls that wait, so that their order stays
		return
	}
	m.now = time.Now()
	in.do(m, in.Gate.FromClient(m))
}

// cancelled reports whether a call that its client gives up never reached the
// backend, so that nobody need hear of it.
func (in *inbound) cancelled(id []byte) bool {
	if in.parked.cancel(id) || in.apart.cancel(id) {
		return true
	}
	in.flush() // a call that cannot be committed is answered, and then is none to cancel
	if call := in.inFlight.cancel(id); call != nil && in.Cancelled != nil {
		in.Cancelled(call)
	}
	return false
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
		in.wait(m, v)
	case Drop:
	}
}

func (in *inbound) wait(m *Message, v Verdict) {
	in.flush() // what waits must not overtake what came before it, nor what it waits for
	if !v.Apart {
		in.park(m, v.Until)
		return
	}
	m = m.Clone()
	if refusal := in.apart.put(in.running, m, v.Until); refusal != nil {
		in.refuse(refusal)
		m.release()
	}
}

func (in *inbound) park(m *Message, until waiter) {
	m = m.Clone()
	if in.parked.put(m, until) {
		return
	}
	if m.Kind() == Call {
		in.refuse(&Refusal{Code: CodeTooMany, Reason: "too many calls wait at once", ID: m.ID()})
	}
	m.release()
}

func (in *inbound) forward(m *Message, v Verdict) {
	if !m.CanHold(v.Insert) {
		in.refuse(&Refusal{Code: CodeInvalidParams, Reason: "params, _meta and arguments must be objects", ID: m.ID()})
		return
	}
	call := leaving{commit: v.Commit}
	if m.Kind() == Call {
		call.Request = m.request(v.Tag)
		if v.Commit != nil && m.leavesAtOnce(v) {
			if err := v.Commit.Commit(); err != nil {
				lost := call.Request
				in.outbox.put(in.Gate.Uncommitted(&lost, err))
				return
			}
			call.commit = nil
		}
		if refusal := in.inFlight.add(call.Request, v.WholeAnswer || in.remembers(m)); refusal != nil {
			in.refuse(refusal)
			if v.Tag != nil && in.Unanswered != nil { // the gate counts on an answer
				lost := call.Request // a copy, so that others need no memory of their own
				in.Unanswered(&lost, refusal.Code)
			}
			return
		}
	}
	call.lines.from = len(in.out.lines)
	err := in.send(m, v)
	if m.Kind() == Call {
		call.lines.to = len(in.out.lines)
		in.sending = append(in.sending, call)
	}
	if err == nil && in.out.full() {
		err = in.out.flush()
	}
	if err != nil {
		in.unsent()
	}
}

// leavesAtOnce reports whether a message is written by itself, and not in a batch.
func (m *Message) leavesAtOnce(v Verdict) bool {
	return m.held != nil || len(v.Line) >= longText || len(m.line) >= longText
}

// commit does what must be done before the batch leaves, and takes the calls out of
// it for which that fails.
func (in *inbound) commit() {
	var last Commit
	var err error
	removed := 0
	for i := range in.sending {
		call := &in.sending[i]
		from, to := call.lines.from-removed, call.lines.to-removed
		call.lines = span{}
		if call.commit == nil {
			continue
		}
		if call.commit != last {
			last = call.commit
			err = last.Commit()
		}
		call.commit = nil
		if err != nil {
			in.out.lines = slices.Delete(in.out.lines, from, to)
			removed += to - from
			in.uncommitted(&call.Request, err)
		}
	}
}

func (in *inbound) uncommitted(request *Request, err error) {
	if in.inFlight.withdraw(request.ID) != nil {
		in.outbox.put(in.Gate.Uncommitted(request, err))
	}
}

func (in *inbound) send(m *Message, v Verdict) error {
	edits := m.edits(in.Reserved, v.Insert)
	if in.Revive != nil {
		in.handshake.note(m, func() []byte {
			if v.Line != nil {
				return bytes.Clone(v.Line)
			}
			return m.appendSpliced(nil, edits)
		})
	}
	if v.Line != nil {
		return in.out.add(v.Line)
	}
	return in.out.addSpliced(m, edits)
}

// remembers reports whether the answer to a call is kept for another backend.
func (r *Relay) remembers(m *Message) bool { return r.Revive != nil && m.Method() == "initialize" }

// flush sends the batch.
func (in *inbound) flush() {
	if in.out.flush() != nil {
		in.unsent()
	}
	in.sending = in.sending[:0]
}

// unsent answers the calls that a backend which no longer reads did not get. If
// that is because it has ended, its obituary does so in better words.
func (in *inbound) unsent() {
	in.out.lines = in.out.lines[:0]
	lost := make([]Request, 0, len(in.sending))
	for _, call := range in.sending {
		lost = append(lost, call.Request)
	}
	in.sending = in.sending[:0]
	time.AfterFunc(lingering, func() {
		for _, request := range lost {
			if in.inFlight.withdraw(request.ID) != nil {
				in.giveUp(&request, CodeBackendGone, "mcpauth: the server no longer reads")
			}
		}
	})
}
