package broker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// signIn is the session of a proxy from its first moment on, before the
// keychain was asked for anything: messages flow at once, and calls wait for it.
type signIn struct {
	opened  chan struct{} // closed when session or failed is set
	ended   chan struct{} // closed when the session does nothing any more
	session atomic.Pointer[identity.Session]
	failed  atomic.Pointer[identity.Snapshot]
}

// openSignIn starts to open a session. open may take as long as the keychain.
func openSignIn(ctx context.Context, open func(context.Context) (*identity.Session, error)) *signIn {
	s := &signIn{opened: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		session, err := open(ctx)
		if err != nil {
			s.failed.Store(&identity.Snapshot{State: identity.Troubled, Err: err})
			close(s.opened)
			return
		}
		s.session.Store(session)
		close(s.opened)
		session.Run(ctx)
	}()
	return s
}

// Snapshot implements session.
func (s *signIn) Snapshot() identity.Snapshot {
	if session := s.session.Load(); session != nil {
		return session.Snapshot()
	}
	if failed := s.failed.Load(); failed != nil {
		return *failed
	}
	return identity.Snapshot{State: identity.Loading}
}

// Wait implements session.
func (s *signIn) Wait(ctx context.Context) identity.Snapshot {
	select {
	case <-s.opened:
	case <-ctx.Done():
		return s.Snapshot()
	}
	if session := s.session.Load(); session != nil {
		return session.Wait(ctx)
	}
	return s.Snapshot()
}

// Changed returns a channel that is closed when the session has turned to
// another state or user. It is to be taken before the Snapshot it is about.
func (s *signIn) Changed() <-chan struct{} {
	if session := s.session.Load(); session != nil {
		return session.Changed()
	}
	if s.failed.Load() != nil {
		return nil // a session that could not be opened stays so
	}
	return s.opened
}

// Used tells the session that the person's client made a call, for the idle
// limit of its profile.
func (s *signIn) Used() {
	if session := s.session.Load(); session != nil {
		session.Used()
	}
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
