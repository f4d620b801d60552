package identity_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
)

// What each kind of provider is asked for, by its own metadata.
func TestKinds(t *testing.T) {
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
			kind := config.KindFor(said.Issuer)
			if kind.Name != name {
				t.Errorf("%s looks like %s", said.Issuer, kind.Name)
			}
			q, redirect := identity.Request(t, identity.Client{
				Profile: "test", Issuer: said.Issuer, ClientID: "id", Scopes: kind.Scopes, OptionalScopes: kind.Optional,
				Offline: kind.Offline, RedirectURIs: kind.RedirectURIs,
			}, document)
			got := struct{ scope, prompt, accessType, redirect string }{
				q.Get("scope"), q.Get("prompt"), q.Get("access_type"), redirect}
			if got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
	if files, _ := filepath.Glob("testdata/discovery/*.json"); len(files) != len(config.KindNames()) {
		t.Errorf("%d documents for %d kinds", len(files), len(config.KindNames()))
	}
}
