package relay

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const never = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s,"reason":"timeout"}}`

func tooSlow(id string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"error":{"code":4504,"message":"mcpauth: the server did not answer within 10s"}}`
}

func timed(config *Config) { config.CallTimeout = 10 * time.Second }

// The client gets one error, the backend hears that nobody waits, and a late
// answer goes nowhere.
func TestSlowCallExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := converse(t, &openGate{}, timed)
		c.listen()
		call := `{"jsonrpc":"2.0","id":"\u0061","method":"tools/call"}`
		c.client.say(call)
		c.backend.hears(call)
		time.Sleep(9 * time.Second)
		fast := `{"jsonrpc":"2.0","id":2,"method":"tools/call"}`
		c.client.say(fast)
		c.backend.hears(fast)
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		if len(c.client.lines) > 0 {
			t.Errorf("too early: %s", <-c.client.lines)
		}
		time.Sleep(time.Millisecond)
		c.client.hears(tooSlow(`"\u0061"`))
		c.backend.hears(fmt.Sprintf(never, `"\u0061"`))
		late := `{"jsonrpc":"2.0","id":"a","result":{"late":true}}`
		c.backend.say(late, `{"jsonrpc":"2.0","id":2,"result":{}}`)
		c.client.hears(`{"jsonrpc":"2.0","id":2,"result":{}}`) // and nothing of what was late
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(c.client.lines) + len(c.backend.lines); n > 0 {
			t.Errorf("%d lines too many", n)
		}
		c.end()
	})
}

// A late answer that is long is no exception, wherever its id stands.
func TestLateLongAnswerIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := converse(t, &openGate{}, timed)
		c.listen()
		for id, late := range map[string]string{
			"1": `{"jsonrpc":"2.0","id":1,"result":"` + fill(longEnough) + `"}`,
			"2": `{"jsonrpc":"2.0","result":"` + fill(longEnough) + `","id":2}`,
		} {
			c.client.say(`{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call"}`)
			c.backend.next()
			time.Sleep(11 * time.Second)
			c.client.hears(tooSlow(id))
			c.backend.hears(fmt.Sprintf(never, id))
			c.backend.say(late, `{"jsonrpc":"2.0","method":"notifications/x"}`)
			c.client.hears(`{"jsonrpc":"2.0","method":"notifications/x"}`)
		}
		c.end()
	})
}

func TestPatientAndCancelledCallsDoNotExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := converse(t, &openGate{}, timed)
		c.listen()
		lines := []string{
			`{"jsonrpc":"2.0","id":1,"method":"initialize"}`,
			`{"jsonrpc":"2.0","id":2,"method":"subscriptions/listen"}`,
			`{"jsonrpc":"2.0","id":3,"method":"tools/call"}`,
			`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}`,
			`{"jsonrpc":"2.0","id":4,"method":"tools/call"}`,
		}
		c.client.say(lines...)
		c.backend.hears(lines...)
		c.backend.say(`{"jsonrpc":"2.0","id":4,"result":{}}`)
		c.client.hears(`{"jsonrpc":"2.0","id":4,"result":{}}`)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(c.client.lines) + len(c.backend.lines); n > 0 {
			t.Errorf("%d lines too many", n)
		}
		c.backend.say(`{"jsonrpc":"2.0","id":1,"result":{}}`)
		c.client.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
		c.end()
	})
}

