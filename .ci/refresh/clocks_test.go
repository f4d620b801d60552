package refresh

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// TestClockOff: the machine's clock is set to an hour before or after the
// provider's, between the sign-in and the rest. That costs one refresh and no
// more.
func TestClockOff(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			idp, m := startFaulty(t, demoidp.Options{}, 3600, 3600)
			m.shift(off)
			tokens := make([]string, 8)
			var all sync.WaitGroup
			for i := range tokens {
				all.Go(func() { tokens[i] = m.token() })
			}
			all.Wait()
			for _, token := range tokens {
				if token == "" || token != tokens[0] || !idp.Active(token) {
					t.Error("the processes do not have the same live token")
				}
			}
			p := m.proxy()
			p.open()
			for range 20 {
				p.call().wantUser(t)
				time.Sleep(100 * time.Millisecond)
			}
			if n := idp.refreshes(); n != 1 {
				t.Errorf("%d refreshes, want 1", n)
			}
		})
	}
}

// TestSignInWithTheClockOff begins with a clock that is wrong. One that is behind
// does no harm, and neither does setting it right. One that is ahead of the ID
// token's end is named as what is wrong.
func TestSignInWithTheClockOff(t *testing.T) {
	t.Run("back", func(t *testing.T) {
		t.Parallel()
		idp, m := startShifted(t, -time.Hour)
		if said := m.tryLogin(); said.code != 0 {
			t.Fatalf("login: %v", said)
		}
		if token := m.token(); !idp.Active(token) {
			t.Error("no live token")
		}
		m.shift(0)
		if token := m.token(); !idp.Active(token) {
			t.Error("no live token after the clock was set right")
		}
		if n := idp.refreshes(); n > 1 {
			t.Errorf("%d refreshes", n)
		}
	})
	t.Run("ahead", func(t *testing.T) {
		t.Parallel()
		_, m := startShifted(t, time.Hour)
		said := m.tryLogin()
		if said.code != 1 || !strings.Contains(said.stderr, "the provider's clock differs from this machine's by -1h0m") {
			t.Errorf("login: %v", said)
		}
		m.shift(0)
		m.login()
	})
}

// TestTwelveHoursOfSleep: 20 proxies wake up, and all their clients call.
func TestTwelveHoursOfSleep(t *testing.T) {
	t.Parallel()
	idp, m := startFaulty(t, demoidp.Options{}, 3600, 3600)
	m.shift(0)
	asleep := make([]*proxy, 20)
	for i := range asleep {
		asleep[i] = m.proxy()
		asleep[i].open()
		asleep[i].call().wantUser(t)
	}
	before := m.token()
	const night = 12 * time.Hour
	idp.ahead.Store(int64(night))
	m.shift(night)
	if idp.Active(before) {
		t.Fatal("the token lives longer than the night")
	}
	awake := make([]answer, len(asleep))
	var all sync.WaitGroup
	for i, p := range asleep {
		all.Go(func() { awake[i] = p.call() })
	}
	all.Wait()
	for _, a := range awake {
		a.wantUser(t)
	}
	if token := m.token(); token == before || !idp.Active(token) {
		t.Error("no new token")
	}
	if n := idp.refreshes(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}
