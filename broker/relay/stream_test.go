package relay

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
)

const longEnough = bufferSize + bufferSize/2

// fill is text of a JSON string with everything that a string may hold.
func fill(n int) string {
	piece := `QUJD \"\\\/\u00e9 é 漢 𝄞 {[]}:, `
	return strings.Repeat(piece, n/len(piece)+1)
}

// streamGate notes what it hears of the backend's messages.
type heard struct {
	kind     Kind
	method   string
	id       string
	request  string // method of the call that it answers
	streamed bool
	size     int
}

func listeningGate(events chan<- heard) *openGate {
	return &openGate{
		judge: func(m *Message) Verdict {
			return Verdict{Action: Forward, WholeAnswer: m.Method() == "tools/list"}
		},
		back: func(out *Output, request *Request) Verdict {
			h := heard{kind: out.Kind(), method: out.Method(), id: string(out.ID()), streamed: out.Streamed(), size: out.Size()}
			if request != nil {
				h.request = request.Method
			}
			events <- h
			if out.Method() == "notifications/forbidden" {
				return Verdict{Action: Drop}
			}
			return Verdict{Action: Forward}
		},
	}
}

// A long line passes as it is, and the gate hears of it, wherever its members
// stand. What the gate wants to see whole is not streamed.
func TestLongAnswerIsStreamed(t *testing.T) {
	events := make(chan heard, 10)
	c := converse(t, listeningGate(events))
	c.listen()
	long := fill(longEnough)
	tests := []struct {
		name, ask, line string
		want            heard
	}{
		{"id first", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`,
			`{"jsonrpc":"2.0","id":1,"result":{"d":"` + long + `"}}`, heard{Response, "", "1", "tools/call", true, 0}},
		{"id last", `{"jsonrpc":"2.0","id":"z","method":"tools/call"}`,
			`{"result":{"id":5,"d":["` + long + `"]} , "jsonrpc":"2.0","id":"z"}`, heard{Response, "", `"z"`, "tools/call", true, 0}},
		{"an error", `{"jsonrpc":"2.0","id":2,"method":"tools/call"}`,
			`{"jsonrpc":"2.0","error":{"code":1,"message":"` + long + `"},"id":2}`, heard{Response, "", "2", "tools/call", true, 0}},
		{"whose result is a string", `{"jsonrpc":"2.0","id":2,"method":"tools/call"}`,
			`{"jsonrpc":"2.0","id":2,"result":"` + long + `"}`, heard{Response, "", "2", "tools/call", true, 0}},
		{"a member nobody knows", `{"jsonrpc":"2.0","id":3,"method":"tools/call"}`,
			`{"vendor":"` + long + `","jsonrpc":"2.0","result":{},"id":3}`, heard{Response, "", "3", "tools/call", false, 0}},
		{"of a call that the gate judges", `{"jsonrpc":"2.0","id":4,"method":"tools/list"}`,
			`{"jsonrpc":"2.0","id":4,"result":{"tools":["` + long + `"]}}`, heard{Response, "", "4", "tools/list", false, 0}},
		{"of a call that the gate judges, id last", `{"jsonrpc":"2.0","id":4,"method":"tools/list"}`,
			`{"jsonrpc":"2.0","result":{"tools":["` + long + `"]},"id":4}`, heard{Response, "", "4", "tools/list", false, 0}},
		{"a notification", ``, `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"` + long + `"}}`,
			heard{Notification, "notifications/message", "", "", true, 0}},
		{"a call, id last", ``, `{"method":"sampling/createMessage","params":{"d":"` + long + `"},"jsonrpc":"2.0","id":7}`,
			heard{Call, "sampling/createMessage", "", "", true, 0}},
		{"method last", ``, `{"params":{"d":"` + long + `"},"jsonrpc":"2.0","method":"notifications/message"}`,
			heard{Notification, "notifications/message", "", "", false, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.ask != "" {
				c.client.say(test.ask)
				c.backend.hears(test.ask)
			}
			c.backend.say(test.line)
			c.client.hears(test.line)
			test.want.size = len(test.line)
			if test.want.streamed && test.want.kind != Response {
				test.want.size = 0 // it is judged before it passes
			}
			if got := <-events; got != test.want {
				t.Errorf("the gate heard %+v, want %+v", got, test.want)
			}
		})
	}
	c.relay.inFlight.mu.Lock()
	defer c.relay.inFlight.mu.Unlock()
	if n := len(c.relay.inFlight.calls); n != 0 || c.relay.inFlight.whole != 0 {
		t.Errorf("%d calls are still in flight, %d to be judged", n, c.relay.inFlight.whole)
	}
}

// The streamed line leaves before it is complete: that is the point of it.
func TestLongAnswerLeavesWhileItComes(t *testing.T) {
	c := converse(t, &openGate{})
	c.backend.listen()
	c.calls("1")
	go func() { _, _ = io.WriteString(c.backend.in, `{"jsonrpc":"2.0","id":1,"result":"`+fill(longEnough)) }()
	buf := make([]byte, bufferSize)
	if _, err := io.ReadFull(c.client.out, buf); err != nil {
		t.Fatal(err)
	}
}

// Long lines need no limit where they are streamed.
func TestStreamedLineMayBeLongerThanMaxLine(t *testing.T) {
	c := converse(t, &openGate{}, func(config *Config) { config.MaxLine = bufferSize })
	c.listen()
	line := `{"jsonrpc":"2.0","id":1,"result":"` + fill(3<<20) + `"}`
	c.calls("1")
	c.backend.say(line)
	c.client.hears(line)
}

// The answer to a question of ours is ours, however long it is.
func TestLongAnswerToUsIsNotStreamed(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	for _, form := range []string{
		`{"jsonrpc":"2.0","id":%s,"result":"` + fill(longEnough) + `"}`,
		`{"result":"` + fill(longEnough) + `","jsonrpc":"2.0","id":%s}`,
	} {
		answers := make(chan string, 1)
		go func() {
			answer, _ := c.relay.Ask(context.Background(), func(id []byte) []byte {
				return []byte(`{"jsonrpc":"2.0","method":"tools/list","id":` + string(id) + `}`)
			})
			answers <- string(answer)
		}()
		var scanner Scanner
		answer := fmt.Sprintf(form, scanner.Scan([]byte(c.backend.next())).ID())
		c.backend.say(answer, `{"jsonrpc":"2.0","method":"notifications/x"}`)
		c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`)
		if got := <-answers; got != answer {
			t.Errorf("we got %.100s", got)
		}
	}
}

func TestLongStrayLineNeverReachesTheClient(t *testing.T) {
	c := converse(t, listeningGate(make(chan heard, 10)))
	c.listen()
	long := fill(longEnough)
	for _, line := range []string{
		"INFO " + long,
		`{"level":"info","message":"` + long + `"}`,
		`"` + long + `"`,
		"\ufeff" + `{"jsonrpc":"2.0","id":1,"result":"` + long + `"}`,
		`{"jsonrpc":"2.0","id":1,"result":"x"} ` + long, // not JSON within the buffer
		`{"jsonrpc":"2.0","id":1,]` + long,
	} {
		c.backend.say(line)
		got := <-c.stray
		if !strings.HasPrefix(line, got[:100]) {
			t.Errorf("stray %.50s, want %.50s", got, line)
		}
	}
	c.backend.say(`{"jsonrpc":"2.0","method":"notifications/forbidden","params":"`+long+`"}`, `{"jsonrpc":"2.0","method":"notifications/x"}`)
	c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`)
	if len(c.stray) > 0 {
		t.Errorf("a message that the gate drops is called stray: %.100s", <-c.stray)
	}
}

func TestLongBatchIsTakenApart(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	one := `{"jsonrpc":"2.0","method":"notifications/x","params":"` + fill(longEnough) + `"}`
	c.backend.say("[" + one + "," + one + "]")
	c.client.hears(one, one)
}

// What is no message in its middle has begun on the client's side: the line is
// ended, and the call is answered if its id was read.
func TestLongAnswerThatBreaks(t *testing.T) {
	long := fill(longEnough)
	broke := `{"jsonrpc":"2.0","id":1,"error":{"code":4502,"message":"mcpauth: the server's answer broke off: `
	tests := map[string]struct {
		line     string
		answered bool
	}{
		"garbage":                {`{"jsonrpc":"2.0","id":1,"result":"` + long + `",}`, true},
		"garbage in the string":  {`{"jsonrpc":"2.0","id":1,"result":"` + long + "\x01" + long + `"}`, true},
		"a second id":            {`{"jsonrpc":"2.0","id":1,"result":"` + long + `","id":2}`, true},
		"two answers":            {`{"jsonrpc":"2.0","id":1,"result":"` + long + `","error":{}}`, true},
		"becomes a call":         {`{"jsonrpc":"2.0","id":1,"result":"` + long + `","method":"x"}`, true},
		"becomes an answer":      {`{"jsonrpc":"2.0","method":"notifications/x","params":"` + long + `","result":{},"id":1}`, true},
		"before the id was read": {`{"jsonrpc":"2.0","result":"` + long + `",]`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := converse(t, &openGate{})
			c.listen()
			c.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
			c.backend.next()
			c.backend.say(test.line, `{"jsonrpc":"2.0","method":"notifications/next"}`)
			if got := c.client.next(); !strings.HasPrefix(test.line, got) || len(got) == len(test.line) {
				t.Errorf("got %d of %d bytes, beginning %.100s", len(got), len(test.line), got)
			}
			if test.answered {
				if both := c.client.next() + c.client.next(); !strings.Contains(both, broke) ||
					!strings.Contains(both, `{"jsonrpc":"2.0","method":"notifications/next"}`) {
					t.Errorf("got %v", both)
				}
			} else {
				c.client.hears(`{"jsonrpc":"2.0","method":"notifications/next"}`)
			}
			if got := <-c.stray; !strings.HasPrefix(test.line, got) {
				t.Errorf("stray %.100s", got)
			}
		})
	}
}

