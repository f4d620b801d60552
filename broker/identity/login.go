package identity

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity/loopback"
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

// Unlock has the user of a client sign in again, stores that
// sign-in, and undoes Lock. Where a user was signed in, it has to be the same
// person. A provider that does not say when the user signed in proves nothing,
// so then UI.Confirm has to say yes, too. Whatever fails leaves the lock where
// it is.
func (a *Accounts) Unlock(ctx context.Context, c Client, o LoginOptions) (User, error) {
	o.Reauth, o.unlocks = true, true
	user, err := a.Login(ctx, c, o)
	if err != nil {
		return User{}, err
	}
	if user.AuthTime == 0 && (o.UI.Confirm == nil || !o.UI.Confirm(ctx, unlockQuestion)) {
		return User{}, ErrUnconfirmed
	}
	return user, a.LiftLock()
}
