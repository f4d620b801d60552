package identity

import (
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// claim sets one claim of an ID token before it is signed, or deletes it.
func claim(name string, value any) demoidp.Fault {
	return demoidp.Fault{Edit: func(c map[string]any) {
		if value == nil {
			delete(c, name)
			return
		}
		c[name] = value
	}}
}

func TestForeignIDTokens(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		fault demoidp.Fault
		words string
	}{
		"alg none":              {demoidp.Fault{Signature: demoidp.AlgNone}, "signature that is allowed"},
		"HS256 with public key": {demoidp.Fault{Signature: demoidp.HS256WithPublicKey}, "signature that is allowed"},
		"unknown kid":           {demoidp.Fault{Signature: demoidp.UnknownKid}, "signature"},
		"foreign key":           {demoidp.Fault{Signature: demoidp.ForeignKey}, "signature"},
		"iss foreign":           {claim("iss", "https://evil.example"), "(iss)"},
		"iss absent":            {claim("iss", nil), "(iss)"},
		"aud foreign":           {claim("aud", "somebody-else"), "(aud)"},
		"aud absent":            {claim("aud", nil), "(aud)"},
		"aud several, no azp":   {claim("aud", []string{demoidp.DefaultClientID, "other"}), "(azp)"},
		"azp foreign":           {claim("azp", "other"), "(azp)"},
		"nonce foreign":         {claim("nonce", "x"), "nonce"},
		"nonce absent":          {claim("nonce", nil), "nonce"},
		"nonce in another case": {demoidp.Fault{Edit: func(c map[string]any) { c["NONCE"] = c["nonce"] }}, "spelled almost like nonce"},
		"sub in another case":   {claim("Sub", "eve"), "spelled almost like sub"},
		"sub absent":            {claim("sub", nil), "no sub"},
		"at_hash foreign":       {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "(at_hash)"},
		"expired":               {claim("exp", now.Add(-2*time.Minute).Unix()), "it ended at"},
		"exp absent":            {claim("exp", nil), "it ended at"},
		"not yet valid":         {claim("nbf", now.Add(10*time.Minute).Unix()), "(nbf)"},
		"exp of the wrong type": {claim("exp", "tomorrow"), "ID token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails("id_token", always, test.fault))
			_, page, err := w.login(t)
			if verify := wantError[*VerifyError](t, err); verify.What != "ID token" || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v, want %q", err, test.words)
			}
			wantPage(t, page, 400, "did not stand up to a check")
			w.wantNothingStored(t)
		})
	}
}

func TestUnusualIDTokensThatAreGood(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]demoidp.Fault{
		"over for less than a minute": {Edit: func(c map[string]any) { c["exp"] = time.Now().Add(-30 * time.Second).Unix() }},
		"without at_hash":             claim("at_hash", nil),
		"azp is us": {Edit: func(c map[string]any) {
			c["aud"], c["azp"] = []string{"api", demoidp.DefaultClientID}, demoidp.DefaultClientID
		}},
		"auth_time as a fraction": claim("auth_time", 1.7e9+0.5),
		"name is no string":       claim("name", []int{1}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails("id_token", always, fault))
			w.signedIn(t)
		})
	}
}

func TestTokenResponseWithoutIDToken(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(map[string]any){
		"no ID token": func(doc map[string]any) { delete(doc, "id_token") },
		"not Bearer":  func(doc map[string]any) { doc["token_type"] = "DPoP" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Edit: edit}))
			_, _, err := w.login(t)
			if verify := wantError[*VerifyError](t, err); verify.What != "token response" {
				t.Error(verify)
			}
			w.wantNothingStored(t)
		})
	}
}

// The usual cause of a token that is over when it is made: this machine's
// clock runs ahead of the provider's.
func TestClockThatDiffersIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	ahead := &clock{}
	ahead.advance(2 * time.Hour)
	w.accounts.now = ahead.now
	_, _, err := w.login(t)
	wantError[*VerifyError](t, err)
	if !strings.Contains(err.Error(), "the provider's clock differs from this machine's by -2h0m0s") &&
		!strings.Contains(err.Error(), "by -2h0m1s") {
		t.Error(err)
	}
}

func TestKeysOutOfReach(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]demoidp.Fault{
		"503":  {Status: 503, Body: "CANARY-body"},
		"HTML": {Status: 200, Body: "<b>CANARY-body</b>"},
		"cut":  {Drop: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails("jwks", always, fault))
			_, _, err := w.login(t)
			if down := wantError[*UnreachableError](t, err); down.Step != "keys" {
				t.Error(down)
			}
			w.wantNothingStored(t)
		})
	}
}

func TestRotatedSigningKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	p, err := w.accounts.provider(t.Context(), w.client) // remembered, as by a session
	if err != nil {
		t.Fatal(err)
	}
	w.signedIn(t)
	w.idp.RotateKey()
	if _, err := p.refresh(t.Context(), w.client, w.stored(t)); err != nil {
		t.Error(err)
	}
}
