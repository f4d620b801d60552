package refresh

import (
	"sync"
	"testing"
	"time"
)

const (
	processes = 40
	proxies   = 24 // of them; the others are `mcpauth token`
)

// TestFortyProcessesAtOnce: the access token is over and 40 processes need it
// at the same moment. Rotation with reuse detection makes every refresh but the
// first one the end of the sign-in.
func TestFortyProcessesAtOnce(t *testing.T) {
	provider := oidcProvider(t, "3")
	m := newMachine(t, provider.issuer, provider.clientID)
	m.login()
	m.untilOver()

	tokens, answers := make([]string, processes-proxies), make([]answer, proxies)
	started := make([]*proxy, proxies)
	for i := range started {
		started[i] = m.proxy() // which only starts the process
	}
	var all sync.WaitGroup
	for i, p := range started {
		all.Go(func() { p.open(); answers[i] = p.call() })
	}
	for i := range tokens {
		all.Go(func() { tokens[i] = m.token() })
	}
	all.Wait()
	provider.wantOneRefresh(t)
	for _, a := range answers {
		a.wantUser(t)
		if a.expires != answers[0].expires {
			t.Errorf("two proxies have tokens that end %d s apart", a.expires-answers[0].expires)
		}
	}
	for _, token := range tokens {
		if token != tokens[0] || token == "" {
			t.Error("two scripts have different tokens")
		}
	}
	if _, _, expires := m.status(); expires.Unix() != answers[0].expires {
		t.Errorf("the proxies' token is not that of the keychain: %v", expires)
	}
}

// TestFortyProxiesPastTheEnd: 40 proxies run and work when the token's end
// comes. None of their calls fails or waits, and one of them refreshes.
func TestFortyProxiesPastTheEnd(t *testing.T) {
	provider := oidcProvider(t, "24")
	m := newMachine(t, provider.issuer, provider.clientID)
	m.login()
	_, _, first := m.status()
	var all sync.WaitGroup
	slowest, after := make([]time.Duration, processes), make([]int64, processes)
	for i := range processes {
		p := m.proxy()
		all.Go(func() {
			p.open()
			for time.Now().Before(first.Add(3 * time.Second)) {
				a := p.call()
				a.wantUser(t)
				slowest[i], after[i] = max(slowest[i], a.took), a.expires
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	all.Wait()
	provider.wantOneRefresh(t)
	provider.mu.Lock()
	defer provider.mu.Unlock()
	if len(provider.at) > 0 && !provider.at[0].Before(first) {
		t.Errorf("the refresh came %v after the token's end, not ahead of it", provider.at[0].Sub(first))
	}
	worst := time.Duration(0)
	for i := range after {
		worst = max(worst, slowest[i])
		if after[i] != after[0] || after[i] <= first.Unix() {
			t.Errorf("a proxy has a token that ends at %d, another at %d, the first one at %d", after[i], after[0], first.Unix())
		}
	}
	t.Logf("the slowest of all calls took %v", worst)
}

// TestDexSixteenProcesses is the same at a provider by other people.
func TestDexSixteenProcesses(t *testing.T) {
	provider := dex(t, "12s")
	m := newMachine(t, provider.issuer, provider.clientID)
	m.login()
	m.untilOver()
	tokens := make([]string, 16)
	var all sync.WaitGroup
	for i := range tokens {
		all.Go(func() { tokens[i] = m.token() })
	}
	all.Wait()
	provider.wantOneRefresh(t)
	for _, token := range tokens {
		if token != tokens[0] || token == "" {
			t.Error("two processes have different tokens")
		}
	}
	if state, reason, _ := m.status(); state != "signed_in" {
		t.Errorf("afterwards: %s %s", state, reason)
	}
}
