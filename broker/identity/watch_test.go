package identity

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/keychain"
)

// shows waits for a status that is as wanted, and returns it.
func shows(t *testing.T, watched <-chan Status, what string, ok func(Status) bool) Status {
	t.Helper()
	deadline := time.After(soon)
	var last Status
	for {
		select {
		case status, open := <-watched:
			if !open {
				t.Fatalf("%s: the channel was closed after %+v", what, last)
			}
			if last = status; ok(status) {
				return status
			}
		case <-deadline:
			t.Fatalf("%s: still %+v", what, last)
		}
	}
}

// watching watches from another process than the one that signs in.
func (w *world) watching(t *testing.T) <-chan Status {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	watched := w.machine(t, w.accounts.stateDir).Watch(ctx, w.client)
	t.Cleanup(func() {
		cancel()
		for range watched { // goleak sees whether it is closed
		}
	})
	return watched
}

func TestWatchTellsOfAllThatHappensToASignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.IdleLimit = 10 * time.Hour
	watched := w.watching(t)
	shows(t, watched, "nobody", func(s Status) bool { return s.State == SignedOut && s.Err == nil })
	w.signedIn(t)
	first := shows(t, watched, "login", func(s Status) bool { return s.State == SignedIn && s.User.Sub == "ada" && !s.EndsAt.IsZero() })
	w.clock.advance(50 * time.Minute)
	if _, err := w.accounts.Access(t.Context(), w.client, 30*time.Minute); err != nil {
		t.Fatal(err)
	}
	shows(t, watched, "refresh and use", func(s Status) bool {
		return s.State == SignedIn && s.ExpiresAt.After(first.ExpiresAt) && s.EndsAt.After(first.EndsAt)
	})
	if err := w.accounts.Lock(); err != nil {
		t.Fatal(err)
	}
	shows(t, watched, "lock", func(s Status) bool { return s.State == SignedOut && errors.As(s.Err, new(*LockedError)) })
	if err := w.accounts.LiftLock(); err != nil {
		t.Fatal(err)
	}
	shows(t, watched, "unlock", func(s Status) bool { return s.State == SignedIn })
	w.clock.advance(2 * time.Hour)
	shows(t, watched, "the end of the access token", func(s Status) bool { return s.State == Degraded && errors.Is(s.Err, ErrExpired) })
	w.clock.advance(9 * time.Hour)
	shows(t, watched, "the idle limit", func(s Status) bool { return s.State == SignedOut && errors.As(s.Err, new(*EndedError)) })
	if _, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{}); err != nil {
		t.Fatal(err)
	}
	shows(t, watched, "logout", func(s Status) bool { return s.State == SignedOut && s.Err == nil })
	if n := w.idp.Count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes: watching must not renew", n)
	}
}

func TestWatchIsQuietWhileNothingChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	watched := w.watching(t)
	shows(t, watched, "somebody", func(s Status) bool { return s.State == SignedIn })
	gets := w.store.gets.Load()
	if err := w.accounts.files(w.client).Bump(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the keychain to be read again", func() bool { return w.store.gets.Load() > gets })
	if err := w.accounts.Lock(); err != nil {
		t.Fatal(err)
	}
	if s := receive(t, watched); !errors.As(s.Err, new(*LockedError)) {
		t.Errorf("told of no change: %+v", s)
	}
}

func TestWatchWhileTheKeychainDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	hold := make(chan struct{})
	w.store.holds.Store(&hold)
	watched := w.watching(t)
	shows(t, watched, "waiting", func(s Status) bool { return s.State == Loading })
	w.store.getFails.Store(&keychain.Error{Op: "get", Kind: keychain.Locked})
	close(hold)
	shows(t, watched, "trouble", func(s Status) bool { return s.State == Degraded })
	w.store.getFails.Store(nil)
	w.clock.advance(maxReadBackoff)
	shows(t, watched, "the keychain again", func(s Status) bool { return s.State == SignedIn })
}
