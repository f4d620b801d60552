package relay

import (
	"strings"
	"testing"
)

// A server whose question the gate lets no answer to pass hears of it, and waits no more.
func TestDroppedAnswerIsAnErrorForTheServer(t *testing.T) {
	c := converse(t, &openGate{judge: func(m *Message) Verdict {
		if m.Kind() == Response {
			return Verdict{}
		}
		return Verdict{Action: Forward}
	}})
	c.listen()
	c.backend.say(`{"jsonrpc":"2.0","id":"q","method":"roots/list"}`)
	c.client.hears(`{"jsonrpc":"2.0","id":"q","method":"roots/list"}`)
	c.client.say(`{"jsonrpc":"2.0","id":"q","result":{"roots":[{"uri":"file:///secret"}]}}`)
	if got := c.backend.next(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":"q","error":{"code":4403,`) || strings.Contains(got, "secret") {
		t.Errorf("the server hears %s", got)
	}
}

// A request that is called notifications/cancelled is judged as the request that it is.
func TestAttackCancellationWithAnID(t *testing.T) {
	c := converse(t, &openGate{judge: func(m *Message) Verdict {
		if m.Kind() == Call && m.Method() == "notifications/cancelled" {
			return Verdict{Action: Answer, Line: AppendError(nil, m.ID(), CodeInvalidRequest, "no", nil)}
		}
		return Verdict{Action: Forward}
	}})
	c.listen()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
	c.backend.next()
	c.client.say(`{"jsonrpc":"2.0","id":2,"method":"notifications/cancelled","params":{"requestId":1}}`)
	c.client.hears(`{"jsonrpc":"2.0","id":2,"error":{"code":-32600,"message":"no"}}`)
	c.backend.say(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
}
