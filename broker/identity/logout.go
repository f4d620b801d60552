package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/mcpauth/mcpauth/keychain"
)

const (
	logoutLock   = renewTimeout + 5*time.Second // longer than any refresh holds it
	revokeWithin = 15 * time.Second             // all requests of a logout
	wipeWithin   = 30 * time.Second             // a keychain may ask for its password
)

// ErrNoRevocation means that the provider has no revocation_endpoint, so that
// its tokens live on until they run out.
var ErrNoRevocation = errors.New("the provider has no revocation endpoint")

// Revocation is what became of one token at the provider. Both fields are
// unset when there was no such token.
type Revocation struct {
	Revoked bool
	Err     error // why it was not revoked
}

// LogoutResult tells what a logout found and did.
type LogoutResult struct {
	User         User // who was signed in; zero when nobody was
	RefreshToken Revocation
	AccessToken  Revocation
}

// Logout ends the client's sign-in: it revokes the refresh token and then the
// access token at the provider (RFC 7009), and deletes both here in any case,
// even when the provider is out of reach or ctx has ended. The error is about
// the deletion alone.
func (a *Accounts) Logout(ctx context.Context, c Client) (LogoutResult, error) {
	files := a.files(c)
	locking, cancel := context.WithTimeout(ctx, logoutLock)
	defer cancel()
	// A refresh under way would bring the sign-in back after its deletion, so
	// it is waited for, but not beyond reason.
	if unlock, err := keychain.Lock(locking, files.lock); err == nil {
		defer unlock()
	}
	result := a.revoke(ctx, c)
	wiping, cancel := context.WithTimeout(context.WithoutCancel(ctx), wipeWithin)
	defer cancel()
	if err := a.store.Delete(wiping, c.key()); err != nil {
		return result, fmt.Errorf("deleting the sign-in: %w", err)
	}
	return result, files.bump()
}

// revoke is best effort. A record that is not this client's is not sent to
// this client's provider.
func (a *Accounts) revoke(ctx context.Context, c Client) LogoutResult {
	rec, err := a.load(ctx, c)
	if err != nil {
		var result LogoutResult
		if !errors.Is(err, ErrSignedOut) {
			result.RefreshToken.Err, result.AccessToken.Err = err, err
		}
		return result
	}
	ctx, cancel := context.WithTimeout(ctx, revokeWithin)
	defer cancel()
	p, err := a.provider(ctx, c)
	if err == nil && p.RevocationEndpoint == "" {
		err = ErrNoRevocation
	}
	one := func(token keychain.Secret, hint string) Revocation {
		switch {
		case token.IsZero():
			return Revocation{}
		case err != nil:
			return Revocation{Err: err}
		}
		failed := p.revoke(ctx, c, token, hint)
		return Revocation{Revoked: failed == nil, Err: failed}
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