// All open calls expire by one timer, in their order, and the table is as small
// as before when their late answers came.
func TestManyCallsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := converse(t, &openGate{}, timed)
		c.listen()
		for i := range 100 {
			c.client.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call"}`, i))
			c.backend.next()
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(20 * time.Second)
		for i := range 100 {
			c.client.hears(tooSlow(fmt.Sprint(i)))
			c.backend.hears(fmt.Sprintf(never, fmt.Sprint(i)))
			c.backend.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{}}`, i))
		}
		synctest.Wait()
		c.relay.inFlight.mu.Lock()
		defer c.relay.inFlight.mu.Unlock()
		if n := len(c.relay.inFlight.calls) + c.relay.inFlight.hurried.Len() + c.relay.inFlight.abandoned.Len(); n > 0 {
			t.Errorf("%d calls are still noted", n)
		}
		go c.end()
	})
}

// A backend that reads nothing holds up its own notice, not the client's answer.
func TestCallExpiresThoughTheBackendDoesNotRead(t *testing.T) {
	c := converse(t, &openGate{}, func(config *Config) { config.CallTimeout = 10 * time.Millisecond })
	c.client.listen()
	c.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`)
	c.client.hears(strings.Replace(tooSlow("1"), "10s", "10ms", 1))
	c.backend.listen()
	c.backend.hears(`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, fmt.Sprintf(never, "1"))
}

// slowCommit is a disk that takes its time, and says when it is asked.
type slowCommit struct{ asked, done chan struct{} }

func (s *slowCommit) Commit() error {
	close(s.asked)
	<-s.done
	return nil
}

// The clock of a call begins when it leaves, however long what comes before took.
func TestTimeIsCountedFromWhenACallLeaves(t *testing.T) {
	for name, filler := range map[string]string{"short": "", "by itself": strings.Repeat("x", longText), "held": strings.Repeat("x", 2*bufferSize)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				commit := &slowCommit{make(chan struct{}), make(chan struct{})}
				gate := &openGate{judge: func(*Message) Verdict { return Verdict{Action: Forward, Commit: commit} }}
				c := converse(t, gate, timed)
				c.listen()
				call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"d":"` + filler + `"}}`
				c.client.say(call)
				<-commit.asked
				time.Sleep(3 * c.relay.CallTimeout)
				synctest.Wait()
				if len(c.client.lines) > 0 {
					t.Errorf("it is given up before it left: %s", <-c.client.lines)
				}
				close(commit.done)
				c.backend.hears(call)
				time.Sleep(2 * c.relay.CallTimeout)
				c.client.hears(tooSlow("1"))
				c.backend.hears(fmt.Sprintf(never, "1"))
				go c.end()
			})
		})
	}
}

// A call that was answered as timed out while it waited to be written is never sent, and
// the backend hears of no cancellation.
func TestAttackCallThatTimedOutIsNeverSent(t *testing.T) {
	for name, filler := range map[string]string{"short": "", "by itself": strings.Repeat("x", longText), "held": strings.Repeat("x", 2*bufferSize)} {
		t.Run(name, func(t *testing.T) {
			c := converse(t, &openGate{}, func(config *Config) { config.CallTimeout = 10 * time.Millisecond })
			c.listen()
			to := c.relay.toBackend.Load()
			to.mu.Lock() // somebody else's write does not end
			c.client.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"d":"` + filler + `"}}`)
			c.client.hears(strings.Replace(tooSlow("1"), "10s", "10ms", 1))
			to.mu.Unlock()
			next := `{"jsonrpc":"2.0","method":"notifications/x"}`
			c.client.say(next)
			c.backend.hears(next)
			c.relay.inFlight.mu.Lock()
			defer c.relay.inFlight.mu.Unlock()
			if n := len(c.relay.inFlight.calls); n > 0 {
				t.Errorf("%d calls are still noted", n)
			}
		})
	}
}

// An answer to a call that has not left cannot be one.
func TestAttackAnswerBeforeTheCall(t *testing.T) {
	commit := &slowCommit{make(chan struct{}), make(chan struct{})}
	gate := &openGate{judge: func(*Message) Verdict { return Verdict{Action: Forward, Commit: commit} }}
	c := converse(t, gate)
	c.listen()
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`
	c.client.say(call)
	<-commit.asked
	c.backend.say(`{"jsonrpc":"2.0","id":1,"result":"early"}`)
	<-c.stray
	close(commit.done)
	c.backend.hears(call)
	c.backend.say(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
}

// The second answer to a line that is too long reaches no client.
func TestSecondAnswerThatIsTooLong(t *testing.T) {
	gate := &openGate{judge: func(*Message) Verdict { return Verdict{Action: Forward, WholeAnswer: true} }}
	c := converse(t, gate, func(config *Config) { config.MaxLine = 1 << 20 })
	c.listen()
	c.calls("1")
	long := `{"jsonrpc":"2.0","id":1,"result":{"d":"` + strings.Repeat("x", 2<<20) + `"}}`
	c.backend.say(long)
	c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4413,"message":"mcpauth: the server's answer is longer than this proxy allows"}}`)
	next := `{"jsonrpc":"2.0","method":"notifications/x"}`
	c.backend.say(long, `{"jsonrpc":"2.0","id":1,"result":{}}`, next)
	c.client.hears(next)
	for range 3 {
		<-c.stray
	}
}
