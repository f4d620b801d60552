package identity

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// atOwnRoute begins a sign-in whose answer comes to a route of the test's own, sends
// the browser there and returns what it brings back.
func (w *world) atOwnRoute(t *testing.T, o LoginOptions) (*Attempt, url.Values) {
	t.Helper()
	answers := make(chan url.Values, 4)
	route := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { answers <- r.URL.Query() }))
	t.Cleanup(route.Close)
	attempt, err := w.accounts.Begin(t.Context(), w.client, o, route.URL+"/callback")
	if err != nil {
		t.Fatal(err)
	}
	w.browser.goTo(attempt.URL)
	receive(t, w.browser.pages)
	return attempt, receive(t, answers)
}

func TestBeginAndFinish(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	attempt, answer := w.atOwnRoute(t, LoginOptions{})
	if answer.Get("state") != attempt.State() {
		t.Errorf("the answer has the state %q", answer.Get("state"))
	}
	user, err := attempt.Finish(t.Context(), answer)
	if err != nil || user.Sub != "ada" || w.stored(t).refresh.IsZero() {
		t.Errorf("%+v %v", user, err)
	}
	_, err = attempt.Finish(t.Context(), answer)
	wantError[*VerifyError](t, err)
	if n := w.idp.Count("authorization_code"); n != 1 {
		t.Errorf("the code was sent %d times", n)
	}
}

func TestAttackFinishWithAnAnswerOfAnother(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(url.Values){
		"another state":      func(q url.Values) { q.Set("state", "CANARY-other") },
		"no state":           func(q url.Values) { q.Del("state") },
		"two codes":          func(q url.Values) { q.Add("code", "CANARY-second") },
		"two states":         func(q url.Values) { q.Add("state", "CANARY-other") },
		"an error, no state": func(q url.Values) { q.Set("error", "access_denied"); q.Del("state") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			attempt, answer := w.atOwnRoute(t, LoginOptions{})
			forged := url.Values{}
			for name, values := range answer {
				forged[name] = append([]string{}, values...)
			}
			change(forged)
			_, err := attempt.Finish(t.Context(), forged)
			wantError[*VerifyError](t, err)
			w.heard(err)
			w.wantNothingStored(t)
			if _, err := attempt.Finish(t.Context(), answer); err != nil {
				t.Errorf("the right answer after it: %v", err)
			}
		})
	}
	w := newWorld(t, signsInAlone())
	attempt, answer := w.atOwnRoute(t, LoginOptions{})
	answer.Set("iss", "https://elsewhere.example")
	_, err := attempt.Finish(t.Context(), answer)
	wantError[*VerifyError](t, err)
	w.wantNothingStored(t)
}

func TestFinishOfARefusalBeginsAgainWithLess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	attempt, err := w.accounts.Begin(t.Context(), w.client, LoginOptions{}, "https://mcp.example.com/oauth/callback")
	if err != nil {
		t.Fatal(err)
	}
	refusal := url.Values{"state": {attempt.State()}, "error": {"invalid_scope"}, "iss": {w.idp.Issuer()}}
	_, err = attempt.Finish(t.Context(), refusal)
	wantError[*ProviderError](t, err)
	again := attempt.Again(err)
	if again == nil || again.State() == attempt.State() {
		t.Fatalf("%+v", again)
	}
	u, err := url.Parse(again.URL)
	if err != nil || u.Query().Get("scope") != "openid profile email" || u.Query().Get("redirect_uri") != "https://mcp.example.com/oauth/callback" {
		t.Errorf("%s %v", again.URL, err)
	}
	if attempt.Again(errTabClosed) != nil {
		t.Error("an attempt is repeated after an error that says nothing of what was asked for")
	}
}

func TestBeginRefusesWhatCannotEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	for _, uri := range []string{"", "http://mcp.example.com/oauth/callback", "https://u@mcp.example.com/", "javascript:alert(1)"} {
		_, err := w.accounts.Begin(t.Context(), w.client, LoginOptions{}, uri)
		wantError[*ClientError](t, err)
	}
	if err := w.accounts.Lock(); err != nil {
		t.Fatal(err)
	}
	_, err := w.accounts.Begin(t.Context(), w.client, LoginOptions{}, "https://mcp.example.com/oauth/callback")
	wantError[*LockedError](t, err)
}
