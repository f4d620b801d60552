package demoidp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// The clients here are x/oauth2 and go-oidc, so that the provider is judged by
// somebody else's reading of the specifications.

const redirectURI = "http://127.0.0.1:53123/callback"

func start(t *testing.T, o demoidp.Options) *demoidp.Server {
	t.Helper()
	s, err := demoidp.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// relyingParty is a client application at the provider.
type relyingParty struct {
	oauth2.Config
	server   *demoidp.Server
	provider *oidc.Provider
	verifier string
}

func newClient(t *testing.T, s *demoidp.Server) *relyingParty {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), s.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return &relyingParty{
		Config: oauth2.Config{
			ClientID:    demoidp.DefaultClientID,
			Endpoint:    endpoint,
			RedirectURL: redirectURI,
			Scopes:      []string{"openid", "profile", "email", "offline_access"},
		},
		server:   s,
		provider: provider,
		verifier: oauth2.GenerateVerifier(),
	}
}

// authorize asks for a code and gives the parameters of the redirect.
func (c *relyingParty) authorize(t *testing.T, options ...oauth2.AuthCodeOption) url.Values {
	t.Helper()
	options = append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(c.verifier), oidc.Nonce("n-1")}, options...)
	status, location, body := fetch(t, http.MethodGet, c.AuthCodeURL("st-1", options...), nil)
	if status != http.StatusSeeOther {
		t.Fatalf("authorization endpoint: status %d, %s", status, body)
	}
	if !strings.HasPrefix(location, c.RedirectURL+"?") {
		t.Fatalf("sent to %q, want %q", location, c.RedirectURL)
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func (c *relyingParty) exchange(t *testing.T, code string) (*oauth2.Token, error) {
	t.Helper()
	return c.Exchange(t.Context(), code, oauth2.VerifierOption(c.verifier))
}

func (c *relyingParty) signIn(t *testing.T, options ...oauth2.AuthCodeOption) *oauth2.Token {
	t.Helper()
	token, err := c.exchange(t, c.authorize(t, options...).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (c *relyingParty) renew(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	return c.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
}

func (c *relyingParty) verify(t *testing.T, token *oauth2.Token) (*oidc.IDToken, error) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	config := &oidc.Config{ClientID: c.ClientID, SupportedSigningAlgs: []string{oidc.ES256}}
	return c.provider.Verifier(config).Verify(t.Context(), raw)
}

// fetch does one request and follows no redirect. A form makes it a POST body.
func fetch(t *testing.T, method, target string, form url.Values, header ...string) (status int, location, body string) {
	t.Helper()
	var content io.Reader
	if form != nil {
		content = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, content)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(raw)
}

// wantRefusal checks the error member of a token endpoint's answer.
func wantRefusal(t *testing.T, err error, code string) {
	t.Helper()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.ErrorCode != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// claims are those of a token's ID token, whose signature is not looked at.
func (c *relyingParty) claims(t *testing.T, token *oauth2.Token) map[string]any {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	return payload(t, raw)
}

// post sends a form to the token endpoint as this client and reads the answer.
func (c *relyingParty) post(t *testing.T, wantStatus int, form url.Values) map[string]any {
	t.Helper()
	return c.postTo(t, "/token", wantStatus, form)
}

func (c *relyingParty) postTo(t *testing.T, path string, wantStatus int, form url.Values) map[string]any {
	t.Helper()
	form.Set("client_id", c.ClientID)
	status, _, body := fetch(t, http.MethodPost, c.server.Issuer()+path, form)
	if status != wantStatus {
		t.Fatalf("%s: status %d, want %d: %s", path, status, wantStatus, body)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(body), &answer); err != nil && body != "" {
		t.Fatal(err)
	}
	return answer
}

func decode(t *testing.T, part string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
