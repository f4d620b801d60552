package demoidp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

func set(name, value string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam(name, value) }

func TestRefusedByRedirect(t *testing.T) {
	s := start(t, demoidp.Options{AutoApprove: true, RejectScopes: []string{"groups"}})
	tests := []struct {
		attack, name, value, want string
	}{
		{"no PKCE", "code_challenge", "", "invalid_request"},
		{"plain PKCE", "code_challenge_method", "plain", "invalid_request"},
		{"PKCE method left out", "code_challenge_method", "", "invalid_request"},
		{"a challenge that is no hash", "code_challenge", "short", "invalid_request"},
		{"implicit flow", "response_type", "token", "unsupported_response_type"},
		{"form_post", "response_mode", "form_post", "invalid_request"},
		{"a rejected scope", "scope", "openid groups", "invalid_scope"},
		{"max_age that is no number", "max_age", "-1", "invalid_request"},
		{"relative resource", "resource", "mcp", "invalid_target"},
		{"resource with fragment", "resource", "https://a.example/#b", "invalid_target"},
		{"prompt=none before a sign-in", "prompt", "none", "login_required"},
	}
	for _, test := range tests {
		t.Run(test.attack, func(t *testing.T) {
			got := newClient(t, s).authorize(t, set(test.name, test.value))
			if got.Get("error") != test.want || got.Has("code") {
				t.Errorf("error %q, code %t, want %s and no code", got.Get("error"), got.Has("code"), test.want)
			}
			if got.Get("state") != "st-1" || got.Get("iss") != s.Issuer() {
				t.Errorf("state and iss are missing: %v", got)
			}
		})
	}
}

func TestRefusedByPage(t *testing.T) {
	s := start(t, demoidp.Options{AutoApprove: true, Clients: []demoidp.Client{
		{ID: demoidp.DefaultClientID, RedirectURIs: []string{"http://127.0.0.1/callback", "http://localhost:3001/cb"}},
	}})
	c := newClient(t, s)
	tests := []struct{ attack, name, value string }{
		{"unknown client", "client_id", "stranger"},
		{"foreign host", "redirect_uri", "http://evil.example/callback"},
		{"https on loopback", "redirect_uri", "https://127.0.0.1:1/callback"},
		{"other path", "redirect_uri", "http://127.0.0.1:1/callback/x"},
		{"query added", "redirect_uri", "http://127.0.0.1:1/callback?x=1"},
		{"fragment added", "redirect_uri", "http://127.0.0.1:1/callback#x"},
		{"empty fragment added", "redirect_uri", "http://127.0.0.1:1/callback#"},
		{"user information on loopback", "redirect_uri", "http://evil@127.0.0.1:1/callback"},
		{"user information", "redirect_uri", "http://127.0.0.1:1@evil.example/callback"},
		{"a loopback literal that is not registered", "redirect_uri", "http://[::1]:1/callback"},
		{"localhost with another port", "redirect_uri", "http://localhost:3002/cb"},
		{"no redirect URI", "redirect_uri", ""},
	}
	for _, test := range tests {
		t.Run(test.attack, func(t *testing.T) {
			target := c.AuthCodeURL("s", oauth2.S256ChallengeOption(c.verifier), set(test.name, test.value))
			status, location, body := fetch(t, http.MethodGet, target, nil)
			if status != http.StatusBadRequest || location != "" || !strings.Contains(body, "demo provider") {
				t.Errorf("status %d, location %q: an open redirector", status, location)
			}
		})
	}
}

func TestRedirectPorts(t *testing.T) {
	clients := []demoidp.Client{{ID: demoidp.DefaultClientID, RedirectURIs: []string{
		"http://127.0.0.1:8765/callback", "http://[::1]:8765/callback", "http://localhost:3001/oauth/callback",
		"https://127.0.0.1:8443/callback",
	}}}
	tests := []struct {
		uri          string
		loose, exact bool
	}{
		{"http://127.0.0.1:8765/callback", true, true},
		{"http://127.0.0.1:9999/callback", true, false},
		{"http://[::1]:9999/callback", true, false},
		{"http://localhost:3001/oauth/callback", true, true},
		{"http://localhost:9999/oauth/callback", false, false},
		{"https://127.0.0.1:8443/callback", true, true},
		{"https://127.0.0.1:9999/callback", false, false},
	}
	for _, exact := range []bool{false, true} {
		s := start(t, demoidp.Options{AutoApprove: true, ExactPorts: exact, Clients: clients})
		for _, test := range tests {
			c := newClient(t, s)
			c.RedirectURL = test.uri
			status, _, _ := fetch(t, http.MethodGet, c.AuthCodeURL("s", oauth2.S256ChallengeOption(c.verifier)), nil)
			want := test.loose && !exact || test.exact && exact
			if got := status == http.StatusSeeOther; got != want {
				t.Errorf("ExactPorts %t: %s accepted %t, want %t", exact, test.uri, got, want)
			}
		}
	}
}

// inputs finds what a browser would post from a page.
var inputs = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

