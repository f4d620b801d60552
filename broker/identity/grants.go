package identity

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/keychain"
)

// refresh is RFC 6749 6. It is written by hand since x/oauth2 can send no
// resource with it. A record that comes with an error must be stored all the same.
func (p *provider) refresh(ctx context.Context, c Client, old *record) (*record, error) {
	if old.machine {
		return p.renewMachine(ctx, c, old)
	}
	token := old.refresh.Reveal()
	said, err := p.grantTokens(ctx, "refresh", c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, token)
	if err != nil {
		return old.rescued(said), err
	}
	next, err := p.successor(ctx, c, old, said)
	var failed *VerifyError
	switch {
	case errors.As(err, &failed) && failed.Foreign:
		return nil, err // tokens that are not ours never stand under this sign-in
	case err != nil:
		return old.rescued(said), err
	}
	return next, nil
}

// rescued is the record with the refresh token of an answer in which nothing else
// can be used, or nil when it has no new one. The old one may be good no more, and
// to send it again would end the sign-in.
func (r *record) rescued(said tokenResponse) *record {
	if said.RefreshToken == "" || said.RefreshToken == r.refresh.Reveal() {
		return nil
	}
	kept := *r
	kept.refresh = keychain.NewSecret(said.RefreshToken)
	return &kept
}

// successor is the record after a refresh.
func (p *provider) successor(ctx context.Context, c Client, old *record, said tokenResponse) (*record, error) {
	who, err := p.refreshed(ctx, c, old, said)
	if err != nil {
		return nil, fmt.Errorf("refreshing: %w", err)
	}
	next := newRecord(c, who.user, said.tokens(old.user.Scopes), p.now())
	next.signedInAt, next.fromUserinfo = old.signedInAt, who.fromUserinfo
	next.extraScopes, next.acr, next.idToken = old.extraScopes, old.acr, who.idToken
	if next.refresh.IsZero() {
		next.refresh = old.refresh // RFC 6749 6: then the old one stays good
	}
	return next, nil
}

// refreshed is the user by the tokens of a refresh, in a record that has
// nothing else: an ID token must be about the same person. Tokens that cannot be
// checked since the keys are out of reach are left unread, rather than to lose
// those that came with them.
func (p *provider) refreshed(ctx context.Context, c Client, old *record, said tokenResponse) (*record, error) {
	who := &record{user: old.user.clone(), fromUserinfo: old.fromUserinfo, idToken: old.idToken}
	var trouble *UnreachableError
	access := p.readAccess(ctx, c, said.AccessToken, old.user.Sub)
	if said.IDToken == "" {
		who.user.takeProfile(access, slices.DeleteFunc([]string{"groups", "roles"}, func(name string) bool { return !access.has(name) }))
		return who, nil
	}
	id, err := p.verifyIDToken(ctx, said.IDToken, expectation{client: c, sub: old.user.Sub, accessToken: said.AccessToken})
	switch {
	case errors.As(err, &trouble):
		return who, nil
	case err != nil:
		return nil, err
	}
	id = id.withLists(access)
	who.user, who.idToken = renewedUser(old.user, old.fromUserinfo, id, c), keychain.NewSecret(said.IDToken)
	who.fromUserinfo = slices.DeleteFunc(slices.Clone(old.fromUserinfo), id.settles)
	return who, nil
}

// renewMachine asks for the next token in the same way.
func (p *provider) renewMachine(ctx context.Context, c Client, old *record) (*record, error) {
	next, err := p.machineRecord(ctx, c, old.user.Scopes)
	if err != nil {
		return nil, err
	}
	next.signedInAt, next.extraScopes = old.signedInAt, old.extraScopes
	return next, nil
}

// machineRecord asks for a token of RFC 6749 4.4. The user is the client: what
// it sends is no person's, and nothing in it may look like one.
func (p *provider) machineRecord(ctx context.Context, c Client, scopes []string) (*record, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	if c.Audience != "" {
		form.Set("audience", c.Audience)
	}
	said, err := p.grantTokens(ctx, "token", c, form)
	if err != nil {
		return nil, err
	}
	user := User{
		Sub: c.ClientID, UserID: c.ClientID, Groups: []string{}, Roles: []string{},
		Issuer: c.Issuer, Audience: []string{c.ClientID}, ClientID: c.ClientID, Profile: c.Profile,
	}
	rec := newRecord(c, user, said.tokens(scopes), p.now())
	rec.refresh = keychain.Secret{} // RFC 6749 4.4.3: the secret is what renews it
	rec.machine, rec.signedInAt = true, rec.obtainedAt
	return rec, nil
}
