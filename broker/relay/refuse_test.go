package relay

import (
	"strings"
	"testing"
)

// A request of the backend that the gate answers goes back to it, however long
// it is, and never to the client.
func TestBackendIsAnswered(t *testing.T) {
	c := converse(t, &openGate{back: func(out *Output, _ *Request) Verdict {
		if out.Kind() != Call {
			return Verdict{Action: Forward}
		}
		return Verdict{Action: Answer, Line: AppendError(nil, out.ID(), 4403, "no", nil)}
	}})
	c.listen()
	for id, padding := range map[string]string{`"a"`: "", `"b"`: strings.Repeat("x", 400<<10)} {
		c.backend.say(`{"jsonrpc":"2.0","id":` + id + `,"method":"sampling/createMessage","params":{"x":"` + padding + `"}}`)
		if got := c.backend.next(); got != `{"jsonrpc":"2.0","id":`+id+`,"error":{"code":4403,"message":"no"}}` {
			t.Errorf("%s is answered %s", id, got)
		}
	}
	c.backend.say(`{"jsonrpc":"2.0","method":"notifications/message"}`)
	if got := c.client.next(); !strings.Contains(got, "notifications/message") {
		t.Errorf("the client got %s", got)
	}
	_ = c.client.in.Close()
	<-c.done
	c.end()
}
