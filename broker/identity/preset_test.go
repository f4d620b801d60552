package identity

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// recorded answers with the document in testdata/discovery whose issuer is asked.
type recorded struct{ document []byte }

func (r recorded) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: asJSON, Request: request, Body: io.NopCloser(bytes.NewReader(r.document)),
	}, nil
}

// client is one of this kind of provider, as a profile without choices of its
// own makes it.
func (p Preset) client(issuer string) Client {
	return Client{
		Profile: "test", Issuer: issuer, ClientID: "id", Scopes: p.Scopes, OptionalScopes: p.Optional,
		Offline: p.Offline, RedirectURIs: p.RedirectURIs,
	}
}

// What each kind of provider is asked for, by its own metadata.
func TestPresets(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ scope, prompt, accessType, redirect string }{
		"okta-org":    {"openid profile email offline_access groups", "", "", "http://127.0.0.1:8765/callback"},
		"okta-custom": {"openid profile email offline_access", "", "", "http://127.0.0.1:8765/callback"},
		"entra":       {"openid profile email offline_access", "", "", "http://localhost:0/callback"},
		"google":      {"openid profile email", "consent", "offline", "http://127.0.0.1:0/callback"},
		"auth0":       {"openid profile email offline_access", "", "", "http://127.0.0.1:8765/callback"},
		"keycloak":    {"openid profile email offline_access", "", "", "http://127.0.0.1:0/callback"},
		"dex":         {"openid profile email offline_access groups", "", "", "http://127.0.0.1:0/callback"},
		"generic":     {"openid profile email offline_access", "consent", "", "http://127.0.0.1:0/callback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document, err := os.ReadFile(filepath.Join("testdata/discovery", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var said struct{ Issuer string }
			if err := json.Unmarshal(document, &said); err != nil {
				t.Fatal(err)
			}
			preset := PresetFor(said.Issuer)
			if preset.Name != name {
				t.Errorf("%s looks like %s", said.Issuer, preset.Name)
			}
			a := New(Options{StateDir: t.TempDir()})
			a.roundTripper = recorded{document}
			c := preset.client(said.Issuer)
			p, err := a.discover(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			ask := p.ask(c, LoginOptions{})
			config := oauth2.Config{ClientID: "id", Endpoint: p.endpoint(c), Scopes: ask.scopes}
			u, err := url.Parse(config.AuthCodeURL("state", ask.options()...))
			if err != nil {
				t.Fatal(err)
			}
			redirects, err := parseRedirects(c.RedirectURIs)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			got := struct{ scope, prompt, accessType, redirect string }{
				q.Get("scope"), q.Get("prompt"), q.Get("access_type"), redirects[0].uri()}
			if got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
	if files, _ := filepath.Glob("testdata/discovery/*.json"); len(files) != len(Presets()) {
		t.Errorf("%d documents for %d presets", len(files), len(Presets()))
	}
}

func TestPresetForIssuer(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		"https://x.oktapreview.com/oauth2/aus1":              "okta-custom",
		"https://notokta.com":                                "generic",
		"https://okta.com.example.org":                       "generic",
		"https://login.microsoftonline.us/t/v2.0":            "entra",
		"https://accounts.google.com.example.org":            "generic",
		"http://127.0.0.1:5556/dex":                          "dex",
		"http://127.0.0.1:8080/realms/master":                "keycloak",
		"https://contoso.ciamlogin.com/1234-5678-90ab/v2.0/": "entra",
		"%": "generic",
	} {
		if got := PresetFor(issuer).Name; got != want {
			t.Errorf("%s is %s, want %s", issuer, got, want)
		}
	}
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
			<-w.browser.pages
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
