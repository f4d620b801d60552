package identity

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/keychain"
)

// loginMachine signs the client itself in, by its secret.
func (a *Accounts) loginMachine(ctx context.Context, p *provider, c Client, o LoginOptions) (User, error) {
	if c.ClientSecret.IsZero() {
		return User{}, &ClientError{Field: "client_secret", Reason: "is missing, and client_credentials has nothing else to sign in with"}
	}
	var ask asked
	ask.add(slices.Concat(c.Scopes, o.Scopes)...)
	rec, err := p.machineRecord(ctx, c, ask.scopes)
	if err != nil {
		return User{}, err
	}
	rec.extraScopes = o.Scopes
	s := a.newSignIn(p, c, o, ask)
	if err := s.store(ctx, rec); err != nil {
		return User{}, err
	}
	return rec.user, nil
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
