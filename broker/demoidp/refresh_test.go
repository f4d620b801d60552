package demoidp_test

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// TestParallelRefresh is the reason for this provider: another one had two
// winners for one refresh token, and so could not judge our refreshing. All
// requests are held until the last has come, or they would hardly overlap.
func TestParallelRefresh(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Minute} {
		c := newClient(t, start(t, demoidp.Options{AutoApprove: true, Grace: grace}))
		for range 8 {
			answers := c.stampede(t, 16)
			if winners := slices.Compact(slices.Clone(answers)); len(winners) != 1 {
				t.Fatalf("grace %v: %d refresh tokens came out of one", grace, len(winners))
			}
			if grace == 0 && (len(answers) != 1 || c.server.Active(answers[0])) {
				t.Errorf("%d answers; the reuse left the family alive", len(answers))
			}
			if grace > 0 && (len(answers) != 16 || !c.server.Active(answers[0])) {
				t.Errorf("%d answers within the grace", len(answers))
			}
		}
		if got := c.server.Count("refresh_token"); got != 8*16 {
			t.Errorf("counted %d", got)
		}
	}
}

// stampede has n clients use one refresh token at the same moment, and gives
// the refresh tokens of those that succeeded.
func (c *relyingParty) stampede(t *testing.T, n int) []string {
	t.Helper()
	stolen := c.signIn(t).RefreshToken
	release := make(chan struct{})
	var arrived atomic.Int32
	c.server.SetFault(func(endpoint string) demoidp.Fault {
		if endpoint != "refresh_token" {
			return demoidp.Fault{}
		}
		if int(arrived.Add(1)) == n {
			close(release)
		}
		return demoidp.Fault{Wait: release}
	})
	defer c.server.SetFault(nil)
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		answers []string
	)
	for range n {
		wg.Go(func() {
			token, err := c.renew(t.Context(), stolen)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				answers = append(answers, token.RefreshToken)
			}
		})
	}
	wg.Wait()
	return answers
}

func TestRefreshReuse(t *testing.T) {
	clock := newClock()
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true, Now: clock.now, Grace: 30 * time.Second}))
	renew := func(token *oauth2.Token) *oauth2.Token {
		t.Helper()
		next, err := c.renew(t.Context(), token.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	first := c.signIn(t)
	second := renew(first)
	clock.add(29 * time.Second)
	if again := renew(first); again.RefreshToken != second.RefreshToken {
		t.Error("the grace answers with another refresh token")
	}
	third := renew(second)
	if c.server.Active(first.RefreshToken) || !c.server.Active(second.RefreshToken) {
		t.Error("not just the last superseded token is in its grace")
	}
	clock.add(30 * time.Second)
	if c.server.Active(second.RefreshToken) || !c.server.Active(third.RefreshToken) {
		t.Error("the grace does not end")
	}
	_, err := c.renew(t.Context(), second.RefreshToken)
	wantRefusal(t, err, "invalid_grant")
	for _, token := range []*oauth2.Token{first, second, third} {
		if c.server.Active(token.AccessToken) || c.server.Active(token.RefreshToken) {
			t.Error("a token survived the reuse of its family")
		}
	}
	_, err = c.renew(t.Context(), third.RefreshToken)
	wantRefusal(t, err, "invalid_grant")
}

func TestRefreshByAnotherClient(t *testing.T) {
	s := start(t, demoidp.Options{AutoApprove: true,
		Clients: []demoidp.Client{{ID: demoidp.DefaultClientID}, {ID: "other"}}})
	c, thief := newClient(t, s), newClient(t, s)
	thief.ClientID = "other"
	token := c.signIn(t)
	_, err := thief.renew(t.Context(), token.RefreshToken)
	wantRefusal(t, err, "invalid_grant")
	if !s.Active(token.RefreshToken) {
		t.Error("a stranger's attempt ended the sign-in")
	}
}

func TestRefreshSwitches(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true, NoRotation: true}))
	token := c.signIn(t)
	for range 2 {
		answer := c.post(t, http.StatusOK, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}})
		if _, rotated := answer["refresh_token"]; rotated || !c.server.Active(token.RefreshToken) {
			t.Error("NoRotation rotates")
		}
	}

	c = newClient(t, start(t, demoidp.Options{AutoApprove: true, NoRefresh: true}))
	if c.signIn(t).RefreshToken != "" {
		t.Error("NoRefresh gives a refresh token")
	}

	c = newClient(t, start(t, demoidp.Options{AutoApprove: true, RejectScopes: []string{"offline_access"}}))
	c.Scopes = []string{"openid"}
	if c.signIn(t).RefreshToken != "" {
		t.Error("a refresh token came without being asked for")
	}
	if c.signIn(t, set("access_type", "offline")).RefreshToken == "" {
		t.Error("access_type=offline gives no refresh token")
	}
}

func TestRefreshedIDToken(t *testing.T) {
	clock := newClock()
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true, Now: clock.now}))
	token := c.signIn(t)
	before := c.claims(t, token)
	clock.add(10 * time.Minute)
	next, err := c.renew(t.Context(), token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	after := c.claims(t, next)
	// OpenID Connect Core 12.2: same iss, sub, aud and auth_time, a new iat, no nonce.
	for _, name := range []string{"iss", "sub", "aud", "auth_time"} {
		if diff := cmp.Diff(before[name], after[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, there := after["nonce"]; there || after["iat"] == before["iat"] {
		t.Errorf("nonce %v, iat %v", after["nonce"], after["iat"])
	}
}
