package relay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// The faults of reference/threats.md 3.1 and 3.2 that show in the relay alone.
// Those of the process and its tree are tested in broker/backend.

// A cancellation races the result: the client has the result or nothing, never
// two answers, and the table is empty in the end.
func TestCancelRacesTheResult(t *testing.T) {
	const rounds = 1000
	c := converse(t, &openGate{})
	c.listen()
	var both sync.WaitGroup
	for i := range rounds {
		id := fmt.Sprint(i)
		c.client.say(`{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call"}`)
		c.backend.next()
		both.Go(func() {
			c.client.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`)
		})
		both.Go(func() { c.backend.say(`{"jsonrpc":"2.0","id":` + id + `,"result":{}}`) })
		both.Wait()
		c.backend.next() // the cancellation
	}
	_ = c.backend.in.Close()
	<-c.done
	answers := map[string]int{}
	for line := range c.client.lines {
		answers[line]++
	}
	for line, n := range answers {
		if n > 1 || !strings.Contains(line, `"result"`) {
			t.Errorf("%d times %s", n, line)
		}
	}
	if len(answers) != rounds {
		t.Errorf("%d of %d results passed", len(answers), rounds)
	}
}

// A call waits and is cancelled while it is let go: it reaches the backend or
// not, but never after its cancellation, and a cancellation that took it out
// is not passed on.
func TestCancelRacesTheEndOfWaiting(t *testing.T) {
	for name, detached := range map[string]bool{"in the queue": false, "detached": true} {
		t.Run(name, func(t *testing.T) {
			for range 500 {
				open := make(chan struct{})
				gate := detachedGate(open)
				judge := gate.judge
				gate.judge = func(m *Message) Verdict {
					v := judge(m)
					v.Detached = detached
					return v
				}
				c := converse(t, gate)
				c.listen()
				c.client.say(personal2)
				go close(open)
				c.client.say(cancel2)
				_ = c.client.in.Close()
				<-c.done
				c.end()
				var got []string
				for line := range c.backend.lines {
					got = append(got, line)
				}
				if text := strings.Join(got, "\n"); text != "" && text != personal2+"\n"+cancel2 && text != personal2 {
					t.Fatalf("the backend heard %s", text)
				}
			}
		})
	}
}

// A client floods us with a million messages: all arrive, in order, and memory
// stays where it was.
func TestFloodOfTinyMessages(t *testing.T) {
	const messages = 1_000_000
	c := converse(t, &openGate{})
	go func() {
		piece := []byte(strings.Repeat(`{"jsonrpc":"2.0","method":"notifications/progress"}`+"\n", 1000))
		for range messages / 1000 {
			if _, err := c.client.in.Write(piece); err != nil {
				return
			}
		}
	}()
	before := heap()
	buf := make([]byte, bufferSize)
	for seen := 0; seen < messages; {
		n, err := c.backend.out.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		seen += bytes.Count(buf[:n], []byte{'\n'})
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// A client floods us with calls that a backend never answers: what is not in
// the table is answered at once, and the table does not grow.
func TestFloodOfCallsIsBounded(t *testing.T) {
	c := converse(t, &openGate{})
	go func() { _, _ = io.Copy(io.Discard, c.backend.out) }()
	go func() {
		for i := range 3 * maxPending {
			if _, err := fmt.Fprintf(c.client.in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call"}`+"\n", i); err != nil {
				return
			}
		}
	}()
	dec := json.NewDecoder(c.client.out)
	for range 2 * maxPending {
		var answer struct{ Error struct{ Code int } }
		if err := dec.Decode(&answer); err != nil || answer.Error.Code == 0 {
			t.Fatalf("answer %+v, error %v", answer, err)
		}
	}
	c.relay.inFlight.mu.Lock()
	defer c.relay.inFlight.mu.Unlock()
	if n := len(c.relay.inFlight.calls); n != maxPending {
		t.Errorf("%d calls are in the table", n)
	}
}

// The client does not read while the backend floods it: then we do not read the
// backend either, so that memory stays where it was.
func TestFloodOfAClientThatDoesNotRead(t *testing.T) {
	c := converse(t, &openGate{})
	before := heap()
	written := make(chan int, 1)
	go func() {
		total := 0
		line := []byte(`{"jsonrpc":"2.0","method":"notifications/x","params":{"d":"` + strings.Repeat("x", 1000) + "\"}}\n")
		for total < 64<<20 {
			n, err := c.backend.in.Write(line)
			total += n
			if err != nil {
				break
			}
		}
		written <- total
	}()
	c.client.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	c.backend.listen()
	c.backend.next() // the other direction lives
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	c.end()
	if n := <-written; n >= 64<<20 {
		t.Error("all was read although nobody takes it")
	}
}

// Lines of 64 KiB and a byte, where bufio.Scanner gives up, and one that is too
// long by far.
func TestLineLengthsAroundTheLimits(t *testing.T) {
	c := converse(t, &openGate{}, func(config *Config) { config.MaxLine = 1 << 20 })
	c.listen()
	line := func(n int) string {
		begin, end := `{"jsonrpc":"2.0","method":"x","params":{"d":"`, `"}}`
		return begin + strings.Repeat("x", n-len(begin)-len(end)) + end
	}
	for _, n := range []int{64<<10 - 1, 64 << 10, 64<<10 + 1, bufferSize - 1, bufferSize, bufferSize + 1, 1<<20 - 1, 1 << 20} {
		c.client.say(line(n))
		c.backend.hears(line(n))
		c.backend.say(line(n))
		c.client.hears(line(n))
	}
	c.client.say(line(1<<20 + 1))
	if got := c.client.next(); !strings.Contains(got, `"code":4413`) {
		t.Errorf("%s", got)
	}
}

// A name or an id that is as long as a line must not be collected without bound
// either: it is the token that is wanted whole.
func TestEndlessTokenIsBounded(t *testing.T) {
	const size, max = 48 << 20, 1 << 20
	c := converse(t, &openGate{}, func(config *Config) { config.MaxLine = max })
	c.listen()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
	c.backend.next()
	for name, begin := range map[string]string{"name": `{"`, "id": `{"id":"`, "method": `{"method":"`} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		endless(c.client.in, begin, `"}`, size)
		if got := c.client.next(); !strings.Contains(got, `"code":4413`) {
			t.Errorf("a long %s is answered with %s", name, got)
		}
		endless(c.backend.in, begin, `"}`, size)
		<-c.stray
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16*max {
			t.Errorf("a long %s made %d KiB be allocated", name, grown>>10)
		}
	}
	c.backend.say(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
}

// Noise on the backend's stdout goes aside, and the session goes on.
func TestNoiseOnStdout(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	noise := []string{"Starting server...", "\x1b[32mINFO\x1b[0m ready", `{"jsonrpc":"2.0","id":1`, `"text"`, "null", "\ufeff{}", "\xff\xfe", "]"}
	c.backend.say(noise...)
	c.backend.say("", " ", "\t\r", `{"jsonrpc":"2.0","method":"notifications/x"}`+"\r")
	c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`)
	for _, want := range noise {
		if got := <-c.stray; got != want {
			t.Errorf("stray %q, want %q", got, want)
		}
	}
	if len(c.stray) > 0 {
		t.Errorf("a blank line is called stray: %q", <-c.stray)
	}
}
