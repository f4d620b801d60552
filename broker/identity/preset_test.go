package identity

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// recorded answers with the document in testdata/discovery whose issuer is asked.
type recorded struct{ document []byte }

func (r recorded) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: asJSON, Request: request, Body: io.NopCloser(bytes.NewReader(r.document)),
	}, nil
}

// lists makes the provider list a scope that it then refuses.
func lists(scope string) func(string) demoidp.Fault {
	return func(endpoint string) demoidp.Fault {
		if endpoint != "discovery" {
			return demoidp.Fault{}
		}
		return demoidp.Fault{Edit: func(doc map[string]any) {
			doc["scopes_supported"] = append(doc["scopes_supported"].([]string), scope)
		}}
	}
}

// freePort is one that nobody had a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A scope that only the preset wants is given up when it is refused, in the
// same tab, and the person is told.
func TestRefusedScopeIsAskedAgainWithout(t *testing.T) {
	t.Parallel()
	for name, redirects := range map[string][]string{"any port": nil, "exact port": {"http://127.0.0.1:" + freePort(t) + "/callback"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.RejectScopes = []string{"groups"}
			w := newWorld(t, o)
			w.idp.SetFault(lists("groups"))
			w.client.OptionalScopes, w.client.RedirectURIs = []string{"groups"}, redirects
			user, page, err := w.login(t)
			if err != nil {
				t.Fatal(err)
			}
			wantPage(t, page, http.StatusOK, "You are signed in")
			if diff := cmp.Diff([]string{"openid", "profile", "email"}, user.Scopes); diff != "" {
				t.Error(diff)
			}
			if n := w.idp.Count("authorize"); n != 2 {
				t.Errorf("%d requests", n)
			}
			if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], "without offline_access groups") {
				t.Errorf("%q", w.warnings)
			}
		})
	}
}

func TestChosenScopeIsNeverGivenUp(t *testing.T) {
	t.Parallel()
	for name, choose := range map[string]func(*world, *LoginOptions){
		"in the profile": func(w *world, _ *LoginOptions) { w.client.Scopes = []string{"openid", "groups"} },
		"at the sign-in": func(_ *world, o *LoginOptions) { o.Scopes = []string{"groups"} },
		"also by the provider": func(w *world, o *LoginOptions) {
			w.client.OptionalScopes, o.Scopes = []string{"groups"}, []string{"groups"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.RejectScopes = []string{"groups"}
			w := newWorld(t, o)
			w.idp.SetFault(lists("groups"))
			w.client.Offline = OfflineNever
			options := LoginOptions{UI: w.ui()}
			choose(w, &options)
			_, err := w.accounts.Login(t.Context(), w.client, options)
			receive(t, w.browser.pages)
			if refused := wantError[*ProviderError](t, err); refused.Code != "invalid_scope" || w.idp.Count("authorize") != 1 {
				t.Errorf("%v after %d requests", err, w.idp.Count("authorize"))
			}
		})
	}
}

// OpenID Connect Core 11: no prompt=consent, no offline access. Some providers
// hold to it, and some allow no person to consent.
func TestOfflineAccess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		strict  bool
		refuse  []string
		offline Offline
		want    bool
		asks    int
	}{
		"strict, by default":        {true, nil, OfflineAuto, true, 1},
		"strict, scope alone":       {true, nil, OfflineScope, false, 1},
		"lax, scope alone":          {false, nil, OfflineScope, true, 1},
		"no person may consent":     {false, []string{"consent"}, OfflineAuto, true, 2},
		"never":                     {false, nil, OfflineNever, false, 1},
		"Google's way at a lax one": {false, nil, OfflineAccessType, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.StrictOffline, o.RefusePrompts = test.strict, test.refuse
			w := newWorld(t, o)
			w.client.Offline = test.offline
			w.signedIn(t)
			if got := !w.stored(t).refresh.IsZero(); got != test.want || w.idp.Count("authorize") != test.asks {
				t.Errorf("a refresh token: %v after %d requests", got, w.idp.Count("authorize"))
			}
		})
	}
}
