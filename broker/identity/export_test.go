package identity

import (
	"net/url"
	"testing"

	"golang.org/x/oauth2"
)

// Request is the authorization request of a sign-in at a provider with this metadata,
// and the first redirect URI that is tried.
func Request(t *testing.T, c Client, metadata []byte) (query url.Values, redirect string) {
	t.Helper()
	a := New(Options{StateDir: t.TempDir()})
	a.roundTripper = recorded{metadata}
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
	return u.Query(), redirects[0].URI()
}
