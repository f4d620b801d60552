package identity

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

// running starts a session, as a proxy does.
func (w *world) running(t *testing.T, a *Accounts) *Session {
	t.Helper()
	s := a.Session(w.client)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

// becomes waits for a state, as a proxy does, by Changed.
func becomes(t *testing.T, s *Session, what string, ok func(Snapshot) bool) Snapshot {
	t.Helper()
	deadline := time.After(soon)
	for {
		changed := s.Changed()
		snapshot := *s.Snapshot()
		if ok(snapshot) {
			return snapshot
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s: still %+v", what, snapshot)
		}
	}
}

func inState(state State) func(Snapshot) bool {
	return func(s Snapshot) bool { return s.State == state }
}

func TestSessionSeesLoginAndLogoutWithinASecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.accounts.testOnlyWatchEvery = 0
	s := w.accounts.Session(w.client)
	if s.Snapshot().State != Loading {
		t.Errorf("before Run: %+v", s.Snapshot())
	}
	s = w.running(t, w.accounts)
	if got := s.Wait(t.Context()); got.State != SignedOut || got.Err != nil {
		t.Fatalf("nobody: %+v", got)
	}
	if _, err := s.AccessToken(t.Context()); !errors.Is(err, ErrSignedOut) {
		t.Errorf("token of nobody: %v", err)
	}
	w.signedIn(t)
	since := time.Now()
	if got := becomes(t, s, "login", inState(SignedIn)); got.User.Email != "ada@example.com" || got.Err != nil {
		t.Errorf("%+v", got)
	}
	if took := time.Since(since); took > time.Second {
		t.Errorf("login was seen after %s", took)
	}
	token, err := s.AccessToken(t.Context())
	if err != nil || !w.idp.Active(token.Reveal()) {
		t.Errorf("token: %v", err)
	}
	if _, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{}); err != nil {
		t.Fatal(err)
	}
	since = time.Now()
	if got := becomes(t, s, "logout", inState(SignedOut)); got.User.Sub != "" {
		t.Errorf("%+v", got)
	}
	if took := time.Since(since); took > time.Second {
		t.Errorf("logout was seen after %s", took)
	}
}

func TestSessionRefreshesAheadOfTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	s := w.running(t, w.accounts)
	before := s.Wait(t.Context())
	w.clock.advance(47 * time.Minute)
	if _, err := s.AccessToken(t.Context()); err != nil || w.idp.Count("refresh_token") != 0 {
		t.Errorf("at 78 %%: %v, %d refreshes", err, w.idp.Count("refresh_token"))
	}
	changed, generation := s.Changed(), s.shared.Generation()
	w.clock.advance(5 * time.Minute)
	eventually(t, "a refresh ahead of time", func() bool { return s.Snapshot().User.ExpiresAt > before.User.ExpiresAt })
	eventually(t, "other sessions to be told", func() bool { return s.shared.Generation() != generation })
	if s.Snapshot().State != SignedIn || w.idp.Count("refresh_token") != 1 {
		t.Errorf("%+v after %d refreshes", s.Snapshot(), w.idp.Count("refresh_token"))
	}
	select {
	case <-changed:
		t.Error("subscribers were told of a mere refresh")
	default:
	}
}

func TestSessionAfterTwelveHoursOfSleep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	s := w.running(t, w.accounts)
	s.Wait(t.Context())
	hold := make(chan struct{})
	w.idp.SetFault(fails("refresh_token", 1, demoidp.Fault{Wait: hold}))
	w.clock.advance(12 * time.Hour)
	if got := s.Snapshot(); got.State != Degraded || !errors.Is(got.Err, ErrExpired) || got.User.Sub != "ada" {
		t.Errorf("before anybody looked at the clock: %+v", got)
	}
	waited := make(chan *Snapshot, 1)
	go func() { waited <- s.Wait(t.Context()) }()
	eventually(t, "the refresh", func() bool { return w.idp.Count("refresh_token") == 1 })
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if got := s.Wait(short); got.State != Degraded {
		t.Errorf("Wait with a short patience: %+v", got)
	}
	close(hold)
	if got := receive(t, waited); got.State != SignedIn {
		t.Errorf("after the refresh: %+v", got)
	}
	if n := w.idp.Count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestSessionAfterTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	s := w.running(t, w.accounts)
	s.Wait(t.Context())
	w.clock.advance(-time.Hour)
	if got := s.Wait(t.Context()); got.State != SignedIn {
		t.Errorf("%+v", got)
	}
	if n := w.idp.Count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want 1 and no storm", n)
	}
}

// A step-up may change nothing but when and how the user signed in.
func TestSubscribersHearOfAnotherSignInOfTheSameUser(t *testing.T) {
	t.Parallel()
	for claim, value := range map[string]any{"auth_time": 1, "acr": "phr", "department": "lab"} {
		w := newWorld(t, signsInAlone())
		w.signedIn(t)
		s := w.running(t, w.accounts)
		s.Wait(t.Context())
		changed := s.Changed()
		w.idp.SetFault(func(endpoint string) demoidp.Fault {
			if endpoint != "id_token" {
				return demoidp.Fault{}
			}
			return demoidp.Fault{Edit: func(claims map[string]any) { claims[claim] = value }}
		})
		w.signedIn(t)
		select {
		case <-changed:
		case <-time.After(soon):
			t.Errorf("subscribers do not hear of another %s", claim)
		}
	}
}

