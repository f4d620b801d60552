package identity

import (
	"crypto/x509"
	"errors"
	"net/url"
	"strings"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// What the command line says to fix each error, and its exit code. See
// [problem.Hinted].

// state is an error that is compared by identity.
type state struct {
	msg   string
	code  int
	hints []string
}

func (e *state) Error() string   { return e.msg }
func (e *state) ExitCode() int   { return e.code }
func (e *state) Hints() []string { return e.hints }

func signInHints() []string { return []string{"mcpauth login"} }

func (*EndedError) ExitCode() int { return problem.ExitSignInNeeded }
func (e *EndedError) Hints() []string {
	if e.Reason != noRefreshToken {
		return signInHints()
	}
	return []string{"mcpauth login", `for a sign-in that lasts, allow the application the refresh token grant at the provider; ` +
		`a provider that asks for consent first needs offline_access = "consent" in the profile`}
}

func (*RecordError) ExitCode() int   { return problem.ExitSignInNeeded }
func (*RecordError) Hints() []string { return signInHints() }

func (*LockedError) ExitCode() int   { return problem.ExitSignInNeeded }
func (*LockedError) Hints() []string { return []string{"mcpauth unlock"} }

func (*ClientError) ExitCode() int   { return problem.ExitUsage }
func (*ClientError) Hints() []string { return []string{"fix it in the profile: mcpauth profile show"} }

func (*MetadataError) ExitCode() int { return problem.ExitError }
func (e *MetadataError) Hints() []string {
	if strings.HasPrefix(e.Reason, "is not JSON") {
		return []string{"the issuer is the address of a web page, or a sign-in page of this network answers; open it in a browser"}
	}
	return []string{"check the issuer: its address with /.well-known/openid-configuration behind it shows the metadata"}
}

func (*UnreachableError) ExitCode() int { return problem.ExitUnreachable }
func (e *UnreachableError) Hints() []string {
	if e.Answered {
		return []string{"try again later; if it stays so, tell the provider's administrator what it answered"}
	}
	return networkHints(e)
}

func (*ConsentRefusedError) ExitCode() int { return problem.ExitSignInNeeded }
func (*ConsentRefusedError) Hints() []string {
	return []string{"if it was not you who refused, ask the provider's administrator for access; to try again:", "mcpauth login"}
}

func (*PortsBusyError) ExitCode() int { return problem.ExitError }
func (*PortsBusyError) Hints() []string {
	return []string{"end the program that listens there (often another mcpauth login), or register another redirect URI and put it in redirect_uris"}
}

func (*VerifyError) ExitCode() int { return problem.ExitError }
func (*VerifyError) Hints() []string {
	return []string{"nothing was stored; check client_id and issuer, and this machine's clock"}
}

func (*TimeoutError) ExitCode() int { return problem.ExitSignInNeeded }
func (*TimeoutError) Hints() []string {
	return []string{"to try again with more time:", "mcpauth login --timeout 10m"}
}

func (e *UnansweredError) ExitCode() int { return problem.Of(e.Err).Code }

// Hints say what keeps a browser at the provider: a redirect URI or a client ID that
// it does not know. Nothing comes back then.
func (e *UnansweredError) Hints() []string {
	hints := []string{
		"if the provider showed an error, register this redirect URI with the application there, exactly:",
		e.RedirectURI,
		"and check the client ID: " + e.ClientID,
	}
	if e.AnyPort {
		hints = append(hints, "a provider that compares ports needs a fixed one: --redirect-uri http://127.0.0.1:8765/callback")
	}
	if !e.Opened {
		hints = append([]string{"no browser opened the sign-in page"}, hints...)
	}
	return append(hints, problem.Of(e.Err).Hints...)
}

// networkHints tell a certificate that is not trusted from a network that is not there.
func networkHints(err error) []string {
	if !errors.As(err, new(x509.UnknownAuthorityError)) {
		return []string{"check the network and the issuer's address, then try again"}
	}
	return []string{
		"the provider, or a proxy on the way that inspects TLS, has a certificate of a CA that this system does not know",
		`name that CA's certificate (PEM) in the profile: ca_file = "/path/to/ca.pem"; or at the first sign-in: mcpauth login --ca-file FILE`,
	}
}

const signOutHint = "or give up all sign-ins: mcpauth unlock --sign-out"

func (*ProofError) ExitCode() int { return problem.ExitSignInNeeded }

// Hints say what the user or an administrator can do about a sign-in that proves too
// little. None of it was stored.
func (e *ProofError) Hints() []string {
	switch e.Claim {
	case "auth_time":
		return []string{"sign out on the provider's own pages and try again",
			"a provider that gives no auth_time, or ignores max_age, cannot prove a fresh sign-in; its administrator may be able to turn that on"}
	case "acr":
		return []string{"ask the provider's administrator which values of acr it gives, and name one of them with --acr"}
	}
	return []string{"sign in as the user whose sign-in is locked", signOutHint}
}

func (*IssuerMismatchError) ExitCode() int { return problem.ExitError }

// Hints name an issuer only if there is metadata at it, and the address of
// the metadata only if it is of the same host as the issuer that it names: a
// document may name any other.
func (e *IssuerMismatchError) Hints() []string {
	if strings.Contains(e.Got, "{tenantid}") { // Entra's /common and /organizations
		return []string{"name your tenant in the issuer: https://login.microsoftonline.com/TENANT_ID/v2.0"}
	}
	if e.Works != "" {
		return []string{"write the issuer exactly as the provider does: --issuer " + text.QuoteWord(e.Works)}
	}
	want, wantErr := url.Parse(e.Want)
	got, gotErr := url.Parse(e.Got)
	if wantErr == nil && gotErr == nil && got.Host != "" && want.Host == got.Host {
		return []string{"there is no metadata at the name that the provider gives itself; if it is yours, as with Azure AD B2C, name both: " +
			"mcpauth profile add NAME --client-id ID --issuer " + text.QuoteWord(e.Got) +
			" --metadata-url " + text.QuoteWord(strings.TrimSuffix(e.Want, "/")+"/.well-known/openid-configuration")}
	}
	return []string{"check the issuer with the provider's administrator: what answers there is another one"}
}

func (*ProviderError) ExitCode() int { return problem.ExitError }

// Hints knows the usual mistakes behind the error codes of RFC 6749.
func (e *ProviderError) Hints() []string {
	if e.Step == "refresh" && e.Code == "invalid_request" { // Dex, about a refresh token that it does not know any more
		return []string{"if it stays so, sign in again: mcpauth login"}
	}
	switch e.Code {
	case "invalid_client", "unauthorized_client":
		return []string{"register the application as native and public (client authentication: none), or store its secret: mcpauth profile secret NAME",
			"check client_id, and that the application at the provider allows the authorization code and refresh token grants to a public (native) client with PKCE"}
	case "invalid_scope":
		return []string{"ask only for scopes that the provider offers: scopes = [\"openid\", \"profile\", \"email\"] in the profile"}
	case "invalid_grant":
		if e.Step == "token" { // of a code that is seconds old
			return []string{"check that the application has this redirect URI exactly, and this machine's clock; then mcpauth login"}
		}
		return []string{"sign in again: mcpauth login"}
	case "invalid_request":
		return []string{"check that the redirect URI is registered at the provider exactly as mcpauth uses it: mcpauth profile show"}
	}
	return []string{"ask the provider's administrator what the error means"}
}
