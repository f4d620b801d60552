package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
)

// readAccess returns the claims of an access token that is a JWT for this client
// or for the audience that its profile names, after the checks of RFC 9068 4.
// All others are opaque here, and left alone: Okta's org server and Entra sign
// tokens for their own services in ways that only these can check. An error is
// a *VerifyError or an *UnreachableError.
func (p *provider) readAccess(ctx context.Context, c Client, raw, sub string) (claims, error) {
	if !p.isForUs(c, raw) {
		return nil, nil
	}
	keys := &keySet{provider: p}
	verifier := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		SkipClientIDCheck:    true, // isForUs has looked
		SupportedSigningAlgs: signingAlgs(),
		Now:                  func() time.Time { return p.now().Add(-tokenLeeway) },
	})
	token, err := verifier.Verify(ctx, raw)
	if keys.unreachable != nil {
		return nil, keys.unreachable
	}
	if err != nil {
		var failed *VerifyError
		if errors.As(p.explain(err), &failed) {
			failed.What = "access token"
			return nil, failed
		}
		return nil, err
	}
	said, err := parseClaims(token)
	if err != nil {
		return nil, err
	}
	// Okta's sub in an access token is a login name, and its uid what the ID token
	// calls sub. One that is about nobody we know says nothing about this person.
	if said.text("sub") != sub && said.text("uid") != sub {
		return nil, nil
	}
	return said.mapped(c), nil
}

// isForUs looks into a token that nothing is known of yet.
func (p *provider) isForUs(c Client, raw string) bool {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	said := claims{}
	if err != nil || json.Unmarshal(payload, &said) != nil || said.text("iss") != p.Issuer {
		return false
	}
	return slices.ContainsFunc(said.list("aud"), func(audience string) bool {
		return audience != "" && (audience == c.ClientID || audience == c.Audience || audience == c.Resource)
	})
}

// withLists are the ID token's claims with the groups and roles that only the
// access token has.
func (c claims) withLists(access claims) claims {
	all := maps.Clone(c)
	for _, name := range []string{"groups", "roles"} {
		if _, there := c[name]; !there && access[name] != nil {
			all[name] = access[name]
		}
	}
	return all
}