func TestConsentPage(t *testing.T) {
	users := []demoidp.User{{Sub: "u1", GivenName: "Ada"}, {Sub: "u2", GivenName: `<script>alert("x")</script>`}}
	s := start(t, demoidp.Options{Users: users})
	c := newClient(t, s)
	target := c.AuthCodeURL("st-1", oauth2.S256ChallengeOption(c.verifier))
	status, _, page := fetch(t, http.MethodGet, target, nil)
	for _, want := range []string{"demo provider", "Continue as Ada", "Deny", "offline_access"} {
		if !strings.Contains(page, want) {
			t.Errorf("status %d, the page lacks %q", status, want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("script injection through a user's name")
	}
	form := url.Values{}
	for _, field := range inputs.FindAllStringSubmatch(page, -1) {
		if field[1] == "request" {
			form.Set("request", strings.ReplaceAll(field[2], "&amp;", "&"))
		}
	}
	decide := func(user string) url.Values {
		form.Set("user", user)
		status, location, body := fetch(t, http.MethodPost, s.Issuer()+"/authorize/decision", form, "Origin", s.Issuer())
		if status != http.StatusSeeOther {
			t.Fatalf("status %d, %s", status, body)
		}
		u, _ := url.Parse(location)
		return u.Query()
	}
	if got := decide(""); got.Get("error") != "access_denied" || got.Get("state") != "st-1" {
		t.Errorf("deny gives %v", got)
	}
	token, err := c.exchange(t, decide("u2").Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if id, err := c.verify(t, token); err != nil || id.Subject != "u2" {
		t.Errorf("signed in as %v, %v", id, err)
	}
	if got := c.authorize(t, set("prompt", "none")); got.Get("error") != "interaction_required" {
		t.Errorf("prompt=none with a page gives %v", got)
	}

	form.Set("request", "client_id=stranger")
	status, _, _ = fetch(t, http.MethodPost, s.Issuer()+"/authorize/decision", form)
	if status != http.StatusBadRequest {
		t.Errorf("a forged request got status %d", status)
	}
}

func TestForeignPageCannotPressContinue(t *testing.T) {
	s := start(t, demoidp.Options{})
	for _, header := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		for _, path := range []string{"/authorize/decision", "/device", "/logout"} {
			status, _, _ := fetch(t, http.MethodPost, s.Issuer()+path, url.Values{"user": {"ada"}}, header...)
			if status != http.StatusForbidden {
				t.Errorf("%v %s: status %d", header, path, status)
			}
		}
	}
}

func TestForeignHost(t *testing.T) {
	s := start(t, demoidp.Options{})
	port := s.Issuer()[strings.LastIndex(s.Issuer(), ":"):]
	for _, host := range []string{"evil.example", "localhost" + port, "127.0.0.1", "127.0.0.1" + port + "0"} {
		status, _, body := fetch(t, http.MethodGet, s.Issuer()+"/.well-known/openid-configuration", nil, "Host", host)
		if status != http.StatusMisdirectedRequest || strings.Contains(body, "token_endpoint") {
			t.Errorf("host %s: status %d", host, status)
		}
	}
}

func TestRepeatedParameter(t *testing.T) {
	s := start(t, demoidp.Options{AutoApprove: true})
	c := newClient(t, s)
	target := c.AuthCodeURL("s", oauth2.S256ChallengeOption(c.verifier)) + "&client_id=" + c.ClientID
	if status, _, body := fetch(t, http.MethodGet, target, nil); status != http.StatusBadRequest ||
		!strings.Contains(body, "client_id is there more than once") {
		t.Errorf("status %d, %s", status, body)
	}
	target = c.AuthCodeURL("s", oauth2.S256ChallengeOption(c.verifier)) +
		"&resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example"
	if status, _, body := fetch(t, http.MethodGet, target, nil); status != http.StatusSeeOther {
		t.Errorf("two resources: status %d, %s", status, body)
	}
}

func TestAuthTime(t *testing.T) {
	clock := newClock()
	s := start(t, demoidp.Options{AutoApprove: true, Now: clock.now})
	began := clock.now()
	signIn := func(options ...oauth2.AuthCodeOption) time.Time {
		c := newClient(t, s)
		token := c.signIn(t, options...)
		return time.Unix(int64(c.claims(t, token)["auth_time"].(float64)), 0)
	}
	steps := []struct {
		name    string
		options []oauth2.AuthCodeOption
		renewed bool
	}{
		{"first sign-in", nil, true},
		{"single sign-on", nil, false},
		{"prompt=none", []oauth2.AuthCodeOption{set("prompt", "none")}, false},
		{"max_age that is still met", []oauth2.AuthCodeOption{set("max_age", "3600")}, false},
		{"max_age that is over", []oauth2.AuthCodeOption{set("max_age", "60")}, true},
		{"prompt=login", []oauth2.AuthCodeOption{set("prompt", "login")}, true},
	}
	last := began
	for _, step := range steps {
		if step.renewed {
			last = clock.now()
		}
		if got := signIn(step.options...); !got.Equal(last.Truncate(time.Second)) {
			t.Errorf("%s: auth_time %v after the beginning, want %v", step.name, got.Sub(began), last.Sub(began))
		}
		clock.add(10 * time.Minute)
	}
}

func TestNoIss(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true, NoIss: true}))
	if got := c.authorize(t); got.Has("iss") {
		t.Errorf("iss %q is there", got.Get("iss"))
	}
	var metadata struct {
		Iss bool `json:"authorization_response_iss_parameter_supported"`
	}
	if err := c.provider.Claims(&metadata); err != nil || metadata.Iss {
		t.Errorf("discovery announces iss: %v", err)
	}
}

func TestLoginHint(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true,
		Users: []demoidp.User{{Sub: "u1", Email: "a@example.com"}, {Sub: "u2", Email: "b@example.com"}}}))
	for hint, want := range map[string]string{"": "u1", "b@example.com": "u2", "u2": "u2", "nobody": "u1"} {
		if id, err := c.verify(t, c.signIn(t, set("login_hint", hint))); err != nil || id.Subject != want {
			t.Errorf("hint %q: signed in as %v, %v", hint, id, err)
		}
	}
}
