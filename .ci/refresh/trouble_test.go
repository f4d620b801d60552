package refresh

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// TestTroubleIsNoSignOut: the access token is over and the provider cannot or
// does not answer as one. Everybody is told so, nothing is lost, and as soon as
// the provider is well all goes on.
func TestTroubleIsNoSignOut(t *testing.T) {
	const wifi = "<html><title>Welcome to the hotel</title></html>"
	for name, test := range map[string]struct {
		fault demoidp.Fault
		says  string
	}{
		"cuts the connection":  {demoidp.Fault{Drop: true}, "EOF"},
		"slow":                 {hanging(), "exceeded"},
		"429":                  {answers(429, "application/json", `{"error":"slow_down"}`), "it answered 429"},
		"500":                  {answers(500, "application/json", `{"error":"server_error"}`), "it answered 500"},
		"502 with a page":      {answers(502, "text/html", wifi), "it answered 502"},
		"captive portal":       {answers(200, "text/html", wifi), "not OAuth (text/html)"},
		"redirect to a portal": {answers(302, "text/html", "", "Location", "https://wifi.example"), "redirects are not followed"},
		"empty answer":         {answers(200, "application/json", ""), "not OAuth"},
		"HTML said to be JSON": {answers(200, "application/json", wifi), "not OAuth"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			idp, m := startFaulty(t, demoidp.Options{}, 1, 3600)
			m.untilOver()
			idp.set(test.fault)
			said := m.run(nil, "token")
			if said.code != 3 || said.stdout != "" || !strings.Contains(said.stderr, test.says) || said.took > 25*time.Second {
				t.Errorf("token: %v, want exit 3 and %q", said, test.says)
			}
			if strings.Contains(said.stderr, "hotel") || strings.Contains(said.stderr, "mcpauth login") {
				t.Errorf("shows the page, or asks for a new sign-in: %v", said)
			}
			if state, reason, _ := m.status(); state != "troubled" {
				t.Errorf("status: %s %s", state, reason)
			}
			p := m.proxy()
			p.open()
			a := p.call()
			a.wantWords(t, "cannot be used right now")
			if a.took > 20*time.Second {
				t.Errorf("the call waited %v", a.took)
			}
			idp.mend()
			eventually(t, "the running proxy works again", func() bool { return !p.call().failed })
			if m.token() == "" {
				t.Error("no token afterwards")
			}
		})
	}
}

// TestProviderIsGone has a closed port, and a token that is still good: nobody
// notices. Then it is over.
func TestProviderIsGone(t *testing.T) {
	t.Parallel()
	idp, m := startFaulty(t, demoidp.Options{}, 10, 3600)
	p := m.proxy()
	p.open()
	first := m.token()
	if err := idp.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, expires := m.status()
	for time.Now().Before(expires.Add(-2 * time.Second)) {
		p.call().wantUser(t)
		time.Sleep(100 * time.Millisecond)
	}
	if m.token() != first {
		t.Error("another token without a provider")
	}
	m.untilOver()
	// While a pause after a failed attempt lasts, the call names that instead.
	eventually(t, "a call names the cause", func() bool {
		a := p.call()
		return a.failed && strings.Contains(a.text, "connection refused")
	})
	if said := m.run(nil, "token"); said.code != 3 || !strings.Contains(said.stderr, "cannot be reached") {
		t.Errorf("token: %v", said)
	}
	if state, _, _ := m.status(); state != "troubled" {
		t.Errorf("the sign-in is %s", state)
	}
}

