package relay

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"sync"
)

// ErrBackendGone means that the backend ended before it answered a question.
var ErrBackendGone = errors.New("the backend ended before it answered")

// askPrefix begins the ids of our own questions. Behind it stand 128 random
// bits, so that no client can use, guess or be answered with one.
const askPrefix = "mcpauth:"

// Ask puts a question of the proxy's own to the backend: build is given the
// text of an id that no client uses and returns the request. The answer is the
// whole response. It fails with ErrBackendGone or the error of ctx.
func (r *Relay) Ask(ctx context.Context, build func(id []byte) []byte) ([]byte, error) {
	id := []byte(`"` + askPrefix + rand.Text() + `"`)
	answer := r.asks.put(id)
	defer r.asks.take(id)
	if err := r.toBackend.write(append(build(id), '\n')); err != nil {
		return nil, ErrBackendGone
	}
	select {
	case text, ok := <-answer:
		if !ok {
			return nil, ErrBackendGone
		}
		return text, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// asks is the table of the proxy's own questions.
type asks struct {
	mu   sync.Mutex
	open map[string]chan []byte
	over bool
}

func (a *asks) put(id []byte) <-chan []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer := make(chan []byte, 1)
	if a.over {
		close(answer)
		return answer
	}
	if a.open == nil {
		a.open = make(map[string]chan []byte)
	}
	a.open[idKey(id)] = answer
	return answer
}

func (a *asks) take(id []byte) (chan []byte, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, ok := a.open[idKey(id)]
	delete(a.open, idKey(id))
	return answer, ok
}

// answered hands a response to whoever asked. It reports whether somebody did.
func (a *asks) answered(out *Output) bool {
	if !bytes.HasPrefix(out.ID(), []byte(`"`+askPrefix)) {
		return false
	}
	answer, ok := a.take(out.ID())
	if ok {
		answer <- bytes.Clone(out.Bytes())
	}
	return ok
}

// fail ends all questions: nobody will answer them.
func (a *asks) fail() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	for _, answer := range a.open {
		close(answer)
	}
	a.open = nil
}
