package identity

import (
	"cmp"
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

const (
	defaultLoginTimeout = 3 * time.Minute
	giveBackWithin      = 3 * time.Second // after ctrl+c the user waits for it
)

// Login signs a person in with the system browser (RFC 8252, RFC 7636) and
// stores the tokens. It returns after the browser has been told, or at once
// when ctx ends. Only a sign-in that has passed every check is stored, and
// whatever was stored before stays until then.
//
// Over all processes of this person at most one page of a client is open: a
// Login that comes second waits for the first, and returns the user who signed
// in there, or else goes on with a page of its own.
//
// The error is one of this package's types, the keychain's, or ctx's.
func (a *Accounts) Login(ctx context.Context, c Client, o LoginOptions) (User, error) {
	timeout := cmp.Or(o.Timeout, defaultLoginTimeout)
	if o.Device {
		timeout = cmp.Or(o.Timeout, maxDeviceLife)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, &TimeoutError{After: timeout})
	defer cancel()
	ctx = logged(ctx, o.UI.Log)
	user, err := a.login(ctx, c, o)
	return user, ended(ctx, err)
}

// ended is the error of a sign-in, with the reason for which its context ended.
func ended(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	var unanswered *UnansweredError
	if errors.As(err, &unanswered) {
		unanswered.Err = context.Cause(ctx)
		return unanswered
	}
	return context.Cause(ctx)
}

func (a *Accounts) login(ctx context.Context, c Client, o LoginOptions) (User, error) {
	redirects, err := parseRedirects(c.RedirectURIs)
	if err != nil {
		return User{}, err
	}
	p, o, err := a.prepare(ctx, c, o)
	switch {
	case err != nil:
		return User{}, err
	case c.Machine:
		return a.loginMachine(ctx, p, c, o)
	case o.Device:
		return a.loginDevice(ctx, p, c, o)
	}
	s := a.newSignIn(p, c, o, p.ask(c, o))
	release, other, err := s.onePage(ctx)
	if err != nil {
		return User{}, err
	}
	if other != nil {
		return other.user, nil
	}
	defer release()
	user, err := s.tryEach(ctx, redirects)
	if errors.As(err, new(*TakenOverError)) {
		release()
		return s.afterClaim(ctx, err)
	}
	return user, err
}

// prepare is what every sign-in begins with.
func (a *Accounts) prepare(ctx context.Context, c Client, o LoginOptions) (*provider, LoginOptions, error) {
	if a.Locked() && !o.unlocks {
		return nil, o, &LockedError{}
	}
	before, err := a.load(ctx, c)
	o.nobody = errors.Is(err, ErrSignedOut) || err == nil && before.dead != ""
	if err == nil { // a keychain that cannot tell is heard of when the sign-in is stored
		o.Scopes = union(before.extraScopes, o.Scopes)
	}
	p, err := a.discover(ctx, c)
	return p, o, err
}

// tryEach uses the first redirect URI whose port is free. One that leaves the port open
// has several tries, since another program may take the port that was just chosen.
func (s *signIn) tryEach(ctx context.Context, redirects []loopback.Redirect) (User, error) {
	var tried []string
	for _, r := range redirects {
		tries := 1
		if r.AnyPort() {
			tries = 3
		}
		var busy *loopback.BusyError
		for range tries {
			user, err := s.attempt(ctx, r)
			if busy = nil; !errors.As(err, &busy) {
				return user, err
			}
		}
		tried = append(tried, strings.Replace(busy.Addr, ":0", ":any", 1))
	}
	return User{}, &PortsBusyError{Addrs: tried}
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

// attempt tries to sign in with one redirect URI. A *loopback.BusyError means that its
// port was not to be had, and that nothing else has happened. When the provider
// refuses what nobody has chosen, it is asked once more without, in the tab that
// is open already.
func (s *signIn) attempt(ctx context.Context, r loopback.Redirect) (User, error) {
	tab, user, err := s.visit(ctx, r)
	if tab == nil {
		return user, err
	}
	next := s.next(err)
	if next == nil {
		tab.Finish(ctx, s.outcomePage(ctx, user, err))
		return user, err
	}
	next.tab = tab
	again, user, err := next.visit(ctx, r)
	page := s.outcomePage(ctx, user, err)
	tab.Finish(ctx, page) // if the second visit came to nothing before the tab could go on
	if again != nil {
		again.Finish(ctx, page)
	}
	return user, err
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
	s.warn("the provider refused (" + refused.Code + "), so it is asked again without " + leftOut)
	next := s.accounts.newSignIn(s.provider, s.client, s.options, less)
	next.seen, next.claimed = s.seen, s.claimed
	return next
}

// visit sends a browser to the provider and waits for what it brings back. The
// browser then waits for the listener to finish, if there is one.
func (s *signIn) visit(ctx context.Context, r loopback.Redirect) (*loopback.Listener, User, error) {
	anyPort := r.AnyPort()
	r, release, err := r.Settle()
	if err != nil {
		return nil, User{}, err
	}
	defer release()
	if s.accounts.testOnlySettled != nil {
		s.accounts.testOnlySettled(r)
	}
	attempt, err := s.begin(r.URI())
	if err != nil {
		return nil, User{}, err
	}
	flow := &codeFlow{signIn: s, log: logOf(ctx)}
	l := loopback.NewListener(r, attempt.URL, flow)
	waiting, end := s.untilClaimed(ctx, l.Answered)
	defer end()
	err = flow.receive(waiting, l, attempt.address)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return l, User{}, context.Cause(waiting)
	}
	if err != nil {
		s.giveBackRest(ctx, flow.said)
		if ctx.Err() != nil && !l.Answered() {
			err = &UnansweredError{RedirectURI: s.redirectURI, AnyPort: anyPort, ClientID: s.client.ClientID, Opened: l.Opened(), Err: ctx.Err()}
		}
		return l, User{}, err
	}
	user, err := s.accept(ctx, flow.said)
	return l, user, err
}

func (s *signIn) outcomePage(ctx context.Context, user User, err error) loopback.Page {
	if err != nil {
		return failedPage(s.client.Profile, outcome(ctx, err))
	}
	return signedInPage(s.client.Profile, user)
}

// outcome is what the browser shows for err: a timeout is shown as one.
func outcome(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
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
			s.warn(gap.Claim + gap.Why)
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
	s.warn("userinfo gave nothing: " + err.Error())
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
		s.warn("running proxies may not notice the sign-in: " + err.Error())
	}
	return nil
}

func (s *signIn) warn(text string) {
	if s.options.UI.Warn != nil {
		s.options.UI.Warn(text)
	}
}
