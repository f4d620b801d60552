package demoidp_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

func TestMain(m *testing.M) {
	// net/http lingers for half a second on a connection whose request it did
	// not read to its end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

func TestSignIn(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
	answer := c.authorize(t)
	if answer.Get("state") != "st-1" || answer.Get("iss") != c.server.Issuer() {
		t.Errorf("authorization response %v", answer)
	}
	token, err := c.exchange(t, answer.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.verify(t, token)
	if err != nil {
		t.Fatal(err)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		t.Error(err)
	}
	if id.Nonce != "n-1" || id.Subject != "ada" {
		t.Errorf("nonce %q, sub %q", id.Nonce, id.Subject)
	}
	type claims struct {
		Email             string   `json:"email"`
		EmailVerified     bool     `json:"email_verified"`
		Name              string   `json:"name"`
		GivenName         string   `json:"given_name"`
		FamilyName        string   `json:"family_name"`
		PreferredUsername string   `json:"preferred_username"`
		Groups            []string `json:"groups"`
		Roles             []string `json:"roles"`
		AuthTime          int64    `json:"auth_time"`
	}
	var got claims
	if err := id.Claims(&got); err != nil {
		t.Fatal(err)
	}
	if age := time.Since(time.Unix(got.AuthTime, 0)); age < 0 || age > time.Minute {
		t.Errorf("auth_time is %v ago", age)
	}
	got.AuthTime = 0
	want := claims{"ada@example.com", true, "Ada Lovelace", "Ada", "Lovelace", "ada",
		[]string{"engineering", "admins"}, []string{"analyst"}, 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	next, err := c.renew(t.Context(), token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if next.RefreshToken == token.RefreshToken || next.AccessToken == token.AccessToken {
		t.Error("the refresh renewed nothing")
	}
	if c.server.Count("refresh_token") != 1 || !c.server.Active(next.AccessToken) || c.server.Active(token.RefreshToken) {
		t.Error("counts or activity are wrong")
	}
}
