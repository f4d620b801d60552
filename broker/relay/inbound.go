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
	sending []leaving     // calls in the batch that is not written yet
	single  *inFlightCall // the call that is written by itself, or nil
	spools  spoolPool
	called  bool // the client has made a call
}

// leaving is a call in the batch.
type leaving struct {
	*inFlightCall
	commit Commit // nil when that is done
	lines  span   // where in the batch it is
}

func (r *Relay) newInbound() *inbound {
	in := &inbound{Relay: r, parser: NewParser(r.Reserved)}
	in.out = batch{sink: r.toBackend.Load, before: in.commit, waits: in.waits, leave: in.leave, alone: in.leavesAlone}
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
		if in.owed.take(m.ID()) == nil {
			in.answersNothing(m)
			return
		}
	case m.Kind() == Notification && m.Method() == "notifications/cancelled":
		if in.cancelled(m.RequestID()) {
			return
		}
	}
	switch {
	case in.restartGate.way() != nil:
		in.hold(m)
		return
	case m.Kind() == Call && m.Method() != "ping" && in.queue.busy():
		in.wait(m, Verdict{}) // behind the calls that wait, so that their order stays
		return
	}
	m.now = time.Now()
	in.do(m, in.Gate.FromClient(m))
}

// answersNothing drops an answer of the client to what the backend did not ask. The
// request that it is for, if that is clear, gets an error.
func (in *inbound) answersNothing(m *Message) {
	in.Stray(StrayReply, m.Bytes())
	if request := in.owed.meant(m.ID()); request != nil {
		in.backendBox.put(AppendError(nil, request.ID, CodeUnreadable, otherID("client", m.ID()), nil))
	}
}

// cancelled reports whether a call that its client gives up never reached the
// backend, so that nobody need hear of it.
func (in *inbound) cancelled(id []byte) bool {
	if in.queue.cancel(id) || in.detached.cancel(id) {
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
		if m.Kind() == Response { // the server waits for it
			in.backendBox.put(AppendError(nil, m.ID(), CodeNotPassed, "mcpauth: the client's answer does not pass", nil))
		}
	}
}

func (in *inbound) wait(m *Message, v Verdict) {
	in.flush() // what waits must not overtake what came before it, nor what it waits for
	if !v.Detached {
		in.enqueue(m, v.Until)
		return
	}
	m = m.Clone()
	if refusal := in.detached.put(in.running, m, v.Until); refusal != nil {
		in.refuse(refusal)
		m.release()
	}
}

func (in *inbound) enqueue(m *Message, until waiter) {
	m = m.Clone()
	if in.queue.put(m, until) {
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
		request := m.request(v.Tag)
		if v.Commit != nil && m.leavesAtOnce(v) {
			if err := v.Commit.Commit(); err != nil {
				in.outbox.put(in.Gate.Uncommitted(&request, err))
				return
			}
			call.commit = nil
		}
		var refusal *Refusal
		if call.inFlightCall, refusal = in.inFlight.add(request, v.WholeAnswer || in.remembers(m)); refusal != nil {
			in.refuse(refusal)
			if v.Tag != nil && in.Unanswered != nil { // the gate counts on an answer
				in.Unanswered(&request, refusal.Code)
			}
			return
		}
	}
	in.single = call.inFlightCall
	call.lines.from = len(in.out.lines)
	err := in.send(m, v)
	if m.Kind() == Call {
		call.lines.to = len(in.out.lines)
		in.sending = append(in.sending, call)
	}
	switch {
	case err != nil:
		in.unsent()
	case in.out.full():
		in.flush()
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
		call.lines.from, call.lines.to = call.lines.from-removed, call.lines.to-removed
		if call.commit == nil {
			continue
		}
		if call.commit != last {
			last = call.commit
			err = last.Commit()
		}
		call.commit = nil
		if err != nil {
			in.out.lines = slices.Delete(in.out.lines, call.lines.from, call.lines.to)
			removed += call.lines.to - call.lines.from
			call.lines.to = call.lines.from
			in.uncommitted(call.inFlightCall, err)
		}
	}
}

func (in *inbound) uncommitted(call *inFlightCall, err error) {
	if in.inFlight.takeCall(call) != nil {
		in.outbox.put(in.Gate.Uncommitted(&call.Request, err))
	}
}

// waits lets the calls of the batch expire while they wait to be written.
func (in *inbound) waits() {
	for _, call := range in.sending {
		in.inFlight.waits(call.inFlightCall)
	}
	if in.single != nil {
		in.inFlight.waits(in.single)
	}
}

// leave takes the calls out of the batch that must not be written any more.
func (in *inbound) leave() {
	removed := 0
	for i := range in.sending {
		call := &in.sending[i]
		from, to := call.lines.from-removed, call.lines.to-removed
		call.lines = span{}
		if !in.inFlight.leaves(call.inFlightCall) {
			in.out.lines = slices.Delete(in.out.lines, from, to)
			removed += to - from
		}
	}
}

// leavesAlone reports whether the message may be written that is written by itself.
func (in *inbound) leavesAlone() bool { return in.single == nil || in.inFlight.leaves(in.single) }

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
// that is because it has ended, its exitReason does so in better words.
func (in *inbound) unsent() {
	in.out.lines = in.out.lines[:0]
	lost := slices.Clone(in.sending)
	in.sending = in.sending[:0]
	time.AfterFunc(lingering, func() {
		for _, call := range lost {
			if in.inFlight.takeCall(call.inFlightCall) != nil && !call.expired {
				in.giveUp(&call.Request, CodeBackendGone, "mcpauth: the server no longer reads")
			}
		}
	})
}
