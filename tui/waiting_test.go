package tui

import (
	"context"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
)

// What the server does not answer for two seconds is named, until it is answered.
func TestSaysWhatItWaitsFor(t *testing.T) {
	now, answer := fakeNow, make(chan struct{})
	b := newBench(t, withResources, func(o *Options, _ *fakeHome, f *fakeServer) {
		o.Now = func() time.Time { return now }
		f.read = func(ctx context.Context, uri string) (mcpclient.ReadResult, error) {
			select {
			case <-answer:
			case <-ctx.Done():
			}
			return mcpclient.ReadResult{Contents: []mcpclient.Content{{URI: uri, Type: "text", Text: "it came"}}}, ctx.Err()
		}
	})
	b.until("today")
	b.press("enter")
	b.until("Reading…")
	now = now.Add(1900 * time.Millisecond)
	b.lacks("waiting")
	now = now.Add(3 * time.Second)
	b.until("waiting 5 s for the server to answer resources/read")
	close(answer)
	b.until("it came")
	b.untilGone("waiting")
}

// A server that is slow to start is named, too.
func TestSaysThatAServerIsSlowToStart(t *testing.T) {
	now := fakeNow
	b := newBench(t, func(o *Options, _ *fakeHome, _ *fakeServer) {
		o.Now = func() time.Time { return now }
		o.Open = func(ctx context.Context, _ config.Overrides, _ func(mcpclient.Event)) (Server, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	b.until("the server is starting")
	now = now.Add(2 * time.Second)
	b.until("waiting 2 s for the server to start")
}

// What the client says of a request, a line that is no message among it, stands in the log.
func TestWaitIsLogged(t *testing.T) {
	b := newBench(t)
	b.until("● connected")
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventWaiting, Message: "waiting for python3 to answer tools/list; it wrote a line that is no message"})
	b.press("ctrl+l")
	b.until("waiting for python3 to answer", "no message")
}
