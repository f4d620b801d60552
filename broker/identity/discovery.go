package identity

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/identity/address"
)

// metadata is what mcpauth reads of a provider's configuration (OpenID Connect
// Discovery 3, RFC 8414 2, RFC 9207 3).
type metadata struct {
	Issuer, AuthorizationEndpoint, TokenEndpoint, JWKSURI                    string
	UserinfoEndpoint, RevocationEndpoint, EndSessionEndpoint, DeviceEndpoint string // empty: it has none

	ScopesSupported, ChallengeMethods, TokenAuthMethods, PromptValues []string
	SendsIss                                                          bool // in the answer to the browser
}

// take reads the metadata member by member. What is needed has to be there as a
// string; what is a hint and has an odd form is no hint.
func (m *metadata) take(said claims) error {
	for _, f := range m.endpoints() {
		text, ok := textOf(said[f.name])
		switch {
		case ok:
			*f.value = text
		case f.needed && said.has(f.name):
			return &MetadataError{Field: f.name, Reason: "is not a string, or stands there twice"}
		case f.needed:
			return &MetadataError{Field: f.name, Reason: "is not there"}
		}
	}
	for name, list := range map[string]*[]string{
		"scopes_supported": &m.ScopesSupported, "code_challenge_methods_supported": &m.ChallengeMethods,
		"token_endpoint_auth_methods_supported": &m.TokenAuthMethods, "prompt_values_supported": &m.PromptValues,
	} {
		values, _ := said.names(name)
		*list = strings.Fields(strings.Join(values, " "))
	}
	m.SendsIss = said.flag("authorization_response_iss_parameter_supported")
	return nil
}

// metadataField is a member that holds a URL.
type metadataField struct {
	name   string
	value  *string
	needed bool
}

func (m *metadata) endpoints() []metadataField {
	return []metadataField{
		{"issuer", &m.Issuer, true},
		{"authorization_endpoint", &m.AuthorizationEndpoint, true},
		{"token_endpoint", &m.TokenEndpoint, true},
		{"jwks_uri", &m.JWKSURI, true},
		{"userinfo_endpoint", &m.UserinfoEndpoint, false},
		{"revocation_endpoint", &m.RevocationEndpoint, false},
		{"end_session_endpoint", &m.EndSessionEndpoint, false},
		{"device_authorization_endpoint", &m.DeviceEndpoint, false},
	}
}

// provider is an OpenID provider whose metadata has been read and judged.
type provider struct {
	metadata
	transport *transport
	http      *http.Client
	keys      *oidc.RemoteKeySet
	keyReader *keyReader
	now       func() time.Time
}

// discover reads and judges the metadata of the client's issuer.
func discover(ctx context.Context, c Client, network http.RoundTripper, now func() time.Time) (*provider, error) {
	issuer, err := parseIssuer(c.Issuer)
	if err != nil {
		return nil, err
	}
	if c.ClientID == "" {
		return nil, &ClientError{Field: "client_id", Reason: "is missing"}
	}
	base, err := c.network(network)
	if err != nil {
		return nil, err
	}
	t := &transport{base: base, now: now, reach: address.NewReach(issuer, c.metadataURL())}
	p := &provider{transport: t, http: t.client(), now: now}
	if err := p.readMetadata(ctx, c.metadataURL()); err != nil {
		return nil, err
	}
	t.metadata = &p.metadata
	if p.Issuer != c.Issuer {
		return nil, &IssuerMismatchError{Want: c.Issuer, Got: clean(p.Issuer), Works: p.otherIssuer(ctx, issuer, p.Issuer)}
	}
	if err := p.judge(issuer); err != nil {
		return nil, err
	}
	p.keyReader = &keyReader{next: t}
	keys := *p.http
	keys.Transport = p.keyReader
	p.keys = oidc.NewRemoteKeySet(oidc.ClientContext(ctx, &keys), p.JWKSURI)
	return p, nil
}

// parseIssuer judges the issuer that a person configured. It may not have a
// query (OpenID Connect Discovery 3).
func parseIssuer(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, &ClientError{Field: "issuer", Reason: "is missing"}
	}
	u, err := address.Parse(raw)
	if err != nil {
		return nil, &ClientError{Field: "issuer", Reason: err.Error()}
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, &ClientError{Field: "issuer", Reason: "has a query"}
	}
	return u, nil
}

// metadataURL is where the metadata is: below the issuer (OpenID Connect Discovery
// 4.1), unless the client says otherwise. Whose metadata it is, is judged all the
// same.
func (c Client) metadataURL() string {
	return cmp.Or(c.MetadataURL, strings.TrimSuffix(c.Issuer, "/")+wellKnown)
}

const wellKnown = "/.well-known/openid-configuration"

func (p *provider) readMetadata(ctx context.Context, target string) error {
	a, err := p.get(ctx, "metadata", target)
	if err != nil {
		return err
	}
	switch {
	case a.status == http.StatusOK:
	case a.status >= 500, a.status == http.StatusTooManyRequests:
		return p.refusal("metadata", target, a)
	default:
		led := ""
		if to := a.location(target); to != nil {
			led = ", which leads to " + withoutQuery(to)
		}
		return &MetadataError{Reason: fmt.Sprintf("is not at %s (answer %d%s); is the issuer right?", clean(target), a.status, led)}
	}
	said, err := a.object()
	if err != nil {
		return &MetadataError{Reason: err.Error()}
	}
	return p.take(said)
}

// otherIssuer returns the first issuer at which there is metadata of that name,
// or nothing: a hint that nobody has tried may lead in a circle. Only the host that
// was asked for is asked: a document may name any other.
func (p *provider) otherIssuer(ctx context.Context, asked *url.URL, names ...string) string {
	ctx, cancel := context.WithTimeout(ctx, otherIssuerTimeout)
	defer cancel()
	if strings.Contains(asked.Hostname(), ".okta") {
		names = append(names, strings.TrimSuffix(asked.String(), "/")+"/oauth2/default")
	}
	for _, name := range names {
		u, err := parseIssuer(name)
		if err != nil || u.Host != asked.Host {
			continue
		}
		other := &provider{transport: p.transport, http: p.http, now: p.now}
		if other.readMetadata(ctx, strings.TrimSuffix(name, "/")+wellKnown) == nil && other.Issuer == name && other.judge(u) == nil {
			return name
		}
	}
	return ""
}

const otherIssuerTimeout = 5 * time.Second // for a hint

func (p *provider) judge(issuer *url.URL) error {
	for _, e := range p.endpoints() {
		if *e.value == "" && !e.needed || e.name == "issuer" {
			continue
		}
		if err := address.JudgeEndpoint(*e.value, issuer); err != nil {
			return &MetadataError{Field: e.name, Reason: err.Error()}
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
