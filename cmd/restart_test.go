package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const plainCall = `{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"plain"}}`

// A server that ends is started again behind the client's back, and what it was
// doing is never done twice.
func TestRestartNeverRepeatsACall(t *testing.T) {
	m := newMachine(t)
	m.run("login")
	calls := filepath.Join(m.dir, "calls")
	c := m.proxy([]string{"--restart", "--", "testserver", "die-once", calls}, hello, initialized, plainCall)
	if line := c.hears(`"id":"c"`); !strings.Contains(line, `"code":4502`) {
		t.Errorf("the call that ended the server: %s", line)
	}
	c.hears(`"method":"notifications/tools/list_changed"`)
	c.say(strings.Replace(plainCall, `"c"`, `"d"`, 1))
	if line := c.hears(`"id":"d"`); !strings.Contains(line, `"email":"ada@example.com"`) {
		t.Errorf("a call to the new server: %s", line)
	}
	data, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "called"); n != 2 {
		t.Errorf("the servers were called %d times, want 2", n)
	}
}

func TestRestartGivesUp(t *testing.T) {
	m := newMachine(t)
	c := m.proxy([]string{"--restart", "--", "testserver", "die"}, hello)
	c.hears(`"code":4502`)
	for range c.lines { // until the proxy ends
	}
}

func TestCallTimeout(t *testing.T) {
	m := newMachine(t)
	m.run("login")
	c := m.proxy([]string{"--call-timeout", "300ms", "--", "testserver", "never"}, hello, initialized, plainCall)
	if line := c.hears(`"id":"c"`); !strings.Contains(line, `"error":{"code":4`) {
		t.Errorf("a call that takes too long: %s", line)
	}
	c.say(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	c.hears(`"id":1,`)
}

// A call that its client gives up is on record while the proxy goes on.
func TestCancelledCallIsOnRecord(t *testing.T) {
	m := newMachine(t)
	m.run("login")
	c := m.proxy([]string{"--", "testserver", "never"}, hello, initialized, plainCall)
	m.untilListed("plain +sent")
	c.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c"}}`)
	m.untilListed("plain +cancelled")
	m.run("audit", "verify")
}

// untilListed waits until `mcpauth audit list` has what is wanted.
func (m *machine) untilListed(want string) {
	m.t.Helper()
	var said []byte
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		said, _ = m.command("audit", "list").CombinedOutput()
		if regexp.MustCompile(want).Match(said) {
			return
		}
	}
	m.t.Fatalf("audit list does not say %q:\n%s", want, said)
}
