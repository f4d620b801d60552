package identity

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/mcpauth/mcpauth/keychain"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

const (
	watchEvery      = 250 * time.Millisecond
	keychainTimeout = 3 * time.Second // a proxy's calls wait for it
	maxReadBackoff  = 30 * time.Second
)

// Session follows one client's sign-in for as long as a proxy runs. Its
// methods are safe for concurrent use; a Snapshot is shared and must not be
// changed.
type Session struct {
	accounts  *Accounts
	client    Client
	shared    Shared
	looksOnly bool          // it renews nothing and ends nothing, and keeps nothing that the keychain does not show; see Watch
	atLeast   time.Duration // what a token must have left; 0 for renewMargin, see fresh
	flight    singleflight.Group
	view      atomic.Pointer[view]
	locked    atomic.Bool  // as last seen
	lastUse   atomic.Int64 // nanoseconds since the epoch, of any process as far as known

	mu      sync.Mutex // guards everything below; see update
	state   sessionState
	turned  chan struct{}     // closed and replaced by each update
	changed chan struct{}     // closed and replaced when subscribers would see a difference
	told    Snapshot          // what subscribers saw last
	changes *sharedfile.Watch // what Run follows
}

// view is what Snapshot needs, worked out in advance.
type view struct {
	rec *record
	now Snapshot
}

// sessionState is everything that changes, and update the only place that
// changes it.
type sessionState struct {
	loaded   bool
	rec      *record // nil when nobody is signed in, or nobody can tell
	loadErr  error   // why rec is nil
	renewErr error   // why the last refresh did not work

	seen         string    // generation when the store was last read
	readErr      error     // why the last read did not work
	readAt       time.Time // when to read again then
	readFailures int

	renewing      int       // calls of renew in flight
	renewFailures int       // in a row
	pausedUntil   time.Time // no refresh before
	aheadAt       time.Time // when to refresh ahead of time

	unsaved  error   // why rec is in memory only; nil when it is stored
	replaces *record // what the store held when rec could not be written to it
}

// Session returns the session of a client, in state Loading. It does nothing
// until Run.
func (a *Accounts) Session(c Client) *Session {
	s := &Session{
		accounts: a,
		client:   c,
		shared:   a.sharedOf(c),
		turned:   make(chan struct{}),
		changed:  make(chan struct{}),
		told:     Snapshot{State: Loading},
	}
	s.view.Store(&view{now: s.told})
	s.locked.Store(a.Locked())
	return s
}

// Run keeps the session up to date until ctx ends: it reads the keychain at once and
// after a login, refresh or logout anywhere on this machine, and refreshes the access
// token at 80 % of its life. It copes with a machine that slept and a clock that was set.
//
// A refresh under way when ctx ends is waited for, at most 30 s. Run may be called once.
func (s *Session) Run(ctx context.Context) {
	var watching sync.WaitGroup
	// Beside what follows, which may wait for a keychain.
	watching.Go(func() { sharedfile.NewWatch(s.accounts.lockFile()).Follow(ctx.Done(), s.seeLock) })
	defer watching.Wait()
	s.mu.Lock()
	s.changes = s.shared.Watch(ctx.Done())
	s.mu.Unlock()
	due := time.AfterFunc(s.dueIn(), s.changes.Nudge)
	defer due.Stop()
	s.reload(ctx)
	s.changes.Follow(ctx.Done(), func() { s.tick(ctx); due.Reset(s.dueIn()) })
	s.drain()
	s.shareUse(true)
}

// dueIn is how long nothing becomes due by time alone. The watch of the files looks from
// time to time in any case: for a clock that was set, and a machine that slept.
func (s *Session) dueIn() time.Duration {
	_, st := s.look()
	now, next := s.accounts.now(), cmp.Or(s.accounts.testOnlyWatchEvery, time.Hour)
	if st.rec == nil {
		st.rec = &record{}
	}
	end := s.client.endOf(st.rec, s.lastUsed())
	for _, at := range []time.Time{st.readAt, st.pausedUntil, st.aheadAt, st.rec.expiresAt.Add(-lastUse), end} {
		if in := at.Sub(now); in > 0 {
			next = min(next, in)
		}
	}
	return next + time.Millisecond
}

