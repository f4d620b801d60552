package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// revival is a conversation whose backend can be started anew by the test.
type revival struct {
	*conversation
	next  chan Endpoint // backends to come; closed: no more
	asked chan struct{}
}

func revivable(t *testing.T, gate *openGate, change ...func(*Config)) *revival {
	r := &revival{next: make(chan Endpoint, 10), asked: make(chan struct{}, 10)}
	revive := func(config *Config) {
		config.Revive = func(ctx context.Context) (Endpoint, error) {
			r.asked <- struct{}{}
			select {
			case next, more := <-r.next:
				if !more {
					return Endpoint{}, errors.New("tried often enough")
				}
				return next, nil
			case <-ctx.Done():
				return Endpoint{}, ctx.Err()
			}
		}
	}
	r.conversation = converse(t, gate, append(change, revive)...)
	return r
}

// die ends the present backend; the next one is returned, not started yet.
func (r *revival) die() *party {
	p := newParty(r.t)
	_ = r.backend.in.Close()
	<-r.asked
	return p
}

func (r *revival) start(p *party) {
	in, out := p.ends()
	p.listen()
	r.t.Cleanup(func() { _, _, _ = p.in.Close(), p.out.Close(), out.Close() })
	r.backend = p
	r.next <- Endpoint{R: in, W: out}
}

// answers has the backend answer its next line, which must be a call like want
// but for the id.
func (p *party) answers(want, result string) {
	p.t.Helper()
	var scanner Scanner
	line := p.next()
	id := string(scanner.Scan([]byte(line)).ID())
	if !strings.HasPrefix(id, `"mcpauth:`) || line != strings.Replace(want, "<id>", id, 1) {
		p.t.Fatalf("got  %s\nwant %s", line, want)
	}
	if result != "" {
		p.say(`{"jsonrpc":"2.0","id":` + id + `,` + result + `}`)
	}
}

const (
	initialize  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`
	again       = `{"jsonrpc":"2.0","id":<id>,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`
	offers      = `"result":{"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"prompts":{"listChanged":true}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
)

// begin plays the first handshake.
func (r *revival) begin() {
	r.listen()
	r.client.say(initialize)
	r.backend.hears(initialize)
	r.backend.say(`{"jsonrpc":"2.0","id":0,` + offers + `}`)
	r.client.hears(`{"jsonrpc":"2.0","id":0,` + offers + `}`)
	r.client.say(initialized)
	r.backend.hears(initialized)
}

func gone(id string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"error":{"code":4502,"message":"it ended"}}`
}

func TestRestart(t *testing.T) {
	r := revivable(t, &openGate{})
	r.begin()
	effects := []string{
		`{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}`,
		`{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"info"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"resources/subscribe","params":{"uri":"a:1"}}`,
		`{"jsonrpc":"2.0","id":4,"method":"resources/subscribe","params":{"uri":"a:2"}}`,
		`{"jsonrpc":"2.0","id":5,"method":"resources/unsubscribe","params":{"uri":"a:1"}}`,
		`{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"pay"}}`,
	}
	r.client.say(effects...)
	r.backend.hears(effects...)
	r.backend.say(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	r.client.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)

	next := r.die()
	r.client.hears(gone("2"), gone("3"), gone("4"), gone("5"), gone("6"))
	held := []string{
		`{"jsonrpc":"2.0","id":7,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"pay"}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress"}`,
		`{"jsonrpc":"2.0","id":9,"method":"tools/call"}`,
	}
	r.client.say(held...)
	r.client.say(
		`{"jsonrpc":"2.0","id":"of the dead","result":{}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":6}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}`,
	)
	r.start(next)
	r.backend.answers(again, `"result":{"capabilities":{}}`)
	r.backend.hears(initialized)
	r.backend.answers(strings.Replace(effects[1], `"id":2`, `"id":<id>`, 1), `"result":{}`)
	r.backend.answers(strings.Replace(effects[3], `"id":4`, `"id":<id>`, 1), `"error":{"code":1,"message":"no"}`)
	r.backend.hears(held[:3]...)
	r.client.hears(
		`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`,
		`{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}`,
	)
	r.backend.say(`{"jsonrpc":"2.0","id":8,"result":"paid"}`)
	r.client.hears(`{"jsonrpc":"2.0","id":8,"result":"paid"}`)
	_ = r.client.in.Close()
	r.client.hears(gone("7"))
	<-r.done
	if n := len(r.client.lines) + len(r.backend.lines); n > 0 {
		t.Errorf("%d lines too many", n)
	}
}

// Whatever the client sends while backends come and go: each call runs once or
// never, and has exactly one answer.
func TestNoCallIsEverRepeated(t *testing.T) {
	r := revivable(t, &openGate{})
	r.begin()
	const lives, calls = 50, 10
	var ran [lives*calls + 1]atomic.Int32
	for life := range lives {
		go r.backend.work(ran[:])
		for i := range calls {
			r.client.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call"}`, life*calls+i))
		}
		r.start(r.die())
	}
	go r.backend.work(ran[:])
	r.client.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call"}`, lives*calls))
	answers := map[int]int{}
	note := func(line string) {
		var n int
		if _, err := fmt.Sscanf(line, `{"jsonrpc":"2.0","id":%d`, &n); err == nil { // no list_changed
			answers[n]++
		}
	}
	for answers[lives*calls] == 0 { // and then all before it were read, too
		note(r.client.next())
	}
	r.die()
	close(r.next)
	<-r.done
	for line := range r.client.lines {
		note(line)
	}
	some := int32(0)
	for i := range ran {
		if n := ran[i].Load(); n > 1 || answers[i] != 1 {
			t.Errorf("call %d ran %d times and has %d answers", i, n, answers[i])
		}
		some += ran[i].Load()
	}
	if some == 0 {
		t.Error("no call ran at all")
	}
}

