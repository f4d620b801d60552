package identity

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// Dex says invalid_request of a refresh token that it does not know any more. The
// usual cure for this code is about redirect URIs, which a refresh has none of.
func TestRefusedRefreshIsNoMistakeInTheRedirectURI(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		"refresh": "if it stays so, sign in again: mcpauth login",
		"token":   "check that the redirect URI is registered at the provider exactly as mcpauth uses it: mcpauth profile show",
	} {
		hints := problem.Of(&ProviderError{Step: step, Code: "invalid_request"}).Hints
		if len(hints) != 1 || hints[0] != want {
			t.Errorf("%s: %q", step, hints)
		}
	}
}

func TestKeychainErrorsHaveTheirExitCode(t *testing.T) {
	t.Parallel()
	p := problem.Of(fmt.Errorf("reading: %w", &keychain.Error{Op: "get", Kind: keychain.Locked, Err: errors.New("why")}))
	if p.Code != problem.ExitKeychain || len(p.Hints) == 0 {
		t.Errorf("%+v", p)
	}
}

func TestUnknownAuthorityIsToldAsOne(t *testing.T) {
	unknown := &UnreachableError{Step: "metadata", Host: "login.example.com", Err: x509.UnknownAuthorityError{}}
	if p := problem.Of(unknown); !strings.Contains(strings.Join(p.Hints, "\n"), "ca_file") || strings.Contains(strings.Join(p.Hints, "\n"), "network and") {
		t.Errorf("hints %q", p.Hints)
	}
	if p := problem.Of(&UnreachableError{Err: errors.New("refused")}); !strings.Contains(p.Hints[0], "check the network") {
		t.Errorf("hints %q", p.Hints)
	}
}
