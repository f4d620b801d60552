package demoidp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

func TestCodeRefusals(t *testing.T) {
	clock := newClock()
	s := start(t, demoidp.Options{AutoApprove: true, Now: clock.now,
		Clients: []demoidp.Client{{ID: demoidp.DefaultClientID}, {ID: "other"}}})
	tests := []struct {
		attack string
		change func(*relyingParty)
	}{
		{"wrong verifier", func(c *relyingParty) { c.verifier = oauth2.GenerateVerifier() }},
		{"no verifier", func(c *relyingParty) { c.verifier = "" }},
		{"wrong redirect URI", func(c *relyingParty) { c.RedirectURL = "http://127.0.0.1:1/callback" }},
		{"another client's code", func(c *relyingParty) { c.ClientID = "other" }},
		{"an old code", func(*relyingParty) { clock.add(time.Minute) }},
	}
	for _, test := range tests {
		t.Run(test.attack, func(t *testing.T) {
			c := newClient(t, s)
			code := c.authorize(t).Get("code")
			test.change(c)
			_, err := c.exchange(t, code)
			wantRefusal(t, err, "invalid_grant")
		})
	}
}

func TestGuessCostsTheCode(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
	code := c.authorize(t).Get("code")
	_, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier()))
	wantRefusal(t, err, "invalid_grant")
	_, err = c.exchange(t, code)
	wantRefusal(t, err, "invalid_grant")
}

func TestCodeReuseRevokesTheTokens(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
	code := c.authorize(t).Get("code")
	token, err := c.exchange(t, code)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.exchange(t, code)
	wantRefusal(t, err, "invalid_grant")
	if c.server.Active(token.AccessToken) || c.server.Active(token.RefreshToken) {
		t.Error("the tokens of the stolen code are still good")
	}
}

func TestScopeAndAudience(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
	token := c.signIn(t, set("resource", "https://mcp.example/a"), set("audience", "api"))
	if diff := cmp.Diff([]any{"https://mcp.example/a", "api"}, payload(t, token.AccessToken)["aud"]); diff != "" {
		t.Error(diff)
	}
	refresh := func(status int, extra ...string) map[string]any {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}}
		for i := 0; i < len(extra); i += 2 {
			form.Set(extra[i], extra[i+1])
		}
		answer := c.post(t, status, form)
		if next, ok := answer["refresh_token"].(string); ok {
			token.RefreshToken = next
		}
		return answer
	}
	if got := refresh(http.StatusBadRequest, "scope", "openid admin"); got["error"] != "invalid_scope" {
		t.Errorf("a wider scope: %v", got["error"])
	}
	if got := refresh(http.StatusBadRequest, "resource", "https://other.example"); got["error"] != "invalid_target" {
		t.Errorf("another resource: %v", got["error"])
	}
	got := refresh(http.StatusOK, "scope", "openid email", "resource", "https://mcp.example/a")
	access := payload(t, got["access_token"].(string))
	if got["scope"] != "openid email" || access["scope"] != "openid email" {
		t.Errorf("scope %v, in the token %v", got["scope"], access["scope"])
	}
	if diff := cmp.Diff([]any{"https://mcp.example/a"}, access["aud"]); diff != "" {
		t.Error(diff)
	}
	if got := refresh(http.StatusOK); got["scope"] != "openid profile email offline_access" {
		t.Errorf("the scope stayed narrow: %v", got["scope"])
	}
}

func TestClientAuthentication(t *testing.T) {
	secret := "s3cret %+&/ü"
	s := start(t, demoidp.Options{AutoApprove: true, Clients: []demoidp.Client{
		{ID: "public"}, {ID: "confidential client", Secret: secret},
	}})
	tests := []struct {
		name, id, secret string
		style            oauth2.AuthStyle
		want             string
	}{
		{"none", "public", "", oauth2.AuthStyleInParams, ""},
		{"basic", "confidential client", secret, oauth2.AuthStyleInHeader, ""},
		{"post", "confidential client", secret, oauth2.AuthStyleInParams, ""},
		{"wrong secret", "confidential client", "guess", oauth2.AuthStyleInHeader, "invalid_client"},
		{"no secret", "confidential client", "", oauth2.AuthStyleInParams, "invalid_client"},
		{"basic without a secret", "public", "", oauth2.AuthStyleInHeader, "invalid_client"},
		{"a public client with a secret", "public", "x", oauth2.AuthStyleInParams, "invalid_client"},
		{"stranger", "stranger", "", oauth2.AuthStyleInParams, "invalid_client"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t, s)
			if test.id != "stranger" {
				c.ClientID = test.id
			} else {
				c.ClientID = "public"
			}
			code := c.authorize(t).Get("code")
			c.ClientID, c.ClientSecret, c.Endpoint.AuthStyle = test.id, test.secret, test.style
			token, err := c.exchange(t, code)
			if test.want != "" {
				wantRefusal(t, err, test.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.renew(t.Context(), token.RefreshToken); err != nil {
				t.Error(err)
			}
		})
	}

	both := url.Values{"grant_type": {"refresh_token"}, "client_id": {"public"}, "client_secret": {"x"}}
	status, _, body := fetch(t, http.MethodPost, s.Issuer()+"/token", both, "Authorization", "Basic cHVibGljOng=")
	if status != http.StatusBadRequest || !strings.Contains(body, "invalid_request") {
		t.Errorf("two ways at once: status %d, %s", status, body)
	}
	status, _, body = fetch(t, http.MethodPost, s.Issuer()+"/token", both, "Authorization", "Negotiate x")
	if status != http.StatusUnauthorized || !strings.Contains(body, "invalid_client") {
		t.Errorf("another scheme: status %d, %s", status, body)
	}
}

