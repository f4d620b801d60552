package config

import (
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/keychain"
)

// oktaName is the profile that the ancestor's variables make, and the only one
// that they touch.
const oktaName = "okta"

var oktaNames = map[string]string{
	"issuer": "OKTA_ORG_URL", "client_id": "OKTA_CLIENT_ID", "redirect_uris": "OAUTH_REDIRECT_URI",
}

// oktaEnv are the variables of the ancestor, a Python web proxy for Okta.
type oktaEnv struct {
	orgURL, clientID, redirectURI string
	secret                        keychain.Secret
}

func readOkta(env func(string) string) oktaEnv {
	return oktaEnv{
		orgURL:      env("OKTA_ORG_URL"),
		clientID:    env("OKTA_CLIENT_ID"),
		redirectURI: env("OAUTH_REDIRECT_URI"),
		secret:      keychain.NewSecret(env("OKTA_CLIENT_SECRET")),
	}
}

// present reports whether the variables name a client. The two others alone
// do not: OAUTH_REDIRECT_URI is a name that any program may use.
func (e oktaEnv) present() bool { return e.orgURL != "" || e.clientID != "" }

// layer returns what the variables say about the profile okta. The URL is the
// issuer as it is, that of the org or, with /oauth2/ in it, of one of its
// authorization servers; an issuer of Okta never ends with a slash.
func (e oktaEnv) layer(own Profile) layer {
	l := layer{origin: OriginEnvironment, sources: oktaNames, secret: e.secret}
	l.values.Issuer = strings.TrimRight(IssuerOf(e.orgURL), "/")
	l.values.ClientID = e.clientID
	if e.orgURL != "" { // which may be on a domain of the company's own
		okta, _ := ProviderNamed(oktaName)
		l.values.Provider = okta.kindOn(l.values.Issuer).Name
	}
	first := e.redirectURI
	if first == "" && e.present() && len(own.RedirectURIs) == 0 {
		first = "http://localhost:3001/oauth/callback" // what the ancestor had registered
	}
	if first == "" {
		return l
	}
	l.values.RedirectURIs = []string{first}
	for _, uri := range exactRedirects {
		if !slices.Contains(l.values.RedirectURIs, uri) {
			l.values.RedirectURIs = append(l.values.RedirectURIs, uri)
		}
	}
	return l
}
