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

	mu      sync.Mutex
	running *call // nil when idle
}

// call is one running call of the keychain.
type call struct {
	answered chan struct{} // closed when text and err are set
	late     chan struct{} // closed when the timeout is over before that
	text     string
	err      error
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

func (b *bounded) do(ctx context.Context, ask func() (string, error)) (string, error) {
	for ctx.Err() == nil {
		mine, before := b.start(ask)
		if before != nil {
			if err := b.await(ctx, before, "an earlier call still hangs"); err != nil {
				return "", err
			}
			continue
		}
		if err := b.await(ctx, mine, fmt.Sprintf("no answer within %s, perhaps because of a prompt that nobody sees", b.timeout)); err != nil {
			return "", err
		}
		return mine.text, mine.err
	}
	return "", gaveUp(ctx)
}

// start runs ask, or returns the call that runs already.
func (b *bounded) start(ask func() (string, error)) (mine, before *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running != nil {
		return nil, b.running
	}
	mine = &call{answered: make(chan struct{}), late: make(chan struct{})}
	b.running = mine
	go b.run(mine, ask)
	return mine, nil
}

func (b *bounded) run(c *call, ask func() (string, error)) {
	alarm := time.AfterFunc(b.timeout, func() { close(c.late) })
	defer func() {
		// go-keyring reads a closed channel when the bus goes away during a
		// prompt and dies of nil; the proxy must outlive that. The panic's
		// value is not shown: nobody knows what is in it.
		if p := recover(); p != nil {
			c.err = &Error{Kind: Failed, Err: fmt.Errorf("its library panicked (%T)", p)}
		}
		alarm.Stop()
		b.mu.Lock()
		b.running = nil
		b.mu.Unlock()
		close(c.answered)
	}()
	c.text, c.err = ask()
}

// await waits for the answer. The end of one caller's context does not make
// the call late for the others: a keychain is not silent because a request
// was cancelled.
func (b *bounded) await(ctx context.Context, c *call, why string) error {
	select {
	case <-c.answered:
		return nil
	case <-c.late:
		return &Error{Kind: Timeout, Err: errors.New(why)}
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}
