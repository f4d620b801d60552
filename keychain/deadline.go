package keychain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// bounded makes calls that may never return bearable: each runs in its own
// goroutine, one at a time, and nobody waits for it longer than the timeout or
// their context. A call that is late keeps its goroutine until it returns, and
// as long as it does, no other is started.
type bounded struct {
	items   items
	timeout time.Duration
	// turn holds a token while a call runs. It is a channel and not a mutex
	// because those who wait for it are served in order: a busy reader does not
	// keep a writer out for ever.
	turn chan struct{}

	mu   sync.Mutex
	hung chan struct{} // closed while the running call is late
}

func newBounded(items items, timeout time.Duration) *bounded {
	return &bounded{items: items, timeout: timeout, turn: make(chan struct{}, 1), hung: make(chan struct{})}
}

func (b *bounded) get(ctx context.Context, account string) (string, error) {
	return b.do(ctx, func() (string, error) { return b.items.get(ctx, account) })
}

func (b *bounded) set(ctx context.Context, account, text string) error {
	_, err := b.do(ctx, func() (string, error) { return "", b.items.set(ctx, account, text) })
	return err
}

func (b *bounded) delete(ctx context.Context, account string) error {
	_, err := b.do(ctx, func() (string, error) { return "", b.items.delete(ctx, account) })
	return err
}

// call is one running call of the keychain.
type call struct {
	answered chan struct{} // closed when text and err are set
	text     string
	err      error
}

func (b *bounded) do(ctx context.Context, ask func() (string, error)) (string, error) {
	hung := b.lateness()
	if err := b.takeTurn(ctx, hung); err != nil {
		return "", err
	}
	hung = b.lateness() // a call may have been late and answered meanwhile
	c := &call{answered: make(chan struct{})}
	go b.run(c, hung, ask)
	// The end of this caller's context does not make the call late for the
	// others: a keychain is not silent because a request was cancelled.
	select {
	case <-c.answered:
		return c.text, c.err
	case <-hung:
		return "", &Error{Kind: Timeout, Err: fmt.Errorf("no answer within %s, perhaps because of a prompt that nobody sees", b.timeout)}
	case <-ctx.Done():
		return "", gaveUp(ctx)
	}
}

func (b *bounded) lateness() chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hung
}

func (b *bounded) takeTurn(ctx context.Context, hung chan struct{}) error {
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-hung:
		return &Error{Kind: Timeout, Err: errors.New("an earlier call still hangs")}
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

func (b *bounded) run(c *call, hung chan struct{}, ask func() (string, error)) {
	alarm := time.AfterFunc(b.timeout, func() { close(hung) })
	defer func() {
		// go-keyring reads a closed channel when the bus goes away during a
		// prompt and dies of nil; the proxy must outlive that. The panic's
		// value is not shown: nobody knows what is in it.
		if p := recover(); p != nil {
			c.err = &Error{Kind: Failed, Err: fmt.Errorf("its library panicked (%T)", p)}
		}
		if !alarm.Stop() {
			b.mu.Lock()
			b.hung = make(chan struct{})
			b.mu.Unlock()
		}
		close(c.answered)
		<-b.turn
	}()
	c.text, c.err = ask()
}
