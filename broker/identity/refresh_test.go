package identity

import (
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

var asJSON = http.Header{"Content-Type": {"application/json"}}

// expired returns a world in which somebody signed in two hours ago.
func expired(t *testing.T, o demoidp.Options) *world {
	t.Helper()
	w := newWorld(t, o)
	w.signedIn(t)
	w.clock.advance(2 * time.Hour)
	return w
}

// Twenty proxies without the protocol are nineteen invalid_grant and a family
// that the provider revokes.
func TestManySessionsOneRefresh(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	var sessions []*Session
	for range 8 { // each with its own single-flight, as a process has
		sessions = append(sessions, w.running(t, w.machine(t, w.accounts.stateDir)))
	}
	var all sync.WaitGroup
	tokens := make([]string, 4*len(sessions))
	for i := range tokens {
		all.Go(func() {
			token, err := sessions[i%len(sessions)].AccessToken(t.Context())
			if err != nil {
				t.Error(err)
			}
			tokens[i] = token.Reveal()
		})
	}
	all.Wait()
	if n := w.idp.Count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	for _, token := range tokens {
		if token != tokens[0] || !w.idp.Active(token) {
			t.Fatal("the sessions do not have the same live token")
		}
	}
}

func TestRefreshTroubleKeepsEverything(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]demoidp.Fault{
		"503":            {Status: 503, Body: "CANARY-body"},
		"429":            {Status: 429, Header: http.Header{"Retry-After": {"7200"}}},
		"captive portal": {Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<b>CANARY-body</b>"},
		"portal, 302":    {Status: 302, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}},
		"portal, 403":    {Status: 403, Header: http.Header{"Content-Type": {"text/html"}}, Body: "CANARY-body"},
		"empty":          {Status: 200, Header: asJSON},
		"no token":       {Status: 200, Header: asJSON, Body: `{"token_type":"Bearer"}`},
		"cut":            {Drop: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.signedIn(t)
			old := w.stored(t)
			w.idp.SetFault(fails("refresh_token", 1, fault))
			s := w.running(t, w.accounts)
			s.Wait(t.Context())
			w.clock.advance(52 * time.Minute) // ahead of time: the token is still good
			eventually(t, "an attempt in vain", func() bool { _, state := s.look(); return state.renewFailures == 1 && state.renewing == 0 })
			if token, err := s.AccessToken(t.Context()); err != nil || token != old.access {
				t.Errorf("the good token was not used: %v", err)
			}
			if !w.stored(t).sameTokens(old) {
				t.Error("the stored tokens were touched")
			}
			w.clock.advance(2 * time.Minute) // the trouble is over, and so is any pause
			eventually(t, "recovery", func() bool { return w.idp.Count("refresh_token") == 2 && !w.stored(t).sameTokens(old) })
		})
	}
}

func TestRefreshTroubleWithAnExpiredToken(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	w.idp.SetFault(fails("refresh_token", always, demoidp.Fault{Status: 503, Header: http.Header{"Retry-After": {"7200"}}}))
	s := w.running(t, w.accounts)
	got := s.Wait(t.Context())
	w.heard(got.Err)
	down := wantError[*UnreachableError](t, got.Err)
	if got.State != Degraded || got.User.Sub != "ada" || down.RetryAfter != maxRetryAfter {
		t.Errorf("%+v", got)
	}
	if _, err := s.AccessToken(t.Context()); !errors.Is(err, down) && err.Error() != down.Error() {
		t.Errorf("token: %v", err)
	}
	second := w.running(t, w.machine(t, w.accounts.stateDir)) // the pause is everybody's
	if got := second.Wait(t.Context()); got.State != Degraded {
		t.Errorf("another process: %+v", got)
	}
	if n := w.idp.Count("refresh_token"); n != 1 {
		t.Errorf("%d requests within the minute that the provider asked for", n)
	}
	w.idp.SetFault(nil)
	w.clock.advance(2 * time.Minute)
	becomes(t, s, "recovery", inState(SignedIn))
}

func TestUnreachableProviderOnRefreshIsNoLogout(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	if err := w.idp.Close(); err != nil {
		t.Fatal(err)
	}
	got := w.running(t, w.accounts).Wait(t.Context())
	wantError[*UnreachableError](t, got.Err)
	if got.State != Degraded {
		t.Errorf("%+v", got)
	}
}

