package identity

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

// beginDevice takes the first step of a sign-in with a code.
func (w *world) beginDevice(t *testing.T, o LoginOptions) DeviceCode {
	t.Helper()
	w.accounts.testOnlyPause = func(ctx context.Context, d time.Duration) error {
		w.clock.advance(d)
		return ctx.Err()
	}
	code, err := w.accounts.BeginDevice(t.Context(), w.client, o)
	if err != nil || code.UserCode == "" || code.ExpiresIn <= 0 {
		t.Fatalf("%+v, %v", code, err)
	}
	return code
}

// wantNoCode wants nothing of a sign-in with a code in the keychain.
func (w *world) wantNoCode(t *testing.T) {
	t.Helper()
	if _, err := w.store.Get(t.Context(), w.client.codeKey()); !errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("the code is still there: %v", err)
	}
}

func TestDeviceInTwoSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	code := w.beginDevice(t, LoginOptions{Scopes: []string{"orders.read"}})
	w.wantNothingStored(t)
	w.idp.DecideDevice(code.UserCode, "ada")
	later := w.machine(t, w.accounts.stateDir) // another process
	later.testOnlyPause = w.accounts.testOnlyPause
	user, err := later.FinishDevice(t.Context(), w.client, LoginOptions{})
	if err != nil || user.Email != "ada@example.com" {
		t.Fatalf("%+v, %v", user, err)
	}
	if rec := w.stored(t); !slices.Equal(rec.extraScopes, []string{"orders.read"}) {
		t.Errorf("scopes for later sign-ins: %v", rec.extraScopes)
	}
	w.wantNoCode(t)
	if _, err := later.FinishDevice(t.Context(), w.client, LoginOptions{}); !errors.Is(err, ErrNoCode) {
		t.Errorf("a second time: %v", err)
	}
}

// What was asked for at the beginning is checked at the end.
func TestDeviceInTwoStepsProvesWhatItBeganWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	code := w.beginDevice(t, LoginOptions{ACR: []string{"phishing-resistant"}})
	w.idp.DecideDevice(code.UserCode, "ada")
	if _, err := w.accounts.FinishDevice(t.Context(), w.client, LoginOptions{}); !errors.As(err, new(*ProofError)) {
		t.Errorf("%v", err)
	}
	w.wantNothingStored(t)
	w.wantNoCode(t)
}

func TestDeviceSecondStepEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		between func(*world, DeviceCode)
		want    func(error) bool
		kept    bool
	}{
		"none begun": {func(w *world, _ DeviceCode) { w.client.Profile = "another" },
			func(err error) bool { return errors.Is(err, ErrNoCode) }, false},
		"expired": {func(w *world, code DeviceCode) { w.clock.advance(code.ExpiresIn) },
			func(err error) bool { return errors.Is(err, ErrCodeExpired) }, false},
		"expired while it waits": {func(*world, DeviceCode) {},
			func(err error) bool { return errors.Is(err, ErrCodeExpired) }, false},
		"refused": {func(w *world, code DeviceCode) { w.idp.DecideDevice(code.UserCode, "") },
			func(err error) bool { return errors.As(err, new(*ConsentRefusedError)) }, false},
		"not its form": {func(w *world, _ DeviceCode) {
			_ = w.store.Set(context.Background(), w.client.codeKey(), keychain.NewSecret(`{"version":1,"issuer":"https://evil.example"}`))
		}, func(err error) bool { return errors.Is(err, ErrNoCode) }, true},
		"locked": {func(w *world, _ DeviceCode) { _ = w.accounts.Lock() },
			func(err error) bool { return errors.As(err, new(*LockedError)) }, true},
		"wait over": {func(w *world, _ DeviceCode) {
			w.accounts.testOnlyPause = func(ctx context.Context, _ time.Duration) error {
				<-ctx.Done()
				return ctx.Err()
			}
		}, func(err error) bool { return errors.Is(err, ErrCodeWaits) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, demoidp.Options{})
			test.between(w, w.beginDevice(t, LoginOptions{}))
			_, err := w.accounts.FinishDevice(t.Context(), w.client, LoginOptions{Timeout: 2 * time.Second})
			if !test.want(err) {
				t.Errorf("%v", err)
			}
			w.wantNothingStored(t)
			if !test.kept {
				w.wantNoCode(t)
			}
		})
	}
}

func TestLogoutEndsADeviceSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	w.beginDevice(t, LoginOptions{})
	if _, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{}); err != nil {
		t.Error(err)
	}
	w.wantNoCode(t)
}
