package mcpclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

const (
	// usualSilence is how long a server may show no sign of life while it owes an answer.
	usualSilence = 60 * time.Second
	// noticeAfter is when the user sees what the client waits for.
	noticeAfter = 2 * time.Second
	// startGrace is the least that a server has for its start and its lists: a short
	// timeout is meant for a call.
	startGrace = 5 * time.Second
)

// pulse knows when the server last showed a sign of life, and which of its lines were
// not understood.
type pulse struct {
	silence     time.Duration // how long it may show none; 0 is for ever
	strayPrefix string        // of the lines that noteStray takes

	mu     sync.Mutex
	last   time.Time
	strays int
	stray  string // the first of them
}

func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
}

// noteStray takes a line of the gate's log that tells of a line of the server that
// is no message.
func (p *pulse) noteStray(text string) {
	line, is := strings.CutPrefix(text, p.strayPrefix)
	if !is || p.strayPrefix == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.strays++; p.strays == 1 {
		p.stray = line
	}
}

// quiet is how long the server has shown no sign of life.
func (p *pulse) quiet() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.last)
}

// strayHint tells of the lines that were not understood; empty where there were none.
func (p *pulse) strayHint() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.strays {
	case 0:
		return ""
	case 1:
		return "it wrote a line that is no message: " + text.CleanLine(p.stray)
	}
	return fmt.Sprintf("it wrote %d lines that are no messages, the first: %s", p.strays, text.CleanLine(p.stray))
}

// waiting is ctx for a request that the server has to answer: it says after a moment
// what is waited for, and ends when the server shows no sign of life. Progress is one,
// and so is a question that the user has not answered yet.
func (c *Client) waiting(ctx context.Context, method, name string) (waited context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if method == methodListen { // which stays open
		return ctx, func() { cancel(nil) }
	}
	silence := c.pulse.silence
	if name == "" && silence > 0 {
		silence = max(silence, startGrace)
	}
	c.pulse.beat()
	went := make(chan struct{})
	go func() {
		defer close(went)
		notice := time.NewTimer(noticeAfter)
		defer notice.Stop()
		look := time.NewTimer(silence)
		defer look.Stop()
		if silence == 0 {
			look.Stop()
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-notice.C:
				c.tellWaiting(method, name)
			case <-look.C:
				if c.asksUser() {
					c.pulse.beat()
				}
				if left := silence - c.pulse.quiet(); left > 0 {
					look.Reset(left)
					continue
				}
				cancel(c.silent(method, name, silence))
				return
			}
		}
	}()
	return ctx, func() { cancel(nil); <-went }
}

func (c *Client) tellWaiting(method, name string) {
	words := "waiting for " + c.x.Server() + " to answer " + text.CleanLine(requestName(method, name))
	if hint := c.pulse.strayHint(); hint != "" {
		words += "; " + hint
	}
	c.tell(Event{Kind: EventWaiting, Message: words})
}

func requestName(method, name string) string {
	if name == "" {
		return method
	}
	return method + " of " + name
}

// errSilent is the cause of the problem that a server showed no sign of life.
var errSilent = errors.New("no sign of life")

func (c *Client) silent(method, name string, silence time.Duration) error {
	who := name
	if who == "" {
		who = c.x.Server()
	}
	p := &problem.Problem{
		Msg:  fmt.Sprintf("%s gave no answer within %s", text.CleanLine(who), silence),
		Code: problem.ExitUnreachable, Err: errSilent,
	}
	if name == "" {
		p.Msg += ": it was asked " + method
	}
	if hint := c.pulse.strayHint(); hint != "" {
		p.Hints = append(p.Hints, hint)
	}
	p.Hints = append(p.Hints, c.log.hints()...)
	p.Hints = slices.DeleteFunc(p.Hints, func(hint string) bool {
		return c.pulse.strayPrefix != "" && strings.Contains(hint, c.pulse.strayPrefix)
	})
	p.Hints = append(p.Hints, "give it longer: --timeout 5m")
	return p
}

// asksUser reports whether a question of the server waits for the user.
func (c *Client) asksUser() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asks) > 0
}

// warn tells of something odd that does not end what is done.
func (c *Client) warn(text string) {
	c.tell(Event{Kind: EventWarning, Message: text})
}