func TestInvalidGrantEndsTheSignInOnce(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	w.idp.SetFault(fails("refresh_token", always, demoidp.Fault{Status: 400, Header: asJSON,
		Body: `{"error":"invalid_grant","error_description":"` + w.stored(t).refresh.Reveal() + ` is over"}`}))
	s, other := w.running(t, w.accounts), w.running(t, w.machine(t, w.accounts.stateDir))
	for _, session := range []*Session{s, other} {
		got := session.Wait(t.Context())
		w.heard(got.Err)
		wantError[*EndedError](t, got.Err)
		if got.State != SignedOut || !strings.Contains(got.Err.Error(), "invalid_grant ([redacted] is over)") {
			t.Errorf("%+v", got)
		}
	}
	rec := w.stored(t)
	if rec.dead == "" || !rec.refresh.IsZero() || !rec.access.IsZero() {
		t.Error("the record is not marked as over")
	}
	w.clock.advance(time.Hour)
	w.running(t, w.machine(t, w.accounts.stateDir)).Wait(t.Context())
	if n := w.idp.Count("refresh_token"); n != 1 {
		t.Errorf("%d requests, want 1 and no loop", n)
	}
	status, err := w.accounts.Status(t.Context(), w.client)
	if err != nil || status.State != SignedOut || status.SignedInAt.IsZero() || status.HasRefreshToken {
		t.Errorf("status %+v, %v", status, err)
	}
	w.idp.SetFault(nil)
	w.signedIn(t)
	becomes(t, s, "a new sign-in", inState(SignedIn))
}

// Somebody signs in anew without our seeing it, as from a machine whose lock
// is another: what is stored counts, and not what we sent.
func TestInvalidGrantAfterAReloginAdopts(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	fresh := aRecord(w.client, w.clock.now())
	w.idp.SetFault(func(endpoint string) demoidp.Fault {
		if endpoint == "refresh_token" {
			if err := w.accounts.save(context.Background(), w.client, fresh); err != nil {
				t.Error(err)
			}
			return demoidp.Fault{Status: 400, Header: asJSON, Body: `{"error":"invalid_grant"}`}
		}
		return demoidp.Fault{}
	})
	s := w.running(t, w.accounts)
	token, err := s.AccessToken(t.Context())
	if err != nil || token != fresh.access {
		t.Errorf("%v, %+v", err, s.Snapshot())
	}
	if w.stored(t).dead != "" {
		t.Error("the new sign-in was marked as over")
	}
}

func TestOtherRefusalsAreNoEnd(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	w.idp.SetFault(fails("refresh_token", always, demoidp.Fault{Status: 401, Header: asJSON, Body: `{"error":"invalid_client"}`}))
	got := w.running(t, w.accounts).Wait(t.Context())
	if refused := wantError[*ProviderError](t, got.Err); refused.Step != "refresh" || got.State != Degraded {
		t.Errorf("%+v", got)
	}
	if w.stored(t).refresh.IsZero() {
		t.Error("the refresh token is gone")
	}
}

