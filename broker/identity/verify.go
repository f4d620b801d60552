package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
)

// tokenLeeway is how far the clocks may differ when exp is judged.
const tokenLeeway = time.Minute

// signingAlgs are the only algorithms that an ID token may be signed with. An
// own list, since one taken from the provider could name HS256.
func signingAlgs() []string {
	return []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
		oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
	}
}

// expectation is what an ID token must agree with.
type expectation struct {
	client      Client
	nonce       string // of a sign-in; empty on refresh (OpenID Connect Core 12.2)
	sub         string // on refresh; empty at a sign-in
	accessToken string
}

// verifyIDToken checks an ID token (OpenID Connect Core 3.1.3.7 and 12.2) and
// returns its claims. Keys that cannot be fetched are an *UnreachableError,
// everything else is a *VerifyError.
func (p *provider) verifyIDToken(ctx context.Context, raw string, want expectation) (claims, error) {
	keys := &keySet{provider: p}
	verifier := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		ClientID:             want.client.ClientID,
		SupportedSigningAlgs: signingAlgs(),
		Now:                  func() time.Time { return p.clock(want).Add(-tokenLeeway) },
	})
	token, err := verifier.Verify(ctx, raw)
	if keys.unreachable != nil {
		return nil, keys.unreachable
	}
	if err != nil {
		err = p.explain(err)
		logVerified(ctx, nil, err)
		return nil, err
	}
	c, err := parseClaims(token)
	if err != nil {
		return nil, err
	}
	err = p.checkClaims(token, c, want)
	logVerified(ctx, c, err)
	if err != nil {
		return nil, err
	}
	return c.mapped(want.client), nil
}

// clock is whose time an ID token must be good at: ours at a sign-in, which
// then fails in words about the clock. On refresh it is the provider's, as the
// Date of the answer that the token came with tells it, for to refuse the answer
// would be to lose the rotated refresh token, and with it the sign-in, only
// because a clock is wrong.
func (p *provider) clock(want expectation) time.Time {
	if want.sub == "" {
		return p.now()
	}
	return p.now().Add(time.Duration(p.transport.skew.Load()))
}

func (p *provider) checkClaims(token *oidc.IDToken, c claims, want expectation) error {
	azp := c.text("azp")
	switch {
	case token.Subject == "":
		return &VerifyError{What: "ID token", Why: "it has no sub"}
	case want.sub != "" && token.Subject != want.sub:
		return &VerifyError{What: "ID token", Why: "its sub is not that of the sign-in", Foreign: true}
	case want.nonce != "" && subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(want.nonce)) != 1:
		return &VerifyError{What: "ID token", Why: "its nonce is not that of this sign-in"}
	case azp != "" && azp != want.client.ClientID:
		return &VerifyError{What: "ID token", Why: "it was issued to another client (azp)", Foreign: true}
	case azp == "" && len(token.Audience) > 1:
		return &VerifyError{What: "ID token", Why: "it is for several clients and does not say for whom (azp)"}
	case token.AccessTokenHash != "" && token.VerifyAccessToken(want.accessToken) != nil:
		return &VerifyError{What: "ID token", Why: "it belongs to another access token (at_hash)"}
	}
	return nil
}

// explain turns an error of go-oidc into words. Its own quote the answer of
// the provider.
func (p *provider) explain(err error) error {
	foreign := false
	why := "its signature or form is wrong"
	var expired *oidc.TokenExpiredError
	text := err.Error()
	switch {
	case errors.As(err, &expired):
		why = "it ended at " + expired.Expiry.UTC().Format(time.RFC3339) + p.clockHint()
	case strings.Contains(text, "issued by a different provider"):
		why, foreign = "another provider issued it (iss)", true
	case strings.Contains(text, "expected audience"):
		why, foreign = "it is for another client (aud)", true
	case strings.Contains(text, "nbf"):
		why = "it is not valid yet (nbf)" + p.clockHint()
	case strings.Contains(text, "unexpected signature algorithm"), strings.Contains(text, "malformed jwt"):
		why = "it is not a JWT with a signature that is allowed"
	}
	return &VerifyError{What: "ID token", Why: why, Foreign: foreign}
}

// clockWords tells of clocks that differ, which is what mostly stands behind
// a token that is over as soon as it is made.
func (p *provider) clockHint() string {
	skew := time.Duration(p.transport.skew.Load()).Round(time.Second)
	if skew.Abs() <= tokenLeeway {
		return ""
	}
	return fmt.Sprintf("; the provider's clock differs from this machine's by %s", skew)
}

// VerifySignature implements [oidc.KeySet].
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.provider.keys.VerifySignature(ctx, jwt)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		k.unreachable = k.provider.whyNoKeys(err)
		if ctx.Err() != nil {
			k.unreachable = &UnreachableError{Step: "keys", Host: hostOf(k.provider.JWKSURI), Err: ctx.Err()}
		}
	}
	return payload, err
}

// parseClaims reads the payload once more, strictly. encoding/json, which
// go-oidc reads it with, takes "Sub" for "sub" and the last of two.
func parseClaims(token *oidc.IDToken) (claims, error) {
	var payload rawJSON
	if err := token.Claims(&payload); err != nil {
		return nil, &VerifyError{What: "ID token", Why: "its claims cannot be read"}
	}
	c := claims{}
	switch err := json.Unmarshal(payload, &c); {
	case !utf8.Valid(payload):
		return nil, &VerifyError{What: "ID token", Why: "its claims are not UTF-8 text, but perhaps Latin-1"}
	case err != nil:
		return nil, &VerifyError{What: "ID token", Why: "its claims are not strict JSON"}
	}
	for name := range c {
		for _, known := range []string{"iss", "sub", "aud", "exp", "nbf", "nonce", "azp", "at_hash"} {
			if name != known && strings.EqualFold(name, known) {
				return nil, &VerifyError{What: "ID token", Why: "it has a claim that is spelled almost like " + known}
			}
		}
	}
	return c, nil
}

// rawJSON takes the payload as it is.
type rawJSON []byte

func (r *rawJSON) UnmarshalJSON(b []byte) error {
	*r = append((*r)[:0], b...)
	return nil
}
