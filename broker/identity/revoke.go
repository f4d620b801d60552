package identity

import (
	"context"
	"net/http"
	"net/url"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// ErrNoRevocation means that the provider has no revocation_endpoint, so that
// its tokens live on until they run out.
var ErrNoRevocation error = &state{"the provider has no revocation endpoint", problem.ExitError, endThereHints()}

func endThereHints() []string {
	return []string{"end the session on the provider's own pages; here the tokens are deleted"}
}

// Revocation is what became of one token at the provider. All fields are
// unset when there was no such token.
type Revocation struct {
	Revoked bool
	Proven  bool  // the provider was asked afterwards, and takes the token no more
	Err     error // why it was not revoked, or is not proven to be
}

// LogoutResult tells what a logout found and did.
type LogoutResult struct {
	User         User // who was signed in; zero when nobody was
	RefreshToken Revocation
	AccessToken  Revocation
	BrowserErr   error // why the browser was not sent to the provider
}

func failedFor(token keychain.Secret, err error) Revocation {
	if token.IsZero() {
		return Revocation{}
	}
	return Revocation{Err: err}
}

// giveUp revokes the tokens of a record that is stored no more, if it can.
func (a *Accounts) giveUp(ctx context.Context, c Client, rec *record) {
	ctx, cancel := context.WithTimeout(ctx, revokeWithin)
	defer cancel()
	if p, err := a.provider(ctx, c); err == nil {
		p.revokeAll(ctx, c, rec)
	}
}

func (p *provider) revokeAll(ctx context.Context, c Client, rec *record) LogoutResult {
	one := func(token keychain.Secret, hint string) Revocation {
		switch {
		case token.IsZero():
			return Revocation{}
		case p.RevocationEndpoint == "":
			return Revocation{Err: ErrNoRevocation}
		}
		err := p.revoke(ctx, c, token, hint)
		return Revocation{Revoked: err == nil, Err: err}
	}
	return LogoutResult{
		User:         rec.user,
		RefreshToken: one(rec.refresh, "refresh_token"), // first: it could make new access tokens
		AccessToken:  one(rec.access, "access_token"),
	}
}

// revoke answers nil for a token that the provider does not know, too
// (RFC 7009 2.2).
func (p *provider) revoke(ctx context.Context, c Client, token keychain.Secret, hint string) error {
	form := url.Values{"token": {token.Reveal()}, "token_type_hint": {hint}}
	a, err := p.postForm(ctx, "revocation", p.RevocationEndpoint, c, form)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return p.refusal("revocation", p.RevocationEndpoint, a, token.Reveal(), c.ClientSecret.Reveal())
	}
	return nil
}
