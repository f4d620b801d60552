package identity

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/mcpauth/mcpauth/keychain"
	"golang.org/x/oauth2"
)

// tokenResponse is RFC 6749 5.1 with the ID token of OpenID Connect Core 12.2.
type tokenResponse struct {
	AccessToken  string         `json:"access_token"`
	TokenType    string         `json:"token_type"`
	RefreshToken string         `json:"refresh_token"`
	IDToken      string         `json:"id_token"`
	Scope        string         `json:"scope"`
	ExpiresIn    jsontext.Value `json:"expires_in"`
	Error        string         `json:"error"` // some answer 200 with it
}

// seconds reads expires_in, which some providers send as a string.
func (t *tokenResponse) seconds() int64 {
	var n float64
	if json.Unmarshal(t.ExpiresIn, &n) == nil {
		return int64(n)
	}
	var s string
	if json.Unmarshal(t.ExpiresIn, &s) == nil && json.Unmarshal([]byte(s), &n) == nil {
		return int64(n)
	}
	return 0
}

// tokens are those of the response, with the scopes that were asked for where
// the provider does not say which it gave (RFC 6749 5.1).
func (t *tokenResponse) tokens(asked []string) tokens {
	return tokens{
		access:   keychain.NewSecret(t.AccessToken),
		refresh:  keychain.NewSecret(t.RefreshToken),
		scopes:   cmp.Or(t.Scope, strings.Join(asked, " ")),
		lifetime: lifetime(t.seconds()),
	}
}

// responseOf is what x/oauth2 has read, in the form that every grant here has.
func responseOf(token *oauth2.Token) tokenResponse {
	id, _ := token.Extra("id_token").(string)
	scope, _ := token.Extra("scope").(string)
	return tokenResponse{
		AccessToken: token.AccessToken, TokenType: token.TokenType, RefreshToken: token.RefreshToken,
		IDToken: id, Scope: scope, ExpiresIn: jsontext.Value(strconv.FormatInt(token.ExpiresIn, 10)),
	}
}

// grantTokens is one POST to the token endpoint. step is what people call it by,
// and secrets are those in form that the provider might repeat.
func (p *provider) grantTokens(ctx context.Context, step string, c Client, form url.Values, secrets ...string) (tokenResponse, error) {
	if c.Resource != "" {
		form.Set("resource", c.Resource)
	}
	a, err := p.postForm(ctx, step, p.TokenEndpoint, c, form)
	if err != nil {
		return tokenResponse{}, err
	}
	var said tokenResponse
	if a.status != http.StatusOK || a.decode(&said) != nil || said.Error != "" {
		return tokenResponse{}, p.refusal(step, p.TokenEndpoint, a, append(secrets, c.ClientSecret.Reveal())...)
	}
	if said.AccessToken == "" {
		return tokenResponse{}, unreachable(step, hostOf(p.TokenEndpoint), errors.New("its answer has no access token"))
	}
	return said, nil
}
