package identity

import (
	"fmt"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// ErrSignedOut means that nobody is signed in. [*EndedError] and [*RecordError]
// are it, too, and know why; a nil Snapshot.Err means that nobody ever was.
var ErrSignedOut error = &state{"not signed in", problem.ExitSignInNeeded, signInHints()}

// ErrExpired means that the access token is over and was not renewed yet,
// though there is a refresh token to renew it with. A running session does so
// by itself.
var ErrExpired error = &state{"the access token is over and not renewed yet", problem.ExitError, []string{"a running proxy renews it by itself"}}

// EndedError means that the user was signed in and no longer is. It is
// [ErrSignedOut].
type EndedError struct {
	Reason string    // what ended it, for people
	At     time.Time // when
}

const noRefreshToken = "the access token is over, and the provider gave no refresh token"

func (e *EndedError) Error() string { return "the sign-in has ended: " + e.Reason }

// Is makes it ErrSignedOut.
func (e *EndedError) Is(target error) bool { return target == ErrSignedOut }

// RecordError means that what the keychain holds for this client cannot be
// used: it belongs to another provider or client, or nobody can read it. Only
// a new sign-in fixes it. It is [ErrSignedOut].
type RecordError struct{ Reason string }

func (e *RecordError) Error() string { return "the stored sign-in cannot be used: " + e.Reason }

// Is makes it ErrSignedOut.
func (e *RecordError) Is(target error) bool { return target == ErrSignedOut }

// ClientError means that a Client is not usable as it is configured.
type ClientError struct {
	Field  string // as in a profile: "issuer", "client_id", "redirect_uris"
	Reason string
}

func (e *ClientError) Error() string { return e.Field + " " + e.Reason }

// IssuerMismatchError means that the provider's metadata names another issuer
// than the one asked for (OpenID Connect Discovery 4.3). They must be the same
// byte for byte; a trailing slash is the usual cause.
type IssuerMismatchError struct {
	Want, Got string
	Works     string // an issuer at which metadata of that name was found; empty when none was
}

func (e *IssuerMismatchError) Error() string {
	return fmt.Sprintf("the provider at %s calls itself %q", e.Want, e.Got)
}

// MetadataError means that the provider's metadata is missing or cannot be
// used safely.
type MetadataError struct {
	Field  string // member of the document, empty for the document itself
	Reason string
}

func (e *MetadataError) Error() string {
	if e.Field == "" {
		return "the provider's metadata " + e.Reason
	}
	return "the provider's metadata: " + e.Field + " " + e.Reason
}

// UnreachableError means that the provider could not be reached, or that
// something answered which is no OpenID provider in working order. Trying
// again later may help, and nothing was changed.
type UnreachableError struct {
	Step       string        // what was asked for: "metadata", "keys", "token", "userinfo", "revocation"
	Host       string        // who was asked
	Err        error         // why; never holds a body
	RetryAfter time.Duration // how long the provider wants to be left alone; 0 when it did not say
	Answered   bool          // something answered: the network is not the cause
}

func (e *UnreachableError) Error() string {
	if e.Answered {
		return fmt.Sprintf("%s gave no usable answer (%s): %v", e.Host, e.Step, e.Err)
	}
	return fmt.Sprintf("%s cannot be reached (%s): %v", e.Host, e.Step, e.Err)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// ProviderError is an error that the provider answered with (RFC 6749 4.1.2.1
// and 5.2).
type ProviderError struct {
	Step        string // "authorization", "token", "refresh", "revocation"
	Code        string // error; a few printable ASCII characters
	Description string // error_description; cleaned of control characters, at most 200 characters
}

func (e *ProviderError) Error() string {
	text := "the provider refused the " + e.Step + " request: " + e.Code
	if e.Description != "" {
		text += " (" + e.Description + ")"
	}
	return text
}

// ConsentRefusedError means that the person, or a rule of the provider, said
// no (access_denied).
type ConsentRefusedError struct{ Description string }

func (e *ConsentRefusedError) Error() string {
	if e.Description == "" {
		return "the sign-in was refused at the provider"
	}
	return "the sign-in was refused at the provider: " + e.Description
}

// PortsBusyError means that none of the redirect URIs' ports could be taken.
type PortsBusyError struct{ Addrs []string }

func (e *PortsBusyError) Error() string {
	return "no port for the redirect URI is free: " + strings.Join(e.Addrs, ", ")
}

// VerifyError means that an answer did not stand up to a check, so that
// nothing of it was used.
type VerifyError struct {
	What    string // what was checked: "ID token", "nonce", "iss", "userinfo"
	Why     string
	Foreign bool // it is about another person, or for another client
}

func (e *VerifyError) Error() string { return "the " + e.What + " is not valid: " + e.Why }

// ProofError means that a user signed in, but not as freshly or not in the way
// that was asked for, or that it was another user. Nothing of it was stored.
type ProofError struct {
	Claim string // of the ID token: "auth_time", "acr" or "sub"
	Why   string
}

func (e *ProofError) Error() string { return "the sign-in is not the one that was asked for: " + e.Why }

// TimeoutError means that a sign-in was not finished in time.
type TimeoutError struct{ After time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the sign-in was not finished within %s", e.After)
}

// Timeout marks it for callers that know net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// TakenOverError means that a login of the user took the page of an invited sign-in
// over, and did not bring what that one was for.
type TakenOverError struct{}

func (*TakenOverError) Error() string { return "a login of the user took the sign-in page over" }

// UnansweredError means that a sign-in ended while the provider's answer was
// waited for. A provider that does not know the redirect URI or the client keeps
// the browser, and shows an error there.
type UnansweredError struct {
	RedirectURI string // where the browser should have come back to
	AnyPort     bool   // its port is another one each time
	ClientID    string
	Opened      bool  // a browser was sent on to the provider
	Err         error // a *TimeoutError, or the context's
}

func (e *UnansweredError) Error() string { return problem.Of(e.Err).Msg }

// Unwrap returns why the sign-in ended.
func (e *UnansweredError) Unwrap() error { return e.Err }

const (
	maxCode        = 64  // characters of an error code
	maxDescription = 200 // characters of an error description
	redacted       = "[redacted]"
)

// providerError cleans what a provider said. Some providers repeat the
// rejected code or token in error_description, so secrets names the ones that
// were sent.
func providerError(step, code, description string, secrets ...string) *ProviderError {
	return &ProviderError{Step: step, Code: cleanCode(code), Description: clean(description, secrets...)}
}

// cleanCode keeps the characters that RFC 6749 allows in error.
func cleanCode(code string) string {
	code = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, code)
	if len(code) > maxCode {
		code = code[:maxCode]
	}
	return code
}

// clean makes a provider's text fit for a line of a terminal: bounded, and without the
// secrets.
func clean(said string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			said = strings.ReplaceAll(said, secret, redacted)
		}
	}
	said = text.CleanLine(strings.Join(strings.Fields(said), " "))
	if runes := []rune(said); len(runes) > maxDescription {
		said = string(runes[:maxDescription]) + "…"
	}
	return said
}

// LockedError means that the user has locked mcpauth on this machine: every
// sign-in is kept, and none may be used before [Accounts.Unlock]. It is
// [ErrSignedOut].
type LockedError struct{}

func (*LockedError) Error() string { return "mcpauth is locked on this machine" }

// Is makes it ErrSignedOut.
func (*LockedError) Is(target error) bool { return target == ErrSignedOut }
