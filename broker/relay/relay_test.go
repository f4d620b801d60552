package relay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMessagesPassAsTheyAre(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	asked := []string{`{"jsonrpc":"2.0","id":5,"method":"roots/list"}`, `{"jsonrpc":"2.0","id":6,"method":"roots/list"}`}
	c.backend.say(asked...)
	c.client.hears(asked...)
	up := []string{
		`{"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}},"jsonrpc":"2.0","id":0}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc" : "2.0", "id":9007199254740993,"method":"tools/call","params":{"name":"a","arguments":{"n":1.50,"big":12345678901234567890,"é":"\u00e9"}},"extra":[1]}`,
		`{"jsonrpc":"2.0","id":"a\"b","method":"some/unknown","params":{"_meta":{"vendor.example/x":{"y":null}}}}`,
		`{"jsonrpc":"2.0","id":5,"result":{"roots":[]}}`,
		`{"jsonrpc":"2.0","id":6,"error":{"code":-1,"message":"no","data":{"d":1e400}}}`,
	}
	c.client.say(up...)
	c.backend.hears(up...)
	down := []string{
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":{"x":1.0}}}`,
		`{"result":{"x":[1.0, 12345678901234567890]},"jsonrpc":"2.0","id":9007199254740993,"vendor":true}`,
		`{"jsonrpc":"2.0","id":5,"method":"roots/list"}`,
		`{"jsonrpc":"2.0","id":null,"method":"notifications/x","result":null,"error":null}`,
	}
	c.backend.say(down...)
	c.client.hears(down...)
}

func TestLinesOfAllLengths(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	for _, n := range []int{bufferSize - 200, bufferSize - 100, bufferSize, bufferSize + 1, 1 << 20, 17 << 20} {
		up := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"x","params":{"d":"%s"}}`, n, strings.Repeat("x", n))
		down := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"d":"%s"}}`, n, strings.Repeat("y", n))
		c.client.say(up, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
		c.backend.hears(up, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
		c.backend.say(down, `{"jsonrpc":"2.0","id":1,"result":{}}`)
		c.client.hears(down, `{"jsonrpc":"2.0","id":1,"result":{}}`)
	}
}

func TestTooLongLineIsAnErrorNotAnEnd(t *testing.T) {
	gate := &openGate{judge: func(*Message) Verdict { return Verdict{Action: Forward, WholeAnswer: true} }}
	c := converse(t, gate, func(config *Config) { config.MaxLine = 1 << 20 })
	c.listen()
	long := strings.Repeat("x", 3<<20)
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"x","params":{"d":"` + long + `"}}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4413,"message":"mcpauth: the message is longer than this proxy allows"}}`)
	c.client.say(`{"method":"x","params":{"d":"` + long + `"},"jsonrpc":"2.0","id":"last"}`)
	c.client.hears(`{"jsonrpc":"2.0","id":"last","error":{"code":4413,"message":"mcpauth: the message is longer than this proxy allows"}}`)
	c.client.say(`{"jsonrpc":"2.0","id":2,"method":"x"}`)
	c.backend.hears(`{"jsonrpc":"2.0","id":2,"method":"x"}`)
	c.backend.say(`{"result":{"d":"` + long + `"},"jsonrpc":"2.0","id":2}`)
	c.client.hears(`{"jsonrpc":"2.0","id":2,"error":{"code":4413,"message":"mcpauth: the server's answer is longer than this proxy allows"}}`)
	<-c.stray
	c.backend.say(`{"jsonrpc":"2.0","method":"notifications/x"}`)
	c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`)
}