func TestLostRefreshAnswer(t *testing.T) {
	t.Parallel()
	t.Run("within the grace", func(t *testing.T) {
		t.Parallel()
		o := signsInAlone()
		o.Grace = 30 * time.Second
		w := expired(t, o)
		w.idp.SetFault(fails("refresh_token", 1, demoidp.Fault{Lost: true}))
		becomes(t, w.running(t, w.accounts), "recovery", inState(SignedIn))
		if n := w.idp.Count("refresh_token"); n != 2 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("without a grace", func(t *testing.T) {
		t.Parallel()
		w := expired(t, signsInAlone())
		w.idp.SetFault(fails("refresh_token", 1, demoidp.Fault{Lost: true}))
		becomes(t, w.running(t, w.accounts), "the end", inState(SignedOut))
		if n := w.idp.Count("refresh_token"); n != 2 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestRefreshWithoutRotationKeepsTheToken(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.NoRotation = true
	w := expired(t, o)
	old := w.stored(t)
	s := w.running(t, w.accounts)
	if got := s.Wait(t.Context()); got.State != SignedIn {
		t.Fatalf("%+v", got)
	}
	if rec := w.stored(t); rec.refresh != old.refresh || rec.access == old.access || !rec.signedInAt.Equal(old.signedInAt) {
		t.Error("not the old refresh token with a new access token")
	}
}

func TestRefreshedIDToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault demoidp.Fault
		what  string
		ours  bool // the new refresh token is kept: the old one is good no more
	}{
		"another sub":   {claim("sub", "eve"), "sub", false},
		"another aud":   {claim("aud", "x"), "aud", false},
		"another iss":   {claim("iss", "https://evil.example"), "iss", false},
		"not signed":    {demoidp.Fault{Signature: demoidp.AlgNone}, "signature", true},
		"other at_hash": {claim("at_hash", "AAAA"), "at_hash", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := expired(t, signsInAlone())
			old := w.stored(t)
			w.idp.SetFault(fails("id_token", 1, test.fault))
			s := w.running(t, w.accounts)
			got := s.Wait(t.Context())
			wantError[*VerifyError](t, got.Err)
			if got.State != Degraded || got.User.Sub != "ada" || !strings.Contains(got.Err.Error(), test.what) {
				t.Errorf("%+v", got)
			}
			now := w.stored(t)
			if now.access != old.access || !samePerson(now.user, old.user) || (now.refresh != old.refresh) != test.ours {
				t.Errorf("stored: %+v", now)
			}
		})
	}
}

func TestRefreshedClaims(t *testing.T) {
	t.Parallel()
	refreshed := func(t *testing.T, o demoidp.Options, edit map[string]func(map[string]any)) User {
		w := expired(t, o)
		w.idp.SetFault(func(endpoint string) demoidp.Fault { return demoidp.Fault{Edit: edit[endpoint]} })
		s := w.running(t, w.accounts)
		if got := s.Wait(t.Context()); got.State != SignedIn {
			t.Fatalf("%+v", got)
		}
		var user User
		eventually(t, "the end of the refresh", func() bool {
			_, state := s.look()
			user = w.stored(t).user
			return state.renewing == 0 && cmp.Equal(user, s.Snapshot().User)
		})
		user.AuthTime, user.ExpiresAt = 0, 0
		user.Issuer = ""
		return user
	}
	want := ada(&world{idp: &demoidp.Server{}})
	slim := signsInAlone()
	slim.SlimIDToken = true
	t.Run("taken out of a group, by the ID token", func(t *testing.T) {
		t.Parallel()
		want := want
		want.Groups = []string{}
		got := refreshed(t, signsInAlone(), map[string]func(map[string]any){
			"id_token": func(c map[string]any) { delete(c, "groups"); delete(c, "name"); delete(c, "auth_time") }})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("taken out of a group, by userinfo", func(t *testing.T) {
		t.Parallel()
		want := want
		want.Groups = []string{"engineering"}
		got := refreshed(t, slim, map[string]func(map[string]any){
			"userinfo": func(c map[string]any) { c["groups"] = []string{"engineering"} }})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("taken out of the last group, by userinfo", func(t *testing.T) {
		t.Parallel()
		want := want
		want.Groups = []string{}
		got := refreshed(t, slim, map[string]func(map[string]any){"userinfo": func(c map[string]any) { delete(c, "groups") }})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("userinfo about somebody else", func(t *testing.T) {
		t.Parallel()
		got := refreshed(t, slim, map[string]func(map[string]any){
			"userinfo": func(c map[string]any) { c["sub"], c["groups"] = "eve", []string{"root"} }})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("no ID token", func(t *testing.T) {
		t.Parallel()
		got := refreshed(t, signsInAlone(), map[string]func(map[string]any){"refresh_token": func(doc map[string]any) {
			delete(doc, "id_token")
			delete(doc, "scope")
			doc["expires_in"] = "3600" // as PayPal
		}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Keys that cannot be fetched must not cost the rotated token.
func TestRefreshWhileTheKeysAreOutOfReach(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	w.idp.SetFault(fails("jwks", always, demoidp.Fault{Status: 503}))
	if got := w.running(t, w.accounts).Wait(t.Context()); got.State != SignedIn || got.User.Sub != "ada" {
		t.Errorf("%+v", got)
	}
	if !w.idp.Active(w.stored(t).refresh.Reveal()) {
		t.Error("the rotated token was lost")
	}
}

func TestRefreshSendsTheResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.Resource = "https://mcp.example.com"
	w.signedIn(t)
	w.clock.advance(2 * time.Hour)
	w.client.Resource = "https://other.example.com" // which the provider refuses, so it was sent
	got := w.running(t, w.accounts).Wait(t.Context())
	if refused := wantError[*ProviderError](t, got.Err); refused.Code != "invalid_target" {
		t.Error(refused)
	}
}

func TestKeychainThatFailsAfterARefresh(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	old := w.stored(t)
	w.store.setFails.Store(&keychain.Error{Op: "set", Kind: keychain.Timeout})
	s := w.running(t, w.accounts)
	got := s.Wait(t.Context())
	w.heard(got.Err)
	if got.State != SignedIn {
		t.Fatalf("the new token is not used: %+v", got)
	}
	wantError[*keychain.Error](t, got.Err)
	if !w.stored(t).sameTokens(old) {
		t.Fatal("stored, though the keychain failed")
	}
	w.store.setFails.Store(nil)
	w.clock.advance(2 * time.Second)
	becomes(t, s, "stored at last", func(s Snapshot) bool { return s.State == SignedIn && s.Err == nil })
	if rec := w.stored(t); !w.idp.Active(rec.refresh.Reveal()) || w.idp.Count("refresh_token") != 1 {
		t.Errorf("%d refreshes, and what is stored is not what came", w.idp.Count("refresh_token"))
	}
}

// A sign-in elsewhere is newer than what could not be stored.
func TestUnstoredRefreshGivesWayToALogin(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	w.store.setFails.Store(&keychain.Error{Op: "set", Kind: keychain.Timeout})
	s := w.running(t, w.accounts)
	s.Wait(t.Context())
	w.store.setFails.Store(nil)
	fresh := aRecord(w.client, w.clock.now())
	if err := w.accounts.save(t.Context(), w.client, fresh); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(2 * time.Second)
	becomes(t, s, "adoption", func(s Snapshot) bool { return s.Err == nil })
	if !w.stored(t).sameTokens(fresh) {
		t.Error("the sign-in was overwritten")
	}
}

func TestHolderOfTheLockIsWaitedForOnlyInNeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	unlock, err := sharedfile.Lock(t.Context(), w.accounts.files(w.client).lock)
	if err != nil {
		t.Fatal(err)
	}
	s := w.running(t, w.accounts)
	s.Wait(t.Context())
	w.clock.advance(55 * time.Minute)
	eventually(t, "somebody else to be left to it", func() bool { _, st := s.look(); return !st.pausedUntil.IsZero() })
	if got := s.Snapshot(); got.State != SignedIn || got.Err != nil {
		t.Errorf("%+v", got)
	}
	w.clock.advance(time.Hour)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := s.Wait(short); got.State != Degraded {
		t.Errorf("%+v", got)
	}
	if n := w.idp.Count("refresh_token"); n != 0 {
		t.Errorf("%d refreshes without the lock", n)
	}
	unlock()
	if got := s.Wait(t.Context()); got.State != SignedIn {
		t.Errorf("%+v", got)
	}
}

// The lock is free while a browser is open, or every proxy would stand still.
func TestLoginDoesNotHoldTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	ui := w.ui()
	ui.OpenURL = func(ctx context.Context, target string) error {
		unlock, ok, err := sharedfile.TryLock(w.accounts.files(w.client).lock)
		if err != nil || !ok {
			t.Errorf("taken: %v", err)
			return w.browser.open(ctx, target)
		}
		unlock()
		return w.browser.open(ctx, target)
	}
	if _, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: ui}); err != nil {
		t.Fatal(err)
	}
	receive(t, w.browser.pages)
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 7: maxPause, 1000: maxPause} {
		if got := backoff(failures, nil); got < want*4/5 || got > min(want*6/5, maxPause) {
			t.Errorf("after %d failures %s, want about %s", failures, got, want)
		}
	}
	if got := backoff(1, &UnreachableError{RetryAfter: 40 * time.Second}); got != 40*time.Second {
		t.Error(got)
	}
}

// A pause file from a clock that was wrong must not stop the refreshing.
func TestPauseIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	f, now := w.accounts.sharedOf(w.client), time.Now()
	for after, want := range map[time.Duration]bool{-time.Second: false, 30 * time.Second: true, time.Hour: false} {
		f.Pause(now.Add(after))
		if got := pauseHolds(f.PausedUntil(), now); got != want {
			t.Errorf("a pause until %s from now holds: %v", after, got)
		}
	}
}

func TestStateFilesArePrivateAndSayNothing(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	w.idp.SetFault(fails("refresh_token", 1, demoidp.Fault{Status: 503}))
	w.running(t, w.accounts).Wait(t.Context())
	unix := runtime.GOOS != "windows" // where the folder's own rights decide
	dir, err := os.Stat(w.accounts.stateDir)
	if err != nil || unix && dir.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", dir.Mode(), err)
	}
	files, err := os.ReadDir(w.accounts.stateDir)
	if err != nil || len(files) != 4 {
		t.Errorf("%v, %v", files, err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || unix && info.Mode().Perm() != 0o600 || info.Size() > 2 {
			t.Errorf("%s: %v %d, %v", file.Name(), info.Mode(), info.Size(), err)
		}
	}
}

// A token that is sent somewhere needs more time left than one whose user is
// merely told, but one with little left is better than none.
func TestAccessTokenWithLittleLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	s := w.accounts.Session(w.client)
	s.reload(t.Context()) // Run would refresh ahead of time
	old := w.stored(t).access
	w.clock.advance(59*time.Minute + 30*time.Second)
	w.idp.SetFault(fails("refresh_token", 1, demoidp.Fault{Status: 503}))
	if token, err := s.AccessToken(t.Context()); err != nil || token != old {
		t.Errorf("provider in trouble: %v, the old token %v", err, token == old)
	}
	w.clock.advance(2 * time.Second)
	if token, err := s.AccessToken(t.Context()); err != nil || token == old || w.idp.Count("refresh_token") != 2 {
		t.Errorf("with 28 s left: %v, the old token %v", err, token == old)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "99999999999999999999": 0, "7200": maxRetryAfter,
		now.Add(-time.Hour).UTC().Format(http.TimeFormat): 0, now.Add(time.Hour).UTC().Format(http.TimeFormat): maxRetryAfter,
	} {
		a := &answer{header: http.Header{"Retry-After": {value}}}
		if got := a.retryAfter(now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

// The ID token of the record is one that was verified, and the newest of these:
// it says to a provider whose session ends, and to a policy what is claimed.
func TestKeptIDToken(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	first := w.stored(t).idToken
	s := w.running(t, w.accounts)
	becomes(t, s, "a refresh", inState(SignedIn))
	second := w.stored(t).idToken
	if second.IsZero() || second == first {
		t.Error("the first ID token was kept")
	}
	w.idp.RotateKey() // unknown here, and out of reach
	w.idp.SetFault(fails("jwks", always, demoidp.Fault{Status: 503}))
	w.clock.advance(59*time.Minute + 59*time.Second)
	eventually(t, "another refresh", func() bool { return w.idp.Count("refresh_token") >= 2 && s.Snapshot().State == SignedIn })
	if got := w.stored(t).idToken; got != second {
		t.Error("an ID token was kept that nobody could verify")
	}
}

// A session of weeks outlives the secret that it began with.
func TestRefreshWithTheNewestSecret(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(context.Context) (keychain.Secret, error){
		"replaced": func(context.Context) (keychain.Secret, error) { return keychain.NewSecret("CANARY-new"), nil },
		"unread":   func(context.Context) (keychain.Secret, error) { return keychain.Secret{}, errors.New("no file") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, demoidp.Options{AutoApprove: true, Clients: []demoidp.Client{{ID: "web", Secret: "CANARY-new"}}})
			w.client.ClientID, w.client.ClientSecret = "web", keychain.NewSecret("CANARY-new")
			w.signedIn(t)
			if name == "replaced" {
				w.client.ClientSecret = keychain.NewSecret("CANARY-old")
			}
			w.client.SecretAgain = again
			s := w.running(t, w.accounts)
			s.Wait(t.Context())
			w.clock.advance(2 * time.Hour)
			if got := s.Wait(t.Context()); got.State != SignedIn {
				t.Errorf("%+v", got)
			}
		})
	}
}
