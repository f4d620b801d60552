package relay

import "time"

// unhurried are the calls that no time limit holds for: a server may take its
// time to start, and a subscription is open until somebody ends it.
var unhurried = map[string]bool{"initialize": true, "subscriptions/listen": true}

// watch lets a call expire. All calls have the same patience, so the one that
// came first expires first, and one timer is enough. mu must be held.
func (p *pending) watch(call *inFlightCall) {
	if p.patience <= 0 || unhurried[call.Method] {
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
	var over []Request
	p.mu.Lock()
	for front := p.hurried.Front(); front != nil; front = p.hurried.Front() {
		call := front.Value.(*inFlightCall)
		if left := time.Until(call.deadline); left > 0 {
			p.timer.Reset(left)
			break
		}
		call.expired = true
		call.move(&p.abandoned)
		over = append(over, call.Request)
	}
	p.mu.Unlock()
	if len(over) > 0 {
		p.expired(over)
	}
}

// tooSlow tells both sides that nobody waits for these calls any more.
func (r *Relay) tooSlow(calls []Request) {
	for _, call := range calls {
		r.giveUp(&call, CodeTimeout, "mcpauth: the server did not answer within "+r.CallTimeout.String())
		r.backendBox.put(appendCancelled(nil, call.ID))
	}
}

func appendCancelled(dst, id []byte) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`...)
	dst = append(dst, id...)
	return append(dst, `,"reason":"timeout"}}`...)
}