// Snapshot tells where the session stands, from memory and without waiting. A
// token or a limit that has run out since the last look is seen to be over at
// once, and by all: callers that saw it must be notified when that changes again.
func (s *Session) Snapshot() *Snapshot {
	v, now := s.view.Load(), s.accounts.now()
	switch {
	case v.rec == nil:
		return &v.now
	case v.now.State == SignedIn && !v.rec.good(now), v.now.State != SignedOut && s.stopped(v.rec, now) != nil:
		s.update(func(*sessionState) {})
		return &s.view.Load().now
	}
	return &v.now
}

// Wait is Snapshot after waiting, until ctx ends, for what is about to be
// known: the first answer of the keychain, and a refresh without which the
// access token cannot be used. It starts that refresh where needed, but does
// not wait for a provider that has just failed. Run must be running.
func (s *Session) Wait(ctx context.Context) *Snapshot {
	var renewed <-chan struct{}
	for {
		turned, state := s.look()
		now := s.accounts.now()
		must := state.mustRenew(now) && s.stopped(state.rec, now) == nil
		switch {
		case state.loaded && !must:
			return s.Snapshot()
		case must && renewed == nil: // once: to ask is an update, which ends turned
			renewed = s.renew(ctx, true)
		}
		select {
		case <-ctx.Done():
			return s.Snapshot()
		case <-turned:
		case <-renewed:
			renewed = nil
		}
	}
}

// Changed returns a channel that is closed when the state, the user or the
// error has changed. Take it before the Snapshot that it is about, and take a
// new one each time:
//
//	for {
//		changed := session.Changed()
//		use(session.Snapshot())
//		<-changed
//	}
func (s *Session) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// AccessToken returns an access token with a minute left, or a tenth of its
// life where that is shorter. When the provider cannot renew it, one with more
// than five seconds left has to do. The error is [ErrSignedOut], the reason of
// state Degraded, or ctx's. Run must be running.
func (s *Session) AccessToken(ctx context.Context) (keychain.Secret, error) {
	s.Wait(ctx)
	_, state := s.look()
	if err := s.stopped(state.rec, s.accounts.now()); err != nil {
		return keychain.Secret{}, err
	}
	if state.canRenew(s.accounts.now()) && !s.fresh(state.rec, s.accounts.now()) {
		select {
		case <-s.renew(ctx, true):
		case <-ctx.Done():
		}
		_, state = s.look()
	}
	if rec := state.rec; rec != nil && rec.good(s.accounts.now()) {
		s.Used()
		s.shareUse(false)
		return rec.access, nil
	}
	snapshot := s.Snapshot()
	switch {
	case snapshot.State == Loading:
		return keychain.Secret{}, context.Cause(ctx)
	case snapshot.Err == nil:
		return keychain.Secret{}, ErrSignedOut
	}
	return keychain.Secret{}, snapshot.Err
}

// look returns the state as it is, with a channel that is closed when it is
// not so any more.
func (s *Session) look() (turned <-chan struct{}, state sessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turned, s.state
}

