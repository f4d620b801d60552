package identity

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// maxPause bounds every wait for a provider, so that a clock that jumps, or a
// file with a strange time stamp, cannot stop the refreshing for good.
const maxPause = time.Minute

func pauseHolds(until, now time.Time) bool {
	return now.Before(until) && until.Sub(now) <= maxPause
}

const (
	userinfoTimeout = 5 * time.Second // of a refresh; the lock is held meanwhile
	busyPause       = time.Second     // while another process refreshes
	sharedPause     = time.Second / 2 // for all processes after a failure; each backs off further by itself
)

// errBusy means that another process holds the lock, most likely to refresh.
var errBusy = errors.New("another process is refreshing")

// renew refreshes once, however many ask for it, and closes the channel when
// that is done. The refresh outlives its callers' contexts: one that is given
// up between the provider's answer and the store loses a rotated token, and
// with it the sign-in.
//
// An urgent refresh waits for the lock; one ahead of time leaves it to the process that
// has it.
func (s *Session) renew(ctx context.Context, urgent bool) <-chan struct{} {
	key := "ahead"
	if urgent {
		key = "urgent"
	}
	s.update(func(st *sessionState) { st.renewing++ })
	result := s.flight.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
		defer cancel()
		s.renewed(s.renewUnderLock(ctx, urgent))
		return nil, nil
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-result
		s.update(func(st *sessionState) { st.renewing-- })
	}()
	return done
}

// renewed notes how a refresh went.
func (s *Session) renewed(err error) {
	now := s.accounts.now()
	s.update(func(st *sessionState) {
		switch {
		case errors.Is(err, errBusy):
			st.pausedUntil = now.Add(busyPause)
		case err != nil:
			st.renewErr = err
			st.renewFailures++
			st.pausedUntil = now.Add(backoff(st.renewFailures, err))
		case st.unsaved == nil:
			st.renewErr, st.renewFailures = nil, 0
		}
	})
}

// backoff doubles from a second to a minute, spread by a fifth either way, and
// is at least what the provider asked for.
func backoff(failures int, err error) time.Duration {
	pause := min(time.Second<<min(failures-1, 6), maxPause)
	pause = pause*4/5 + rand.N(pause*2/5)
	var trouble *UnreachableError
	if errors.As(err, &trouble) {
		pause = max(pause, trouble.RetryAfter)
	}
	return min(pause, maxPause)
}

// renewUnderLock is the refresh protocol between processes: read the store,
// take the lock, read again, ask the provider, write the store, and only then
// use what came. A process that finds that another was faster uses
// that one's tokens. Twenty proxies without this are nineteen invalid_grant
// and a sign-in that the provider revokes.
func (s *Session) renewUnderLock(ctx context.Context, urgent bool) error {
	s.reload(ctx)
	if !s.due(urgent) {
		return s.readError()
	}
	unlock, err := s.lock(ctx, urgent)
	if err != nil {
		return err
	}
	defer unlock()
	s.reload(ctx)
	if err := s.readError(); err != nil {
		return err // without the newest refresh token an old one would be sent
	}
	if err := s.saveAgain(ctx); err != nil || !s.due(urgent) {
		return err
	}
	_, state := s.look()
	return s.replace(ctx, state.rec)
}

func (s *Session) lock(ctx context.Context, urgent bool) (unlock func(), err error) {
	if urgent {
		return s.shared.Lock(ctx)
	}
	unlock, ok, err := s.shared.TryLock()
	if err == nil && !ok {
		return nil, errBusy
	}
	return unlock, err
}

// due tells whether what is in memory now still needs a refresh or a write.
func (s *Session) due(urgent bool) bool {
	_, state := s.look()
	now := s.accounts.now()
	switch rec := state.rec; {
	case state.unsaved != nil:
		return true
	case s.stopped(rec, now) != nil:
		return false
	case rec == nil || !rec.renewable():
		return false
	case urgent:
		return !s.fresh(rec, now)
	default:
		return !now.Before(rec.aheadAt())
	}
}