// Behind the message nothing reaches the client: neither text nor a second message.
func TestNothingPassesBehindALongMessage(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	line := `{"jsonrpc":"2.0","id":1,"result":"` + fill(longEnough) + `"}`
	c.calls("1", "3")
	c.backend.say(line+`{"jsonrpc":"2.0","id":2,"result":1}`+fill(longEnough), `{"jsonrpc":"2.0","id":3,"result":1}`)
	c.client.hears(line, `{"jsonrpc":"2.0","id":3,"result":1}`)
}

// The backend dies in the middle of a long answer: the client gets a line end,
// and then one error for each open call.
func TestBackendDiesInTheMiddleOfALongAnswer(t *testing.T) {
	for name, half := range map[string]string{
		"id known":   `{"jsonrpc":"2.0","id":1,"result":"` + fill(longEnough),
		"id unknown": `{"jsonrpc":"2.0","result":"` + fill(longEnough),
	} {
		t.Run(name, func(t *testing.T) {
			c := converse(t, &openGate{})
			c.listen()
			c.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, `{"jsonrpc":"2.0","id":2,"method":"tools/call"}`)
			c.backend.next()
			c.backend.next()
			if _, err := io.WriteString(c.backend.in, half); err != nil {
				t.Fatal(err)
			}
			_ = c.backend.in.Close()
			if got := c.client.next(); !strings.HasPrefix(half, got) {
				t.Errorf("got %.100s", got)
			}
			for _, id := range []string{"1", "2"} {
				if got := c.client.next(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":`+id+`,"error":{"code":4502,`) {
					t.Errorf("got %s", got)
				}
			}
			<-c.done
			if line, open := <-c.client.lines; open {
				t.Errorf("one answer too many: %s", line)
			}
		})
	}
}

// Our own words wait for the end of a streamed line.
func TestNothingIsSaidInsideALongLine(t *testing.T) {
	gate := &openGate{judge: func(m *Message) Verdict {
		if string(m.ID()) == "1" {
			return Verdict{Action: Forward}
		}
		return Verdict{Action: Answer, Line: AppendResult(nil, m.ID(), []byte(`"ours"`))}
	}}
	c := converse(t, gate)
	c.listen()
	c.calls("1")
	begin, end := `{"jsonrpc":"2.0","id":1,"result":"`+fill(longEnough), `"}`
	if _, err := io.WriteString(c.backend.in, begin); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		c.client.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":"%d","method":"x"}`, i))
	}
	c.backend.say(end)
	c.client.hears(begin + end)
	for i := range 10 {
		c.client.hears(fmt.Sprintf(`{"jsonrpc":"2.0","id":"%d","result":"ours"}`, i))
	}
}
