package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/identity/loopback"
	"github.com/mcpauth/mcpauth/keychain"
)

// signIn is one sign-in under way.
type signIn struct {
	accounts    *Accounts
	provider    *provider
	client      Client
	options     LoginOptions
	asked       asked
	began       time.Time
	verifier    string // code_verifier
	state       string
	nonce       string
	redirectURI string             // once begun
	tab         *loopback.Listener // a browser that waits for an earlier answer's outcome, or nil
	seen        string             // generation; see onePage
	claimed     time.Time          // when a login of the user wanted the page last, before it was taken
}

func (a *Accounts) newSignIn(p *provider, c Client, o LoginOptions, ask asked) *signIn {
	return &signIn{
		accounts: a,
		provider: p,
		client:   c,
		options:  o,
		asked:    ask,
		began:    a.now(),
		verifier: oauth2.GenerateVerifier(),
		state:    random(),
		nonce:    random(),
	}
}

// random is 256 bits, for state and nonce (RFC 9700 4.7).
func random() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// next is the sign-in to try after the error of this one, or nil.
func (s *signIn) next(err error) *signIn {
	var refused *ProviderError
	if !errors.As(err, &refused) {
		return nil
	}
	less, leftOut := s.asked.less(refused)
	if leftOut == "" {
		return nil
	}
	s.Warn("the provider refused (" + refused.Code + "), so it is asked again without " + leftOut)
	next := s.accounts.newSignIn(s.provider, s.client, s.options, less)
	next.seen, next.claimed = s.seen, s.claimed
	return next
}

// accept checks the tokens and stores them, or gives them back.
func (s *signIn) accept(ctx context.Context, said tokenResponse) (User, error) {
	user, err := s.keep(ctx, said)
	if err != nil {
		s.giveBack(ctx, said)
	}
	return user, err
}

// giveBack revokes tokens that came and are not kept: nobody could do so later.
// Where a sign-in is stored from before, they are left to run out, since many
// providers end all of a person's tokens for this client with one of them.
func (s *signIn) giveBack(ctx context.Context, said tokenResponse) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackWithin)
	defer cancel()
	if rec, err := s.accounts.load(ctx, s.client); !s.options.nobody || err == nil && rec.dead == "" {
		return
	}
	tokens := said.tokens(nil)
	s.provider.revokeAll(ctx, s.client, &record{access: tokens.access, refresh: tokens.refresh})
}

// keep checks the tokens and stores them, or neither.
func (s *signIn) keep(ctx context.Context, said tokenResponse) (User, error) {
	if said.IDToken == "" {
		return User{}, &VerifyError{What: "token response", Why: "it has no ID token"}
	}
	if said.TokenType != "" && !strings.EqualFold(said.TokenType, "bearer") {
		return User{}, &VerifyError{What: "token response", Why: "its token_type is not Bearer"}
	}
	id, err := s.provider.verifyIDToken(ctx, said.IDToken, expectation{client: s.client, nonce: s.nonce, accessToken: said.AccessToken})
	if err != nil {
		return User{}, err
	}
	if err := s.checkProof(id.number("auth_time"), id.text("acr")); err != nil {
		return User{}, err
	}
	if err := s.checkOwner(ctx, id.text("sub")); err != nil {
		return User{}, err
	}
	id = id.withLists(s.provider.readAccess(ctx, s.client, said.AccessToken, id.text("sub")))
	rec := newRecord(s.client, userFrom(id, s.client), said.tokens(s.asked.scopes), s.accounts.now())
	rec.signedInAt, rec.extraScopes = rec.obtainedAt, s.options.Scopes
	rec.acr, rec.idToken = id.text("acr"), keychain.NewSecret(said.IDToken)
	if rec, err = s.complete(ctx, rec, missing(id)); err != nil {
		return User{}, err
	}
	for _, gap := range rec.user.Claimed.Gaps {
		if gap.Why != userinfoText { // told already
			s.Warn(gap.Claim + gap.Why)
		}
	}
	err = s.store(ctx, rec)
	logStep(logOf(ctx), "store", s.accounts.store.Name(), problemAttr(err))
	if err != nil {
		return User{}, err
	}
	return rec.user, nil
}

// complete adds the claims that only userinfo has. A provider whose userinfo
// does not work costs those claims and not the sign-in.
func (s *signIn) complete(ctx context.Context, rec *record, wanted []string) (*record, error) {
	full, err := s.provider.withUserinfo(ctx, s.client, rec, wanted)
	var foreign *VerifyError
	switch {
	case err == nil:
		return full, nil
	case errors.As(err, &foreign), ctx.Err() != nil:
		return nil, err
	}
	s.Warn("userinfo gave nothing: " + err.Error())
	return rec.withoutUserinfo(s.client, wanted), nil
}

// store writes the sign-in under the profile's lock, which is taken only now:
// held while a browser is open, it would keep every proxy from refreshing.
func (s *signIn) store(ctx context.Context, rec *record) error {
	a, shared := s.accounts, s.accounts.sharedOf(s.client)
	unlock, err := shared.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.save(ctx, s.client, rec); err != nil {
		return err
	}
	if err := shared.Bump(); err != nil {
		s.Warn("running proxies may not notice the sign-in: " + err.Error())
	}
	return nil
}

// Warn implements [loopback.SignIn].
func (s *signIn) Warn(text string) {
	if s.options.UI.Warn != nil {
		s.options.UI.Warn(text)
	}
}

// giveBackRest revokes what came with an answer that cannot be used.
func (s *signIn) giveBackRest(ctx context.Context, said tokenResponse) {
	if said.RefreshToken != "" {
		s.giveBack(ctx, said)
	}
}
