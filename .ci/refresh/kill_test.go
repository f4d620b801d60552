package refresh

import (
	"context"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// Where a refreshing process is killed: as the provider gets the request, when
// the provider has done its work and has not answered, or some time after the
// answer, which is before, during or after the keychain is written.
const (
	beforeTheWork = -2 * time.Millisecond
	beforeAnswer  = -1 * time.Millisecond
	steps         = 40 // of 1.5 ms after the answer
)

// killer kills a process when the provider gets its refresh.
type killer struct {
	at     time.Duration
	victim atomic.Pointer[exec.Cmd]
}

// hook makes the fault of a refresh, once: what comes after it is unharmed.
func (k *killer) hook() (demoidp.Fault, bool) {
	victim := k.victim.Swap(nil)
	if victim == nil {
		return demoidp.Fault{}, false
	}
	kill := func() { _ = victim.Process.Kill() }
	switch k.at {
	case beforeTheWork:
		kill()
		return demoidp.Fault{Drop: true}, true
	case beforeAnswer:
		kill()
		return demoidp.Fault{Lost: true}, true
	}
	time.AfterFunc(k.at, kill)
	return demoidp.Fault{}, false
}

// shoot starts a process that refreshes at once, and returns when it was killed
// or has got away.
func (k *killer) shoot(t *testing.T, m *machine, at time.Duration, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	victim := m.mcpauth(ctx, args...)
	stdin, err := victim.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	victim.Stdout = io.Discard
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	k.at = at
	k.victim.Store(victim)
	if args[0] == "proxy" {
		time.AfterFunc(time.Second, func() { stdin.Close() })
	}
	_ = victim.Wait() // killed, or done before the shot
	if k.victim.Load() != nil {
		t.Error("the process did not refresh")
	}
}

// victims are the two kinds of processes that refresh.
func victims(round int) []string {
	if round%4 == 3 {
		return []string{"proxy", "--", "sleep", "10"}
	}
	return []string{"token", "--min-ttl", "1h"}
}

func points() []time.Duration {
	points := []time.Duration{beforeTheWork, beforeAnswer, beforeTheWork, beforeAnswer}
	for i := range steps {
		points = append(points, time.Duration(i)*1500*time.Microsecond)
	}
	return points
}

// TestKilledWhileRefreshing kills the refreshing process at every point and asks
// for a token then. With a grace the sign-in is never lost.
func TestKilledWhileRefreshing(t *testing.T) {
	t.Parallel()
	idp, m := startFaulty(t, demoidp.Options{Grace: 30 * time.Second}, 1, 1)
	k := &killer{}
	idp.hook.Store(k)
	for round, at := range points() {
		m.untilOver()
		k.shoot(t, m, at, victims(round)...)
		if said := m.run(nil, "token", "--min-ttl", "1h"); said.code != 0 && !m.tokenAfterAPause(said) {
			t.Fatalf("killed %v after the answer: %v", at, said)
		}
		if state, reason, _ := m.status(); state == "signed_out" {
			t.Fatalf("killed %v after the answer: %s", at, reason)
		}
	}
}

// tokenAfterAPause asks again where the last process that lived has noted that
// the provider was in trouble.
func (m *machine) tokenAfterAPause(said result) bool {
	for try := 0; said.code == 3 && try < 50; try++ {
		time.Sleep(50 * time.Millisecond)
		said = m.run(nil, "token", "--min-ttl", "1h")
	}
	return said.code == 0
}

// TestKilledWithoutGrace is the same at a provider that revokes all when a
// refresh token comes twice. What was rotated and not stored is lost, there is
// no help for that. It is said, and nothing else is lost.
func TestKilledWithoutGrace(t *testing.T) {
	t.Parallel()
	idp, m := startFaulty(t, demoidp.Options{}, 1, 1)
	k := &killer{}
	idp.hook.Store(k)
	lost, kept := 0, 0
	for round, at := range points() {
		m.untilOver()
		k.shoot(t, m, at, victims(round)...)
		said := m.run(nil, "token", "--min-ttl", "1h")
		switch {
		case said.code == 0 || at == beforeTheWork && m.tokenAfterAPause(said):
			kept++
			if at == beforeAnswer {
				t.Errorf("a token after the refresh token was used and lost")
			}
			continue
		case at == beforeTheWork:
			t.Errorf("nothing was lost, and yet: %v", said)
		case said.code != 4 || !strings.Contains(said.stderr, "the sign-in has ended") || !strings.Contains(said.stderr, "mcpauth login"):
			t.Errorf("killed %v after the answer: %v", at, said)
		}
		lost++
		asked := idp.refreshes()
		if again := m.run(nil, "token"); again.code != 4 || idp.refreshes() != asked {
			t.Errorf("asks again with a dead token: %v", again)
		}
		m.login()
	}
	t.Logf("killed %d times: %d sign-ins kept, %d lost and said to be", lost+kept, kept, lost)
	if lost < 3 || kept < 3 {
		t.Error("the points are not where they matter")
	}
}
