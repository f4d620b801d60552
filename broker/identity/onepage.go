package identity

import (
	"context"
	"time"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// onePage takes the client's page lock, so that over all processes of this
// user at most one sign-in page is open: ten proxies that need a sign-in at
// the same moment would otherwise open ten tabs. It is not the lock of
// refreshing, which nobody may hold while a browser is open. The system frees
// it when its holder dies.
//
// A sign-in that finds it taken waits. If the user has signed in through that other
// page meanwhile, in a way that this sign-in would accept, that record is
// returned, and no page is needed. A login of the user does not wait for a page that
// an AI client was asked to show: it takes the lock over.
func (s *signIn) onePage(ctx context.Context) (release func(), signedIn *record, err error) {
	files := s.accounts.files(s.client)
	// Before the lock is taken: what changes them comes after.
	s.seen, s.claimed = s.accounts.sharedOf(s.client).Generation(), stampOf(files.claim)
	release, free, err := sharedfile.TryLock(files.page)
	if err != nil || free {
		return release, nil, err
	}
	release, err = s.waitForPage(ctx, files)
	if err != nil {
		return nil, nil, err
	}
	if rec := s.otherSignIn(ctx); rec != nil {
		release()
		return nil, rec, nil
	}
	return release, nil, nil
}

const (
	claimPoll   = 100 * time.Millisecond
	claimWithin = 10 * claimPoll // for the holder of a page to see that it is claimed
)

// waitForPage tells the user of the wait where it takes longer than a claim does. A
// login claims the page again and again: an invitation may have come after the last
// claim, and have got the lock first.
func (s *signIn) waitForPage(ctx context.Context, files stateFiles) (release func(), err error) {
	for told := false; ; told = true {
		if !s.options.Invited {
			stamp(files.claim, time.Now())
		}
		within, cancel := context.WithTimeout(ctx, claimWithin)
		release, err = sharedfile.Lock(within, files.page)
		late := within.Err() != nil
		cancel()
		if err == nil || ctx.Err() != nil || !late {
			return release, err
		}
		if s.options.UI.Waiting != nil && !told {
			s.options.UI.Waiting("a sign-in page of " + s.client.Profile + " is open already; waiting for it to end")
		}
	}
}

// otherSignIn is what was stored since this sign-in looked, where it is all that this
// sign-in asks for. A record keeps its times in whole seconds.
func (s *signIn) otherSignIn(ctx context.Context) *record {
	if s.accounts.sharedOf(s.client).Generation() == s.seen {
		return nil
	}
	rec, err := s.accounts.load(ctx, s.client)
	if err != nil || rec.signedInAt.Unix() < s.began.Unix() || !s.accepts(rec) {
		return nil
	}
	return rec
}

// accepts tells whether a sign-in through another page gave what is asked for.
func (s *signIn) accepts(rec *record) bool {
	return rec.dead == "" && rec.good(s.accounts.now()) && containsAll(rec.user.Scopes, s.options.Scopes) &&
		s.checkProof(rec.user.AuthTime, rec.acr) == nil
}

// untilClaimed ends the context of an invited sign-in when a login of the user claims
// the page, unless the answer is here already.
func (s *signIn) untilClaimed(ctx context.Context, answered func() bool) (_ context.Context, end func()) {
	if !s.options.Invited {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	claim, watched := s.accounts.files(s.client).claim, make(chan struct{})
	go func() {
		defer close(watched)
		ticker := time.NewTicker(claimPoll)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if !stampOf(claim).Equal(s.claimed) && !answered() {
					cancel(&TakenOverError{})
				}
			}
		}
	}()
	return ctx, func() { cancel(nil); <-watched }
}

// afterClaim waits for the login that has taken the page over, and returns its user.
func (s *signIn) afterClaim(ctx context.Context, took error) (User, error) {
	select { // it tries the lock many times in this
	case <-time.After(claimWithin):
	case <-ctx.Done():
		return User{}, took
	}
	release, err := sharedfile.Lock(ctx, s.accounts.files(s.client).page)
	if err != nil {
		return User{}, took
	}
	defer release()
	if rec := s.otherSignIn(ctx); rec != nil {
		return rec.user, nil
	}
	return User{}, took
}
