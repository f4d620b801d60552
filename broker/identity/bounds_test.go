package identity

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// outlivedSnapshot waits for a session that a limit has ended, with those words.
func outlivedSnapshot(t *testing.T, s *Session, words string) {
	t.Helper()
	becomes(t, s, "the end by "+words, func(got Snapshot) bool {
		var ended *EndedError
		return got.State == SignedOut && errors.As(got.Err, &ended) && strings.Contains(ended.Reason, words)
	})
}

func TestAbsoluteLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.AbsoluteLimit = 12 * time.Hour
	w.signedIn(t)
	s := w.running(t, w.accounts)
	becomes(t, s, "signed in", inState(SignedIn))
	changed := s.Changed()
	w.clock.advance(11 * time.Hour) // renewed as ever, and the limit does not move
	becomes(t, s, "a renewal", func(got Snapshot) bool { return got.State == SignedIn && w.idp.Count("refresh_token") == 1 })
	w.clock.advance(time.Hour)
	if got := s.Snapshot(); got.State != SignedOut { // at once, not at the next look
		t.Errorf("%+v", got)
	}
	outlivedSnapshot(t, s, "12 hours after a sign-in")
	receive(t, changed)
	if _, err := s.AccessToken(t.Context()); !errors.Is(err, ErrSignedOut) {
		t.Errorf("a token: %v", err)
	}
	if status, err := w.accounts.Status(t.Context(), w.client); err != nil || status.State != SignedOut || !errors.Is(status.Err, ErrSignedOut) {
		t.Errorf("status: %+v, %v", status, err)
	}
	if n := w.idp.Count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes of a sign-in that is over", n)
	}
	eventually(t, "the tokens are deleted", func() bool { return w.stored(t).access.IsZero() && w.stored(t).refresh.IsZero() })
	eventually(t, "and revoked", func() bool { return w.idp.Count("revocation") == 2 })
	outlivedSnapshot(t, s, "12 hours after a sign-in") // the reason stays
	w.signedIn(t)
	becomes(t, s, "a new sign-in", inState(SignedIn))
}

func TestIdleLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.IdleLimit = 30 * time.Minute
	w.signedIn(t)
	s, other := w.running(t, w.accounts), w.running(t, w.machine(t, w.accounts.stateDir))
	becomes(t, s, "signed in", inState(SignedIn))
	becomes(t, other, "signed in", inState(SignedIn))
	w.clock.advance(20 * time.Minute)
	s.Used()
	eventually(t, "the other process hears of the use", func() bool { return other.lastUse.Load() == s.lastUse.Load() })
	w.clock.advance(20 * time.Minute)
	for _, session := range []*Session{s, other} {
		if got := session.Snapshot(); got.State != SignedIn {
			t.Errorf("in use: %+v", got)
		}
	}
	w.clock.advance(11 * time.Minute)
	for _, session := range []*Session{s, other} {
		outlivedSnapshot(t, session, "30 minutes without a call")
	}
	if status, _ := w.accounts.Status(t.Context(), w.client); status.State != SignedOut {
		t.Errorf("status: %+v", status)
	}
	eventually(t, "the tokens are deleted", func() bool { return w.stored(t).refresh.IsZero() })
	w.client.IdleLimit = 0 // a new process, without the limit
	if status, _ := w.accounts.Status(t.Context(), w.client); status.State != SignedOut || !errors.As(status.Err, new(*EndedError)) {
		t.Errorf("without a limit: %+v", status)
	}
}

// mcpauth token runs no session that would see to it.
func TestAccessEndsWhatALimitIsOverFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.AbsoluteLimit = time.Hour
	w.signedIn(t)
	w.clock.advance(2 * time.Hour)
	if _, err := w.accounts.Access(t.Context(), w.client, 0); !errors.Is(err, ErrSignedOut) {
		t.Errorf("a token: %v", err)
	}
	if rec := w.stored(t); !rec.refresh.IsZero() || w.idp.Count("revocation") != 2 {
		t.Errorf("tokens are left, or %d revocations", w.idp.Count("revocation"))
	}
}

