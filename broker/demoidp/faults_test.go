package demoidp_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// only has one endpoint fail.
func only(endpoint string, f demoidp.Fault) func(string) demoidp.Fault {
	return func(name string) demoidp.Fault {
		if name == endpoint {
			return f
		}
		return demoidp.Fault{}
	}
}

func with(name string, value any) func(map[string]any) {
	return func(answer map[string]any) { answer[name] = value }
}

func TestTamperedIDToken(t *testing.T) {
	s := start(t, demoidp.Options{AutoApprove: true})
	tests := []struct {
		attack string
		fault  demoidp.Fault
	}{
		{"another audience", demoidp.Fault{Edit: with("aud", "other")}},
		{"another issuer", demoidp.Fault{Edit: with("iss", "https://evil.example")}},
		{"expired", demoidp.Fault{Edit: with("exp", time.Now().Add(-time.Hour).Unix())}},
		{"alg none", demoidp.Fault{Signature: demoidp.AlgNone}},
		{"HS256 with the public key", demoidp.Fault{Signature: demoidp.HS256WithPublicKey}},
		{"unknown kid", demoidp.Fault{Signature: demoidp.UnknownKid}},
		{"foreign key", demoidp.Fault{Signature: demoidp.ForeignKey}},
	}
	for _, test := range tests {
		t.Run(test.attack, func(t *testing.T) {
			c := newClient(t, s)
			s.SetFault(only("id_token", test.fault))
			token := c.signIn(t)
			if _, err := c.verify(t, token); err == nil {
				t.Error("go-oidc accepts the token, so nothing was tampered with")
			}
			s.SetFault(nil)
			if _, err := c.verify(t, c.signIn(t)); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}

	c := newClient(t, s)
	s.SetFault(only("id_token", demoidp.Fault{Edit: with("at_hash", "AAAA")}))
	id, err := c.verify(t, c.signIn(t))
	if err != nil {
		t.Fatal(err)
	}
	if id.VerifyAccessToken("CANARY-any") == nil {
		t.Error("at_hash fits")
	}
}

func TestKeyRotation(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
	first := c.signIn(t)
	c.server.RotateKey()
	second := c.signIn(t)
	for _, token := range []*oauth2.Token{first, second} {
		if _, err := c.verify(t, token); err != nil {
			t.Error(err)
		}
	}
	c.server.RotateKey()
	if _, err := newClient(t, c.server).verify(t, first); err == nil {
		t.Error("the JWKS still has the key before the last")
	}
	if _, err := newClient(t, c.server).verify(t, second); err != nil {
		t.Error(err)
	}
}

func TestEditedAnswers(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
	token := c.signIn(t)
	c.server.SetFault(only("userinfo", demoidp.Fault{Edit: with("sub", "mallory")}))
	if info, err := c.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token)); err != nil || info.Subject != "mallory" {
		t.Errorf("userinfo %+v, %v", info, err)
	}
	c.server.SetFault(only("authorize", demoidp.Fault{Edit: with("iss", "https://evil.example")}))
	if got := c.authorize(t).Get("iss"); got != "https://evil.example" {
		t.Errorf("iss %q", got)
	}
	c.server.SetFault(only("refresh_token", demoidp.Fault{Edit: with("token_type", "DPoP")}))
	if next, err := c.renew(t.Context(), token.RefreshToken); err != nil || next.TokenType != "DPoP" {
		t.Errorf("token %v", err)
	}
	c.server.SetFault(only("discovery", demoidp.Fault{Edit: with("issuer", c.server.Issuer()+"/")}))
	var mismatch *oidc.IssuerMismatchError
	if _, err := oidc.NewProvider(t.Context(), c.server.Issuer()); !errors.As(err, &mismatch) {
		t.Errorf("another issuer: %v", err)
	}
}

func TestStatusFault(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
	token := c.signIn(t)
	c.server.SetFault(only("refresh_token", demoidp.Fault{
		Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"7"}}, Body: "busy",
	}))
	_, err := c.renew(t.Context(), token.RefreshToken)
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response.StatusCode != 503 ||
		refused.Response.Header.Get("Retry-After") != "7" || string(refused.Body) != "busy" {
		t.Errorf("got %v", err)
	}
	if !c.server.Active(token.RefreshToken) || c.server.Count("refresh_token") != 1 {
		t.Error("the request was done, or not counted")
	}
}

func TestLostAndDropped(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault demoidp.Fault
		done  bool
	}{
		{"answer lost", demoidp.Fault{Lost: true}, true},
		{"dropped before", demoidp.Fault{Drop: true}, false},
	} {
		c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
		token := c.signIn(t)
		c.server.SetFault(only("refresh_token", test.fault))
		_, err := c.renew(t.Context(), token.RefreshToken)
		var network *url.Error
		if !errors.As(err, &network) || !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v, want a cut connection", test.name, err)
		}
		if used := !c.server.Active(token.RefreshToken); used != test.done {
			t.Errorf("%s: used %t", test.name, used)
		}
	}
}

func TestHang(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true}))
	token := c.signIn(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	hold := func(until <-chan struct{}) {
		c.server.SetFault(func(endpoint string) demoidp.Fault {
			if endpoint != "refresh_token" {
				return demoidp.Fault{}
			}
			arrived <- struct{}{}
			return demoidp.Fault{Wait: until}
		})
	}
	hold(release)
	outcome := make(chan error, 1)
	renew := func() {
		_, err := c.renew(t.Context(), token.RefreshToken)
		outcome <- err
	}
	go renew()
	<-arrived
	if !c.server.Active(token.RefreshToken) {
		t.Error("a held request has done something")
	}
	close(release)
	if err := <-outcome; err != nil || c.server.Active(token.RefreshToken) {
		t.Errorf("after the release: %v", err)
	}

	hold(make(chan struct{})) // that nobody closes
	go renew()
	<-arrived
	if err := c.server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-outcome; err == nil {
		t.Error("a held request succeeded after Close")
	}
	if err := c.server.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
