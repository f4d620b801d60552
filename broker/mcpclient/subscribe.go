package mcpclient

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// subscriptions are what is listened to in the modern protocol: one stream for all.
type subscriptions struct {
	changing sync.Mutex // held while the stream is replaced

	uris   []string
	cancel context.CancelFunc       // nil before the first stream
	acks   map[string]chan struct{} // closed when the server acknowledges a stream, by its id
}

// listened is what a stream tells of (MCP 2026-07-28, "subscriptions/listen").
type listened struct {
	ToolsListChanged      bool     `json:"toolsListChanged"`
	PromptsListChanged    bool     `json:"promptsListChanged"`
	ResourcesListChanged  bool     `json:"resourcesListChanged"`
	ResourceSubscriptions []string `json:"resourceSubscriptions,omitempty"`
}

// ackPatience bounds the wait for a server to acknowledge a stream.
const ackPatience = 3 * time.Second

// Subscribe asks to be told, by EventResourceUpdated, when a resource changes.
// Errors are *problem.Problem.
func (c *Client) Subscribe(ctx context.Context, uri string) error {
	if c.meta == nil {
		_, err := c.request(ctx, "resources/subscribe", params{"uri": uri})
		return err
	}
	return c.relisten(ctx, func(uris []string) []string {
		if slices.Contains(uris, uri) {
			return uris
		}
		return append(uris, uri)
	})
}

// Unsubscribe takes a Subscribe back.
func (c *Client) Unsubscribe(ctx context.Context, uri string) error {
	if c.meta == nil {
		_, err := c.request(ctx, "resources/unsubscribe", params{"uri": uri})
		return err
	}
	return c.relisten(ctx, func(uris []string) []string {
		return slices.DeleteFunc(uris, func(u string) bool { return u == uri })
	})
}

// listen opens the stream that tells of changed lists, in the background. Older
// protocols tell of them unasked.
func (c *Client) listen() {
	if c.meta != nil {
		same := func(uris []string) []string { return uris }
		c.start(func() { _ = c.relisten(c.ctx, same) }) // a server without it tells of nothing
	}
}

// relisten listens to other resources than before. change gets a list of its own.
func (c *Client) relisten(ctx context.Context, change func(uris []string) []string) error {
	c.streams.changing.Lock()
	defer c.streams.changing.Unlock()
	c.mu.Lock()
	before, open := c.streams.uris, c.streams.cancel != nil
	c.mu.Unlock()
	if uris := change(slices.Clone(before)); !open || !slices.Equal(uris, before) {
		return c.listenTo(ctx, uris)
	}
	return nil
}

// listenTo opens a stream in the place of the last one, and returns when the server
// acknowledges it, refuses, or says nothing for a while.
func (c *Client) listenTo(ctx context.Context, uris []string) error {
	id := c.newID()
	stream, cancel := context.WithCancel(c.ctx)
	ack := make(chan struct{})
	c.mu.Lock()
	if c.streams.acks == nil {
		c.streams.acks = map[string]chan struct{}{}
	}
	c.streams.acks[id] = ack
	c.mu.Unlock()
	ended := make(chan error, 1)
	c.start(func() {
		_, _, err := c.requestAs(stream, id, methodListen, c.meta, params{"notifications": listened{
			ToolsListChanged: true, PromptsListChanged: true, ResourcesListChanged: true, ResourceSubscriptions: uris,
		}})
		c.mu.Lock()
		delete(c.streams.acks, id)
		c.mu.Unlock()
		ended <- err
	})
	select {
	case err := <-ended:
		cancel()
		return err
	case <-ctx.Done():
		cancel()
		return ctx.Err()
	case <-ack:
	case <-time.After(ackPatience):
	}
	c.mu.Lock()
	last := c.streams.cancel
	c.streams.uris, c.streams.cancel = uris, cancel
	c.mu.Unlock()
	if last != nil {
		last()
	}
	return nil
}

func (c *Client) acknowledged(text json.RawMessage) {
	var p struct {
		Meta map[string]json.RawMessage `json:"_meta"`
	}
	_ = json.Unmarshal(text, &p)
	id := string(p.Meta[metaSubscription])
	c.mu.Lock()
	defer c.mu.Unlock()
	if ack := c.streams.acks[id]; ack != nil {
		delete(c.streams.acks, id)
		close(ack)
	}
}
