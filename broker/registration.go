package broker

import (
	"slices"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// Provider is a kind of OpenID provider that `mcpauth init` knows the console of.
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
}

// Providers are all that there are, the general one last.
func Providers() []Provider { return slices.Clone(providers) }

var providers = []Provider{
	{
		Name: "okta", Title: "Okta", IssuerShape: "https://ORG.okta.com",
		IssuerHint: "of a custom authorization server: https://ORG.okta.com/oauth2/default",
		Where:      "Admin Console > Applications > Applications > Create App Integration",
		Type:       "OIDC - OpenID Connect, Native Application",
		Steps:      []string{"Grant types: Authorization Code and Refresh Token", "Assignments: the people who may sign in"},
	},
	{
		Name: "entra", Title: "Microsoft Entra ID", IssuerShape: "https://login.microsoftonline.com/TENANT_ID/v2.0",
		IssuerHint: "TENANT_ID is the Directory (tenant) ID on the overview page",
		Where:      "Microsoft Entra admin center > App registrations > New registration",
		Type:       "Redirect URI of the platform Public client/native (mobile & desktop)",
		Steps:      []string{"Authentication > Settings > Allow public client flows: Yes, for sign-ins with a code on another device"},
	},
	{
		Name: "google", Title: "Google", IssuerShape: "https://accounts.google.com",
		IssuerHint: "the same for everybody",
		Where:      "Google Cloud console > APIs & Services > Credentials > Create credentials > OAuth client ID",
		Type:       "Desktop app", WantsSecret: true, NoRedirect: true,
		Steps: []string{"No redirect URI has to be registered for a desktop app", "Copy the client secret, too: Google wants it back, though it is no secret there"},
	},
	{
		Name: "auth0", Title: "Auth0", IssuerShape: "https://TENANT.REGION.auth0.com/",
		IssuerHint: "with the slash at the end",
		Where:      "Dashboard > Applications > Applications > Create Application",
		Type:       "Native",
		Steps:      []string{"Allowed Callback URLs: the redirect URIs, separated by commas", "Advanced Settings > Grant Types: Authorization Code and Refresh Token"},
	},
	{
		Name: "keycloak", Title: "Keycloak", IssuerShape: "https://HOST/realms/REALM",
		IssuerHint: "Realm settings > Endpoints > OpenID Endpoint Configuration shows it",
		Where:      "Admin console > the realm > Clients > Create client",
		Type:       "OpenID Connect, Client authentication: Off, Standard flow: on",
		Steps:      []string{"Advanced > Proof Key for Code Exchange Code Challenge Method: S256"},
	},
	{
		Name: "other", Title: "another OpenID provider", IssuerShape: "https://login.example.com",
		IssuerHint: "its address with /.well-known/openid-configuration behind it shows the metadata",
		Where:      "the provider's list of applications (clients)",
		Type:       "native, or public: authorization code with PKCE, no client secret",
		Steps:      []string{"Allow refresh tokens (the scope offline_access), so that a sign-in lasts"},
	},
}

// ProviderNamed finds a kind of provider by its name, or by the name of one of the
// presets that profiles have.
func ProviderNamed(name string) (Provider, bool) {
	switch name {
	case "okta-org", "okta-custom":
		name = "okta"
	case "dex", "generic":
		name = "other"
	}
	i := slices.IndexFunc(providers, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		return Provider{}, false
	}
	return providers[i], true
}

// ProviderOf guesses the kind of provider by its issuer.
func ProviderOf(issuer string) Provider {
	p, _ := ProviderNamed(identity.PresetFor(issuer).Name) // each preset has one
	return p
}

// Preset is what a profile has to name as its provider, because the issuer does not
// tell; empty where it does.
func (p Provider) Preset(issuer string) string {
	switch {
	case p.Name == "other" || ProviderOf(issuer).Name == p.Name:
		return ""
	case p.Name == "okta":
		return identity.OktaPreset(issuer)
	}
	return p.Name
}

// RedirectsOf are the redirect URIs to register for a profile, in the order in
// which they are tried. The error is a *Problem.
func RedirectsOf(r Resolved) ([]string, error) {
	states, err := identity.Redirects(r.client())
	if err != nil {
		return nil, AsProblem(err)
	}
	uris := make([]string, 0, len(states))
	for _, s := range states {
		uris = append(uris, s.URI)
	}
	return uris, nil
}
