package identity

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

// trace collects the events of a sign-in.
type trace struct {
	mu     sync.Mutex
	events []TraceEvent
}

func (tr *trace) take(e TraceEvent) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, e)
}

func (tr *trace) steps() []string {
	var steps []string
	for _, e := range tr.events {
		if e.Step != "note" {
			steps = append(steps, e.Step)
		}
	}
	return steps
}

func (tr *trace) has(problem, cure string) bool {
	return slices.ContainsFunc(tr.events, func(e TraceEvent) bool {
		return strings.Contains(e.Problem, problem) && strings.Contains(e.Cure, cure)
	})
}

// tracedLogin signs in and returns the trace, in which no secret may be.
func (w *world) tracedLogin(t *testing.T, o LoginOptions) (*trace, error) {
	t.Helper()
	tr := &trace{}
	o.UI = w.ui()
	o.UI.Trace = tr.take
	if o.Timeout == 0 {
		o.Timeout = 2 * soon
	}
	_, err := w.accounts.Login(t.Context(), w.client, o)
	text := fmt.Sprintf("%+v", tr.events)
	secrets := []string{"s%+", "czolKw", "ada@example.com", "Lovelace"}
	select {
	case opened := <-w.browser.urls:
		u, _ := url.Parse(opened)
		secrets = append(secrets, u.Query().Get("state"), u.Query().Get("nonce"), u.Query().Get("code_challenge"))
	default:
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("%q is in the trace: %s", secret, text)
		}
	}
	if found := regexp.MustCompile(demoidp.Canary).FindString(text); found != "" {
		t.Errorf("a token or code is in the trace: %s", text)
	}
	return tr, err
}

func TestTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{AutoApprove: true, SlimIDToken: true, Clients: []demoidp.Client{{ID: "web", Secret: "s%+"}}})
	w.client.ClientID, w.client.ClientSecret = "web", keychain.NewSecret("s%+")
	w.browser.atCallback = func(u *url.URL) { // a web page tries to break in
		stray := *u
		stray.RawQuery = "error=CANARY-stray&state=wrong"
		w.browser.visit(http.MethodGet, stray.String(), nil)
	}
	w.browser.client.CheckRedirect = w.browser.follow
	tr, err := w.tracedLogin(t, LoginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"discovery", "authorize", "callback", "callback", "token", "keys", "verify", "userinfo", "store"}
	if got := tr.steps(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, e := range tr.events {
		switch e.Step {
		case "authorize":
			if e.Sent["scope"] != "openid profile email offline_access" || !strings.HasPrefix(e.Sent["state"], redacted) {
				t.Errorf("%+v", e)
			}
		case "token":
			if e.Status != 200 || e.Sent["grant_type"] != "authorization_code" || e.Got["token_type"] != "Bearer" || e.Sent["Authorization"] != "Basic [redacted]" {
				t.Errorf("%+v", e)
			}
		}
	}
}

// What an error says may repeat what was sent.
func TestTraceOfAnErrorThatRepeatsSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	var code string
	w.browser.atCallback = func(u *url.URL) { code = u.Query().Get("code") }
	w.idp.SetFault(func(endpoint string) demoidp.Fault {
		if endpoint != "authorization_code" {
			return demoidp.Fault{}
		}
		return demoidp.Fault{Status: 400, Header: asJSON, Body: `{"error":"invalid_grant","error_description":"no ` + code + `"}`}
	})
	tr, err := w.tracedLogin(t, LoginOptions{})
	wantError[*ProviderError](t, err)
	if !tr.has("invalid_grant: no "+redacted, "") || !tr.has("does not take the code", "redirect URI") {
		t.Errorf("%+v", tr.events)
	}
}

func TestTraceNamesMistakes(t *testing.T) {
	t.Parallel()
	discovery := func(edit func(map[string]any)) func(string) demoidp.Fault {
		return fails("discovery", always, demoidp.Fault{Edit: edit})
	}
	for name, test := range map[string]struct {
		prepare       func(*world)
		problem, cure string
	}{
		"slash": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { doc["issuer"] = w.idp.Issuer() + "/" }))
		}, "by a slash at its end", "--issuer"},
		"all tenants of Entra": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { doc["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0" }))
		}, "for all tenants", "TENANT_ID"},
		"another issuer": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { doc["issuer"] = "https://elsewhere.example" }))
		}, "calls itself otherwise", "https://elsewhere.example"},
		"web page": {func(w *world) {
			w.idp.SetFault(fails("discovery", always, demoidp.Fault{Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<b>"}))
		}, "not JSON but text/html", "open it in a browser"},
		"no PKCE": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { delete(doc, "code_challenge_methods_supported") }))
		}, "does not list PKCE", "S256"},
		"no iss": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { delete(doc, "authorization_response_iss_parameter_supported") }))
		}, "RFC 9207", ""},
		"no revocation": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { delete(doc, "revocation_endpoint") }))
		}, "no revocation endpoint", "logout"},
		"no refresh token": {func(w *world) {
			w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Edit: func(doc map[string]any) { delete(doc, "refresh_token") }}))
		}, "none was given", "refresh token grant"},
		"fewer scopes": {func(w *world) {
			w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Edit: func(doc map[string]any) { doc["scope"] = "openid" }}))
		}, "missing: profile email offline_access", "allow them"},
		"no lifetime": {func(w *world) {
			w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Edit: func(doc map[string]any) { delete(doc, "expires_in") }}))
		}, "expires_in", "for an hour"},
		"wrong secret": {func(w *world) { w.client.ClientSecret = keychain.NewSecret("s%+") }, "client_secret_basic", "native and public"},
		"clock": {func(w *world) {
			w.idp.SetFault(fails("discovery", always, demoidp.Fault{Status: 503, Header: http.Header{
				"Date": {time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)}}}))
		}, "clock differs", "set this machine's clock"},
		"nobody came back": {func(w *world) { w.browser.gone = true }, "no answer came back", "register this redirect URI"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			test.prepare(w)
			o := LoginOptions{}
			if w.browser.gone {
				o.Timeout = 200 * time.Millisecond
			}
			tr, _ := w.tracedLogin(t, o)
			if !tr.has(test.problem, test.cure) {
				t.Errorf("%+v", tr.events)
			}
		})
	}
}
