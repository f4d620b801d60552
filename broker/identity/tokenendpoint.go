package identity

import (
	"context"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcpauth/mcpauth/keychain"
)

// tokenResponse is RFC 6749 5.1 with the ID token of OpenID Connect Core 12.2, of
// whichever grant.
type tokenResponse struct {
	AccessToken  string
	TokenType    string
	RefreshToken string
	IDToken      string
	Scope        string // separated by spaces; empty when the provider does not say
	scopeOdd     bool   // the provider says more of it than can be read
	expiresIn    int64  // seconds; 0 when the provider does not say
}

// tokens are those of the response, with the scopes that were asked for where
// the provider does not say which it gave (RFC 6749 5.1).
func (t *tokenResponse) tokens(asked []string) tokens {
	scopes := t.Scope
	if scopes == "" && !t.scopeOdd {
		scopes = strings.Join(asked, " ")
	}
	return tokens{
		access:   keychain.NewSecret(t.AccessToken),
		refresh:  keychain.NewSecret(t.RefreshToken),
		scopes:   scopes,
		lifetime: lifetime(t.expiresIn), scopesWhole: !t.scopeOdd,
	}
}

// tokenResponse reads an answer with tokens member by member, so that a member of
// an odd form costs no token. It is the one reader for all grants: what one of two
// takes, the other may throw away with a refresh token that is good only once.
func (a *answer) tokenResponse() (tokenResponse, claims) {
	said, _, err := a.members()
	if err != nil {
		said = a.form()
	}
	scope, whole := said.scope()
	return tokenResponse{
		AccessToken: said.text("access_token"), TokenType: said.text("token_type"), RefreshToken: said.text("refresh_token"),
		IDToken: said.text("id_token"), Scope: scope, scopeOdd: !whole, expiresIn: seconds(said["expires_in"]),
	}, said
}

// scope is a string (RFC 6749 3.3), or a list of these as Twitch sends it.
func (c claims) scope() (scope string, whole bool) {
	if !c.has("scope") {
		return "", true
	}
	if text, ok := textOf(c["scope"]); ok {
		return text, true
	}
	list, whole := elementsOf(c["scope"])
	var scopes []string
	for _, one := range list {
		text, ok := textOf(one)
		scopes, whole = appendName(scopes, text), whole && ok
	}
	return strings.Join(scopes, " "), whole
}

// seconds reads a time, which some providers send as a string or with a fraction.
// It is 0 when there is none.
func seconds(value jsontext.Value) int64 {
	text := string(value)
	if value.Kind() == '"' {
		text, _ = textOf(value)
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case math.IsNaN(n), err != nil && !math.IsInf(n, 0):
		return 0
	case n < 0:
		return 0
	case n > math.MaxInt32:
		return math.MaxInt32
	}
	return int64(n)
}

// readTokens judges the answer of the token endpoint. step is what people call the
// request by, and secrets are those in it that the provider might repeat. With an
// error the response has what there is all the same.
func (p *provider) readTokens(step string, a *answer, secrets ...string) (tokenResponse, error) {
	if a.status < 200 || a.status >= 300 {
		return tokenResponse{}, p.refusal(step, p.TokenEndpoint, a, secrets...)
	}
	got, said := a.tokenResponse()
	switch {
	case got.AccessToken != "":
		return got, nil
	case got.RefreshToken == "" && (said.has("error") || !said.has("access_token")):
		if _, _, err := a.members(); err != nil || said.has("error") { // some answer 200 with it
			return got, p.refusal(step, p.TokenEndpoint, a, secrets...)
		}
	}
	why := "its answer has no access_token"
	if said.has("access_token") {
		why = "the access_token in its answer is not a string, or empty"
	}
	return got, unusable(step, p.TokenEndpoint, "%s", why)
}

// grantTokens is one POST to the token endpoint.
func (p *provider) grantTokens(ctx context.Context, step string, c Client, form url.Values, secrets ...string) (tokenResponse, error) {
	if c.Resource != "" {
		form.Set("resource", c.Resource)
	}
	a, err := p.postForm(ctx, step, p.TokenEndpoint, c, form)
	if err != nil {
		return tokenResponse{}, err
	}
	return p.readTokens(step, a, append(secrets, c.ClientSecret.Reveal())...)
}
