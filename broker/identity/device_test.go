package identity

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

// deviceLogin signs in by a code. Each pause between two polls moves the clock
// by as much, after doing what the step says; it returns the pauses.
func (w *world) deviceLogin(t *testing.T, steps ...func(userCode string)) (pauses []time.Duration, user User, err error) {
	t.Helper()
	var shown DeviceCode
	w.accounts.testOnlyPause = func(ctx context.Context, d time.Duration) error {
		if shown.UserCode == "" || !strings.HasPrefix(shown.URL, w.idp.Issuer()) || !strings.Contains(shown.FullURL, shown.UserCode) {
			t.Errorf("polling before the person knows the code: %+v", shown)
		}
		if i := len(pauses); i < len(steps) && steps[i] != nil {
			steps[i](shown.UserCode)
		}
		pauses = append(pauses, d)
		w.clock.advance(d)
		return ctx.Err()
	}
	ui := w.ui()
	ui.OpenURL = never(t) // the code may be on another's behalf
	ui.ShowURL = func(string, bool) { t.Error("a page was shown") }
	ui.ShowCode = func(code DeviceCode) { shown = code }
	user, err = w.accounts.Login(t.Context(), w.client, LoginOptions{Device: true, UI: ui})
	w.heard(err)
	return pauses, user, err
}

func TestDevice(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{"public client": "", "confidential client": "s%+"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, demoidp.Options{Clients: []demoidp.Client{{ID: demoidp.DefaultClientID, Secret: secret}}})
			w.client.ClientSecret = keychain.NewSecret(secret)
			pauses, user, err := w.deviceLogin(t, nil, func(code string) { w.idp.DecideDevice(code, "ada") })
			if err != nil || user.Email != "ada@example.com" || w.stored(t).refresh.IsZero() {
				t.Errorf("%+v, %v", user, err)
			}
			if !slices.Equal(pauses, []time.Duration{5 * time.Second, 5 * time.Second}) {
				t.Errorf("pauses %v", pauses)
			}
		})
	}
}

// A provider that is told off for being slow, or that is gone for a while, is
// asked more rarely, and the sign-in goes on (RFC 8628 3.5).
func TestDevicePace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	answer := func(fault demoidp.Fault) func(string) {
		return func(string) { w.idp.SetFault(fails("device_code", 1, fault)) }
	}
	slower := demoidp.Fault{Status: 400, Header: asJSON, Body: `{"error":"slow_down"}`}
	busy := demoidp.Fault{Status: 429, Header: http.Header{"Retry-After": {"50"}}}
	pauses, _, err := w.deviceLogin(t, answer(slower), answer(demoidp.Fault{Drop: true}), answer(demoidp.Fault{Status: 503}), answer(busy),
		func(code string) { w.idp.DecideDevice(code, "ada") })
	if err != nil {
		t.Error(err)
	}
	want := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute}
	if !slices.Equal(pauses, want) {
		t.Errorf("pauses %v, want %v", pauses, want)
	}
}

func TestDeviceEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step func(*world) func(string)
		want func(error) bool
	}{
		"denied": {func(w *world) func(string) { return func(code string) { w.idp.DecideDevice(code, "") } },
			func(err error) bool { return errors.As(err, new(*ConsentRefusedError)) }},
		"expired": {func(w *world) func(string) { return func(string) { w.clock.advance(10 * time.Minute) } },
			func(err error) bool { return errors.As(err, new(*TimeoutError)) }},
		"expired, says the provider": {func(w *world) func(string) {
			return func(string) {
				w.idp.SetFault(fails("device_code", 1, demoidp.Fault{Status: 400, Header: asJSON, Body: `{"error":"expired_token"}`}))
			}
		}, func(err error) bool { return errors.As(err, new(*TimeoutError)) }},
		"unknown": {func(w *world) func(string) {
			return func(string) {
				w.idp.SetFault(fails("device_code", 1, demoidp.Fault{Status: 400, Header: asJSON, Body: `{"error":"invalid_grant"}`}))
			}
		}, func(err error) bool { return errors.As(err, new(*ProviderError)) }},
		"somebody else's ID token": {func(w *world) func(string) {
			return func(code string) {
				w.idp.SetFault(fails("id_token", 1, demoidp.Fault{Edit: func(c map[string]any) { c["aud"] = "other" }}))
				w.idp.DecideDevice(code, "ada")
			}
		}, func(err error) bool { return errors.As(err, new(*VerifyError)) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, demoidp.Options{})
			pauses, _, err := w.deviceLogin(t, test.step(w))
			if !test.want(err) || len(pauses) != 1 {
				t.Errorf("%v after %v", err, pauses)
			}
			w.wantNothingStored(t)
		})
	}
}

func TestDeviceIsCalledOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := w.accounts.Login(ctx, w.client, LoginOptions{Device: true, UI: UI{ShowCode: func(DeviceCode) { cancel() }}})
	if !errors.Is(err, context.Canceled) || w.idp.Count("device_code") != 0 {
		t.Errorf("%v after %d polls", err, w.idp.Count("device_code"))
	}
}

// What a person is told to open and type is judged like all else that a
// provider says.
func TestHostileDeviceAnswer(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(map[string]any){
		"javascript": func(doc map[string]any) { doc["verification_uri"] = "javascript:alert(1)" },
		"plain http": func(doc map[string]any) { doc["verification_uri"] = "http://example.com/device" },
		"no code":    func(doc map[string]any) { doc["user_code"] = "\x1b" },
		"no address": func(doc map[string]any) { delete(doc, "verification_uri") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, demoidp.Options{})
			w.idp.SetFault(fails("device_authorization", 1, demoidp.Fault{Edit: edit}))
			_, err := w.accounts.Login(t.Context(), w.client, LoginOptions{Device: true,
				UI: UI{ShowCode: func(DeviceCode) { t.Error("shown") }}})
			wantError[*MetadataError](t, err)
		})
	}
}

func TestDeviceWithoutAnEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	w.idp.SetFault(fails("discovery", 1, demoidp.Fault{Edit: func(doc map[string]any) { delete(doc, "device_authorization_endpoint") }}))
	_, err := w.accounts.Login(t.Context(), w.client, LoginOptions{Device: true})
	if wantError[*MetadataError](t, err).Field != "device_authorization_endpoint" {
		t.Error(err)
	}
}

func TestMachine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{Clients: []demoidp.Client{{ID: "nightly", Secret: "s"}}})
	w.client.ClientID, w.client.ClientSecret, w.client.Machine = "nightly", keychain.NewSecret("s"), true
	w.client.Scopes = []string{"orders.read"}
	user, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: UI{OpenURL: never(t)}})
	if err != nil || user.Sub != "nightly" || user.Email+user.Name != "" || user.AuthTime != 0 || !slices.Equal(user.Scopes, []string{"orders.read"}) {
		t.Fatalf("%+v, %v", user, err)
	}
	signedInAt := w.stored(t).signedInAt
	s := w.running(t, w.accounts)
	becomes(t, s, "signed in", inState(SignedIn))
	w.clock.advance(2 * time.Hour) // the secret renews it, as a refresh token would
	if got := s.Wait(t.Context()); got.State != SignedIn || w.idp.Count("client_credentials") != 2 || w.idp.Count("refresh_token") != 0 {
		t.Errorf("%+v after %d tokens", got, w.idp.Count("client_credentials"))
	}
	if rec := w.stored(t); !rec.signedInAt.Equal(signedInAt) || !w.idp.Active(rec.access.Reveal()) {
		t.Errorf("%+v", rec)
	}
	w.client.Machine = false // a person's profile takes nothing from a machine's
	if status, _ := w.accounts.Status(t.Context(), w.client); !errors.As(status.Err, new(*RecordError)) {
		t.Errorf("%+v", status)
	}
}

func TestMachineWithoutASecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	w.client.Machine = true
	_, err := w.accounts.Login(t.Context(), w.client, LoginOptions{})
	if wantError[*ClientError](t, err).Field != "client_secret" {
		t.Error(err)
	}
	w.client.ClientSecret = keychain.NewSecret("CANARY-wrong")
	_, err = w.accounts.Login(t.Context(), w.client, LoginOptions{})
	w.heard(err)
	if wantError[*ProviderError](t, err).Code != "invalid_client" {
		t.Error(err)
	}
	w.wantNothingStored(t)
}