// work answers the handshake and every other call, until its end.
func (p *party) work(ran []atomic.Int32) {
	var scanner Scanner
	for line := range p.lines {
		answer := ""
		switch out := scanner.Scan([]byte(line)); {
		case out.Method() == "tools/call":
			n, _ := strconv.Atoi(string(out.ID()))
			ran[n].Add(1)
			if n%2 == 0 {
				answer = `{"jsonrpc":"2.0","id":` + string(out.ID()) + `,"result":{}}`
			}
		case out.Method() == "initialize":
			answer = `{"jsonrpc":"2.0","id":` + string(out.ID()) + `,` + offers + `}`
		}
		if answer != "" {
			_, _ = io.WriteString(p.in, answer+"\n")
		}
	}
}

// A call that was judged when its backend still spoke, and is sent when it does
// no more, is answered and not sent: nobody would hear of what it does.
func TestNothingIsSentToABackendThatEnded(t *testing.T) {
	r := revivable(t, &openGate{})
	r.begin()
	r.die() // it says no more, but it still reads
	in := r.relay.newInbound()
	in.forward(parsed(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`), Verdict{Action: Forward})
	in.flush()
	r.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4502,"message":"mcpauth: the server no longer reads"}}`)
	if n := len(r.backend.lines); n > 0 {
		t.Errorf("it was sent %s", <-r.backend.lines)
	}
}

// What was put together for one backend never goes to another.
func TestBatchBelongsToOneBackend(t *testing.T) {
	var old, next strings.Builder
	now := &sink{w: &old}
	b := batch{sink: func() *sink { return now }}
	_ = b.add([]byte("1"))
	now.end()
	now = &sink{w: &next}
	_ = b.add([]byte("2"))
	if err := b.flush(); err != errShut || old.String()+next.String() != "" {
		t.Errorf("error %v; the old one heard %q, the next %q", err, old.String(), next.String())
	}
}

// Without a handshake, as in MCP 2026-07-28, nothing is told again.
func TestModernRestartNeedsNoHandshake(t *testing.T) {
	r := revivable(t, &openGate{})
	r.listen()
	r.client.say(modernCall)
	r.backend.hears(modernCall)
	next := r.die()
	r.client.hears(gone("1"))
	r.client.say(modernCall)
	r.start(next)
	r.backend.hears(modernCall)
	r.backend.say(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	r.client.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
}

const modernCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`

// A handshake that was not finished is the client's to begin again.
func TestDeathDuringInitialize(t *testing.T) {
	r := revivable(t, &openGate{})
	r.listen()
	r.client.say(initialize)
	r.backend.hears(initialize)
	next := r.die()
	r.client.hears(gone("0"))
	r.client.say(initialize)
	r.start(next)
	r.backend.hears(initialize)
}

// A backend that dies while it is told is followed by another.
func TestDeathDuringTheRetelling(t *testing.T) {
	r := revivable(t, &openGate{})
	r.begin()
	next := r.die()
	r.start(next)
	r.backend.answers(again, "")
	next = r.die()
	r.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
	r.start(next)
	r.backend.answers(again, `"result":{}`)
	r.backend.hears(initialized, `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
}

func TestRestartGivesUp(t *testing.T) {
	tests := map[string]func(r *revival, next *party){
		"when it was tried often enough": func(r *revival, _ *party) { close(r.next) },
		"when the session is not taken up": func(r *revival, next *party) {
			r.start(next)
			r.backend.answers(again, `"error":{"code":1,"message":"no"}`)
		},
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			r := revivable(t, &openGate{})
			r.begin()
			next := r.die()
			r.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
			for deadline := time.Now().Add(patience); !r.relay.queue.busy() && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			end(r, next)
			r.client.hears(gone("1"))
			<-r.done
		})
	}
}

func TestClientThatLeavesDuringTheRestart(t *testing.T) {
	r := revivable(t, &openGate{})
	r.begin()
	r.die()
	_ = r.client.in.Close()
	<-r.done
	r.endsOnce()
}

// What waits for the keychain or for a person has not reached the dead backend,
// so it goes to the next.
func TestWaitingCallSurvivesARestart(t *testing.T) {
	for name, detached := range map[string]bool{"in the queue": false, "detached": true} {
		t.Run(name, func(t *testing.T) {
			open := make(chan struct{})
			gate := detachedGate(open)
			judge := gate.judge
			gate.judge = func(m *Message) Verdict {
				v := judge(m)
				v.Detached = detached
				return v
			}
			r := revivable(t, gate)
			r.begin()
			r.client.say(personal1, `{"jsonrpc":"2.0","method":"notifications/x"}`)
			r.backend.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`)
			next := r.die()
			close(open)
			r.start(next)
			r.backend.answers(again, `"result":{}`)
			r.backend.hears(initialized, personal1)
		})
	}
}

// What is held is bounded: calls beyond it are answered, the rest is dropped.
func TestHeldMessagesAreBounded(t *testing.T) {
	r := revivable(t, &openGate{})
	r.begin()
	next := r.die()
	calls := slices.Repeat([]string{`{"jsonrpc":"2.0","method":"notifications/x"}`}, maxQueued)
	r.client.say(calls...)
	r.client.say(`{"jsonrpc":"2.0","method":"notifications/x"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
	r.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4429,"message":"mcpauth: too many calls wait at once"}}`)
	r.start(next)
	r.backend.answers(again, `"result":{}`)
	r.backend.hears(initialized)
	r.backend.hears(calls...)
}