func TestSpell(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		7 * 24 * time.Hour: "7 days", 24 * time.Hour: "one day", 90 * time.Minute: "90 minutes", time.Hour: "one hour",
		1500 * time.Millisecond: "1.5s",
	} {
		if got := spell(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func isLocked(got Snapshot) bool {
	var locked *LockedError
	return got.State == SignedOut && errors.As(got.Err, &locked)
}

func TestLockCutsAndUnlockRestores(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	another := w.machine(t, w.accounts.stateDir)
	s := w.running(t, another)
	becomes(t, s, "signed in", inState(SignedIn))
	before := w.stored(t)
	if err := errors.Join(w.accounts.Lock(), w.accounts.Lock()); err != nil {
		t.Fatal(err)
	}
	becomes(t, s, "locked", isLocked)
	if _, err := s.AccessToken(t.Context()); !errors.Is(err, ErrSignedOut) {
		t.Errorf("a token: %v", err)
	}
	w.clock.advance(55 * time.Minute) // when it would be renewed
	if got := w.running(t, w.machine(t, w.accounts.stateDir)).Wait(t.Context()); !isLocked(*got) {
		t.Errorf("a new process: %+v", got)
	}
	if status, err := another.Status(t.Context(), w.client); err != nil || !isLocked(status.Snapshot) {
		t.Errorf("status: %+v, %v", status, err)
	}
	if _, err := another.Access(t.Context(), w.client, 0); !errors.Is(err, ErrSignedOut) {
		t.Errorf("a token alone: %v", err)
	}
	_, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: UI{OpenURL: never(t)}})
	wantError[*LockedError](t, err)
	if !w.stored(t).sameTokens(before) || w.idp.Count("authorize") != 1 {
		t.Error("the sign-in was touched")
	}

	w.clock.advance(time.Minute)
	user, err := another.Unlock(t.Context(), w.client, LoginOptions{UI: w.ui()})
	receive(t, w.browser.pages)
	if err != nil || user.AuthTime < w.clock.now().Add(-10*time.Second).Unix() {
		t.Errorf("%+v, %v", user, err)
	}
	becomes(t, s, "unlocked", inState(SignedIn))
}

func TestUnlockThatFailsLeavesTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	if err := w.accounts.Lock(); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(time.Hour)
	w.idp.SetFault(fails("id_token", always, demoidp.Fault{Edit: func(c map[string]any) { // the browser's old sign-in
		c["auth_time"] = w.clock.now().Add(-time.Hour).Unix()
	}}))
	_, err := w.accounts.Unlock(t.Context(), w.client, LoginOptions{UI: w.ui()})
	receive(t, w.browser.pages)
	if failure := wantError[*ProofError](t, err); !strings.Contains(failure.Why, "auth_time") || !w.accounts.Locked() {
		t.Errorf("%v, locked: %v", err, w.accounts.Locked())
	}
}

// A lock that cannot be seen is a lock.
func TestUnreadableLockIsALock(t *testing.T) {
	t.Parallel()
	file := func(path string) error { return os.WriteFile(path, nil, 0o600) }
	nowhere := func(path string) error { return os.Symlink(path+"-gone", path) }
	if runtime.GOOS == "windows" { // a link is a privilege there
		nowhere = file
	}
	for name, test := range map[string]struct {
		at     string // below a new folder
		make   func(string) error
		locked bool
	}{
		"no state folder yet":               {"", nil, false},
		"a file in its place":               {"home/state", file, true},
		"a file in the place of its home":   {"home", file, true},
		"a link that leads nowhere":         {"home/state", nowhere, true},
		"a home that leads nowhere":         {"home", nowhere, true},
		"a state folder with nothing in it": {"home/state", func(path string) error { return os.Mkdir(path, 0o700) }, false},
		"a lock that leads nowhere":         {"home/state/locked", nowhere, true},
	} {
		dir := t.TempDir()
		if test.make != nil {
			path := filepath.Join(dir, test.at)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), test.make(path)); err != nil {
				t.Fatal(err)
			}
		}
		a := &Accounts{stateDir: filepath.Join(dir, "home", "state")}
		if a.Locked() != test.locked {
			t.Errorf("%s: locked is %v", name, a.Locked())
		}
	}
}
