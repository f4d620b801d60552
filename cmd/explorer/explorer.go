// Package explorer is the client of a person who explores an MCP server: mcp-go's,
// over the pipe of a [broker.Exploration], so that it meets the same gate as an
// AI client. It is written on the level of JSON texts, where mcp-go's types would
// lose what they do not know: a person wants to see what the server sent.
package explorer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpauth/mcpauth/broker"
)

// Client explores one server. It is safe for concurrent use.
type Client struct {
	x      *broker.Exploration
	wire   *wire
	log    *logLines
	on     func(broker.ExplorerEvent)
	info   broker.ServerInfo
	meta   map[string]any // that each request of the modern protocol carries; nil for older ones
	ctx    context.Context
	cancel context.CancelFunc
	end    context.CancelFunc // of the server's life
	work   sync.WaitGroup

	me  mcp.Implementation // as the server is told
	can mcp.ClientCapabilities

	greeting sync.Mutex // held while greeted changes
	greeted  bool       // by initialize, beside the modern protocol

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

// startPatience bounds the handshake. A server that is installed at its first
// start, as npx and uvx do, may take most of a minute.
const startPatience = 90 * time.Second

// discoverPatience is how long the newer protocol's first question may go without
// an answer. Some servers of the older protocols ignore what they do not know.
const discoverPatience = 8 * time.Second

// lastWords is how long the server lives on when the context of Open has ended, unless
// Close ends it before.
const lastWords = 2 * time.Second

// Open starts the server that o names and greets it: by server/discover, or else
// initialize. It ends by Close, which must be called, or soon after ctx. on is told what happens without being asked for, from one goroutine
// at a time; it must not wait for the client. Errors are *broker.Problem.
func Open(ctx context.Context, b *broker.Broker, o broker.ExploreOptions, on func(broker.ExplorerEvent)) (*Client, error) {
	c := &Client{
		on: serially(on), calls: map[string]*openCall{}, asks: map[string]context.CancelFunc{},
	}
	c.log = &logLines{line: func(text string) { c.tell(broker.ExplorerEvent{Kind: broker.EventStderr, Message: text}) }}
	o.Log = c.log
	life, end := afterwards(ctx, lastWords) // the server still hears that its calls are taken back
	x, err := b.Explore(life, o)
	if err != nil {
		end()
		return nil, err
	}
	c.x, c.end = x, end
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.wire = newWire(x.Client.R, x.Client.W)
	c.wire.heard, c.wire.asked = c.heard, c.asked
	c.start(c.wire.read)
	if err := c.greet(ctx, o.Face); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.start(c.watchEnd)
	c.listen()
	return c, nil
}

// serially calls on from one goroutine at a time.
func serially(on func(broker.ExplorerEvent)) func(broker.ExplorerEvent) {
	var mu sync.Mutex
	return func(e broker.ExplorerEvent) {
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

func (c *Client) greet(ctx context.Context, face string) error {
	patient, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	c.me = mcp.Implementation{Name: cmp.Or(face, "mcpauth"), Version: broker.Version()}
	c.can = mcp.ClientCapabilities{
		Elicitation: &mcp.ElicitationCapability{Form: &struct{}{}, URL: &struct{}{}}, Extensions: map[string]any{tasksExtension: struct{}{}},
	}
	greeter := client.NewClient(c.wire, client.WithClientCapabilities(c.can), client.WithDiscoverTimeout(discoverPatience))
	hello := mcp.InitializeRequest{}
	hello.Params.ClientInfo = c.me
	result, err := greeter.Initialize(patient, hello)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errClosed):
		return c.gone()
	case err != nil && patient.Err() != nil:
		return c.unreachable(c.x.Server()+" does not answer: it was asked server/discover and initialize, and "+startPatience.String()+" have passed", err)
	case err != nil:
		return c.unreachable(c.x.Server()+" cannot be talked to: "+broker.CleanLine(err.Error()), err)
	}
	var said struct {
		Capabilities json.RawMessage `json:"capabilities"`
	}
	_ = json.Unmarshal(c.wire.hello, &said) // mcp-go has read it
	c.info = broker.ServerInfo{
		Name: result.ServerInfo.Name, Title: result.ServerInfo.Title, Version: result.ServerInfo.Version,
		ProtocolVersion: result.ProtocolVersion, Instructions: result.Instructions,
		Capabilities: said.Capabilities, Raw: c.wire.hello,
	}
	if mcp.IsModernProtocol(result.ProtocolVersion) {
		c.meta = map[string]any{
			mcp.MetaKeyProtocolVersion: result.ProtocolVersion, mcp.MetaKeyClientInfo: c.me,
			mcp.MetaKeyClientCapabilities: c.can, mcp.MetaKeyLogLevel: logLevel,
		}
	} else if result.Capabilities.Logging != nil {
		_, _ = c.request(patient, "logging/setLevel", params{"level": logLevel}) // it goes on without
	}
	return nil
}

// logLevel is from where on the server's log is wanted.
const logLevel = "info"

// Info is what the server says about itself.
func (c *Client) Info() broker.ServerInfo { return c.info }

// Standing says who the server is told of now.
func (c *Client) Standing() broker.Standing { return c.x.Standing() }

// watchEnd tells when the server ends by itself.
func (c *Client) watchEnd() {
	<-c.wire.done
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if !closed {
		c.tell(broker.ExplorerEvent{Kind: broker.EventClosed, Message: broker.AsProblem(c.gone()).Msg})
	}
}

// gone is the error of whatever is asked of a server that has ended.
func (c *Client) gone() error {
	words := strings.TrimPrefix(c.x.Obituary(), "mcpauth: ")
	if words == "" {
		words = c.x.Server() + " has ended"
	}
	return c.unreachable(words, errClosed)
}

func (c *Client) unreachable(words string, err error) error {
	return &broker.Problem{Msg: words, Hints: c.log.hints(), Code: broker.ExitUnreachable, Err: err}
}

func (c *Client) tell(e broker.ExplorerEvent) {
	e.Time = time.Now()
	c.on(e)
}

// Close ends the server and all that it started, within two seconds, and waits
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
