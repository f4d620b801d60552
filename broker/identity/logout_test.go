package identity

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

func TestLogoutRevokesAndWipes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	rec := w.stored(t)
	result, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{})
	if err != nil || result.User.Sub != "ada" || !result.RefreshToken.Revoked || !result.AccessToken.Revoked {
		t.Errorf("%+v, %v", result, err)
	}
	if w.idp.Active(rec.refresh.Reveal()) || w.idp.Active(rec.access.Reveal()) {
		t.Error("the tokens still live")
	}
	if _, err := w.accounts.load(t.Context(), w.client); err != ErrSignedOut {
		t.Errorf("still stored: %v", err)
	}
	result, err = w.accounts.Logout(t.Context(), w.client, LogoutOptions{})
	if err != nil || result.User.Sub != "" || result.RefreshToken != (Revocation{}) {
		t.Errorf("again: %+v, %v", result, err)
	}
}

func TestLogoutWipesInAnyCase(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	without := signsInAlone()
	without.NoRevocation = true
	for name, test := range map[string]struct {
		options demoidp.Options
		trouble func(*testing.T, *world)
		ctx     context.Context
		why     func(error) bool
	}{
		"provider down": {signsInAlone(), func(_ *testing.T, w *world) { _ = w.idp.Close() }, context.Background(),
			func(err error) bool { return errors.As(err, new(*UnreachableError)) }},
		"provider in trouble": {signsInAlone(), func(_ *testing.T, w *world) {
			w.idp.SetFault(fails("revocation", always, demoidp.Fault{Status: 503, Body: "CANARY-body"}))
		}, context.Background(), func(err error) bool { return errors.As(err, new(*UnreachableError)) }},
		"provider refuses": {signsInAlone(), func(t *testing.T, w *world) {
			w.idp.SetFault(fails("revocation", always, demoidp.Fault{Status: 400, Header: asJSON,
				Body: `{"error":"unsupported_token_type","error_description":"` + w.stored(t).refresh.Reveal() + `"}`}))
		}, context.Background(), func(err error) bool { return errors.As(err, new(*ProviderError)) }},
		"no revocation endpoint": {without, func(*testing.T, *world) {}, context.Background(),
			func(err error) bool { return errors.Is(err, ErrNoRevocation) }},
		"called off": {signsInAlone(), func(*testing.T, *world) {}, cancelled,
			func(err error) bool { return err != nil }},
		"keychain cannot be read": {signsInAlone(), func(_ *testing.T, w *world) {
			w.store.getFails.Store(&keychain.Error{Op: "get", Kind: keychain.Corrupt})
		}, context.Background(), func(err error) bool { return errors.As(err, new(*keychain.Error)) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.options)
			w.signedIn(t)
			before := w.accounts.files(w.client).Generation()
			test.trouble(t, w)
			result, err := w.accounts.Logout(test.ctx, w.client, LogoutOptions{})
			if err != nil {
				t.Error(err)
			}
			w.heard(result.RefreshToken.Err)
			if result.RefreshToken.Revoked || !test.why(result.RefreshToken.Err) {
				t.Errorf("%+v", result.RefreshToken)
			}
			if _, err := w.store.Store.Get(t.Context(), w.client.key()); !errors.Is(err, keychain.ErrNotFound) {
				t.Errorf("still stored: %v", err)
			}
			if w.accounts.files(w.client).Generation() == before {
				t.Error("running sessions were not told")
			}
		})
	}
}

func TestLogoutTellsWhenItCannotWipe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	w.store.deleteFails.Store(&keychain.Error{Op: "delete", Kind: keychain.Locked})
	result, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{})
	if failure := wantError[*keychain.Error](t, err); failure.Kind != keychain.Locked || !result.RefreshToken.Revoked {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestLogoutOfAConfidentialClient(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.Clients = []demoidp.Client{{ID: "web", Secret: "s%+"}}
	w := newWorld(t, o)
	w.client.ClientID, w.client.ClientSecret = "web", keychain.NewSecret("s%+")
	w.signedIn(t)
	result, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{})
	if err != nil || !result.RefreshToken.Revoked {
		t.Errorf("%+v, %v", result, err)
	}
}

// The provider is asked, and not believed.
func TestLogoutIsProven(t *testing.T) {
	t.Parallel()
	lies := demoidp.Fault{Status: 200}
	for name, test := range map[string]struct {
		fault  func(string) demoidp.Fault
		proven bool
		why    func(error) bool
	}{
		"gone":       {nil, true, func(err error) bool { return err == nil }},
		"still good": {fails("revocation", always, lies), false, func(err error) bool { return errors.Is(err, ErrStillGood) }},
		"nobody says": {func(endpoint string) demoidp.Fault {
			if endpoint == "userinfo" || endpoint == "refresh_token" {
				return demoidp.Fault{Status: 503}
			}
			return demoidp.Fault{}
		}, false, func(err error) bool { return errors.As(err, new(*UnreachableError)) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.signedIn(t)
			w.idp.SetFault(test.fault)
			result, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{Prove: true})
			if err != nil {
				t.Error(err)
			}
			for _, token := range []Revocation{result.RefreshToken, result.AccessToken} {
				w.heard(token.Err)
				if token.Proven != test.proven || !test.why(token.Err) || token.Revoked == errors.Is(token.Err, ErrStillGood) {
					t.Errorf("%+v", token)
				}
			}
		})
	}
}

// The ID token that tells the provider whose session ends must not be in the
// arguments of a browser, which all users of a machine can read.
func TestLogoutByBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	before := w.signedIn(t)
	receive(t, w.browser.urls)
	w.clock.advance(time.Hour)
	result, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{Browser: func(ctx context.Context, url string) error {
		if strings.Contains(url, "id_token") || w.isStored(ctx) {
			t.Errorf("%s, and the sign-in is still here: %v", url, w.isStored(ctx))
		}
		stray := w.browser.visit(http.MethodGet, url[:strings.LastIndex(url, "/")]+"/other", nil)
		wantPage(t, stray, http.StatusBadRequest, "Not this login")
		return w.browser.open(ctx, url)
	}})
	if err != nil || result.BrowserErr != nil {
		t.Fatal(err, result.BrowserErr)
	}
	wantPage(t, receive(t, w.browser.pages), http.StatusOK, "Signed out")
	if n := w.idp.Count("end_session"); n != 1 {
		t.Errorf("%d sign-outs", n)
	}
	receive(t, w.browser.urls)
	if after := w.signedIn(t); after.AuthTime == before.AuthTime {
		t.Error("the provider still knew the person")
	}
}

// isStored tells whether anything is stored.
func (w *world) isStored(ctx context.Context) bool {
	_, err := w.store.Store.Get(ctx, w.client.key())
	return err == nil
}

func TestLogoutWithoutEndSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.idp.SetFault(fails("discovery", always, demoidp.Fault{Edit: func(doc map[string]any) { delete(doc, "end_session_endpoint") }}))
	w.signedIn(t)
	result, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{Browser: never(t)})
	if err != nil || !errors.Is(result.BrowserErr, ErrNoEndSession) || !result.RefreshToken.Revoked {
		t.Errorf("%+v, %v", result, err)
	}
}
