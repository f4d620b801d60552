package identity

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// withUserinfo returns the record with the wanted profile claims from userinfo
// (OpenID Connect Core 5.3), which is in charge of them from then on. An answer about another sub is a *VerifyError;
// every other error means that there is nothing to add.
func (p *provider) withUserinfo(ctx context.Context, c Client, r *record, wanted []string) (*record, error) {
	if p.UserinfoEndpoint == "" || len(wanted) == 0 {
		return r, nil
	}
	info, err := p.userinfo(ctx, c, r)
	if err != nil {
		return nil, err
	}
	// Without this check a mixed-up token would put another user's groups into
	// this user (OpenID Connect Core 5.3.2).
	if info.text("sub") != r.user.Sub {
		return nil, &VerifyError{What: "userinfo", Why: "it is about somebody else (sub)"}
	}
	merged := *r
	merged.user = r.user.clone()
	info = info.mapped(c)
	merged.user.takeProfile(info, wanted)
	merged.user.judge(c)
	merged.fromUserinfo = wanted
	return &merged, nil
}

// withoutUserinfo is the record where userinfo was asked for the wanted claims and
// gave nothing: nobody knows then whether it would have had groups.
func (r *record) withoutUserinfo(c Client, wanted []string) *record {
	less := *r
	less.user = r.user.clone()
	for _, name := range []string{"groups", "roles", "email"} {
		if slices.Contains(wanted, name) && less.user.Claimed.gap(name) == "" && (name != "email" || less.user.Claimed.Email == "") {
			less.user.Claimed.setGap(name, false, userinfoText)
		}
	}
	less.user.judge(c)
	less.fromUserinfo = wanted // to be asked again at the next refresh
	return &less
}

func (p *provider) askUserinfo(ctx context.Context, r *record) (*answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.UserinfoEndpoint, nil)
	if err != nil {
		return nil, fmt.Errorf("userinfo request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+r.access.Reveal())
	request.Header.Set("Accept", "application/json")
	return p.do(request, "userinfo")
}

func (p *provider) userinfo(ctx context.Context, c Client, r *record) (claims, error) {
	a, err := p.askUserinfo(ctx, r)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, p.refusal("userinfo", p.UserinfoEndpoint, a, r.access.Reveal())
	}
	if a.isJWT() {
		return p.signedUserinfo(ctx, c, strings.TrimSpace(string(a.body)))
	}
	info, err := a.object()
	if err != nil {
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer %w", err)
	}
	return info, nil
}

// signedUserinfo reads userinfo that is a token (OpenID Connect Core 5.3.2). The
// issuer and the client have to be the right ones where they are named.
func (p *provider) signedUserinfo(ctx context.Context, c Client, raw string) (claims, error) {
	if strings.Count(raw, ".") == 4 {
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is encrypted; have the provider send userinfo to this client as JSON or signed")
	}
	keys := &keySet{provider: p}
	verifier := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		SkipIssuerCheck: true, SkipClientIDCheck: true, SkipExpiryCheck: true, SupportedSigningAlgs: signingAlgs(),
	})
	token, err := verifier.Verify(ctx, raw)
	switch {
	case keys.unreachable != nil:
		return nil, keys.unreachable
	case err != nil:
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is a token whose signature or form is wrong; "+
			"have the provider send userinfo to this client as JSON, or signed with a key of its key set")
	}
	info, err := parseClaims(token)
	switch {
	case err != nil:
		return nil, unusable("userinfo", p.UserinfoEndpoint, "the claims of the token in its answer cannot be read")
	case info.has("iss") && token.Issuer != p.Issuer:
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is a token of another issuer (iss)")
	case info.has("aud") && !slices.Contains(token.Audience, c.ClientID):
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is a token for another client (aud)")
	case !token.Expiry.IsZero() && token.Expiry.Before(p.now().Add(-tokenLeeway)):
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is a token that has expired (exp)")
	}
	return info, nil
}