func TestSessionWithoutRefreshTokenEnds(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.NoRefresh = true
	w := newWorld(t, o)
	w.signedIn(t)
	s := w.running(t, w.accounts)
	s.Wait(t.Context())
	changed := s.Changed()
	w.clock.advance(2 * time.Hour)
	select {
	case <-changed:
	case <-time.After(soon):
		t.Error("subscribers were not told that time has passed")
	}
	got := s.Wait(t.Context())
	if got.State != SignedOut || !errors.Is(got.Err, ErrSignedOut) {
		t.Errorf("%+v", got)
	}
	if ended := wantError[*EndedError](t, got.Err); ended.At.Unix() != w.stored(t).expiresAt.Unix() {
		t.Error(ended.At)
	}
}

func TestSessionKeepsItsTokenWhenTheKeychainIsLocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	s := w.running(t, w.accounts)
	s.Wait(t.Context())
	late := w.machine(t, w.accounts.stateDir)
	w.store.getFails.Store(&keychain.Error{Op: "get", Kind: keychain.Locked})
	if err := w.accounts.files(w.client).Bump(); err != nil {
		t.Fatal(err)
	}
	reads := w.store.gets.Load()
	eventually(t, "another read", func() bool { return w.store.gets.Load() > reads })
	if got := s.Snapshot(); got.State != SignedIn {
		t.Errorf("locked: %+v", got)
	}
	second := w.running(t, late)
	got := second.Wait(t.Context())
	if failure := wantError[*keychain.Error](t, got.Err); got.State != Degraded || failure.Kind != keychain.Locked {
		t.Errorf("started while locked: %+v", got)
	}
	w.store.getFails.Store(nil)
	becomes(t, second, "unlocked", inState(SignedIn))
}

func TestSessionOfAnotherIssuerNeverGetsTheTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	stolen := w.text(t)
	other := newWorld(t, signsInAlone())
	other.put(t, stolen) // as if under the right key
	s := other.running(t, other.accounts)
	got := s.Wait(t.Context())
	wantError[*RecordError](t, got.Err)
	if _, err := s.AccessToken(t.Context()); !errors.Is(err, ErrSignedOut) {
		t.Errorf("token: %v", err)
	}
	if other.idp.Count("refresh_token") != 0 {
		t.Error("the refresh token went to another provider")
	}
}

func TestReloginAdopts(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.Users = []demoidp.User{{Sub: "ada", Email: "ada@example.com"}, {Sub: "bob", Email: "bob@example.com"}}
	w := newWorld(t, o)
	w.signedIn(t)
	s := w.running(t, w.accounts)
	s.Wait(t.Context())
	w.idp.SetFault(fails("authorize", always, demoidp.Fault{}))
	ui := w.ui()
	ui.OpenURL = func(ctx context.Context, target string) error {
		w.browser.goTo(w.browser.enter(target) + "&login_hint=bob")
		return nil
	}
	if _, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: ui}); err != nil {
		t.Fatal(err)
	}
	becomes(t, s, "the new user", func(s Snapshot) bool { return s.State == SignedIn && s.User.Email == "bob@example.com" })
}

func TestWaitAndAccessTokenEndWithTheirContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	s := w.accounts.Session(w.client) // nobody runs it
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if got := s.Wait(ctx); got.State != Loading {
		t.Errorf("%+v", got)
	}
	if _, err := s.AccessToken(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestRunLetsARefreshFinish(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	old := w.stored(t)
	hold := make(chan struct{})
	w.idp.SetFault(fails("refresh_token", 1, demoidp.Fault{Wait: hold}))
	s := w.accounts.Session(w.client)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	w.clock.advance(2 * time.Hour)
	go func() { defer close(done); s.Run(ctx) }()
	eventually(t, "the refresh", func() bool { return w.idp.Count("refresh_token") == 1 })
	cancel()
	select {
	case <-done:
		t.Error("Run left a refresh behind")
	case <-time.After(50 * time.Millisecond):
	}
	close(hold)
	receive(t, done)
	if w.stored(t).sameTokens(old) {
		t.Error("the new tokens were lost")
	}
}

// The generation file must tell of every change, whatever the file system's
// clock can tell apart.
func TestGeneration(t *testing.T) {
	t.Parallel()
	f := stateFiles{generation: filepath.Join(t.TempDir(), "new", "x.gen")}
	seen := map[string]bool{f.Generation(): true}
	for range 50 {
		if err := f.Bump(); err != nil {
			t.Fatal(err)
		}
		if g := f.Generation(); seen[g] {
			t.Fatalf("%+v was there before", g)
		}
		seen[f.Generation()] = true
	}
}

func BenchmarkSnapshot(b *testing.B) {
	s := New(Options{}).Session(Client{})
	s.update(func(st *sessionState) { st.loaded, st.rec = true, aRecord(Client{}, time.Now()) })
	for b.Loop() {
		if s.Snapshot().State != SignedIn {
			b.Fatal("not signed in")
		}
	}
}
