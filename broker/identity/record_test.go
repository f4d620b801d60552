package identity

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/keychain"
)

func aRecord(c Client, now time.Time) *record {
	return newRecord(c, User{Sub: "ada", UserID: "ada", Groups: []string{}, Roles: []string{}, Audience: []string{}}, tokens{
		access: keychain.NewSecret("CANARY-access"), refresh: keychain.NewSecret("CANARY-refresh"), scopes: "openid", lifetime: time.Hour,
	}, now)
}

// put writes text under the client's key, as another program could.
func (w *world) put(t *testing.T, text string) {
	t.Helper()
	if err := w.store.Store.Set(t.Context(), w.client.key(), keychain.NewSecret(text)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) text(t *testing.T) string {
	t.Helper()
	secret, err := w.store.Store.Get(t.Context(), w.client.key())
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

func TestCorruptOrForeignKeychainEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	good := w.text(t)
	change := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("no %s in the record", from)
		}
		return strings.Replace(good, from, to, 1)
	}
	for name, test := range map[string]struct{ text, words string }{
		"empty":             {"", "not what mcpauth writes"},
		"no JSON":           {"CANARY-rubbish", "not what mcpauth writes"},
		"cut off":           {good[:len(good)/2], "not what mcpauth writes"},
		"duplicate member":  {change(`{`, `{"issuer":"https://evil.example",`), "not what mcpauth writes"},
		"another version":   {change(`"version":1`, `"version":2`), "version 2"},
		"another issuer":    {change(`"issuer":"http`, `"issuer":"https`), "another issuer"},
		"another client":    {change(`"client_id":"`, `"client_id":"x`), "another client_id"},
		"no access token":   {change(`"access_token"`, `"access"`), "incomplete"},
		"nobody":            {change(`"sub":"ada"`, `"sub":""`), "incomplete"},
		"not a JSON object": {"[]", "not what mcpauth writes"},
	} {
		w.put(t, test.text)
		status, err := w.accounts.Status(t.Context(), w.client)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var unusable *RecordError
		if status.State != SignedOut || !errors.As(status.Err, &unusable) || !errors.Is(status.Err, ErrSignedOut) ||
			!strings.Contains(status.Err.Error(), test.words) {
			t.Errorf("%s: %+v", name, status.Snapshot)
		}
		w.heard(status.Err)
	}
	requests := w.idp.Count("revocation")
	if _, err := w.accounts.Logout(t.Context(), w.client, LogoutOptions{}); err != nil {
		t.Error(err)
	}
	if w.idp.Count("revocation") != requests {
		t.Error("tokens of a foreign record went to our provider")
	}
	w.signedIn(t) // mends it
}

func TestStatusOfAKeychainInTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.store.getFails.Store(&keychain.Error{Op: "get", Kind: keychain.Locked})
	status, err := w.accounts.Status(t.Context(), w.client)
	if failure := wantError[*keychain.Error](t, err); failure.Kind != keychain.Locked || status.State != Degraded || status.Err == nil {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestStatusUsesNoNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	if status, err := w.accounts.Status(t.Context(), w.client); err != nil || status.State != SignedOut || status.Err != nil {
		t.Errorf("nobody: %+v, %v", status, err)
	}
	w.signedIn(t)
	asked := w.idp.Count("discovery")
	w.clock.advance(2 * time.Hour)
	status, err := w.accounts.Status(t.Context(), w.client)
	if err != nil || status.State != Degraded || !errors.Is(status.Err, ErrExpired) || status.User.Sub != "ada" {
		t.Errorf("over, with a refresh token: %+v, %v", status, err)
	}
	if w.idp.Count("discovery") != asked || w.idp.Count("refresh_token") != 0 {
		t.Error("status asked the provider")
	}
}

func TestRecordTimes(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_800_000_000, 0)
	r := aRecord(Client{}, start)
	for _, test := range []struct {
		after      time.Duration
		good, send bool
	}{
		{0, true, true},
		{58 * time.Minute, true, true},
		{59*time.Minute + time.Second, true, false},
		{time.Hour - 4*time.Second, false, false},
		{12 * time.Hour, false, false},  // the machine slept
		{-30 * time.Second, true, true}, // clocks are not that exact
		{-time.Hour, false, false},      // the clock was set back: nothing is known
	} {
		now := start.Add(test.after)
		if r.good(now) != test.good || r.usableFor(renewMargin, now) != test.send {
			t.Errorf("after %s: good %v, can be sent %v", test.after, r.good(now), r.usableFor(renewMargin, now))
		}
	}
	if at := r.aheadAt().Sub(start); at != 48*time.Minute {
		t.Errorf("renewed ahead at %s", at)
	}
	if short := lifetime(0); short != unsaidLifetime {
		t.Error(short)
	}
	if long := lifetime(1 << 62); long != maxLifetime {
		t.Error(long)
	}
}

// Two sign-ins never share a slot, and a slot is fit for a file name.
func TestSlots(t *testing.T) {
	t.Parallel()
	seen := map[string]Client{}
	for _, c := range []Client{
		{Profile: "a", Issuer: "b", ClientID: "c"}, {Profile: "A", Issuer: "b", ClientID: "c"}, {Profile: "a", Issuer: "bc"},
		{Profile: "ab", ClientID: "c"}, {Profile: "../../x", Issuer: "b"}, {Profile: "..\\x", Issuer: "b"}, {Profile: "é\x00 ", Issuer: "b"},
		{Profile: strings.Repeat("long", 100)},
	} {
		name := c.slot()
		if other, there := seen[strings.ToLower(name)]; there {
			t.Errorf("%+v and %+v share %s", c, other, name)
		}
		seen[strings.ToLower(name)] = c
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(name) > 70 {
			t.Errorf("%q", name)
		}
	}
}

func TestRecordNeverPrintsItsTokens(t *testing.T) {
	t.Parallel()
	r := aRecord(Client{}, time.Now())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb, *r); strings.Contains(text, "CANARY") || strings.Contains(text, fmt.Sprintf("%x", "CANARY")) {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

func FuzzRecord(f *testing.F) {
	c := Client{Issuer: "https://login.example.com", ClientID: "id"}
	text, err := aRecord(c, time.Unix(1_800_000_000, 0)).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text.Reveal())
	f.Add(`{"version":1,"issuer":"https://login.example.com","client_id":"id","user":{"sub":"x"},"dead":"over"}`)
	f.Fuzz(func(t *testing.T, text string) {
		first, err := decodeRecord(keychain.NewSecret(text), c)
		if err != nil {
			wantError[*RecordError](t, err)
			return
		}
		again, err := first.encode()
		if err != nil {
			t.Fatal(err)
		}
		second, err := decodeRecord(again, c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.user, second.user); diff != "" || !first.sameTokens(second) || first.dead != second.dead ||
			!first.expiresAt.Equal(second.expiresAt) || !first.obtainedAt.Equal(second.obtainedAt) {
			t.Errorf("changed on its way: %s", diff)
		}
	})
}

func TestClientSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	a, ctx := w.accounts, t.Context()
	if _, err := a.ClientSecret(ctx, "okta"); !errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	if err := a.SetClientSecret(ctx, "okta", keychain.NewSecret("s")); err != nil {
		t.Fatal(err)
	}
	if got, err := a.ClientSecret(ctx, "okta"); err != nil || got.Reveal() != "s" {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	if _, err := a.ClientSecret(ctx, "Okta"); !errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("another: %v", err)
	}
	if err := a.DeleteClientSecret(ctx, "okta"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ClientSecret(ctx, "okta"); !errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
}
