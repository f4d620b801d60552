package identity

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
)

// readAccess returns the claims of an access token that is a JWT for this client
// or for the audience that its profile names, after the checks of RFC 9068 4.
// All others are opaque here, and left alone: an API may have its tokens signed
// with a secret of its own, and only the API judges them. Groups and roles that
// stand in such a token are known to be there, and not what they are.
func (p *provider) readAccess(ctx context.Context, c Client, raw, sub string) claims {
	seen := p.forUs(c, raw)
	if seen == nil {
		return nil
	}
	keys := &keySet{provider: p}
	verifier := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		SkipClientIDCheck:    true, // forUs has looked
		SupportedSigningAlgs: signingAlgs(),
		Now:                  func() time.Time { return p.now().Add(-tokenLeeway) },
	})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return seen.mapped(c).unread()
	}
	said, err := parseClaims(token)
	if err != nil {
		return seen.mapped(c).unread()
	}
	// Okta's sub in an access token is a login name, and its uid what the ID token
	// calls sub. One that is about nobody we know says nothing about this person.
	if said.text("sub") != sub && said.text("uid") != sub {
		return nil
	}
	return said.mapped(c)
}

// unread are the lists of claims that nobody vouches for: there, and not to be read.
func (c claims) unread() claims {
	lists := claims{}
	for _, name := range []string{"groups", "roles"} {
		if c.has(name) {
			lists[name] = oddForm
		}
	}
	return lists
}

// forUs looks into a token that nothing is known of yet, and returns its claims if
// it is for this client.
func (p *provider) forUs(c Client, raw string) claims {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	said := claims{}
	if err != nil || json.Unmarshal(payload, &said) != nil || said.text("iss") != p.Issuer {
		return nil
	}
	if !slices.ContainsFunc(said.list("aud"), func(audience string) bool {
		return audience != "" && (audience == c.ClientID || audience == c.Audience || audience == c.Resource)
	}) {
		return nil
	}
	return said
}

// withLists are the ID token's claims with the groups and roles that only the
// access token has.
func (c claims) withLists(access claims) claims {
	all := maps.Clone(c)
	for _, name := range []string{"groups", "roles"} {
		if !c.has(name) && access.has(name) {
			all[name] = access[name]
		}
	}
	return all
}
