package relay

import (
	"fmt"
	"io"
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

// A client looks an answer up by Number(id) or int(id): no answer but the one under the
// very id reaches it, and the call that another is for gets an error at once.
func TestAttackAnswerUnderAnotherSpellingOfTheID(t *testing.T) {
	tests := map[string][]string{
		`5`: {
			`"5"`, `" 5 "`, `"0x5"`, `"0b101"`, `"0o5"`, `"\ufeff5"`, "\"\ufeff5\"", `"٥"`, `"５"`, `"+5"`, `"5.0"`, `"0_5"`, `5.0`, `5e0`, `50e-1`, `0.5e1`,
			`null`, `true`, `{}`, `[5]`,
		},
		`0`:                         {`""`, `"  "`, `-0`, `0.0`, `"-0"`, `false`},
		`1`:                         {`1.0`, `1e0`, `"1"`, `true`},
		`" 5 "`:                     {`5`, `"5"`},
		`"5"`:                       {`5`},
		`9007199254740993`:          {`9007199254740992`, `9.007199254740992e15`},
		`-9007199254740993`:         {`-9007199254740992`},
		`9223372036854775808`:       {`-9223372036854775808`, `9223372036854775807`, `9.223372036854775808e18`},
		`-9223372036854775809`:      {`-9223372036854775808`},
		`18446744073709551616`:      {`18446744073709552000`, `9223372036854775807`},
		`1000000000000000000000001`: {`1e+24`, `-9223372036854775808`},
	}
	for asked, others := range tests {
		for _, other := range others {
			for length, more := range map[string]string{"short": "", "long": fill(longEnough)} {
				for _, method := range []string{"tools/list", "tools/call"} {
					t.Run(asked+" as "+other+" "+length+" "+method, func(t *testing.T) {
						c := converse(t, judging())
						c.listen()
						call := `{"jsonrpc":"2.0","id":` + asked + `,"method":"` + method + `"}`
						c.client.say(call)
						c.backend.hears(call)
						c.backend.say(`{"jsonrpc":"2.0","id":` + other + `,"x":"` + more + `","result":` + listed + `}`)
						if got := c.client.next(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":`+asked+`,"error":{"code":4522,"message":"mcpauth: the server answered `) {
							t.Error(got)
						}
						<-c.stray
						c.calls(asked) // the id is free again
						c.backend.say(`{"jsonrpc":"2.0","id":` + asked + `,"result":{}}`)
						c.client.hears(`{"jsonrpc":"2.0","id":` + asked + `,"result":{}}`)
					})
				}
			}
		}
	}
}

// An answer that belongs to no call reaches no client, nor does a second one.
func TestAttackAnswerToNoCall(t *testing.T) {
	for length, more := range map[string]string{"short": "", "long": fill(longEnough)} {
		t.Run(length, func(t *testing.T) {
			c := converse(t, judging())
			c.listen()
			c.calls("1", "2", `"a"`)
			const next = `{"jsonrpc":"2.0","method":"notifications/x"}`
			answer := func(id string) string { return `{"jsonrpc":"2.0","id":` + id + `,"result":{"d":"` + more + `"}}` }
			c.backend.say(answer("1"))
			c.client.hears(answer("1"))
			for _, id := range []string{"1", "99", `"b"`, "null", "true", `"mcpauth:x"`} {
				c.backend.say(answer(id), `[`+answer(id)+`]`, next)
				c.client.hears(next)
				<-c.stray
				<-c.stray
			}
			for _, id := range []string{"2", `"\u0061"`} { // which nothing of that has hurt
				c.backend.say(answer(id))
				c.client.hears(answer(id))
			}
		})
	}
}

// What passes while it is read may turn out to be an answer to nothing: its end is held
// back, so that the client has no message.
func TestAttackLongAnswerWithItsIDBehind(t *testing.T) {
	c := converse(t, judging())
	c.listen()
	c.calls("1")
	line := `{"jsonrpc":"2.0","result":"` + fill(longEnough) + `","id":"0x1"}`
	c.backend.say(line)
	if got := c.client.next(); !strings.HasPrefix(line, got) || len(got) == len(line) {
		t.Errorf("got %d of %d bytes", len(got), len(line))
	}
	if got := c.client.next(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":1,"error":{"code":4522,`) {
		t.Error(got)
	}
	// Nor may it become the answer to a call that came later and is judged.
	begin, end := `{"jsonrpc":"2.0","result":{"tools":[],"d":"`+fill(longEnough), `"},"id":2}`
	if _, err := io.WriteString(c.backend.in, begin); err != nil {
		t.Fatal(err)
	}
	list := `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
	c.client.say(list)
	c.backend.hears(list)
	c.backend.say(end)
	if got := c.client.next(); !strings.HasPrefix(begin, got) {
		t.Errorf("got %.100s…%s", got, got[len(got)-50:])
	}
	if got := c.client.next(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":2,"error":{"code":4522,`) {
		t.Error(got)
	}
}

// The answer to a list that was cancelled is known as that however many calls came since.
func TestAttackForgottenList(t *testing.T) {
	var p pending
	list := []byte(`"L"`)
	call, _ := p.add(Request{ID: list, Method: "tools/list"}, true)
	if !p.leaves(call) || p.cancel(list) == nil {
		t.Fatal("not noted")
	}
	for i := range maxPending + 1 {
		id := fmt.Append(nil, i)
		if _, refusal := p.add(Request{ID: id}, false); (refusal != nil) != (i >= maxPending-1) {
			t.Fatalf("call %d: %v", i, refusal)
		}
	}
	if call := p.take(list); call == nil || call.Method != "tools/list" {
		t.Errorf("it is taken for %v", call)
	}
}

// The other way: an answer of the client to what the server did not ask.
func TestAttackAnswerOfTheClientToNoRequest(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	ask := `{"jsonrpc":"2.0","id":7,"method":"roots/list"}`
	c.backend.say(ask)
	c.client.hears(ask)
	next := `{"jsonrpc":"2.0","method":"notifications/x"}`
	c.client.say(`{"jsonrpc":"2.0","id":8,"result":{}}`, `{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"m"}}`, next)
	c.backend.hears(next)
	answer := `{"jsonrpc":"2.0","id":7,"result":{"roots":[]}}`
	c.client.say(answer, answer, next)
	c.backend.hears(answer, next)
	c.backend.say(ask, ask) // one that comes again
	c.client.hears(ask, ask)
	c.client.say(`{"jsonrpc":"2.0","id":"7","result":{}}`)
	c.backend.hears(`{"jsonrpc":"2.0","id":7,"error":{"code":4522,"message":"mcpauth: the client answered under another id: \"7\""}}`)
	for range 4 {
		<-c.stray
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
