package identity

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/keychain"
)

func TestSnapshotHasTheOtherClaims(t *testing.T) {
	payload := `{"sub":"ada","nonce":"n","groups":["g"],"department":"r&d","level":3,"on":true,"sites":["a",1,["x"],{}],"address":{"x":"y"},"none":null}`
	rec := &record{
		access: keychain.NewSecret("x"), acr: "phr", expiresAt: time.Now().Add(time.Hour),
		idToken: keychain.NewSecret("h." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".s"),
	}
	others, unreadable := rec.otherClaims()
	if len(others) == 0 || !slices.Equal(unreadable, []string{"address", "sites"}) {
		t.Errorf("unreadable: %q", unreadable)
	}
	want := map[string][]string{"department": {"r&d"}, "level": {"3"}, "on": {"true"}, "sites": {"a", "1"}}
	now := snapshotOf(rec, nil, nil, time.Now())
	if diff := cmp.Diff(want, now.Claims); diff != "" || now.ACR != "phr" {
		t.Errorf("acr %q, claims %s", now.ACR, diff)
	}
	for _, odd := range []string{"", "a.b", "a.!.c", "a.bnVsbA.c"} {
		rec.idToken = keychain.NewSecret(odd)
		if got, unreadable := rec.otherClaims(); len(got) != 0 || !slices.Equal(unreadable, []string{AllClaims}) {
			t.Errorf("%q: %v, unreadable %q", odd, got, unreadable)
		}
	}
}
