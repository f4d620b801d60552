package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity/loopback"
	"github.com/mcpauth/mcpauth/broker/problem"
)

const (
	logoutLock   = renewTimeout + 5*time.Second // longer than any refresh holds it
	revokeWithin = 15 * time.Second             // all requests of a logout
	wipeWithin   = 30 * time.Second             // a keychain may ask for its password
)

// ErrNoEndSession means that the provider has no end_session_endpoint, so that
// only the person can sign out of it, on its own pages.
var ErrNoEndSession = errors.New("the provider has no address to end a session at")

// ErrStillGood means that the provider takes a token that it says it has revoked.
var ErrStillGood error = &state{"the provider still takes the token", problem.ExitError, endThereHints()}

// LogoutOptions are the choices of a logout. The zero value revokes, deletes
// and is content.
type LogoutOptions struct {
	// Prove asks the provider afterwards whether it still takes the tokens.
	Prove bool
	// Browser, unless nil, opens a page on loopback that leads to the provider's
	// end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0). It ends the
	// person's session for all applications there.
	Browser func(ctx context.Context, url string) error
}

// Logout ends the client's sign-in: it revokes the refresh token and then the
// access token at the provider (RFC 7009), and deletes both here in any case,
// even when the provider is out of reach or ctx has ended. The error is about
// the deletion alone.
func (a *Accounts) Logout(ctx context.Context, c Client, o LogoutOptions) (LogoutResult, error) {
	ended, err := a.logout(ctx, c, o)
	if err == nil && o.Browser != nil && ended.rec != nil {
		ended.result.BrowserErr = ended.endSession(ctx, c, o.Browser)
	}
	return ended.result, err
}

// endedSignIn is a sign-in that is no more.
type endedSignIn struct {
	result   LogoutResult
	rec      *record   // nil when there was none that could be read
	provider *provider // nil when it is out of reach
	err      error     // why it is
}

// logout does all that has to be done under the lock, which nobody may hold
// while a browser is open.
func (a *Accounts) logout(ctx context.Context, c Client, o LogoutOptions) (endedSignIn, error) {
	shared := a.sharedOf(c)
	locking, cancel := context.WithTimeout(ctx, logoutLock)
	defer cancel()
	// A refresh under way would bring the sign-in back after its deletion, so
	// it is waited for, but not beyond reason.
	if unlock, err := shared.Lock(locking); err == nil {
		defer unlock()
	}
	ended := a.end(ctx, c, o)
	wiping, cancel := context.WithTimeout(context.WithoutCancel(ctx), wipeWithin)
	defer cancel()
	for _, key := range []string{c.key(), c.codeKey()} { // nor is one to be finished that was begun
		if err := a.store.Delete(wiping, key); err != nil {
			return ended, fmt.Errorf("deleting the sign-in: %w", err)
		}
	}
	return ended, shared.Bump()
}

// end is best effort. A record that is not this client's is not sent to this
// client's provider.
func (a *Accounts) end(ctx context.Context, c Client, o LogoutOptions) endedSignIn {
	rec, err := a.load(ctx, c)
	if err != nil {
		var ended endedSignIn
		if !errors.Is(err, ErrSignedOut) {
			ended.result.RefreshToken.Err, ended.result.AccessToken.Err = err, err
		}
		return ended
	}
	ctx, cancel := context.WithTimeout(ctx, revokeWithin)
	defer cancel()
	p, err := a.provider(ctx, c)
	if err != nil {
		result := LogoutResult{User: rec.user, RefreshToken: failedFor(rec.refresh, err), AccessToken: failedFor(rec.access, err)}
		return endedSignIn{result: result, rec: rec, err: err}
	}
	result := p.revokeAll(ctx, c, rec)
	if o.Prove {
		p.prove(ctx, c, rec, &result)
	}
	return endedSignIn{result: result, rec: rec, provider: p}
}

// prove asks whether the tokens that were revoked are.
func (p *provider) prove(ctx context.Context, c Client, rec *record, result *LogoutResult) {
	if r := &result.RefreshToken; r.Revoked {
		r.conclude(p.refusesRefresh(ctx, c, rec))
	}
	if r := &result.AccessToken; r.Revoked {
		r.conclude(p.refusesAccess(ctx, rec))
	}
}

func (r *Revocation) conclude(err error) {
	r.Proven, r.Err = err == nil, err
	r.Revoked = !errors.Is(err, ErrStillGood)
}

// refusesRefresh sends the refresh token once more. Should the provider take it,
// what it gives is revoked as well.
func (p *provider) refusesRefresh(ctx context.Context, c Client, rec *record) error {
	next, err := p.refresh(ctx, c, rec)
	var refused *ProviderError
	switch {
	case errors.As(err, &refused) && refused.Code == "invalid_grant":
		return nil
	case err != nil && next == nil:
		return err
	}
	p.revokeAll(ctx, c, next)
	return ErrStillGood
}

// refusesAccess shows the access token to userinfo, the one place at a provider
// that every access token of a sign-in is for.
func (p *provider) refusesAccess(ctx context.Context, rec *record) error {
	if p.UserinfoEndpoint == "" {
		return errors.New("the provider has no userinfo endpoint to ask with the token")
	}
	a, err := p.askUserinfo(ctx, rec)
	switch {
	case err != nil:
		return err
	case a.status == http.StatusOK:
		return ErrStillGood
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden, a.status == http.StatusBadRequest:
		return nil
	}
	return p.refusal("userinfo", p.UserinfoEndpoint, a, rec.access.Reveal())
}

// endSession sends the person's browser to the provider's sign-out. The ID token
// says whose session it is; with it the provider need not ask.
func (e endedSignIn) endSession(ctx context.Context, c Client, open func(context.Context, string) error) error {
	switch {
	case e.provider == nil:
		return e.err
	case e.provider.EndSessionEndpoint == "":
		return ErrNoEndSession
	}
	u, err := url.Parse(e.provider.EndSessionEndpoint)
	if err != nil {
		return ErrNoEndSession // it was judged when the metadata was read
	}
	query := u.Query()
	query.Set("client_id", c.ClientID)
	if !e.rec.idToken.IsZero() {
		query.Set("id_token_hint", e.rec.idToken.Reveal())
	}
	u.RawQuery = query.Encode()
	return loopback.HandOff(ctx, u.String(), open)
}
