package relay

import (
	"bytes"
	"slices"
	"strings"
	"sync"
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
	mu    sync.Mutex
	calls map[string]*inFlightCall
}

// inFlightCall stays in the table when it is cancelled: its answer may be on
// the way, and must be judged as the answer that it is.
type inFlightCall struct {
	Request
	cancelled bool
}

// maxPending bounds the calls in flight: a client that never reads must not
// grow the table for ever.
const maxPending = 10_000

// idKey tells ids apart by type and value: 1 and "1" are two ids, "a" and
// "\u0061" are one, as a backend may spell the answer anew.
func idKey(id []byte) string {
	if len(id) > 0 && id[0] == '"' {
		return `"` + decodeString(id)
	}
	return string(id)
}

// add notes a call. It reports false when its id is in use or the table is full.
func (p *pending) add(request Request) bool {
	key := idKey(request.ID)
	p.mu.Lock()
	defer p.mu.Unlock()
	if used := p.calls[key]; used != nil && !used.cancelled {
		return false
	}
	if len(p.calls) >= maxPending {
		p.forgetCancelled()
	}
	if len(p.calls) >= maxPending {
		return false
	}
	if p.calls == nil {
		p.calls = make(map[string]*inFlightCall)
	}
	p.calls[key] = &inFlightCall{Request: request}
	return true
}

func (p *pending) forgetCancelled() {
	for key, call := range p.calls {
		if call.cancelled {
			delete(p.calls, key)
		}
	}
}

// cancel notes that no answer is owed any more.
func (p *pending) cancel(id []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if call := p.calls[idKey(id)]; call != nil {
		call.cancelled = true
	}
}

// take removes and returns the call with this id, or nil.
func (p *pending) take(id []byte) *Request {
	key := idKey(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	call := p.calls[key]
	if call == nil {
		return nil
	}
	delete(p.calls, key)
	return &call.Request
}

// drain removes all calls and returns those that are owed an answer, in the
// order of their ids.
func (p *pending) drain() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var owed []Request
	for _, call := range p.calls {
		if !call.cancelled {
			owed = append(owed, call.Request)
		}
	}
	p.calls = nil
	slices.SortFunc(owed, func(a, b Request) int {
		return strings.Compare(idKey(a.ID), idKey(b.ID))
	})
	return owed
}

// request makes the record of a call. It holds no reference to the line.
func (m *Message) request(tag any) Request {
	name := m.Name()
	if name == "" {
		name = m.URI()
	}
	return Request{
		ID: bytes.Clone(m.ID()), Method: m.Method(), Name: name, Modern: m.Modern(), Tag: tag,
	}
}
