package relay

import (
	"strings"
	"testing"
)

// judging is a gate that reads the answers to lists, and hides what they hold.
func judging() *openGate {
	isList := func(method string) bool { return strings.HasSuffix(method, "/list") }
	return &openGate{
		judge: func(m *Message) Verdict { return Verdict{Action: Forward, WholeAnswer: isList(m.Method())} },
		back: func(out *Output, request *Request) Verdict {
			if request != nil && isList(request.Method) {
				return Verdict{Action: Forward, Line: AppendResult(nil, out.ID(), []byte(`"judged"`))}
			}
			return Verdict{Action: Forward}
		},
	}
}

const listed = `{"tools":[{"name":"hidden"}]}`

// A server may write an id anew: a number as its language holds it, a text as a number.
// The answer is judged all the same.
func TestAnswerIsJudgedHoweverItsIDIsSpelled(t *testing.T) {
	tests := map[string]struct{ asked, answered string }{
		"rounded":                  {`9007199254740993`, `9007199254740992`},
		"rounded, negative":        {`-9007199254740993`, `-9007199254740992`},
		"rounded, with exponent":   {`1000000000000000000000001`, `1e+24`},
		"with a fraction":          {`1`, `1.0`},
		"number as a text":         {`7`, `"7"`},
		"text as a number":         {`"7"`, `7`},
		"blanks around the number": {`" 7 "`, `7`},
		"escaped text":             {`"a"`, `"\u0061"`},
	}
	for name, test := range tests {
		for length, more := range map[string]string{"short": "", "long": fill(longEnough)} {
			t.Run(name+", "+length, func(t *testing.T) {
				c := converse(t, judging())
				c.listen()
				call := `{"jsonrpc":"2.0","id":` + test.asked + `,"method":"tools/list"}`
				c.client.say(call)
				c.backend.hears(call)
				c.backend.say(`{"jsonrpc":"2.0","id":` + test.answered + `,"x":"` + more + `","result":` + listed + `}`)
				c.client.hears(`{"jsonrpc":"2.0","id":` + test.answered + `,"result":"judged"}`)
			})
		}
	}
}

// Two calls whose ids a server may hold for the same are not in flight at once where
// one's answer is judged: it could come as the answer to the other.
func TestIDsThatAServerMayConfuse(t *testing.T) {
	for first, second := range map[string]string{
		`9007199254740993`: `9007199254740992`,
		`1`:                `"1"`,
	} {
		for _, methods := range [][2]string{{"tools/list", "ping"}, {"ping", "tools/list"}} {
			c := converse(t, judging())
			c.listen()
			call := `{"jsonrpc":"2.0","id":` + first + `,"method":"` + methods[0] + `"}`
			c.client.say(call, `{"jsonrpc":"2.0","id":`+second+`,"method":"`+methods[1]+`"}`)
			c.backend.hears(call)
			if got := c.client.next(); !strings.Contains(got, "not answered yet") {
				t.Errorf("%s beside %s: %s", second, first, got)
			}
		}
		c := converse(t, judging())
		c.listen()
		for _, id := range []string{first, second} {
			call := `{"jsonrpc":"2.0","id":` + id + `,"method":"ping"}`
			c.client.say(call)
			c.backend.hears(call)
		}
		for _, id := range []string{second, first} {
			answer := `{"jsonrpc":"2.0","id":` + id + `,"result":{}}`
			c.backend.say(answer)
			c.client.hears(answer)
		}
	}
}

// The answer to a call that was cancelled may still come. It is not taken for the
// answer to a later call with the same id.
func TestIDOfACancelledCallIsNotUsedAgain(t *testing.T) {
	c := converse(t, judging())
	c.listen()
	cancelled := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	lines := []string{`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, cancelled}
	c.client.say(lines...)
	c.backend.hears(lines...)
	c.client.say(ping)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"mcpauth: the id belongs to a call that is not answered yet"}}`)
	c.backend.say(`{"jsonrpc":"2.0","id":1,"result":` + listed + `}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"result":"judged"}`)
	c.client.say(ping, cancelled) // now it is free, and what is not judged frees it at once
	c.backend.hears(ping, cancelled)
	c.client.say(ping)
	c.backend.hears(ping)
}