func TestBadLineIsAnsweredAndTheBackendSeesNothing(t *testing.T) {
	gate := &openGate{}
	c := converse(t, gate)
	c.listen()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}`, ``, `  `, `{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"mcpauth: a protocol member stands there twice"}}`)
	c.backend.hears(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	gate.mu.Lock()
	defer gate.mu.Unlock()
	if len(gate.refusals) != 1 {
		t.Errorf("the gate heard of %d refusals, want 1", len(gate.refusals))
	}
}

func TestBackendDeathAnswersEveryOpenCallOnce(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	c.exitReason = "main.py ended with code 1: ModuleNotFoundError"
	c.client.say(
		`{"jsonrpc":"2.0","id":1,"method":"a"}`, `{"jsonrpc":"2.0","id":"1","method":"b"}`,
		`{"jsonrpc":"2.0","id":2,"method":"c"}`, `{"jsonrpc":"2.0","id":3,"method":"d"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}`,
	)
	for range 5 {
		c.backend.next()
	}
	c.backend.say(`{"jsonrpc":"2.0","id":2,"result":{}}`)
	c.client.hears(`{"jsonrpc":"2.0","id":2,"result":{}}`)
	_ = c.backend.in.Close()
	c.client.hears(
		`{"jsonrpc":"2.0","id":"1","error":{"code":4502,"message":"main.py ended with code 1: ModuleNotFoundError"}}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":4502,"message":"main.py ended with code 1: ModuleNotFoundError"}}`,
	)
	<-c.done
	if line, open := <-c.client.lines; open {
		t.Errorf("one answer too many: %s", line)
	}
}

func TestIDInUseIsRefused(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"a"}`, `{"jsonrpc":"2.0","id":1,"method":"b"}`)
	c.backend.hears(`{"jsonrpc":"2.0","id":1,"method":"a"}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"mcpauth: the id belongs to a call that is not answered yet"}}`)
	c.backend.say(`{"jsonrpc":"2.0","id":1,"result":"of a"}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"result":"of a"}`)
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"c"}`)
	c.backend.hears(`{"jsonrpc":"2.0","id":1,"method":"c"}`)
}

