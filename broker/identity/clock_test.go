package identity

import (
	"net/http"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// A machine whose clock is wrong by more than an ID token's life used to throw
// the answer of a refresh away, and lost the sign-in with the next one.
func TestRefreshWithAWrongClock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ahead": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := expired(t, signsInAlone())
			w.idp.SetFault(idTokenEnds(w, 5*time.Minute))
			wrong := New(Options{Store: w.store, StateDir: t.TempDir(), Now: func() time.Time { return w.clock.now().Add(off) }})
			t.Cleanup(wrong.roundTripper.(*http.Transport).CloseIdleConnections)
			got, err := wrong.Access(t.Context(), w.client, 0)
			if err != nil || !w.idp.Active(got.Token.Reveal()) {
				t.Errorf("no live token: %v", err)
			}
		})
	}
}

// By the provider's own clock an ID token must be good.
func TestRefreshedIDTokenThatIsOver(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	w.idp.SetFault(idTokenEnds(w, -2*time.Minute))
	_, err := w.accounts.Access(t.Context(), w.client, 0)
	wantError[*VerifyError](t, err)
}

func idTokenEnds(w *world, after time.Duration) func(string) demoidp.Fault {
	return func(endpoint string) demoidp.Fault {
		if endpoint != "id_token" {
			return demoidp.Fault{}
		}
		return demoidp.Fault{Edit: func(c map[string]any) { c["exp"] = w.clock.now().Add(after).Unix() }}
	}
}
