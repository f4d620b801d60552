package relay

import (
	"context"
	"strings"
	"testing"
)

// detachedGate lets the calls of one tool wait for the user.
func detachedGate(open <-chan struct{}) *openGate {
	return &openGate{judge: func(m *Message) Verdict {
		select {
		case <-open:
			return Verdict{Action: Forward}
		default:
		}
		if m.Name() != "person" {
			return Verdict{Action: Forward}
		}
		return Verdict{Action: Wait, Detached: true, Until: func(ctx context.Context) {
			select {
			case <-open:
			case <-ctx.Done():
			}
		}}
	}}
}

const (
	personal1 = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"person"}}`
	personal2 = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"person"}}`
	other3    = `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"other"}}`
	cancel2   = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`
)

func TestCallThatWaitsForAPersonHoldsUpNoOther(t *testing.T) {
	open := make(chan struct{})
	c := converse(t, detachedGate(open))
	c.listen()
	c.client.say(personal1, personal2, other3, cancel2, `{"jsonrpc":"2.0","method":"notifications/x"}`)
	c.backend.hears(other3, `{"jsonrpc":"2.0","method":"notifications/x"}`)
	close(open)
	c.backend.hears(personal1)
	c.client.say(`{"jsonrpc":"2.0","id":2,"method":"ping"}`) // its id is free again
	c.backend.hears(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
}

// A call that waits in order, for the keychain, and is then found to need a person,
// leaves the others their way.
func TestCallThatComesToWaitForAPersonHoldsUpNoOther(t *testing.T) {
	open, loaded := make(chan struct{}), make(chan struct{})
	person := detachedGate(open)
	gate := &openGate{judge: func(m *Message) Verdict {
		select {
		case <-loaded:
			return person.judge(m)
		default:
		}
		if m.Kind() != Call {
			return Verdict{Action: Forward}
		}
		return Verdict{Action: Wait, Until: func(context.Context) { <-loaded }}
	}}
	c := converse(t, gate)
	c.listen()
	c.client.say(personal1, other3, personal2, cancel2, `{"jsonrpc":"2.0","method":"notifications/x"}`)
	c.backend.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`) // so all of it was read
	close(loaded)
	c.backend.hears(other3)
	close(open)
	c.backend.hears(personal1)
}

func TestFewCallsWaitForPeople(t *testing.T) {
	open := make(chan struct{})
	c := converse(t, detachedGate(open))
	c.listen()
	for i := range maxDetached {
		c.client.say(strings.Replace(personal1, `"id":1`, `"id":"`+string(rune('a'+i))+`"`, 1))
	}
	c.client.say(personal1)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4429,"message":"mcpauth: too many calls wait for the user"}}`)
	_ = c.backend.in.Close()
	for range maxDetached {
		if line := c.client.next(); !strings.Contains(line, `"code":4502`) {
			t.Errorf("%s", line)
		}
	}
}

// A cancellation ends the waiting itself, not only its use.
func TestCancelledCallStopsWaiting(t *testing.T) {
	waits, stopped := make(chan struct{}), make(chan struct{})
	gate := &openGate{judge: func(m *Message) Verdict {
		if m.Kind() != Call {
			return Verdict{Action: Forward}
		}
		return Verdict{Action: Wait, Detached: true, Until: func(ctx context.Context) { close(waits); <-ctx.Done(); close(stopped) }}
	}}
	c := converse(t, gate)
	c.listen()
	c.client.say(personal1, personal1)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"mcpauth: the id belongs to a call that is not answered yet"}}`)
	<-waits
	c.client.say(strings.Replace(cancel2, "2}", "1}", 1), `{"jsonrpc":"2.0","method":"notifications/x"}`)
	c.backend.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`) // and not the cancellation
	<-stopped
}

func TestAskClient(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	type outcome struct {
		answer string
		err    error
	}
	outcomes := make(chan outcome, 1)
	ask := func() {
		answer, err := c.relay.AskClient(context.Background(), func(id []byte) []byte {
			return []byte(`{"jsonrpc":"2.0","id":` + string(id) + `,"method":"elicitation/create","params":{}}`)
		})
		outcomes <- outcome{string(answer), err}
	}
	c.backend.say(`{"jsonrpc":"2.0","method":"notifications/x"}`) // the relay runs
	c.client.next()
	go ask()
	var scanner Scanner
	id := string(scanner.Scan([]byte(c.client.next())).ID())
	c.client.say(`{"jsonrpc":"2.0","id":`+id+`,"result":{"action":"accept"}}`, `{"jsonrpc":"2.0","method":"notifications/y"}`)
	c.backend.hears(`{"jsonrpc":"2.0","method":"notifications/y"}`) // the first was not for it
	if got := <-outcomes; got.err != nil || !strings.Contains(got.answer, "accept") {
		t.Errorf("answer %q, error %v", got.answer, got.err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.relay.AskClient(ctx, func(id []byte) []byte { return []byte(`{"jsonrpc":"2.0","id":` + string(id) + `}`) }); err != context.Canceled {
		t.Errorf("error %v, want that of the context", err)
	}
	late := string(scanner.Scan([]byte(strings.Replace(c.client.next(), "}", `,"method":"x"}`, 1))).ID())
	ofAnother := `{"jsonrpc":"2.0","id":"mcpauth:other","method":"ping"}`
	c.backend.say(ofAnother)
	c.client.hears(ofAnother)
	c.client.say(`{"jsonrpc":"2.0","id":`+late+`,"result":{}}`, `{"jsonrpc":"2.0","id":"mcpauth:other","result":{}}`)
	c.backend.hears(`{"jsonrpc":"2.0","id":"mcpauth:other","result":{}}`) // of a proxy behind this one
	go ask()
	c.client.next()
	_ = c.client.in.Close()
	if got := <-outcomes; got.err != ErrClientGone {
		t.Errorf("error %v, want %v", got.err, ErrClientGone)
	}
}