func TestUnsupportedGrant(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{}))
	for _, grant := range []string{"password", ""} {
		if got := c.post(t, http.StatusBadRequest, url.Values{"grant_type": {grant}}); got["error"] != "unsupported_grant_type" {
			t.Errorf("%q: %v", grant, got["error"])
		}
	}
}

func TestMachineGrant(t *testing.T) {
	s := start(t, demoidp.Options{Clients: []demoidp.Client{{ID: "nightly", Secret: "s"}, {ID: "public"}}})
	post := func(form url.Values) (int, string) {
		form.Set("grant_type", "client_credentials")
		status, _, body := fetch(t, http.MethodPost, s.Issuer()+"/token", form)
		return status, body
	}
	status, body := post(url.Values{"client_id": {"nightly"}, "client_secret": {"s"}, "scope": {"orders"}})
	if status != http.StatusOK || strings.Contains(body, "id_token") || strings.Contains(body, "refresh_token") {
		t.Errorf("%d %s", status, body)
	}
	for _, refused := range []url.Values{
		{"client_id": {"public"}},
		{"client_id": {"nightly"}, "client_secret": {"x"}},
		{"client_id": {"nightly"}, "client_secret": {"s"}, "scope": {"openid"}},
	} {
		if status, body := post(refused); status == http.StatusOK {
			t.Errorf("%v: %s", refused, body)
		}
	}
}

func TestUserinfo(t *testing.T) {
	clock := newClock()
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true, SlimIDToken: true, Now: clock.now,
		AccessLifetime: time.Minute}))
	token := c.signIn(t)
	claims := c.claims(t, token)
	for _, name := range []string{"email", "name", "groups", "roles"} {
		if _, there := claims[name]; there {
			t.Errorf("a slim ID token has %s", name)
		}
	}
	info, err := c.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Groups []string `json:"groups"`
	}
	if err := info.Claims(&got); err != nil || info.Email != "ada@example.com" || len(got.Groups) == 0 {
		t.Errorf("userinfo %+v, groups %v, %v", info, got.Groups, err)
	}
	ask := func(header ...string) int {
		status, _, _ := fetch(t, http.MethodGet, c.server.Issuer()+"/userinfo", nil, header...)
		return status
	}
	if status := ask(); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", status)
	}
	clock.add(time.Minute)
	if status := ask("Authorization", "Bearer "+token.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("expired token: %d", status)
	}
	c.Scopes = []string{"email"}
	plain := c.signIn(t)
	if plain.Extra("id_token") != nil {
		t.Error("an ID token without the scope openid")
	}
	if status := ask("Authorization", "Bearer "+plain.AccessToken); status != http.StatusForbidden {
		t.Errorf("without the scope openid: %d", status)
	}
}

func TestCanary(t *testing.T) {
	canary := regexp.MustCompile("^(?:" + demoidp.Canary + ")")
	for _, isOpaque := range []bool{false, true} {
		c := newClient(t, start(t, demoidp.Options{AutoApprove: true, OpaqueAccessToken: isOpaque}))
		code := c.authorize(t).Get("code")
		token, err := c.exchange(t, code)
		if err != nil {
			t.Fatal(err)
		}
		device := c.postTo(t, "/device_authorization", http.StatusOK, url.Values{})
		for name, secret := range map[string]string{
			"code": code, "access token": token.AccessToken, "refresh token": token.RefreshToken,
			"ID token": token.Extra("id_token").(string), "device code": device["device_code"].(string),
		} {
			if !canary.MatchString(secret) {
				t.Errorf("%s begins with %.24s: a leak would not be found", name, secret)
			}
		}
		if isOpaque == strings.Contains(token.AccessToken, ".") {
			t.Errorf("OpaqueAccessToken %t gives %.24s", isOpaque, token.AccessToken)
		}
	}
}

func TestNoStore(t *testing.T) {
	s := start(t, demoidp.Options{})
	for _, path := range []string{"/token", "/userinfo", "/jwks", "/device", "/nothing"} {
		resp, err := http.Get(s.Issuer() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
}

func TestLargeForm(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{}))
	got := c.post(t, http.StatusBadRequest, url.Values{"grant_type": {strings.Repeat("x", 1<<20)}})
	if got["error"] != "invalid_request" {
		t.Errorf("got %v", got)
	}
}

// payload reads the claims of a JWT without judging them.
func payload(t *testing.T, jwt string) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %.24s", jwt)
	}
	var claims map[string]any
	if err := json.Unmarshal(decode(t, parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
