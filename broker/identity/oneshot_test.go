package identity

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

func TestAccessRenewsWhatHasTooLittleLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{AutoApprove: true, AccessLifetime: 10 * time.Minute})
	w.signedIn(t)
	access := func(atLeast time.Duration) Access {
		t.Helper()
		got, err := w.accounts.Access(t.Context(), w.client, atLeast)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := access(0)
	if first.Token.IsZero() || first.User.Sub != "ada" || !w.idp.Active(first.Token.Reveal()) {
		t.Errorf("got %+v", first)
	}
	w.clock.advance(6 * time.Minute)
	if again := access(3 * time.Minute); again.Token != first.Token {
		t.Error("four minutes were left, three were asked for, and it was renewed")
	}
	renewed := access(5 * time.Minute)
	if left := renewed.ExpiresAt.Sub(w.clock.now()); renewed.Token == first.Token || left < 9*time.Minute {
		t.Errorf("four minutes were left, five were asked for, and %v are left", left)
	}
	if w.stored(t).access != renewed.Token {
		t.Error("the token that was handed out is not the one that is stored")
	}
	if young := access(time.Hour); young.Token != renewed.Token {
		t.Error("a token that never lives an hour is renewed by each caller that asks for one")
	}
}

// Scripts beside proxies are as many more refreshes, unless all keep the protocol.
func TestAccessByManyIsOneRefresh(t *testing.T) {
	t.Parallel()
	w := expired(t, signsInAlone())
	machines := make([]*Accounts, 8)
	for i := range machines {
		machines[i] = w.machine(t, w.accounts.stateDir)
	}
	tokens := make([]keychain.Secret, len(machines))
	var all sync.WaitGroup
	for i, machine := range machines {
		all.Go(func() {
			got, err := machine.Access(t.Context(), w.client, 5*time.Minute)
			if err != nil {
				t.Error(err)
			}
			tokens[i] = got.Token
		})
	}
	all.Wait()
	if n := w.idp.Count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	for _, token := range tokens {
		if token != tokens[0] {
			t.Fatal("they do not have the same token")
		}
	}
}

func TestAccessWithoutASignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	if _, err := w.accounts.Access(t.Context(), w.client, 0); !errors.Is(err, ErrSignedOut) {
		t.Errorf("got %v", err)
	}
	w.signedIn(t)
	w.clock.advance(2 * time.Hour)
	w.idp.SetFault(fails("refresh_token", always, demoidp.Fault{Status: 503}))
	_, err := w.accounts.Access(t.Context(), w.client, 0)
	wantError[*UnreachableError](t, err)
}
