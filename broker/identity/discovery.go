package identity

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// metadata is what mcpauth reads of a provider's configuration (OpenID Connect
// Discovery 3, RFC 8414 2, RFC 9207 3).
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	DeviceEndpoint        string   `json:"device_authorization_endpoint"`
	ScopesSupported       []string `json:"scopes_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	PromptValues          []string `json:"prompt_values_supported"`
	SendsIss              bool     `json:"authorization_response_iss_parameter_supported"`
}

// provider is an OpenID provider whose metadata has been read and judged.
type provider struct {
	metadata
	transport *transport
	http      *http.Client
	keys      *oidc.RemoteKeySet
	now       func() time.Time
}

// discover reads and judges the metadata of the client's issuer.
func (a *Accounts) discover(ctx context.Context, c Client) (*provider, error) {
	issuer, err := parseIssuer(c.Issuer)
	if err != nil {
		return nil, err
	}
	if c.ClientID == "" {
		return nil, &ClientError{Field: "client_id", Reason: "is missing"}
	}
	t := &transport{base: a.roundTripper, now: a.now}
	p := &provider{transport: t, http: t.client(), now: a.now}
	if err := p.readMetadata(ctx, c.Issuer); err != nil {
		return nil, err
	}
	t.metadata = &p.metadata
	if err := p.judge(c.Issuer, issuer); err != nil {
		if p.Issuer != c.Issuer {
			remarkIssuer(tracerOf(ctx), c.Issuer, p.Issuer)
		}
		return nil, err
	}
	p.remarkMetadata(tracerOf(ctx), c)
	p.keys = oidc.NewRemoteKeySet(oidc.ClientContext(ctx, p.http), p.JWKSURI)
	return p, nil
}

func (p *provider) readMetadata(ctx context.Context, issuer string) error {
	a, err := p.get(ctx, "metadata", strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return err
	}
	switch {
	case a.status == http.StatusOK:
	case a.status >= 500, a.status == http.StatusTooManyRequests:
		return p.refusal("metadata", issuer, a)
	default:
		return &MetadataError{Reason: fmt.Sprintf("is not at %s (answer %d); is the issuer right?", issuer, a.status)}
	}
	if err := a.decode(&p.metadata); err != nil {
		return &MetadataError{Reason: err.Error()}
	}
	return nil
}

func (p *provider) judge(raw string, issuer *url.URL) error {
	if p.Issuer != raw {
		return &IssuerMismatchError{Want: raw, Got: clean(p.Issuer)}
	}
	endpoints := []struct {
		field, raw string
		needed     bool
	}{
		{"authorization_endpoint", p.AuthorizationEndpoint, true},
		{"token_endpoint", p.TokenEndpoint, true},
		{"jwks_uri", p.JWKSURI, true},
		{"userinfo_endpoint", p.UserinfoEndpoint, false},
		{"revocation_endpoint", p.RevocationEndpoint, false},
		{"end_session_endpoint", p.EndSessionEndpoint, false},
		{"device_authorization_endpoint", p.DeviceEndpoint, false},
	}
	for _, e := range endpoints {
		if e.raw == "" && !e.needed {
			continue
		}
		if err := judgeEndpoint(e.raw, issuer); err != nil {
			return &MetadataError{Field: e.field, Reason: err.Error()}
		}
	}
	// A provider that lists methods and not S256 cannot protect the code; one
	// that lists none may still check it, so it is sent anyway (RFC 7636 4.2).
	if len(p.ChallengeMethods) > 0 && !slices.Contains(p.ChallengeMethods, "S256") {
		return &MetadataError{Field: "code_challenge_methods_supported", Reason: "lacks S256, so PKCE is not possible"}
	}
	return nil
}

// authInParams is never left to x/oauth2 to find out: its way of finding out
// sends a refresh token twice, which ends the sign-in at a provider that
// rotates them.
func (p *provider) authInParams(c Client) bool {
	if c.ClientSecret.IsZero() {
		return true
	}
	return !slices.Contains(p.TokenAuthMethods, "client_secret_basic") &&
		slices.Contains(p.TokenAuthMethods, "client_secret_post")
}

func (p *provider) endpoint(c Client) oauth2.Endpoint {
	style := oauth2.AuthStyleInHeader
	if p.authInParams(c) {
		style = oauth2.AuthStyleInParams
	}
	return oauth2.Endpoint{AuthURL: p.AuthorizationEndpoint, TokenURL: p.TokenEndpoint, AuthStyle: style}
}

// providerTTL is how long metadata is believed. Short-lived access tokens are
// common, and asking for it at each refresh would double the requests.
const providerTTL = time.Hour

// providers remembers the metadata that sessions use. A sign-in always asks anew.
type providers struct {
	mu    sync.Mutex
	known map[string]knownProvider // by issuer
}

type knownProvider struct {
	*provider
	read time.Time
}

func (a *Accounts) provider(ctx context.Context, c Client) (*provider, error) {
	a.providers.mu.Lock()
	known, ok := a.providers.known[c.Issuer]
	a.providers.mu.Unlock()
	if age := a.now().Sub(known.read); ok && age >= 0 && age < providerTTL {
		return known.provider, nil
	}
	p, err := a.discover(ctx, c)
	if err != nil {
		return nil, err
	}
	a.providers.mu.Lock()
	defer a.providers.mu.Unlock()
	a.providers.known[c.Issuer] = knownProvider{p, a.now()}
	return p, nil
}
