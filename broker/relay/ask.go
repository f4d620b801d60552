package relay

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"sync"
)

// Why a question of ours has no answer.
var (
	ErrBackendGone = errors.New("the backend ended before it answered")
	ErrClientGone  = errors.New("the client ended before it answered")
)

// askPrefix begins the ids of our own questions. 128 random bits follow
// it, so that nobody can use, guess or be answered with one.
const askPrefix = "mcpauth:"

func newAskID() []byte { return []byte(`"` + askPrefix + rand.Text() + `"`) }

// Ask puts a question of the proxy's own to the backend: build is given the
// text of an id that no client uses and returns the request. The answer is the
// whole response. It fails with ErrBackendGone or the error of ctx.
func (r *Relay) Ask(ctx context.Context, build func(id []byte) []byte) ([]byte, error) {
	to := r.toBackend.Load()
	return r.asks.ask(ctx, ErrBackendGone, func(id []byte) error {
		return to.write(append(build(id), '\n'))
	})
}

// AskClient puts a question of the proxy's own to the client, as Ask does to
// the backend. Only protocols up to 2025-11-25 let a server ask. It fails with
// ErrClientGone or the error of ctx.
func (r *Relay) AskClient(ctx context.Context, build func(id []byte) []byte) ([]byte, error) {
	return r.clientAsks.ask(ctx, ErrClientGone, func(id []byte) error {
		r.outbox.put(build(id))
		return nil
	})
}

// asks is the table of the proxy's own questions to one side. The id of one
// that nobody waits for any more stays, without a channel, so that a late answer
// to it goes nowhere.
type asks struct {
	mu        sync.Mutex
	open      map[string]chan []byte
	abandoned int
	over      bool
}

// maxAbandoned bounds the questions that nobody waits for.
const maxAbandoned = 1000

// ask sends a question and waits for its answer. gone is the error when that
// will not come.
func (a *asks) ask(ctx context.Context, gone error, send func(id []byte) error) ([]byte, error) {
	id := newAskID()
	answer := a.put(id)
	if answer == nil {
		return nil, gone
	}
	if send(id) != nil {
		a.abandon(id)
		return nil, gone
	}
	select {
	case text, ok := <-answer:
		if !ok {
			return nil, gone
		}
		return text, nil
	case <-ctx.Done():
		a.abandon(id)
		return nil, ctx.Err()
	}
}

// put returns nil when no answer will come.
func (a *asks) put(id []byte) <-chan []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return nil
	}
	if a.open == nil {
		a.open = make(map[string]chan []byte)
	}
	answer := make(chan []byte, 1)
	a.open[string(id)] = answer
	return answer
}

// expect lets the answer to a question that nobody waits for go nowhere.
func (a *asks) expect(id []byte) {
	if a.put(id) != nil {
		a.abandon(id)
	}
}

func (a *asks) abandon(id []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[string(id)] == nil {
		return // just answered
	}
	if a.abandoned == maxAbandoned {
		delete(a.open, string(id))
		return
	}
	a.abandoned++
	a.open[string(id)] = nil
}

// any reports whether an answer may come to a question.
func (a *asks) any() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.open) > 0
}

func (a *asks) has(id []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, asked := a.open[string(id)]
	return asked
}

// answered hands a response to the caller that asked. It reports whether one did.
func (a *asks) answered(id []byte, response func() []byte) bool {
	if !bytes.HasPrefix(id, []byte(`"`+askPrefix)) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, asked := a.open[string(id)]
	if !asked {
		return false
	}
	delete(a.open, string(id))
	if answer == nil {
		a.abandoned--
	} else {
		answer <- bytes.Clone(response())
	}
	return true
}

// end fails all questions: nobody will answer them.
func (a *asks) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	for _, answer := range a.open {
		if answer != nil {
			close(answer)
		}
	}
	a.open, a.abandoned = nil, 0
}

// begin allows questions again.
func (a *asks) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = false
}
