package relay

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

// noted is a Commit that tells when it was asked.
type noted struct{ asked atomic.Bool }

func (n *noted) Commit() error {
	n.asked.Store(true)
	return nil
}

// Calls that cannot be committed do not leave, and all that came with them does.
func TestOnlyCommittedCallsLeave(t *testing.T) {
	long := strings.Repeat("x", 2*bufferSize)
	for name, filler := range map[string]string{"short": "", "copied by itself": long[:longText], "held": long} {
		t.Run(name, func(t *testing.T) {
			bad := &badCommit{}
			gate := &openGate{judge: func(m *Message) Verdict {
				v := Verdict{Action: Forward}
				switch m.Name() {
				case "bad":
					v.Commit = bad
				case "good":
					v.Commit = &noted{}
				}
				return v
			}}
			c := converse(t, gate)
			client, backend := c.client.listen(), c.backend.listen()
			call := func(id int, tool string) string {
				return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{"x":%q}}}`, id, tool, filler)
			}
			note := `{"jsonrpc":"2.0","method":"notifications/progress","params":{}}`
			client.say(strings.Join([]string{note, call(1, "bad"), call(2, "good"), call(3, "bad"), call(4, "open"), note}, "\n"))
			backend.hears(note, call(2, "good"), call(4, "open"), note)
			for _, id := range []int{1, 3} {
				client.hears(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"error":{"code":4507,"message":"the disk is full"}}`, id))
			}
			if bad.asked.Load() == 0 {
				t.Error("nobody asked")
			}
			client.say(call(1, "good")) // the id is free again
			backend.hears(call(1, "good"))
			backend.say(`{"jsonrpc":"2.0","id":1,"result":{}}`)
			client.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
		})
	}
}

type badCommit struct{ asked atomic.Int32 }

func (b *badCommit) Commit() error {
	b.asked.Add(1)
	return errors.New("the disk is full")
}

// Nothing is written to the backend before what it must wait for.
func TestCommitComesBeforeTheWrite(t *testing.T) {
	commit := &noted{}
	gate := &openGate{judge: func(*Message) Verdict { return Verdict{Action: Forward, Commit: commit} }}
	r := New(Config{Gate: gate, Reserved: testReserved})
	in := r.newInbound()
	r.toBackend.Store(&sink{w: writerFunc(func(p []byte) (int, error) {
		if !commit.asked.Load() {
			t.Error("written first")
		}
		return len(p), nil
	})})
	in.take([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`))
	if commit.asked.Load() {
		t.Error("committed for one message, and not for the batch")
	}
	in.flush()
	if !commit.asked.Load() {
		t.Error("not committed")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
