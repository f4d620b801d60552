package config

import (
	"slices"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// Provider is an OpenID provider that `mcpauth init` knows the console of. A row of
// the table holds all that mcpauth knows of it: how to register there, and what a
// profile asks it for.
type Provider struct {
	Name        string // as --provider takes it
	Title       string // for people
	IssuerShape string // how its issuers look
	IssuerHint  string // where the issuer is found
	Where       string // the way through the console
	Type        string // the kind of application to choose
	Steps       []string
	WantsSecret bool // its desktop applications have a secret
	NoRedirect  bool // it takes any loopback redirect without being told
	OneIssuer   bool // IssuerShape is the issuer of all its users

	kinds []Kind // at least one
}

// Providers are all that there are, the general one last: it matches every issuer.
func Providers() []Provider { return slices.Clone(providers) }

var providers = []Provider{
	{
		Name: "okta", Title: "Okta", IssuerShape: "https://ORG.okta.com",
		IssuerHint: "of a custom authorization server: https://ORG.okta.com/oauth2/default",
		Where:      "Admin Console > Applications > Applications > Create App Integration",
		Type:       "OIDC - OpenID Connect, Native Application",
		Steps:      []string{"Grant types: Authorization Code and Refresh Token", "Assignments: the people who may sign in"},
		kinds: []Kind{
			{Name: "okta-org", hosts: oktaHosts, path: notBelow("/oauth2/"),
				Scopes: userScopes, Optional: offlineAndGroups, RedirectURIs: exactRedirects, Offline: identity.OfflineScope},
			{Name: "okta-custom", hosts: oktaHosts,
				Scopes: userScopes, Optional: offlineAndGroups, RedirectURIs: exactRedirects, Offline: identity.OfflineScope},
		},
	},
	{
		Name: "entra", Title: "Microsoft Entra ID", IssuerShape: "https://login.microsoftonline.com/TENANT_ID/v2.0",
		IssuerHint: "TENANT_ID is the Directory (tenant) ID on the overview page",
		Where:      "Microsoft Entra admin center > App registrations > New registration",
		Type:       "Redirect URI of the platform Public client/native (mobile & desktop)",
		Steps:      []string{"Authentication > Settings > Allow public client flows: Yes, for sign-ins with a code on another device"},
		kinds: []Kind{
			// The portal of Entra refuses 127.0.0.1; of localhost it ignores the port.
			{Name: "entra", hosts: []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "ciamlogin.com"},
				Scopes: userScopes, Optional: offline, RedirectURIs: []string{"http://localhost/callback"}, Offline: identity.OfflineScope},
		},
	},
	{
		Name: "google", Title: "Google", IssuerShape: "https://accounts.google.com",
		IssuerHint: "the same for everybody",
		Where:      "Google Cloud console > APIs & Services > Credentials > Create credentials > OAuth client ID",
		Type:       "Desktop app", WantsSecret: true, NoRedirect: true, OneIssuer: true,
		Steps: []string{"No redirect URI has to be registered for a desktop app", "Copy the client secret, too: Google wants it back, though it is no secret there"},
		kinds: []Kind{
			{Name: "google", hosts: []string{"accounts.google.com"},
				Scopes: userScopes, Offline: identity.OfflineAccessType},
		},
	},
	{
		Name: "auth0", Title: "Auth0", IssuerShape: "https://TENANT.REGION.auth0.com/",
		IssuerHint: "with the slash at the end",
		Where:      "Dashboard > Applications > Applications > Create Application",
		Type:       "Native",
		Steps:      []string{"Allowed Callback URLs: the redirect URIs, separated by commas", "Advanced Settings > Grant Types: Authorization Code and Refresh Token"},
		kinds: []Kind{
			{Name: "auth0", hosts: []string{"auth0.com"},
				Scopes: userScopes, Optional: offline, RedirectURIs: exactRedirects, Offline: identity.OfflineScope},
		},
	},
	{
		Name: "keycloak", Title: "Keycloak", IssuerShape: "https://HOST/realms/REALM",
		IssuerHint: "Realm settings > Endpoints > OpenID Endpoint Configuration shows it",
		Where:      "Admin console > the realm > Clients > Create client",
		Type:       "OpenID Connect, Client authentication: Off, Standard flow: on",
		Steps:      []string{"Advanced > Proof Key for Code Exchange Code Challenge Method: S256"},
		kinds: []Kind{
			{Name: "keycloak", path: below("/realms/"),
				Scopes: userScopes, Optional: offlineAndGroups, Offline: identity.OfflineScope, RolesClaim: "realm_access.roles"},
		},
	},
	{
		Name: "other", Title: "another OpenID provider", IssuerShape: "https://login.example.com",
		IssuerHint: "its address with /.well-known/openid-configuration behind it shows the metadata",
		Where:      "the provider's list of applications (clients)",
		Type:       "native, or public: authorization code with PKCE, no client secret",
		Steps:      []string{"Allow refresh tokens (the scope offline_access), so that a sign-in lasts"},
		kinds: []Kind{
			{Name: "dex", path: endsWith("/dex"),
				Scopes: userScopes, Optional: offlineAndGroups, Offline: identity.OfflineScope},
			{Name: "generic", Scopes: userScopes, Optional: offlineAndGroups, Offline: identity.OfflineAuto},
		},
	},
}
