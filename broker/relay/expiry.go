package relay

import "time"

// unhurried are the calls that no time limit holds for: a server may take its
// time to start, and a subscription is open until it is ended.
var unhurried = map[string]bool{"initialize": true, "subscriptions/listen": true}

// waits lets calls expire that are held up on their way: the backend does not read.
func (p *pending) waits(calls ...*inFlightCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, call := range calls {
		p.watch(call)
	}
}

// leaves reports whether a call may be written, which must follow at once: the clock
// of one that was not held up begins here. One that has expired may not, its client
// has heard that nothing came of it; and so may not one that is no longer there.
func (p *pending) leaves(call *inFlightCall) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case call.left:
		return true
	case p.calls[call.key] != call:
		return false
	case call.expired:
		p.remove(call)
		return false
	}
	call.left = true
	p.watch(call)
	return true
}

// watch lets a call expire. All calls have the same patience, so the one that
// came first expires first, and one timer is enough. mu must be held.
func (p *pending) watch(call *inFlightCall) {
	if p.patience <= 0 || unhurried[call.Method] || !call.deadline.IsZero() || p.calls[call.key] != call {
		return
	}
	call.deadline = time.Now().Add(p.patience)
	call.move(&p.hurried)
	switch {
	case p.timer == nil:
		p.timer = time.AfterFunc(p.patience, p.expire)
	case p.hurried.Len() == 1:
		p.timer.Reset(p.patience)
	}
}

// expire gives up the calls whose time is over.
func (p *pending) expire() {
	var over []inFlightCall
	p.mu.Lock()
	for front := p.hurried.Front(); front != nil; front = p.hurried.Front() {
		call := front.Value.(*inFlightCall)
		if left := time.Until(call.deadline); left > 0 {
			p.timer.Reset(left)
			break
		}
		call.expired = true
		p.abandon(call)
		over = append(over, *call)
	}
	p.mu.Unlock()
	if len(over) > 0 {
		p.expired(over)
	}
}

// tooSlow tells both sides that nobody waits for these calls any more; the backend
// only where it has them, or gets them before it hears so.
func (r *Relay) tooSlow(calls []inFlightCall) {
	for _, call := range calls {
		r.giveUp(&call.Request, CodeTimeout, "mcpauth: the server did not answer within "+r.CallTimeout.String())
		if call.left {
			r.backendBox.put(appendCancelled(nil, call.ID))
		}
	}
}

func appendCancelled(dst, id []byte) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`...)
	dst = append(dst, id...)
	return append(dst, `,"reason":"timeout"}}`...)
}
