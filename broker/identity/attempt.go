package identity

import (
	"context"
	"crypto/subtle"
	"net/url"
	"sync/atomic"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/identity/address"
	"github.com/mcpauth/mcpauth/broker/identity/loopback"
)

// Attempt is a sign-in whose browser is at the provider. It is for a program that
// has the provider's answer come to a route of its own; [Accounts.Login] listens on
// loopback instead.
type Attempt struct {
	URL     string // where the browser has to go
	address *url.URL
	signIn  *signIn
	used    atomic.Bool
}

// Begin prepares a sign-in whose answer comes to redirectURI. Nothing is opened, and
// nothing waits: the caller bounds the time that the attempt is good for, and has it
// finished only by the browser that was sent to URL.
func (a *Accounts) Begin(ctx context.Context, c Client, o LoginOptions, redirectURI string) (*Attempt, error) {
	if _, err := address.Parse(redirectURI); err != nil {
		return nil, unusableRedirect(redirectURI, err)
	}
	if c.Machine {
		return nil, &ClientError{Field: "grant", Reason: "is client_credentials, which signs in without a user and so without a browser"}
	}
	p, o, err := a.prepare(ctx, c, o)
	if err != nil {
		return nil, err
	}
	return a.newSignIn(p, c, o, p.ask(c, o)).begin(redirectURI)
}

func (s *signIn) begin(redirectURI string) (*Attempt, error) {
	s.redirectURI = redirectURI
	config := s.config()
	target, err := address.ForBrowser(config.AuthCodeURL(s.state, s.authorizationParameters()...))
	if err != nil {
		return nil, &MetadataError{Field: "authorization_endpoint", Reason: err.Error()}
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, &MetadataError{Field: "authorization_endpoint", Reason: "is not a URL"}
	}
	return &Attempt{URL: target, address: u, signIn: s}, nil
}

// State is the parameter of the answer by which a program with several attempts finds
// the one that it belongs to.
func (t *Attempt) State() string { return t.signIn.state }

// Finish takes the query that the browser has brought, and signs in as Login does. An
// answer with another state changes nothing; the first one with the right state ends
// the attempt.
func (t *Attempt) Finish(ctx context.Context, query url.Values) (User, error) {
	s := t.signIn
	switch {
	case loopback.Repeats(query) || !s.Knows(query.Get("state")):
		return User{}, &VerifyError{What: answerToSignIn, Why: "it does not belong to this sign-in (state)"}
	case t.used.Swap(true):
		return User{}, &VerifyError{What: answerToSignIn, Why: "it came before"}
	}
	if err := s.judge(query); err != nil {
		return User{}, err
	}
	said, err := s.exchange(ctx, query.Get("code"))
	if err != nil {
		s.giveBackRest(ctx, said)
		return User{}, err
	}
	return s.accept(ctx, said)
}

// Again is the attempt to make after Finish has failed with err: the same without what
// the provider refused and nobody has chosen. It is nil when there is no such thing.
func (t *Attempt) Again(err error) *Attempt {
	next := t.signIn.next(err)
	if next == nil {
		return nil
	}
	again, err := next.begin(t.signIn.redirectURI)
	if err != nil {
		return nil
	}
	return again
}

// answerToSignIn is VerifyError.What of an answer that may be a mix-up attack.
const answerToSignIn = "answer to the sign-in"

// Knows implements [loopback.SignIn].
func (s *signIn) Knows(state string) bool {
	return subtle.ConstantTimeCompare([]byte(state), []byte(s.state)) == 1
}

// judge is RFC 9207 2.4 and RFC 6749 4.1.2.1. iss comes first: what a foreign
// issuer says about an error must not be shown.
func (s *signIn) judge(query url.Values) error {
	_, there := query["iss"]
	switch {
	case !there && s.provider.SendsIss:
		return &VerifyError{What: answerToSignIn, Why: "the provider promises to say who it is, and did not (iss)"}
	case there && query.Get("iss") != s.provider.Issuer:
		return &VerifyError{What: answerToSignIn, Why: "another provider sent it (iss)"}
	}
	description := query.Get("error_description")
	switch code := query.Get("error"); {
	case code == "access_denied":
		return &ConsentRefusedError{Description: clean(description, s.state)}
	case code != "":
		return providerError("authorization", code, description, s.state)
	case query.Get("code") == "":
		return &VerifyError{What: answerToSignIn, Why: "it has no code"}
	}
	return nil
}

// config is what x/oauth2 has to know of this sign-in.
func (s *signIn) config() oauth2.Config {
	return oauth2.Config{
		ClientID:    s.client.ClientID,
		Endpoint:    s.provider.endpoint(s.client),
		RedirectURL: s.redirectURI,
		Scopes:      s.asked.scopes,
	}
}

func (s *signIn) authorizationParameters() []oauth2.AuthCodeOption {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(s.verifier), oidc.Nonce(s.nonce)}
	if s.client.Audience != "" {
		options = append(options, oauth2.SetAuthURLParam("audience", s.client.Audience))
	}
	if s.client.Resource != "" {
		options = append(options, oauth2.SetAuthURLParam("resource", s.client.Resource))
	}
	return append(options, s.asked.options()...)
}

// exchange asks for the tokens of a code (RFC 6749 4.1.3, RFC 7636 4.5). It is written
// by hand: x/oauth2 would refuse answers that other grants are content with.
func (s *signIn) exchange(ctx context.Context, code string) (tokenResponse, error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.redirectURI}, "code_verifier": {s.verifier},
	}
	return s.provider.grantTokens(ctx, "token", s.client, form, code, s.verifier)
}
