package identity

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// Status tells of the client's sign-in from the keychain alone, without the
// network. An access token that is over but can be renewed is Degraded with
// [ErrExpired]. The error is the keychain's, and then the state is Degraded, or
// SignedOut while mcpauth is locked.
func (a *Accounts) Status(ctx context.Context, c Client) (Status, error) {
	s := a.watcher(c)
	s.reload(ctx)
	return s.status(), s.readError()
}

// Watch follows the client's sign-in as Status tells of it, for a program that
// shows it: it asks no provider and renews nothing. The channel holds the newest
// status only. The first comes as soon as the keychain has answered, or as
// Loading when it takes its time; each later one within a second after something
// in it has changed, in whatever process or by time alone. The channel
// is closed after ctx has ended.
func (a *Accounts) Watch(ctx context.Context, c Client) <-chan Status {
	out := make(chan Status, 1)
	go func() {
		defer close(out)
		s := a.watcher(c)
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		defer running.Wait()
		s.tell(ctx, out)
	}()
	return out
}

// watcher is a session that only looks: it renews nothing and ends nothing.
func (a *Accounts) watcher(c Client) *Session {
	s := a.Session(c)
	s.looksOnly = true
	return s
}

// tell sends each status that differs from the one before.
func (s *Session) tell(ctx context.Context, out chan Status) {
	slow := time.After(cmp.Or(s.accounts.testOnlyWatchEvery, watchEvery))
	var last *Status
	for loading := false; ctx.Err() == nil; {
		turned, state := s.look()
		if now := s.status(); (state.loaded || loading) && (last == nil || !now.same(*last)) {
			last = &now
			select {
			case <-out: // nobody has taken the one before
			default:
			}
			out <- now
		}
		select {
		case <-ctx.Done():
		case <-turned:
		case <-slow:
			loading = true
		}
	}
}

// status is what the session knows, for people.
func (s *Session) status() Status {
	status := Status{StoredIn: s.accounts.store.Name(), Snapshot: *s.Snapshot()}
	if _, state := s.look(); state.rec != nil {
		status.ObtainedAt = state.rec.obtainedAt
		status.ExpiresAt = state.rec.expiresAt
		status.SignedInAt = state.rec.signedInAt
		status.HasRefreshToken = state.rec.renewable()
		status.ACR = state.rec.acr
		status.EndsAt = s.client.endOf(state.rec, s.lastUsed())
	}
	return status
}

// same reports whether two look the same to the user.
func (s Status) same(other Status) bool {
	return sameFace(s.Snapshot, other.Snapshot) && s.StoredIn == other.StoredIn && s.ACR == other.ACR &&
		s.HasRefreshToken == other.HasRefreshToken && s.ObtainedAt.Equal(other.ObtainedAt) && s.ExpiresAt.Equal(other.ExpiresAt) &&
		s.SignedInAt.Equal(other.SignedInAt) && s.EndsAt.Equal(other.EndsAt)
}
