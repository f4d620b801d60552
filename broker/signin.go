package broker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// signIn is the session of a proxy from its first moment on, before the
// configuration and the keychain were asked for anything: messages flow at
// once, and calls wait for it. One that cannot be opened is tried again, because
// the user fixes what is missing, often by the first login of all.
type signIn struct {
	ended   chan struct{} // closed when the session does nothing any more
	session atomic.Pointer[openSession]

	mu      sync.Mutex
	failed  *identity.Snapshot // why there is no session yet; Loading before it was tried
	changed chan struct{}      // closed when failed changes or the session is there
}

// openSession is a session and the profile that it is of.
type openSession struct {
	*identity.Session
	profile string
}

// tryAgain is how long a session that cannot be opened rests: running proxies
// shall follow a login within a second.
const tryAgain = 500 * time.Millisecond

// openSignIn starts to open a session and keeps it up to date until ctx ends.
// open may take as long as the keychain.
func openSignIn(ctx context.Context, open func(context.Context) (*openSession, error)) *signIn {
	s := &signIn{ended: make(chan struct{}), changed: make(chan struct{}), failed: &identity.Snapshot{}}
	go func() {
		defer close(s.ended)
		for ctx.Err() == nil {
			session, err := open(ctx)
			if err == nil {
				s.session.Store(session)
				s.turn(&identity.Snapshot{})
				session.Run(ctx)
				return
			}
			s.turn(&identity.Snapshot{State: identity.Degraded, Err: err})
			select {
			case <-time.After(tryAgain):
			case <-ctx.Done():
			}
		}
	}()
	return s
}

// turn wakes those who wait.
func (s *signIn) turn(now *identity.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed.Err != nil && now.Err != nil && s.failed.Err.Error() == now.Err.Error() {
		return
	}
	s.failed = now
	close(s.changed)
	s.changed = make(chan struct{})
}

// Profile is the name of the profile, empty as long as it is not known.
func (s *signIn) Profile() string {
	if session := s.session.Load(); session != nil {
		return session.profile
	}
	return ""
}

// Snapshot implements [gate.SignIn].
func (s *signIn) Snapshot() *identity.Snapshot {
	if session := s.session.Load(); session != nil {
		return session.Snapshot()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Wait implements [gate.SignIn].
func (s *signIn) Wait(ctx context.Context) *identity.Snapshot {
	for {
		changed := s.Changed()
		if session := s.session.Load(); session != nil {
			return session.Wait(ctx)
		}
		if now := s.Snapshot(); now.State != identity.Loading {
			return now
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s.Snapshot()
		}
	}
}

// Used tells the session that the person's client made a call that was let
// through, which is what keeps the idle limit of its profile from being reached.
func (s *signIn) Used() {
	if session := s.session.Load(); session != nil {
		session.Used()
	}
}

// Changed returns a channel that is closed when the session has turned to
// another state or user. The caller takes it before the Snapshot that it is about.
func (s *signIn) Changed() <-chan struct{} {
	if session := s.session.Load(); session != nil {
		return session.Changed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// settling bounds the wait at the end of a proxy. AI clients kill one that
// takes longer than about 4 s, so waiting longer would save nothing.
const settling = 3 * time.Second

// settle waits, after the context of the session has ended, for a refresh that
// is under way: leaving between the provider's answer and the keychain would
// lose a rotated refresh token, and with it the sign-in of all.
func (s *signIn) settle() {
	select {
	case <-s.ended:
	case <-time.After(settling):
	}
}