func (s *Session) readError() error {
	_, state := s.look()
	return state.readErr
}

// saveAgain stores what could not be stored before. The lock is held, and the
// store was just read.
func (s *Session) saveAgain(ctx context.Context) error {
	_, state := s.look()
	if state.unsaved == nil {
		return nil
	}
	return s.keep(ctx, state.rec, state.replaces)
}

// replace asks for new tokens and keeps them. The lock is held.
func (s *Session) replace(ctx context.Context, old *record) error {
	now := s.accounts.now()
	if until := s.shared.PausedUntil(); pauseHolds(until, now) {
		return &UnreachableError{Step: "refresh", Host: hostOf(s.client.Issuer),
			Answered: true, Err: errors.New("it was asked without success a moment ago"), RetryAfter: until.Sub(now)}
	}
	p, err := s.accounts.provider(ctx, s.client)
	if err != nil {
		return s.pause(err)
	}
	next, err := p.refresh(ctx, s.client.withNewestSecret(ctx), old)
	var refused *ProviderError
	switch {
	case errors.As(err, &refused) && refused.Code == "invalid_grant":
		return s.refused(ctx, old, refused)
	case err != nil:
		if next != nil {
			err = errors.Join(err, s.keep(ctx, next, old))
		}
		return s.pause(err)
	}
	if err := s.keep(ctx, next, old); err != nil {
		return err
	}
	return s.refreshProfile(ctx, p, next)
}

// withNewestSecret is the client with the secret that is good now.
func (c Client) withNewestSecret(ctx context.Context) Client {
	if c.SecretAgain == nil {
		return c
	}
	ctx, cancel := context.WithTimeout(ctx, keychainTimeout)
	defer cancel()
	if secret, err := c.SecretAgain(ctx); err == nil {
		c.ClientSecret = secret
	}
	return c
}

// pause makes the other processes wait, too, when the provider is in trouble.
func (s *Session) pause(err error) error {
	var trouble *UnreachableError
	if errors.As(err, &trouble) {
		s.shared.Pause(s.accounts.now().Add(max(trouble.RetryAfter, sharedPause)))
	}
	return err
}

// refused is invalid_grant. The token may be old because the user has signed
// in again without our seeing it; only if not is the sign-in at its end. That is
// stored, so that nobody asks again.
func (s *Session) refused(ctx context.Context, old *record, refusal *ProviderError) error {
	s.reload(ctx)
	if err := s.readError(); err != nil {
		return err
	}
	if _, state := s.look(); state.rec == nil || !state.rec.sameTokens(old) {
		return nil
	}
	return s.keep(ctx, old.ended(refusal.Error(), s.accounts.now()), old)
}

// keep stores a record and then uses it. When the keychain fails, the record
// is used all the same and stored later: the provider may have revoked what it
// replaces.
func (s *Session) keep(ctx context.Context, next, replaced *record) error {
	writing, cancel := context.WithTimeout(ctx, keychainTimeout)
	defer cancel()
	err := s.accounts.save(writing, s.client, next)
	s.update(func(st *sessionState) {
		st.rec, st.loadErr, st.renewErr = next, nil, nil
		st.unsaved, st.replaces = err, nil
		if err != nil {
			st.replaces = replaced
		}
	})
	if err != nil {
		return err
	}
	return s.shared.Bump()
}

// refreshProfile asks userinfo again for what only it knows, so that a user
// who was taken out of a group is so here within the life of an access token.
// It comes after the tokens are stored, and what goes wrong with it changes
// nothing.
func (s *Session) refreshProfile(ctx context.Context, p *provider, rec *record) error {
	ctx, cancel := context.WithTimeout(ctx, userinfoTimeout)
	defer cancel()
	full, err := p.withUserinfo(ctx, s.client, rec, rec.fromUserinfo)
	if err != nil || samePerson(full.user, rec.user) {
		return nil
	}
	return s.keep(ctx, full, rec)
}
