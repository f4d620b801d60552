package relay

import (
	"context"
	"sync"
	"time"
)

// waiter blocks until a call can be judged again.
type waiter func(context.Context)

// queue holds the calls that wait: for the keychain to answer, for a token to
// be renewed. They wait here and not in the pump, so that pings, cancellations
// and notifications pass them; and in the order in which they came.
type queue struct {
	relay  *Relay
	mu     sync.Mutex
	change sync.Cond // of calls
	calls  []*queuedCall
	bytes  int
}

type queuedCall struct {
	*Message
	until waiter
}

// What waits is bounded in number and, beside one message of any length, in
// bytes: it takes a place in memory, and a file if it is long.
const (
	maxQueued      = 1000
	maxQueuedBytes = 64 << 20
)

func newQueue(r *Relay) *queue {
	p := &queue{relay: r}
	p.change.L = &p.mu
	return p
}

func (p *queue) put(m *Message, until waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.calls) >= maxQueued || p.bytes > 0 && p.bytes+m.size() > maxQueuedBytes {
		return false
	}
	p.bytes += m.size()
	p.calls = append(p.calls, &queuedCall{m, until})
	p.change.Broadcast()
	return true
}

func (p *queue) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls) > 0
}

// cancel removes the call with this id. It reports whether there was one.
func (p *queue) cancel(id []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, call := range p.calls {
		if call.Kind() == Call && idKey(call.ID()) == idKey(id) {
			p.remove(i)
			return true
		}
	}
	return false
}

// remove must be called with mu held.
func (p *queue) remove(i int) {
	p.bytes -= p.calls[i].size()
	p.calls[i].release()
	p.calls = append(p.calls[:i:i], p.calls[i+1:]...)
	p.change.Broadcast()
}

// drain removes and returns all calls.
func (p *queue) drain() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Request
	for _, call := range p.calls {
		if call.Kind() == Call {
			all = append(all, call.request(nil))
		}
		call.release()
	}
	p.calls, p.bytes = nil, 0
	p.change.Broadcast()
	return all
}

// drained waits until the queue is empty, at most for the given time.
func (p *queue) drained(limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	defer context.AfterFunc(ctx, p.wake)()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.calls) > 0 && ctx.Err() == nil {
		p.change.Wait()
	}
}

func (p *queue) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change.Broadcast()
}

// run sends the calls on, one after the other, as soon as each can be judged.
func (p *queue) run(ctx context.Context) {
	defer context.AfterFunc(ctx, p.wake)()
	in := p.relay.newInbound()
	for {
		call := p.first(ctx)
		if call == nil {
			return
		}
		inOrder := func(v Verdict) bool { return v.Action == Wait && !v.Detached } // a detached call leaves the queue
		p.finish(ctx, in, call, p.relay.judgeLater(ctx, call.Message, call.until, inOrder))
	}
}

// judgeLater waits until a message can be judged, for as long as its verdict is one to
// wait for here.
func (r *Relay) judgeLater(ctx context.Context, m *Message, until waiter, waits func(Verdict) bool) Verdict {
	verdict := Verdict{Action: Wait, Until: until}
	for waits(verdict) && ctx.Err() == nil {
		if verdict.Until != nil {
			verdict.Until(ctx)
		}
		r.restartGate.wait(ctx)
		if ctx.Err() == nil {
			m.now = time.Now()
			verdict = r.Gate.FromClient(m)
		}
	}
	return verdict
}

// first waits for a call and leaves it in the queue, where a cancellation finds it.
func (p *queue) first(ctx context.Context) *queuedCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.calls) == 0 && ctx.Err() == nil {
		p.change.Wait()
	}
	if ctx.Err() != nil {
		return nil
	}
	return p.calls[0]
}

// finish sends a call, unless it was cancelled in the meantime. The lock is held until it
// is written, so that neither a cancellation nor a later call overtakes it.
func (p *queue) finish(ctx context.Context, in *inbound, call *queuedCall, verdict Verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil || len(p.calls) == 0 || p.calls[0] != call {
		return
	}
	in.do(call.Message, verdict)
	in.flush()
	p.remove(0)
}
