package relay

import (
	"context"
	"sync"
)

// detached holds the calls that wait for the user to act, which may take minutes: each by
// itself, so that no other call waits with it.
type detached struct {
	relay *Relay
	mu    sync.Mutex
	calls map[string]*detachedCall // by id
	over  bool
}

type detachedCall struct {
	*Message
	stop context.CancelFunc // of its waiting
}

// maxDetached bounds the goroutines and the memory of calls that wait for the user.
const maxDetached = 16

// put lets a call wait. ctx ends with the relay.
func (a *detached) put(ctx context.Context, m *Message, until waiter) *Refusal {
	key := idKey(m.ID())
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.calls[key] != nil:
		return idInUse(m.ID())
	case a.over || len(a.calls) >= maxDetached || m.Kind() != Call:
		return &Refusal{Code: CodeTooMany, Reason: "too many calls wait for the user", ID: m.ID()}
	case a.calls == nil:
		a.calls = make(map[string]*detachedCall)
	}
	ctx, stop := context.WithCancel(ctx)
	call := &detachedCall{m, stop}
	a.calls[key] = call
	go a.wait(ctx, key, call, until)
	return nil
}

// wait sends a call on as soon as it can be judged, unless it was cancelled.
func (a *detached) wait(ctx context.Context, key string, call *detachedCall, until waiter) {
	defer call.stop()
	defer call.release()
	in := a.relay.newInbound()
	verdict := a.relay.judgeLater(ctx, call.Message, until, func(v Verdict) bool { return v.Action == Wait })
	// The lock is held until the call is written, so that no cancellation overtakes it.
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls[key] != call {
		return
	}
	in.do(call.Message, verdict)
	in.flush()
	delete(a.calls, key)
}

// cancel removes the call with this id. It reports whether there was one.
func (a *detached) cancel(id []byte) bool {
	key := idKey(id)
	a.mu.Lock()
	defer a.mu.Unlock()
	call := a.calls[key]
	if call == nil {
		return false
	}
	delete(a.calls, key)
	call.stop()
	return true
}

// drain removes and returns all calls. None can come after it.
func (a *detached) drain() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Request
	for _, call := range a.calls {
		all = append(all, call.request(nil))
		call.stop()
	}
	a.calls, a.over = nil, true
	return all
}
