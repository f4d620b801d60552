package identity

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// step is a line of the log.
type step struct {
	step  string
	attrs map[string]string // with the groups that they are in
}

// trace is a [slog.Handler] that collects the steps of a sign-in.
type trace struct {
	mu     sync.Mutex
	events []step
}

func (tr *trace) Enabled(context.Context, slog.Level) bool { return true }
func (tr *trace) WithAttrs([]slog.Attr) slog.Handler       { return tr }
func (tr *trace) WithGroup(string) slog.Handler            { return tr }

func (tr *trace) Handle(_ context.Context, r slog.Record) error {
	e := step{r.Message, map[string]string{}}
	r.Attrs(func(a slog.Attr) bool {
		if a.Value.Kind() != slog.KindGroup {
			e.attrs[a.Key] = a.Value.String()
			return true
		}
		for _, member := range a.Value.Group() {
			e.attrs[a.Key+"."+member.Key] = member.Value.String()
		}
		return true
	})
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, e)
	return nil
}

func (tr *trace) steps() []string {
	var steps []string
	for _, e := range tr.events {
		steps = append(steps, e.step)
	}
	return steps
}

// tracedLogin signs in and returns the trace, in which no secret may be.
func (w *world) tracedLogin(t *testing.T, o LoginOptions) (*trace, error) {
	t.Helper()
	tr := &trace{}
	o.UI = w.ui()
	o.UI.Log = slog.New(tr)
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
		switch e.step {
		case "authorize":
			if e.attrs["sent.scope"] != "openid profile email offline_access" || !strings.HasPrefix(e.attrs["sent.state"], redacted) {
				t.Errorf("%+v", e)
			}
		case "token":
			if e.attrs["status"] != "200" || e.attrs["sent.grant_type"] != "authorization_code" || e.attrs["got.token_type"] != "Bearer" || e.attrs["sent.Authorization"] != "Basic [redacted]" {
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
	if !slices.ContainsFunc(tr.events, func(e step) bool { return e.attrs["problem"] == "invalid_grant: no "+redacted }) {
		t.Errorf("%+v", tr.events)
	}
}

// What is known to go wrong with providers is in the hints of the error.
func TestHintsNameMistakes(t *testing.T) {
	t.Parallel()
	discovery := func(edit func(map[string]any)) func(string) demoidp.Fault {
		return fails("discovery", always, demoidp.Fault{Edit: edit})
	}
	for name, test := range map[string]struct {
		prepare func(*world)
		hint    string
	}{
		"slash": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { doc["issuer"] = w.idp.Issuer() + "/" }))
		}, "--issuer"},
		"all tenants of Entra": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { doc["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0" }))
		}, "TENANT_ID"},
		"another issuer": {func(w *world) {
			w.idp.SetFault(discovery(func(doc map[string]any) { doc["issuer"] = "https://elsewhere.example" }))
		}, "check the issuer with the provider's administrator"},
		"web page": {func(w *world) {
			w.idp.SetFault(fails("discovery", always, demoidp.Fault{Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<b>"}))
		}, "open it in a browser"},
		"wrong secret": {func(w *world) { w.client.ClientSecret = keychain.NewSecret("s%+") }, "native and public"},
		"wrong code": {func(w *world) {
			w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Status: 400, Header: asJSON, Body: `{"error":"invalid_grant"}`}))
		}, "this redirect URI exactly"},
		"wrong grant": {func(w *world) {
			w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Status: 400, Header: asJSON, Body: `{"error":"unauthorized_client"}`}))
		}, "refresh token grants"},
		"clock": {func(w *world) {
			w.idp.SetFault(fails("id_token", always, claim("exp", time.Now().Add(-time.Hour).Unix())))
		}, "this machine's clock"},
		"nobody came back": {func(w *world) { w.browser.gone = true }, "register this redirect URI"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			test.prepare(w)
			o := LoginOptions{}
			if w.browser.gone {
				o.Timeout = 200 * time.Millisecond
			}
			_, err := w.tracedLogin(t, o)
			if hints := problem.Of(err).Hints; err == nil || !strings.Contains(strings.Join(hints, "\n"), test.hint) {
				t.Errorf("%v: %q", err, hints)
			}
		})
	}
}

func TestASignInWithoutARefreshTokenNamesTheFix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Edit: func(doc map[string]any) { delete(doc, "refresh_token") }}))
	w.signedIn(t)
	w.clock.advance(25 * time.Hour)
	status, err := w.accounts.Status(t.Context(), w.client)
	if hints := problem.Of(status.Err).Hints; err != nil || !strings.Contains(strings.Join(hints, "\n"), "refresh token grant") {
		t.Errorf("%v %v: %q", err, status.Err, hints)
	}
}