func TestStrayOutputNeverReachesTheClient(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	c.backend.say("Server running on stdio", `{"level":"info"}`, "", `{"jsonrpc":"2.0","id":1,`, "\ufeff{}", `[1,2]`,
		`{"jsonrpc":"2.0","method":"notifications/x"}`+"\r")
	c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`)
	for _, want := range []string{"Server running on stdio", `{"level":"info"}`, `{"jsonrpc":"2.0","id":1,`, "\ufeff{}", "1", "2"} {
		if got := <-c.stray; got != want {
			t.Errorf("stray %q, want %q", got, want)
		}
	}
	if _, err := io.WriteString(c.backend.in, `{"half":`); err != nil {
		t.Fatal(err)
	}
	_ = c.backend.in.Close()
	<-c.done
	if got := <-c.stray; got != `{"half":` {
		t.Errorf("stray %q", got)
	}
}

func TestLastLineNeedsNoLineEnd(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	if _, err := io.WriteString(c.client.in, `{"jsonrpc":"2.0","id":1,"method":"a"}`); err != nil {
		t.Fatal(err)
	}
	_ = c.client.in.Close()
	c.backend.hears(`{"jsonrpc":"2.0","id":1,"method":"a"}`)
}

// A list inside a batch would get around the gate.
func TestBatchOfTheBackendIsTakenApart(t *testing.T) {
	var seen []string
	gate := &openGate{back: func(out *Output, request *Request) Verdict {
		if request != nil {
			seen = append(seen, request.Method)
		}
		return Verdict{Action: Forward}
	}}
	c := converse(t, gate)
	c.listen()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	c.backend.next()
	c.backend.say(`[{"jsonrpc":"2.0","method":"notifications/x"}, {"jsonrpc":"2.0","id":1,"result":{}}]`)
	c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`, `{"jsonrpc":"2.0","id":1,"result":{}}`)
	if len(seen) != 1 || seen[0] != "tools/list" {
		t.Errorf("the gate saw answers to %v", seen)
	}
}

func TestCallThatWaitsWaitsAlone(t *testing.T) {
	open := make(chan struct{})
	gate := &openGate{judge: func(m *Message) Verdict {
		select {
		case <-open:
		default:
			if m.Method() == "tools/call" {
				return Verdict{Action: Wait, Until: func(ctx context.Context) {
					select {
					case <-open:
					case <-ctx.Done():
					}
				}}
			}
		}
		return Verdict{Action: Forward}
	}}
	c := converse(t, gate)
	c.listen()
	c.client.say(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"b"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"c"}}`,
		`{"jsonrpc":"2.0","id":4,"method":"ping"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress"}`,
	)
	c.backend.hears(`{"jsonrpc":"2.0","id":4,"method":"ping"}`, `{"jsonrpc":"2.0","method":"notifications/progress"}`)
	close(open)
	c.backend.hears( // in order, and without the one that was cancelled
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"c"}}`,
	)
	c.client.say(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"d"}}`)
	c.backend.hears(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"d"}}`)
}

// What waits leaves behind what came before it, though that is not written yet.
func TestWaitingCallDoesNotOvertake(t *testing.T) {
	for range 50 {
		waited := false
		gate := &openGate{judge: func(m *Message) Verdict {
			if m.Method() == "tools/call" && !waited {
				waited = true
				return Verdict{Action: Wait}
			}
			return Verdict{Action: Forward}
		}}
		c := converse(t, gate)
		c.listen()
		lines := []string{`{"jsonrpc":"2.0","id":1,"method":"initialize"}`, `{"jsonrpc":"2.0","id":2,"method":"tools/call"}`}
		for range 300 {
			lines = append(lines, `{"jsonrpc":"2.0","method":"notifications/progress"}`)
		}
		c.client.say(strings.Join(lines, "\n"))
		seen := ""
		for range lines {
			if line := c.backend.next(); !strings.Contains(line, "progress") {
				seen += line
			}
		}
		if seen != lines[0]+lines[1] {
			t.Fatalf("the server hears %s", seen)
		}
		c.end()
	}
}

// A batch of the server is one wherever blanks stand, and its messages are read as
// loosely as others are.
func TestLooseBatch(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	one, two := `{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1,"a":2}}`, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/y\",\"params\":\"\xff\"}"
	c.backend.say("  [" + one + ", " + two + `]`)
	c.client.hears(one, two)
}

func TestWaitingCallIsAnsweredWhenTheBackendDies(t *testing.T) {
	gate := &openGate{judge: func(*Message) Verdict {
		return Verdict{Action: Wait, Until: func(ctx context.Context) { <-ctx.Done() }}
	}}
	c := converse(t, gate)
	c.listen()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
	c.client.say(`{"jsonrpc":"2.0","method":"notifications/x"}`) // read behind it
	_ = c.backend.in.Close()
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4502,"message":"it ended"}}`)
}

func TestAsk(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	ask := func(ctx context.Context) (string, error) {
		answer, err := c.relay.Ask(ctx, func(id []byte) []byte {
			return []byte(`{"jsonrpc":"2.0","id":` + string(id) + `,"method":"tools/list"}`)
		})
		return string(answer), err
	}
	type outcome struct {
		answer string
		err    error
	}
	outcomes := make(chan outcome, 1)
	go func() {
		answer, err := ask(context.Background())
		outcomes <- outcome{answer, err}
	}()
	var scanner Scanner
	id := string(scanner.Scan([]byte(c.backend.next())).ID())
	c.backend.say(`{"jsonrpc":"2.0","id":`+id+`,"result":{"tools":[]}}`, `{"jsonrpc":"2.0","method":"notifications/x"}`)
	c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`) // the answer was not for it
	if got := <-outcomes; got.err != nil || !strings.Contains(got.answer, `"tools":[]`) {
		t.Errorf("answer %q, error %v", got.answer, got.err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ask(ctx); err != context.Canceled {
		t.Errorf("error %v, want that of the context", err)
	}
	c.backend.next()
	_ = c.backend.in.Close()
	<-c.done
	if _, err := ask(context.Background()); err != ErrBackendGone {
		t.Errorf("error %v, want %v", err, ErrBackendGone)
	}
}

func TestBackendThatReadsNoMore(t *testing.T) {
	c := converse(t, &openGate{})
	c.client.listen()
	_ = c.backend.out.Close()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"a"}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4502,"message":"mcpauth: the server no longer reads"}}`)
	c.backend.say(`{"jsonrpc":"2.0","method":"notifications/x"}`)
	c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`)
}

func TestClientThatReadsNoMore(t *testing.T) {
	c := converse(t, &openGate{})
	c.backend.listen()
	_ = c.client.out.Close()
	if _, err := io.WriteString(c.backend.in, `{"jsonrpc":"2.0","method":"notifications/x"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	<-c.done
	c.endsOnce()
}

