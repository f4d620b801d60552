package relay

import (
	"bytes"
	"container/list"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is a call of the client that the backend owes an answer.
type Request struct {
	ID     []byte // as the client spelled it
	Method string
	Name   string // tool, prompt or resource, where the method has one
	Modern bool   // of the protocol without a handshake
	Tag    any    // what the gate wants back with the answer
}

// pending is the table of calls in flight in one direction. The two directions
// have id spaces of their own.
type pending struct {
	patience time.Duration        // how long an answer may take; 0 is for ever
	expired  func([]inFlightCall) // gets the calls that took longer
	reused   bool                 // an id in use may be used again, and what is noted has left

	mu        sync.Mutex
	calls     map[string]*inFlightCall
	whole     int       // how many calls need their answer whole
	hurried   list.List // the calls that can expire, as *inFlightCall, oldest first
	abandoned list.List // the calls that nobody waits for, in the same way
	timer     *time.Timer
}

// inFlightCall stays in the table when nobody waits for it any more: its answer
// may be on the way, and must be known as the answer that it is.
type inFlightCall struct {
	Request
	key       string // of the table
	whole     bool   // its answer is judged, and so is not streamed
	older     int    // how many calls had its id before, whose answers may still come
	left      bool   // it was written, or is being
	cancelled bool   // by the client
	expired   bool   // the client has had an answer or an error for it
	deadline  time.Time
	list      *list.List // that it is in: hurried, abandoned or none
	place     *list.Element
}

// maxPending bounds the calls in flight: a client that never reads must not
// grow the table for ever.
const maxPending = 10_000

// idKey tells ids apart by type and value: 1 and "1" are two ids, "a" and
// "\u0061" are one, as a backend may spell the answer differently.
func idKey(id []byte) string {
	if len(id) > 0 && id[0] == '"' {
		return `"` + decodeString(id)
	}
	return string(id)
}

// find returns the call with this id, or nil. mu must be held.
func (p *pending) find(id []byte) *inFlightCall {
	if len(id) > 0 && id[0] == '"' {
		return p.calls[idKey(id)]
	}
	return p.calls[string(id)] // which costs no memory
}

// add notes a call that is about to leave. It is refused when its id is in use or the table is full.
func (p *pending) add(request Request, whole bool) (*inFlightCall, *Refusal) {
	call := &inFlightCall{Request: request, key: idKey(request.ID), whole: whole, left: p.reused}
	p.mu.Lock()
	defer p.mu.Unlock()
	if used := p.calls[call.key]; used != nil {
		if !p.reused && !used.cancelled && !used.expired || used.whole || whole {
			return nil, idInUse(request.ID)
		}
		call.older = used.older + 1
		p.remove(used)
	}
	if len(p.calls) >= maxPending && !p.forgetAbandoned() {
		return nil, &Refusal{Code: CodeTooMany, Reason: "too many calls are not answered yet", ID: request.ID}
	}
	if p.calls == nil {
		p.calls = make(map[string]*inFlightCall)
	}
	p.calls[call.key] = call
	p.count(call, 1)
	if p.reused {
		call.move(&p.abandoned) // one that is never answered makes room in the end
	}
	return call, nil
}

func idInUse(id []byte) *Refusal {
	return &Refusal{Code: CodeInvalidRequest, Reason: "the id belongs to a call that is not answered yet", ID: id}
}

// count must be called with mu held.
func (p *pending) count(call *inFlightCall, by int) {
	if call.whole {
		p.whole += by
	}
}

// remove must be called with mu held.
func (p *pending) remove(call *inFlightCall) {
	delete(p.calls, call.key)
	p.count(call, -1)
	call.move(nil)
}

// move puts a call at the end of a list, or in none. mu must be held.
func (c *inFlightCall) move(to *list.List) {
	if c.list != nil {
		c.list.Remove(c.place)
	}
	if c.list = to; to != nil {
		c.place = to.PushBack(c)
	}
}

// forgetAbandoned makes room for one call, if it can.
func (p *pending) forgetAbandoned() bool {
	front := p.abandoned.Front()
	if front == nil {
		return false
	}
	p.remove(front.Value.(*inFlightCall))
	return true
}

// abandon notes that nobody waits for a call. It may be forgotten, unless its answer
// is judged. mu must be held.
func (p *pending) abandon(call *inFlightCall) {
	if call.whole {
		call.move(nil)
	} else {
		call.move(&p.abandoned)
	}
}

// cancel notes that no answer is owed any more. It returns the call that was owed
// one until now, or nil.
func (p *pending) cancel(id []byte) *Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	call := p.find(id)
	if call == nil || call.cancelled {
		return nil
	}
	call.cancelled = true
	p.abandon(call)
	if call.expired {
		return nil
	}
	return &call.Request
}

// take removes and returns the call with this id, or nil.
func (p *pending) take(id []byte) *inFlightCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	call := p.find(id)
	if call == nil || !call.left {
		return nil // nobody can have answered it
	}
	return p.answered(call)
}

// takeStreamed is take if the answer may be streamed.
func (p *pending) takeStreamed(id []byte) (call *inFlightCall, streamed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	call = p.find(id)
	if call == nil || call.whole || call.expired || !call.left {
		return nil, false
	}
	return p.answered(call), true
}

// answered takes a call out of the table, unless the answer to an older one with its
// id may come, which then goes nowhere. mu must be held.
func (p *pending) answered(call *inFlightCall) *inFlightCall {
	if call.older == 0 {
		p.remove(call)
		return call
	}
	was := *call
	call.older--
	call.expired = true
	p.abandon(call)
	return &was
}

// anyWhole reports whether an answer whose id is not known yet could be one
// that must not be streamed.
func (p *pending) anyWhole() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.whole > 0 || p.patience > 0 && len(p.calls) > 0
}

// drain removes all calls and returns those that are owed an answer, in the
// order of their ids.
func (p *pending) drain() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var owed []Request
	for _, call := range p.calls {
		if !call.cancelled && !call.expired {
			owed = append(owed, call.Request)
		}
	}
	p.calls, p.whole = nil, 0
	p.hurried.Init()
	p.abandoned.Init()
	if p.timer != nil {
		p.timer.Stop()
	}
	slices.SortFunc(owed, func(a, b Request) int {
		return strings.Compare(idKey(a.ID), idKey(b.ID))
	})
	return owed
}

// request makes the record of a call. It holds no reference to the line.
func (m *Message) request(tag any) Request {
	return Request{
		ID: bytes.Clone(m.ID()), Method: m.Method(), Name: m.Subject(), Modern: m.Modern(), Tag: tag,
	}
}
