package relay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func userGate() *openGate {
	return &openGate{judge: func(m *Message) Verdict {
		if m.Kind() != Call {
			return Verdict{Action: Forward}
		}
		return Verdict{Action: Forward, Insert: Insertion{Meta: []byte(testUser), Argument: []byte(testUser)}}
	}}
}

// The user comes into a long line, and forgeries go out of it, by offset: the
// rest stays byte for byte.
func TestUserComesIntoALongLine(t *testing.T) {
	c := converse(t, userGate())
	c.listen()
	long := fill(longEnough)
	for _, test := range []struct{ in, want string }{
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"d":"` + long + `"}}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.github.mcpauth/user":{"sub":"ada"}},"name":"a","arguments":{"_oauth_user":{"sub":"ada"},"d":"` + long + `"}}}`},
		{`{"params":{"arguments":{"_oauth_user":{"sub":"mallory"},"d":"` + long + `"},"name":"a","_meta":{"io.github.mcpauth/user":{"sub":"mallory"},"k":["` + long + `"]}},"method":"tools/call","jsonrpc":"2.0","id":2}`,
			`{"params":{"arguments":{"_oauth_user":{"sub":"ada"},"d":"` + long + `"},"name":"a","_meta":{"io.github.mcpauth/user":{"sub":"ada"},"k":["` + long + `"]}},"method":"tools/call","jsonrpc":"2.0","id":2}`},
		{`{"params":{"name":"a","arguments":null,"_oauth_user":"` + long + `"},"method":"tools/call","jsonrpc":"2.0","id":3}`,
			`{"params":{"_meta":{"io.github.mcpauth/user":{"sub":"ada"}},"name":"a","arguments":{"_oauth_user":{"sub":"ada"}}},"method":"tools/call","jsonrpc":"2.0","id":3}`},
	} {
		c.client.say(test.in)
		c.backend.hears(test.want)
	}
}

func TestLongLineIsRefusedLikeAShortOne(t *testing.T) {
	c := converse(t, userGate())
	c.listen()
	long := fill(longEnough)
	for _, test := range []struct{ line, want string }{
		{`{"jsonrpc":"2.0","id":1,"method":"x","params":{"d":"` + long + `"},"method":"y"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"mcpauth: a protocol member stands there twice"}}`},
		{`{"jsonrpc":"2.0","method":"x","params":{"d":"` + long + "\xff" + `"},"id":"last"}`, `{"jsonrpc":"2.0","id":"last","error":{"code":-32700,"message":"mcpauth: the line is not valid JSON: an unexpected character"}}`},
		{`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"arguments":["` + long + `"]}}`, `{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"mcpauth: params, _meta and arguments must be objects"}}`},
		{`[{"jsonrpc":"2.0","id":2,"method":"x","params":"` + long + `"}]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"mcpauth: batches are not accepted: send one message a line"}}`},
		{`{"jsonrpc":"2.0","id":3,"method":"x","params":{"d":"` + long + `"}}` + "\r" + hidden, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"mcpauth: there is more than one value on the line"}}`},
		{strings.Repeat(" ", longEnough) + `{"jsonrpc":"2.0","id":4,"method":"x"} x`, `{"jsonrpc":"2.0","id":4,"error":{"code":-32700,"message":"mcpauth: there is more than one value on the line"}}`},
	} {
		c.client.say(test.line)
		c.client.hears(test.want)
	}
	c.client.say(strings.Repeat(" ", longEnough)) // is blank
	c.client.say(`{"jsonrpc":"2.0","method":"notifications/x"}`)
	c.backend.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`) // and nothing of what was refused
}

// Nothing of a long line may reach the backend before its last byte is judged.
func TestLongLineIsHeldUntilItIsJudged(t *testing.T) {
	c := converse(t, userGate())
	c.listen()
	begin := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"d":"` + fill(3<<20) + `"}}`
	if _, err := io.WriteString(c.client.in, begin); err != nil {
		t.Fatal(err)
	}
	_ = c.client.in.Close() // the brace never comes
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":-32700,"message":"mcpauth: the line is not valid JSON: it ends too early"}}`)
	<-c.done
	if line, open := <-c.backend.lines; open {
		t.Errorf("the backend saw %.100s", line)
	}
}

