package relay

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
)

// restartGate holds the client's messages while there is no backend to hear them.
type restartGate struct{ opening atomic.Pointer[chan struct{}] } // closed when there is one again

func (g *restartGate) shut() {
	opening := make(chan struct{})
	g.opening.CompareAndSwap(nil, &opening)
}

func (g *restartGate) release() { close(*g.opening.Swap(nil)) }

// way is nil while there is a backend.
func (g *restartGate) way() <-chan struct{} {
	if opening := g.opening.Load(); opening != nil {
		return *opening
	}
	return nil
}

// wait blocks while there is no backend.
func (g *restartGate) wait(ctx context.Context) {
	for way := g.way(); way != nil && ctx.Err() == nil; way = g.way() {
		select {
		case <-way:
		case <-ctx.Done():
		}
	}
}

// serve carries messages for one backend after the other and returns when there
// is none any more.
func (r *Relay) serve(ctx context.Context) {
	gone := r.listenTo(r.Backend)
	for {
		select {
		case <-gone:
		case <-ctx.Done():
			return
		}
		if r.Revive == nil {
			return
		}
		r.disconnect()
		next, err := r.Revive(r.attended)
		if err != nil || r.attended.Err() != nil {
			return
		}
		r.asks.begin()
		gone = r.listenTo(next)
		if !r.resume(ctx, next, gone) {
			return
		}
	}
}

// listenTo reads a backend until it says no more.
func (r *Relay) listenTo(backend Endpoint) (gone <-chan struct{}) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.pumpBackend(backend.R)
	}()
	return over
}

// disconnect answers what the backend left open. From now on nothing is sent to
// it: what is not in the table by now will find it shut.
func (r *Relay) disconnect() {
	r.restartGate.shut()
	r.toBackend.Load().end()
	r.asks.end()
	r.owed.drain()
	r.answer(r.inFlight.drain())
}

// resume tells a new backend what it must know and lets the client's messages
// pass to it. It reports false when the backend does not take up the session.
// If the backend exits first, try the next one.
func (r *Relay) resume(ctx context.Context, backend Endpoint, gone <-chan struct{}) bool {
	to := &sink{w: backend.W}
	resumed := make(chan error, 1)
	script := r.handshake.script()
	go func() { resumed <- r.retell(ctx, script, to) }()
	select {
	case err := <-resumed:
		if err != nil {
			return errors.Is(err, ErrBackendGone)
		}
	case <-gone:
		r.asks.end() // and with that the retelling
		to.end()
		return true
	case <-ctx.Done():
		return false
	}
	r.toBackend.Store(to)
	r.restartGate.release()
	for _, kind := range script.changes {
		r.Notify([]byte(`{"jsonrpc":"2.0","method":"notifications/` + kind + `/list_changed"}`))
	}
	return true
}

var errNotResumed = errors.New("the backend does not take up the session")

// retell plays the client's part of the handshake again, under ids of our own.
func (r *Relay) retell(ctx context.Context, s script, to *sink) error {
	if s.initialize == nil {
		return nil
	}
	response, err := r.asks.ask(ctx, ErrBackendGone, func(id []byte) error {
		return to.write(append(withID(s.initialize, id), '\n'))
	})
	if err != nil {
		return err
	}
	var scanner Scanner
	if out := scanner.Scan(response); out == nil || out.Failed() {
		return errNotResumed
	}
	var lines []byte
	if s.initialized != nil {
		lines = append(slices.Clone(s.initialized), '\n')
	}
	for _, call := range s.calls {
		id := newAskID()
		r.asks.expect(id)
		lines = append(append(lines, withID(call, id)...), '\n')
	}
	if len(lines) > 0 && to.write(lines) != nil {
		return ErrBackendGone
	}
	return nil
}

// hold keeps a message that comes while there is no backend. Answers and
// cancellations were for the old one.
func (in *inbound) hold(m *Message) {
	switch {
	case m.Kind() == Response || m.Method() == "notifications/cancelled":
	default:
		in.enqueue(m, nil)
	}
}
