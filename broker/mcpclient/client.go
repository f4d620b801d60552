// Package mcpclient is the one MCP client of mcpauth, of both eras of the protocol:
// for the commands, the full-screen interface and the doctor. It works on JSON texts, as typed
// results would lose what their types do not know: a user wants to see what the server sent.
package mcpclient

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// Client explores one server. It is safe for concurrent use.
type Client struct {
	x      Gate
	wire   *wire
	log    *logLines
	on     func(Event)
	info   ServerInfo
	meta   map[string]any // that each request of the modern protocol carries; nil for older ones
	ctx    context.Context
	cancel context.CancelFunc
	end    context.CancelFunc // of the server's life
	work   sync.WaitGroup

	pulse pulse

	listing sync.Mutex // held while a list is read, since what it hides is kept by method

	followed awaited[*openTask]          // by the id of the task
	visits   awaited[context.CancelFunc] // of pages that a person is on, by the id of the elicitation

	mu       sync.Mutex
	closed   bool
	last     int64                         // number of the last request
	calls    map[string]*openCall          // by progress token
	order    []*openCall                   // the same, oldest first
	taskOnly map[string]bool               // tools that are called as a task
	asks     map[string]context.CancelFunc // questions of the server, by id
	streams  subscriptions
}

// endGrace is how long the server lives on when the context of Open has ended, unless
// Close ends it before.
const endGrace = 2 * time.Second

// Options are the choices of one client.
type Options struct {
	Name, Version string // what the client calls itself
	// Start starts the server, whose stderr goes to log. R and W are the client's end
	// of the pipe, which is closed by the gate. ctx ends a while after that of Open.
	Start func(ctx context.Context, log io.Writer) (r io.Reader, w io.Writer, gate Gate, err error)
	// Silence is how long the server may show no sign of life while it owes an answer:
	// 0 means a minute, and less than 0 for ever.
	Silence time.Duration
	// StrayPrefix begins the lines of the log that tell of a line of the server that
	// is no message; empty where there are none.
	StrayPrefix string
	// Probe says that the client only looks what is there: it offers the server nothing,
	// and asks for no log and no news.
	Probe bool
	// On gets what happens without a request, from one goroutine at a time; it
	// must not wait for the client. It may be nil.
	On func(Event)
}

// Open starts a server and greets it: by server/discover, or else initialize. It ends
// by Close, which must be called, or soon after ctx. Errors are *problem.Problem.
func Open(ctx context.Context, o Options) (*Client, error) {
	c := &Client{
		on: serially(o.On), calls: map[string]*openCall{}, asks: map[string]context.CancelFunc{},
	}
	c.pulse.silence, c.pulse.strayPrefix = max(0, cmp.Or(o.Silence, usualSilence)), o.StrayPrefix
	c.log = &logLines{line: func(text string) {
		c.pulse.noteStray(text)
		c.tell(Event{Kind: EventStderr, Message: text})
	}}
	life, end := afterwards(ctx, endGrace) // the server still hears that its calls are taken back
	r, w, gate, err := o.Start(life, c.log)
	if err != nil {
		end()
		return nil, err
	}
	c.x, c.end = gate, end
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.wire = newWire(r, w)
	c.wire.heard, c.wire.asked, c.wire.beat, c.wire.warn = c.heard, c.asked, c.pulse.beat, c.warn
	c.start(c.wire.read)
	if err := c.greet(ctx, &o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.start(c.watchEnd)
	if !o.Probe {
		c.listen()
	}
	return c, nil
}

// serially calls on from one goroutine at a time.
func serially(on func(Event)) func(Event) {
	var mu sync.Mutex
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if on != nil {
			on(e)
		}
	}
}

// start runs what Close waits for, unless it was called.
func (c *Client) start(work func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.work.Add(1)
	go func() {
		defer c.work.Done()
		work()
	}()
}

// Info is what the server says about itself.
func (c *Client) Info() ServerInfo { return c.info }

// watchEnd tells when the server ends by itself.
func (c *Client) watchEnd() {
	<-c.wire.done
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if !closed {
		c.tell(Event{Kind: EventClosed, Message: problem.Of(c.gone()).Msg})
	}
}

// gone is the error of whatever is asked of a server that has ended.
func (c *Client) gone() error {
	words := strings.TrimPrefix(c.x.ExitReason(), "mcpauth: ")
	if words == "" {
		words = c.x.Server() + " has ended"
	}
	return c.unreachable(words, ErrClosed)
}

func (c *Client) unreachable(words string, err error) error {
	return &problem.Problem{Msg: words, Hints: c.log.hints(), Code: problem.ExitUnreachable, Err: err}
}

func (c *Client) tell(e Event) {
	e.Time = time.Now()
	c.on(e)
}

// Close ends the server and all that it started, within four seconds, and waits
// until nothing is left. Calls that are open fail.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.x.Close()
	c.end()
	c.work.Wait()
	c.log.flush()
	return nil
}
