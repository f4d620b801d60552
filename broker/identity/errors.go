package identity

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// ErrSignedOut means that nobody is signed in. [*EndedError] and [*RecordError]
// are it, too, and know why; a nil Snapshot.Err means that nobody ever was.
var ErrSignedOut = errors.New("not signed in")

// ErrExpired means that the access token is over and was not renewed yet,
// though there is a refresh token to renew it with. A running session does so
// by itself.
var ErrExpired = errors.New("the access token is over and not renewed yet")

// EndedError means that somebody was signed in and is not any more. It is
// [ErrSignedOut].
type EndedError struct {
	Reason string    // what ended it, for people
	At     time.Time // when
}

func (e *EndedError) Error() string { return "the sign-in has ended: " + e.Reason }

// Is makes it ErrSignedOut.
func (e *EndedError) Is(target error) bool { return target == ErrSignedOut }

// RecordError means that what the keychain holds for this client cannot be
// used: it belongs to another provider or client, or nobody can read it. Only
// a new sign-in mends it. It is [ErrSignedOut].
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
type IssuerMismatchError struct{ Want, Got string }

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
}

func (e *UnreachableError) Error() string {
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
	What string // what was checked: "ID token", "nonce", "iss", "userinfo"
	Why  string
}

func (e *VerifyError) Error() string { return "the " + e.What + " is not valid: " + e.Why }

// ProofError means that somebody signed in, but not as freshly or not in the way
// that was asked for, or that it was somebody else. Nothing of it was stored.
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

// clean makes a provider's text fit for a terminal: no control characters and
// none that change the direction of writing, bounded, without the secrets.
func clean(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > maxDescription {
		text = string(runes[:maxDescription]) + "…"
	}
	return strings.TrimSpace(text)
}