// A client that leaves without reading what it was sent holds nobody up.
func TestClientThatLeavesWithoutReading(t *testing.T) {
	c := converse(t, &openGate{})
	c.backend.say(`{"jsonrpc":"2.0","method":"notifications/x"}`) // read, and never taken by the client
	_ = c.client.in.Close()
	select {
	case <-c.done:
	case <-time.After(patience):
		t.Error("the relay does not end")
	}
}

// A client that does not read while the backend floods it can still cancel.
func TestFloodedClientCanCancel(t *testing.T) {
	gate := &openGate{judge: func(m *Message) Verdict {
		if m.Method() == "denied" {
			return Verdict{Action: Answer, Line: AppendError(nil, m.ID(), 4403, "no", nil)}
		}
		return Verdict{Action: Forward}
	}}
	c := converse(t, gate)
	c.backend.listen()
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		line := []byte(`{"jsonrpc":"2.0","method":"notifications/x","params":{"d":"` + strings.Repeat("x", 1000) + "\"}}\n")
		for range 2000 {
			if _, err := c.backend.in.Write(line); err != nil {
				return
			}
		}
	}()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"denied"}`)
	cancelled := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
	c.client.say(cancelled)
	c.backend.hears(cancelled)
	c.end()
	<-flooded
}

// Both sides write 8 MiB and read only then: neither may wait for the other.
func TestBothSidesWriteAtOnce(t *testing.T) {
	c := converse(t, &openGate{}, func(config *Config) { config.MaxLine = 16 << 20 })
	const size = 8 << 20
	up := `{"jsonrpc":"2.0","id":1,"method":"x","params":{"d":"` + strings.Repeat("u", size) + `"}}`
	down := `{"jsonrpc":"2.0","method":"notifications/x","params":{"d":"` + strings.Repeat("d", size) + `"}}`
	var both sync.WaitGroup
	both.Go(func() { c.client.say(up); c.client.listen() })
	both.Go(func() { c.backend.say(down); c.backend.listen() })
	both.Wait()
	c.backend.hears(up)
	c.client.hears(down)
}

func TestContextEndsTheRelay(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"a"}`)
	c.backend.next()
	c.stop()
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4502,"message":"it ended"}}`)
	<-c.done
}

func TestTableOfCallsIsBounded(t *testing.T) {
	var p pending
	for i := range maxPending {
		if _, refusal := p.add(Request{ID: fmt.Append(nil, i)}, false); refusal != nil {
			t.Fatalf("call %d is refused", i)
		}
	}
	if _, refusal := p.add(Request{ID: []byte("-1")}, false); refusal == nil || refusal.Code != CodeTooMany {
		t.Fatalf("the table has no bound: %+v", refusal)
	}
	p.cancel([]byte("7"))
	if _, refusal := p.add(Request{ID: []byte("-1")}, false); refusal != nil {
		t.Error("a cancelled call keeps its place for ever")
	}
}

func BenchmarkParseAndSplice(b *testing.B) {
	line := []byte(`{"method":"tools/call","params":{"name":"echo","arguments":{"message":"` + strings.Repeat("x", 60) + `"},"_meta":{"progressToken":1}},"jsonrpc":"2.0","id":42}`)
	user := []byte(`{"sub":"ada","email":"ada@example.com","groups":["a","b"]}`)
	p := NewParser(testReserved)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		m, refusal := p.Parse(line)
		if refusal != nil {
			b.Fatal(refusal)
		}
		out, _ = m.Splice(out[:0], testReserved, Insertion{Meta: user})
	}
	if !bytes.Contains(out, user) {
		b.Fatal("no user")
	}
}
