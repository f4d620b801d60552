package broker

import (
	"testing"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// Dex says invalid_request of a refresh token that it does not know any more. The
// usual cure for this code is about redirect URIs, which a refresh has none of.
func TestRefusedRefreshIsNoMistakeInTheRedirectURI(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		"refresh": "if it stays so, sign in again: mcpauth login",
		"token":   "check that the redirect URI is registered at the provider exactly as mcpauth uses it: mcpauth profile show",
	} {
		hints := AsProblem(&identity.ProviderError{Step: step, Code: "invalid_request"}).Hints
		if len(hints) != 1 || hints[0] != want {
			t.Errorf("%s: %q", step, hints)
		}
	}
}