// TestRetryAfterIsShared: one process is told to wait, so all wait.
func TestRetryAfterIsShared(t *testing.T) {
	t.Parallel()
	idp, m := startFaulty(t, demoidp.Options{}, 1, 3600)
	m.untilOver()
	const wait = 6 * time.Second
	idp.set(answers(429, "application/json", `{"error":"slow_down"}`, "Retry-After", "6"))
	told := time.Now()
	if said := m.run(nil, "token"); said.code != 3 {
		t.Fatalf("token: %v", said)
	}
	idp.mend()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if said := m.run(nil, "token"); said.code != 3 || !strings.Contains(said.stderr, "without success a moment ago") {
				t.Errorf("while all wait: %v", said)
			}
		})
	}
	all.Wait()
	if took := time.Since(told); took > wait-time.Second {
		t.Fatalf("the machine is too slow for this test: %v", took)
	}
	if n := idp.refreshes(); n != 1 {
		t.Errorf("%d requests while the provider wanted none", n)
	}
	p := m.proxy()
	p.open()
	eventually(t, "the proxy works after the wait", func() bool { return !p.call().failed })
	idp.mu.Lock()
	defer idp.mu.Unlock()
	if len(idp.at) != 2 || idp.at[1].Sub(idp.at[0]) < wait-100*time.Millisecond {
		t.Errorf("refreshes at %v, want two with %v between", idp.at, wait)
	}
}

// TestNobodyWaitsForARefreshAhead: the provider hangs when the token is renewed
// ahead of its end. Until that end no call and no script waits.
func TestNobodyWaitsForARefreshAhead(t *testing.T) {
	t.Parallel()
	idp, m := startFaulty(t, demoidp.Options{}, 30, 3600)
	idp.set(hanging())
	p := m.proxy()
	p.open()
	_, _, expires := m.status()
	end := expires.Add(-4 * time.Second) // a call with less than 3 s left has to wait
	calls, slowest := 0, time.Duration(0)
	for time.Now().Before(end) {
		a := p.call()
		if idp.refreshes() > 0 {
			a.wantUser(t)
			calls, slowest = calls+1, max(slowest, a.took)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if calls < 5 || idp.refreshes() != 1 {
		t.Fatalf("%d calls during %d refreshes", calls, idp.refreshes())
	}
	t.Logf("%d calls while a refresh hung, the slowest took %v", calls, slowest)
	if slowest > 500*time.Millisecond {
		t.Errorf("a call took %v", slowest)
	}
}

// TestLostAnswer: the provider has rotated the refresh token, and its answer got
// lost. With a grace the old one still works; without, the sign-in is over, and
// that is said and not tried again.
func TestLostAnswer(t *testing.T) {
	t.Run("within the grace", func(t *testing.T) {
		t.Parallel()
		idp, m := startFaulty(t, demoidp.Options{Grace: 30 * time.Second}, 1, 3600)
		m.untilOver()
		idp.set(demoidp.Fault{Lost: true})
		if said := m.run(nil, "token"); said.code != 3 {
			t.Errorf("token: %v", said)
		}
		idp.mend()
		p := m.proxy()
		p.open()
		eventually(t, "the proxy works again", func() bool { return !p.call().failed })
		if m.token() == "" {
			t.Error("no token")
		}
	})
	t.Run("without grace", func(t *testing.T) {
		t.Parallel()
		idp, m := startFaulty(t, demoidp.Options{}, 1, 3600)
		m.untilOver()
		idp.set(demoidp.Fault{Lost: true})
		if said := m.run(nil, "token"); said.code != 3 {
			t.Errorf("token: %v", said)
		}
		idp.mend()
		m.untilEnded(t)
		asked := idp.refreshes()
		p := m.proxy()
		p.open()
		p.call().wantWords(t, "mcpauth login")
		if said := m.run(nil, "token"); said.code != 4 || !strings.Contains(said.stderr, "the sign-in has ended") {
			t.Errorf("token: %v", said)
		}
		if n := idp.refreshes(); n != asked {
			t.Errorf("%d more requests with a token that is known to be dead", n-asked)
		}
		m.login()
		eventually(t, "the running proxy knows the new sign-in", func() bool { return !p.call().failed })
	})
}

// untilEnded asks for a token until the provider's pause is over and its word
// about the sign-in has been heard.
func (m *machine) untilEnded(t *testing.T) {
	t.Helper()
	eventually(t, "the end of the sign-in is known", func() bool { return m.run(nil, "token").code == 4 })
	state, reason, _ := m.status()
	if state != "signed_out" || !strings.Contains(reason, "invalid_grant") {
		t.Errorf("status: %s %s", state, reason)
	}
}
