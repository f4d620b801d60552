package identity

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// loginWith signs in with options and returns what the provider was asked for.
func (w *world) loginWith(t *testing.T, o LoginOptions) (url.Values, User, error) {
	t.Helper()
	o.UI = w.ui()
	user, err := w.accounts.Login(t.Context(), w.client, o)
	w.heard(err)
	asked, parseErr := url.Parse(receive(t, w.browser.urls))
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	receive(t, w.browser.pages)
	return asked.Query(), user, err
}

func TestReauth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	before := w.signedIn(t)
	receive(t, w.browser.urls)
	w.clock.advance(time.Hour)
	_, user, err := w.loginWith(t, LoginOptions{})
	if err != nil || user.AuthTime != before.AuthTime {
		t.Fatalf("the browser should still know the person: %v, %+v", err, user)
	}
	asked, user, err := w.loginWith(t, LoginOptions{Reauth: true})
	if err != nil || user.AuthTime < before.AuthTime+3590 {
		t.Errorf("%+v, %v", user, err)
	}
	if asked.Get("prompt") != "login consent" || asked.Get("max_age") != "0" {
		t.Errorf("%v", asked)
	}
}

// A provider that ignores max_age must not pass for one that has asked anew.
func TestReauthIsChecked(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*world, map[string]any){
		"old":    func(w *world, c map[string]any) { c["auth_time"] = w.clock.now().Add(-5 * time.Minute).Unix() },
		"future": func(w *world, c map[string]any) { c["auth_time"] = w.clock.now().Add(5 * time.Minute).Unix() },
		"none":   func(_ *world, c map[string]any) { delete(c, "auth_time") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails("id_token", always, demoidp.Fault{Edit: func(c map[string]any) { edit(w, c) }}))
			_, _, err := w.loginWith(t, LoginOptions{Reauth: true})
			if failure := wantError[*ProofError](t, err); failure.Claim != "auth_time" {
				t.Error(err)
			}
			w.wantNothingStored(t)
		})
	}
}

func TestACR(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	_, _, err := w.loginWith(t, LoginOptions{ACR: []string{"phr", "phrh"}})
	if failure := wantError[*ProofError](t, err); failure.Claim != "acr" {
		t.Error(err)
	}
	w.wantNothingStored(t)
	if hints := problem.Of(err).Hints; len(hints) != 1 || !strings.Contains(hints[0], "--acr") {
		t.Errorf("hints %q", hints)
	}
	w.idp.SetFault(fails("id_token", always, demoidp.Fault{Edit: func(c map[string]any) { c["acr"] = "phrh" }}))
	asked, _, err := w.loginWith(t, LoginOptions{ACR: []string{"phr", "phrh"}})
	if err != nil || asked.Get("acr_values") != "phr phrh" {
		t.Errorf("%v, %v", asked, err)
	}
	if status, _ := w.accounts.Status(t.Context(), w.client); status.ACR != "phrh" {
		t.Errorf("%+v", status)
	}
}

// What somebody has asked for once is asked for at each later sign-in, until
// they sign out.
func TestScopesAreAddedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.Scopes = []string{"openid"}
	want := func(asked url.Values, err error, scopes string) {
		t.Helper()
		if diff := cmp.Diff(scopes, asked.Get("scope")); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	asked, _, err := w.loginWith(t, LoginOptions{Scopes: []string{"orders.read"}})
	want(asked, err, "openid orders.read")
	asked, _, err = w.loginWith(t, LoginOptions{Scopes: []string{"orders.write", "orders.read"}})
	want(asked, err, "openid orders.read orders.write")
	asked, _, err = w.loginWith(t, LoginOptions{})
	want(asked, err, "openid orders.read orders.write")
	if _, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{}); err != nil {
		t.Error(err)
	}
	asked, _, err = w.loginWith(t, LoginOptions{})
	want(asked, err, "openid")
}

// A provider that does not say when somebody signed in does not keep a lock for
// good: the person at this machine is asked instead.
func TestUnlockWithoutAuthTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.idp.SetFault(fails("id_token", always, demoidp.Fault{Edit: func(c map[string]any) { delete(c, "auth_time") }}))
	w.signedIn(t)
	if err := w.accounts.Lock(); err != nil {
		t.Fatal(err)
	}
	ui := w.ui()
	if _, err := w.accounts.Unlock(t.Context(), w.client, LoginOptions{UI: ui}); !errors.Is(err, ErrUnconfirmed) || !w.accounts.Locked() {
		t.Errorf("nobody to ask: %v", err)
	}
	says := false
	ui.Confirm = func(context.Context, string) bool { return says }
	if _, err := w.accounts.Unlock(t.Context(), w.client, LoginOptions{UI: ui}); !errors.Is(err, ErrUnconfirmed) || !w.accounts.Locked() {
		t.Errorf("a no: %v", err)
	}
	says = true
	if user, err := w.accounts.Unlock(t.Context(), w.client, LoginOptions{UI: ui}); err != nil || user.Sub != "ada" || w.accounts.Locked() {
		t.Errorf("a yes: %v, %+v", err, user)
	}
}

// The other profiles are those of who locked.
func TestUnlockBySomebodyElse(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.Users = []demoidp.User{{Sub: "ada"}}
	w := newWorld(t, o)
	w.signedIn(t)
	if err := w.accounts.Lock(); err != nil {
		t.Fatal(err)
	}
	w.idp.SetFault(fails("id_token", always, demoidp.Fault{Edit: func(c map[string]any) { c["sub"] = "eve" }}))
	_, err := w.accounts.Unlock(t.Context(), w.client, LoginOptions{UI: w.ui()})
	if failure := wantError[*ProofError](t, err); failure.Claim != "sub" || !w.accounts.Locked() {
		t.Error(err)
	}
	if w.stored(t).user.Sub != "ada" {
		t.Error("the sign-in of who locked was replaced")
	}
}
