package identity

import (
	"context"
	"errors"
	"testing"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

func TestLogoutRevokesAndWipes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	rec := w.stored(t)
	result, err := w.accounts.Logout(t.Context(), w.client)
	if err != nil || result.User.Sub != "ada" || !result.RefreshToken.Revoked || !result.AccessToken.Revoked {
		t.Errorf("%+v, %v", result, err)
	}
	if w.idp.Active(rec.refresh.Reveal()) || w.idp.Active(rec.access.Reveal()) {
		t.Error("the tokens still live")
	}
	if _, err := w.accounts.load(t.Context(), w.client); err != ErrSignedOut {
		t.Errorf("still stored: %v", err)
	}
	result, err = w.accounts.Logout(t.Context(), w.client)
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
			before := w.accounts.files(w.client).read()
			test.trouble(t, w)
			result, err := w.accounts.Logout(test.ctx, w.client)
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
			if w.accounts.files(w.client).read() == before {
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
	result, err := w.accounts.Logout(t.Context(), w.client)
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
	result, err := w.accounts.Logout(t.Context(), w.client)
	if err != nil || !result.RefreshToken.Revoked {
		t.Errorf("%+v, %v", result, err)
	}
}