// What waits is held on: the spool goes with the call.
func TestLongLineWaits(t *testing.T) {
	for name, detached := range map[string]bool{"in the queue": false, "detached": true} {
		t.Run(name, func(t *testing.T) {
			open := make(chan struct{})
			gate := &openGate{judge: func(m *Message) Verdict {
				select {
				case <-open:
					return Verdict{Action: Forward, Insert: Insertion{Meta: []byte(testUser)}}
				default:
					return Verdict{Action: Wait, Detached: detached, Until: func(ctx context.Context) {
						select {
						case <-open:
						case <-ctx.Done():
						}
					}}
				}
			}}
			c := converse(t, gate)
			c.listen()
			call := func(id int) string {
				return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"_meta":{},"name":"%s"}}`, id, fill(longEnough+id))
			}
			c.client.say(call(1))
			go close(open)
			c.client.say(call(2))
			got := map[string]bool{c.backend.next(): true, c.backend.next(): true}
			for id := range 2 {
				want := strings.Replace(call(id+1), `"_meta":{}`, `"_meta":{"io.github.mcpauth/user":{"sub":"ada"}}`, 1)
				if !got[want] {
					t.Errorf("call %d did not arrive as it is", id+1)
				}
			}
		})
	}
}

// What waits is bounded in bytes, too.
func TestWaitingBytesAreBounded(t *testing.T) {
	p := newQueue(nil)
	half := func() *Message { return &Message{kind: Call, line: make([]byte, maxQueuedBytes/2+1)} }
	if !p.put(half(), nil) || p.put(half(), nil) {
		t.Error("there is no bound")
	}
	if p.drain(); !p.put(half(), nil) {
		t.Error("what is gone still counts")
	}
}

// endless writes a line of the given length and counts nothing.
func endless(w io.Writer, begin, end string, size int) {
	_, _ = io.WriteString(w, begin)
	piece := []byte(strings.Repeat("x", 64<<10))
	for range size / len(piece) {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, end+"\n")
}

// Long lines pass without the heap growing by them, in both directions.
func TestLongLinesStayOutOfTheHeap(t *testing.T) {
	if _, onHeap := newSpoolPlace().(*heapPlace); onHeap {
		t.Log("this system holds long lines of the client in the heap")
	}
	c := converse(t, userGate())
	drain := func(r io.Reader, lines int) {
		buf := make([]byte, bufferSize)
		for lines > 0 {
			n, err := r.Read(buf)
			if err != nil {
				t.Error(err)
				return
			}
			lines -= bytes.Count(buf[:n], []byte{'\n'})
		}
	}
	const size = 32 << 20
	round := func() {
		go endless(c.client.in, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"d":"`, `"}}`, size)
		drain(c.backend.out, 1)
		go endless(c.backend.in, `{"jsonrpc":"2.0","id":1,"result":"`, `"}`, size)
		drain(c.client.out, 1)
	}
	round()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	round()
	runtime.ReadMemStats(&after)
	limit := uint64(4 << 20)
	if _, onHeap := newSpoolPlace().(*heapPlace); onHeap {
		limit += 8 * size
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > limit {
		t.Errorf("%d KiB were allocated for two lines of %d KiB", grown>>10, size>>10)
	}
}

// The spool is kept for the next long line, but not for ever, and no giant one.
func TestSpoolIsKeptForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rack spoolPool
		first := rack.take()
		first.add([]byte("a long line"))
		rack.put(first)
		time.Sleep(spoolKept - 1)
		second := rack.take()
		if second != first || second.size != 0 {
			t.Errorf("another spool, or one of %d bytes", second.size)
		}
		rack.put(second)
		time.Sleep(spoolKept)
		synctest.Wait()
		if rack.kept.Load() != nil {
			t.Error("it is kept for ever")
		}
		giant := rack.take()
		giant.size = maxKept + 1
		rack.put(giant)
		if rack.kept.Load() != nil {
			t.Error("a giant one is kept")
		}
		rack.close()
	})
}

// The heap is where a spool is on systems without a better place.
func TestSpoolOnTheHeap(t *testing.T) {
	s := &spool{place: &heapPlace{}}
	for range 2 { // it is used again
		s.size = 0
		for _, piece := range []string{"one", "", "two", "three"} {
			s.add([]byte(piece))
		}
		if got := string(s.read(span{2, 8})); got != "etwoth" {
			t.Errorf("read %q", got)
		}
		var whole strings.Builder
		if err := s.copyTo(&whole, span{0, s.size}, make([]byte, 4)); err != nil || whole.String() != "onetwothree" {
			t.Errorf("copied %q, error %v", whole.String(), err)
		}
	}
	if s.read(span{5, 100}) != nil {
		t.Error("more was read than there is")
	}
}

// A token that is longer than the buffer makes it grow for a moment only.
func TestBufferShrinksAgain(t *testing.T) {
	lines := newLineReader(strings.NewReader(`{"`+strings.Repeat("x", 100)+`":1}`+"\n{}\n"), 16)
	l := lines.long(1 << 10)
	l.emit = func([]byte) bool { return true }
	var s Scanner
	s.start(l.text(), l.more)
	s.message()
	if len(lines.buf) <= 16 {
		t.Fatal("the buffer did not grow: this tests nothing")
	}
	l.rest()
	for {
		if line, ok := lines.next(); ok {
			if string(line) != "{}" {
				t.Errorf("the next line is %q", line)
			}
			continue
		}
		if lines.fill() != nil {
			break
		}
	}
	if len(lines.buf) != 16 {
		t.Errorf("the buffer has %d bytes", len(lines.buf))
	}
}
