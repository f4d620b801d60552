package identity

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// remark names what is known to go wrong with providers, by one answer.
func (t *transport) remark(tr *tracer, e TraceEvent, resp *http.Response) {
	a := &answer{status: resp.StatusCode, header: resp.Header}
	switch {
	case e.Step == "discovery" && e.Status == http.StatusOK && !a.isJSON():
		tr.note("the metadata is not JSON but "+a.kind(), "the issuer is the address of a web page, or a sign-in page of this network answers; open it in a browser")
	case e.Step == "token" && e.Got["error"] == "invalid_client":
		tr.note("the provider does not take this client's way to prove itself ("+proofSent(e)+")",
			"register the application as native and public (client authentication: none), or put its secret in: mcpauth profile secret NAME")
	case e.Step == "token" && e.Got["error"] == "invalid_grant":
		tr.note("the provider does not take the code", "check that its application has this redirect URI exactly, and this machine's clock")
	case e.Step == "token" && e.Got["error"] == "unauthorized_client":
		tr.note("the application may not use this grant", "allow it at the provider: "+e.Sent["grant_type"])
	case e.Step == "token" && e.Status == http.StatusOK && e.Got["expires_in"] == "":
		tr.note("the provider does not say how long the access token is good (expires_in)", "mcpauth takes it for an hour")
	}
	if skew := time.Duration(t.skew.Load()).Round(time.Second); e.Step == "discovery" && skew.Abs() > tokenLeeway {
		tr.note(fmt.Sprintf("the provider's clock differs from this machine's by %s", skew), "set this machine's clock; ID tokens seem over or not valid yet otherwise")
	}
}

func proofSent(e TraceEvent) string {
	switch {
	case e.Sent["Authorization"] != "":
		return "client_secret_basic"
	case e.Sent["client_secret"] != "":
		return "client_secret_post"
	}
	return "none"
}

// remarkMetadata names what the provider's metadata lets expect.
func (p *provider) remarkMetadata(tr *tracer, c Client) {
	if tr == nil {
		return
	}
	if len(p.ChallengeMethods) == 0 {
		tr.note("the provider does not list PKCE (code_challenge_methods_supported)", "S256 is sent all the same; Entra and others check it without saying so")
	}
	if !p.SendsIss {
		tr.note("the provider does not promise iss in its answer (RFC 9207)", "nothing to do; give each provider a redirect URI of its own where you use several")
	}
	if p.RevocationEndpoint == "" {
		tr.note("the provider has no revocation endpoint", "mcpauth logout deletes the tokens here, and they stay good there until they run out")
	}
	if own := c.Scopes; slices.Contains(own, "offline_access") && p.lacksOfflineAccess() {
		tr.note("the profile asks for offline_access, which the provider does not list", `offline_access = "access_type" in the profile is the other way`)
	}
}

// remarkTokens compares what was given with what was asked for.
func (s *signIn) remarkTokens(tr *tracer, said tokenResponse) {
	if tr == nil {
		return
	}
	if said.RefreshToken == "" && (s.asked.offline || slices.Contains(s.asked.scopes, "offline_access")) {
		tr.note("a refresh token was asked for and none was given",
			`allow the application the refresh token grant at the provider; or it wants prompt=consent: offline_access = "consent" in the profile`)
	}
	granted := strings.Fields(said.Scope)
	var missing []string
	for _, scope := range s.asked.scopes {
		if len(granted) > 0 && !slices.Contains(granted, scope) {
			missing = append(missing, scope)
		}
	}
	if len(missing) > 0 {
		tr.note("the provider gave fewer scopes than asked for; missing: "+strings.Join(missing, " "), "allow them to the application, or to the person, at the provider")
	}
}

// remarkProof explains a sign-in that proves less than was asked for.
func remarkProof(tr *tracer, err error) {
	var proof *ProofError
	if errors.As(err, &proof) {
		tr.note("the ID token is good, but its "+proof.Claim+" is not what was asked for: "+proof.Why,
			"auth_time and acr are claims that many providers give only to applications whose administrator turned them on")
	}
}

// remarkIssuer explains a wrong issuer.
func remarkIssuer(tr *tracer, want, got string) {
	switch {
	case strings.TrimSuffix(want, "/") == strings.TrimSuffix(got, "/"):
		tr.note("the issuer differs from the provider's own spelling by a slash at its end", "--issuer "+clean(got))
	case strings.Contains(got, "{tenantid}"):
		tr.note("this is Entra's address for all tenants, whose tokens name another issuer", "--issuer https://login.microsoftonline.com/TENANT_ID/v2.0")
	default:
		tr.note("the provider calls itself otherwise than the profile does", "--issuer "+clean(got))
	}
}

// remarkEnd explains a sign-in that nobody came back from.
func (s *signIn) remarkEnd(tr *tracer, answered bool, redirectURI string) {
	if !answered {
		tr.note("no answer came back from the provider; most likely its page shows an error",
			"register this redirect URI with the application, exactly: "+clean(redirectURI))
	}
}
