package broker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/identity"
)

// AsProblem gives any error of the parts below the exit code and the cure that
// belong to it. A *Problem stays as it is.
func AsProblem(err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	problem := &Problem{Msg: err.Error(), Code: ExitError, Err: err}
	for _, cure := range []func(error, *Problem) bool{cureKeychain, cureIdentity, cureBackend} {
		if cure(err, problem) {
			break
		}
	}
	return problem
}

// loginProblem is AsProblem for a sign-in with a profile; again is the command that
// would try it once more.
func loginProblem(err error, r Resolved, again string) *Problem {
	problem := AsProblem(err)
	var mismatch *identity.IssuerMismatchError
	switch {
	case errors.As(err, new(*identity.TimeoutError)), errors.As(err, new(*identity.ConsentRefusedError)):
		problem.Hints[0] = strings.Replace(problem.Hints[0], "mcpauth login", again, 1)
	case !errors.As(err, &mismatch):
	case strings.Contains(mismatch.Got, "{tenantid}"): // Entra's /common and /organizations
		problem.Hints = []string{"name your tenant in the issuer: https://login.microsoftonline.com/TENANT_ID/v2.0"}
	case strings.Contains(mismatch.Want, ".okta"):
		problem.Hints = append(problem.Hints, "an Okta custom server is: "+strings.TrimSuffix(mismatch.Want, "/")+"/oauth2/default")
	}
	var refused *identity.ProviderError
	if errors.As(err, &refused) && refused.Code == "invalid_scope" {
		problem.Hints = append(problem.Hints, fmt.Sprintf("profile %s asks for: %s", r.Name, strings.Join(r.Scopes, " ")))
	}
	return problem
}

func cureIdentity(err error, p *Problem) bool {
	var (
		client      *identity.ClientError
		mismatch    *identity.IssuerMismatchError
		metadata    *identity.MetadataError
		unreachable *identity.UnreachableError
		refused     *identity.ProviderError
		consent     *identity.ConsentRefusedError
		ports       *identity.PortsBusyError
		verify      *identity.VerifyError
		proof       *identity.ProofError
		timeout     *identity.TimeoutError
	)
	switch {
	case errors.As(err, &client):
		p.Code, p.Hints = ExitUsage, []string{"mend it in the profile: mcpauth profile show"}
	case errors.As(err, &mismatch):
		p.Hints = []string{mismatchHint(mismatch)}
	case errors.As(err, &metadata):
		p.Hints = []string{"check the issuer: its address with /.well-known/openid-configuration behind it shows the metadata"}
	case errors.As(err, &unreachable):
		p.Code, p.Hints = ExitUnreachable, []string{"check the network and the issuer's address, then try again"}
	case errors.As(err, &consent):
		p.Code, p.Hints = ExitSignInNeeded, []string{"mcpauth login asks again; if it was not you who said no, ask the provider's administrator for access"}
	case errors.As(err, &refused):
		p.Hints = providerHints(refused)
	case errors.As(err, &ports):
		p.Hints = []string{"end the program that listens there (often another mcpauth login), or register another redirect URI and put it in redirect_uris"}
	case errors.As(err, &verify):
		p.Hints = []string{"nothing was stored; check client_id and issuer, and this machine's clock"}
	case errors.As(err, &proof):
		p.Code, p.Hints = ExitSignInNeeded, proofHints(proof)
	case errors.Is(err, identity.ErrUnconfirmed):
		p.Code, p.Hints = ExitSignInNeeded, []string{"at a terminal, mcpauth unlock asks you", signOutHint}
	case errors.Is(err, identity.ErrNoRevocation), errors.Is(err, identity.ErrStillGood):
		p.Hints = []string{"end the session on the provider's own pages; here the tokens are deleted"}
	case errors.As(err, &timeout):
		p.Code, p.Hints = ExitSignInNeeded, []string{"mcpauth login --timeout 10m gives more time"}
	case errors.As(err, new(*identity.LockedError)):
		p.Code, p.Hints = ExitSignInNeeded, []string{"mcpauth unlock"}
	case errors.Is(err, identity.ErrExpired):
		p.Hints = []string{"a running proxy renews it by itself"}
	case errors.Is(err, identity.ErrSignedOut):
		p.Code, p.Hints = ExitSignInNeeded, []string{"mcpauth login"}
	case errors.Is(err, context.Canceled):
		p.Code, p.Msg = ExitInterrupted, "stopped"
	default:
		return false
	}
	return true
}

const signOutHint = "or give up all sign-ins: mcpauth unlock --sign-out"

// proofHints say what a person or an administrator can do about a sign-in that
// proves too little. None of it was stored.
func proofHints(e *identity.ProofError) []string {
	switch e.Claim {
	case "auth_time":
		return []string{"sign out on the provider's own pages and try again",
			"a provider that gives no auth_time, or ignores max_age, cannot prove a fresh sign-in; its administrator may be able to turn that on"}
	case "acr":
		return []string{"ask the provider's administrator which values of acr it gives, and name one of them with --acr"}
	}
	return []string{"sign in as the person whose sign-in is locked", signOutHint}
}

// mismatchHint names the issuer's own spelling only if it is of the same host: a
// document may name any other.
func mismatchHint(e *identity.IssuerMismatchError) string {
	want, wantErr := url.Parse(e.Want)
	got, gotErr := url.Parse(e.Got)
	if wantErr == nil && gotErr == nil && got.Host != "" && want.Host == got.Host {
		return "write the issuer exactly as the provider does: --issuer " + quoteWord(e.Got)
	}
	return "check the issuer with the provider's administrator: what answers there is another one"
}

// providerHints knows the usual mistakes behind the error codes of RFC 6749.
func providerHints(e *identity.ProviderError) []string {
	if e.Step == "refresh" && e.Code == "invalid_request" { // Dex, about a refresh token that it does not know any more
		return []string{"if it stays so, sign in again: mcpauth login"}
	}
	switch e.Code {
	case "invalid_client", "unauthorized_client":
		return []string{"check client_id, and that the application at the provider allows the authorization code and refresh token grants to a public (native) client with PKCE"}
	case "invalid_scope":
		return []string{"ask only for scopes that the provider offers: scopes = [\"openid\", \"profile\", \"email\"] in the profile"}
	case "invalid_grant":
		return []string{"sign in again: mcpauth login"}
	case "invalid_request":
		return []string{"check that the redirect URI is registered at the provider exactly as mcpauth uses it: mcpauth profile show"}
	}
	return []string{"ask the provider's administrator what the error means"}
}

func cureBackend(err error, p *Problem) bool {
	var start *backend.StartError
	if !errors.As(err, &start) {
		return false
	}
	switch start.Kind {
	case backend.NotFound:
		p.Code, p.Hints = exitNotFound, []string{"give the command with its full path: GUI programs have a short PATH"}
	case backend.NotExecutable:
		p.Code, p.Hints = exitNotExecutable, []string{"make it executable, or name the interpreter: mcpauth proxy -- python3 main.py"}
	case backend.BadDir:
		p.Hints = []string{"give a folder that exists: --cwd DIR, or cwd in the profile"}
	default:
		p.Hints = []string{"start the command by hand to see what it says"}
	}
	return true
}

// A shell's exit codes for a command that cannot be started; `proxy` returns
// them as its child's.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// QuoteWord quotes a text for a shell unless it is plain.
func QuoteWord(text string) string { return quoteWord(text) }

// quoteWord quotes a text for a shell unless it is plain.
func quoteWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,=", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