// update is the only place that changes the state.
func (s *Session) update(change func(*sessionState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.state.rec
	change(&s.state)
	if rec := s.state.rec; rec != nil && rec != before {
		// Twenty proxies that all read this record should not wake as one.
		s.state.aheadAt = rec.aheadAt().Add(rand.N(max(rec.lifetime()/20, 1)))
	}
	v := &view{rec: s.state.rec, now: s.snapshot(&s.state, s.accounts.now())}
	s.view.Store(v)
	close(s.turned)
	s.turned = make(chan struct{})
	if s.changes != nil {
		s.changes.Nudge() // something else may be due
	}
	if !sameFace(s.told, v.now) {
		s.told = v.now
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

func (s *Session) snapshot(st *sessionState, now time.Time) Snapshot {
	if !st.loaded {
		return Snapshot{State: Loading}
	}
	if err := s.stopped(st.rec, now); err != nil {
		return Snapshot{State: SignedOut, Err: err}
	}
	snapshot := snapshotOf(st.rec, st.loadErr, st.renewErr, now)
	if snapshot.State == SignedIn {
		snapshot.Err = st.unsaved
	}
	return snapshot
}

// tick does what has become due.
func (s *Session) tick(ctx context.Context) {
	now := s.accounts.now()
	_, state := s.look()
	if s.shared.Generation() != state.seen || state.readErr != nil && !now.Before(state.readAt) {
		s.reload(ctx)
		_, state = s.look()
	}
	used := s.lastUse.Load()
	s.shareUse(false)
	called := s.looksOnly && s.lastUse.Load() != used
	if called || s.view.Load().now.State != s.snapshot(&state, now).State { // only time has passed
		s.update(func(*sessionState) {})
	}
	switch {
	case ctx.Err() != nil, state.renewing > 0, s.looksOnly:
	case s.outlived(state.rec, now) != nil:
		if !pauseHolds(state.pausedUntil, now) {
			s.expire(ctx)
		}
	case s.stopped(state.rec, now) != nil:
	case state.mustRenew(now):
		s.renew(ctx, true)
	case state.shouldRenew(now):
		s.renew(ctx, false)
	}
}

// canRenew tells whether there is something to refresh with, and the provider
// may be asked.
func (st *sessionState) canRenew(now time.Time) bool {
	return st.rec != nil && st.rec.renewable() && !pauseHolds(st.pausedUntil, now)
}

// mustRenew tells whether the access token is of no use without a refresh, and
// one is under way or may be started.
func (st *sessionState) mustRenew(now time.Time) bool {
	return st.canRenew(now) && !st.rec.good(now)
}

// shouldRenew tells whether it is time to refresh ahead of time, or to store
// what could not be stored before.
func (st *sessionState) shouldRenew(now time.Time) bool {
	if st.unsaved != nil {
		return !pauseHolds(st.pausedUntil, now)
	}
	return st.canRenew(now) && !now.Before(st.aheadAt)
}

// reload reads the store. The generation is read first: whatever is written
// after that is seen at the next tick.
func (s *Session) reload(ctx context.Context) {
	seen := s.shared.Generation()
	s.seeLock()
	s.shareUse(false)
	if !s.looksOnly {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, keychainTimeout)
		defer cancel()
	}
	rec, err := s.accounts.load(ctx, s.client)
	s.update(func(st *sessionState) {
		st.seen, st.loaded = seen, true
		if s.looksOnly {
			st.rec = nil
		}
		if err != nil && !errors.Is(err, ErrSignedOut) {
			st.unreadable(err, s.accounts.now())
			return
		}
		st.adopt(rec, err)
	})
}

// unreadable keeps what is in memory: a keychain that got locked must not end
// the work of a proxy whose token is still good.
func (st *sessionState) unreadable(err error, now time.Time) {
	if st.rec == nil {
		st.loadErr = err
	}
	st.readErr = err
	st.readAt = now.Add(readBackoff(st.readFailures))
	st.readFailures++
}

// readBackoff doubles from a second to maxReadBackoff.
func readBackoff(failures int) time.Duration {
	return min(time.Second<<min(failures, 10), maxReadBackoff)
}

// adopt takes over what the store holds.
func (st *sessionState) adopt(rec *record, err error) {
	st.readErr, st.readFailures, st.loadErr = nil, 0, err
	if st.unsaved != nil && rec != nil && rec.sameTokens(st.replaces) {
		return // the store is behind: ours could not be written yet
	}
	st.unsaved, st.replaces = nil, nil
	if rec != nil && st.rec != nil && rec.sameTokens(st.rec) && rec.dead == st.rec.dead {
		st.rec = rec // perhaps with a newer profile; what is known of the provider stays
		return
	}
	st.rec, st.renewErr, st.renewFailures, st.pausedUntil = rec, nil, 0, time.Time{}
}

// drain waits for refreshes in flight, which are bounded by themselves.
func (s *Session) drain() {
	for {
		turned, state := s.look()
		if state.renewing == 0 {
			return
		}
		<-turned
	}
}
