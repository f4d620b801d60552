package identity

import (
	"net/url"
	"slices"
	"strings"
)

// Offline says how a refresh token is asked for: by the scope offline_access
// (OpenID Connect Core 11) or in a provider's own way.
type Offline string

// The ways to ask for a refresh token. The empty one is OfflineAuto.
const (
	OfflineAuto       Offline = "auto"        // OfflineConsent or OfflineAccessType, by what the provider lists
	OfflineScope      Offline = "scope"       // offline_access alone
	OfflineConsent    Offline = "consent"     // offline_access with prompt=consent
	OfflineAccessType Offline = "access_type" // access_type=offline with prompt=consent, and no scope
	OfflineNever      Offline = "never"       // not at all: the sign-in ends with its access token
)

// Preset is what is known of one kind of provider. A profile may override each
// field of it. docs/decisions/0006 tells where its values come from.
type Preset struct {
	Name         string   // what a profile calls it by
	Scopes       []string // asked for in any case
	Optional     []string // asked for where the provider lists them, and given up when it refuses
	RedirectURIs []string // empty means http://127.0.0.1/callback on any port
	Offline      Offline
	GroupsClaim  string // empty means groups
	RolesClaim   string // empty means roles
}

// exactRedirects are for providers that compare the port, too. RFC 8252 7.3
// wants any port allowed on loopback; they do not care.
func exactRedirects() []string {
	return []string{
		"http://127.0.0.1:8765/callback", "http://127.0.0.1:18765/callback", "http://127.0.0.1:28765/callback",
	}
}

// Presets are all that there are, the general one last.
func Presets() []Preset {
	scopes := []string{"openid", "profile", "email"}
	offline, groups := []string{"offline_access"}, []string{"offline_access", "groups"}
	return []Preset{
		{Name: "okta-org", Scopes: scopes, Optional: groups, RedirectURIs: exactRedirects(), Offline: OfflineScope},
		{Name: "okta-custom", Scopes: scopes, Optional: groups, RedirectURIs: exactRedirects(), Offline: OfflineScope},
		// The portal of Entra refuses 127.0.0.1; of localhost it ignores the port.
		{Name: "entra", Scopes: scopes, Optional: offline, RedirectURIs: []string{"http://localhost/callback"}, Offline: OfflineScope},
		{Name: "google", Scopes: scopes, Offline: OfflineAccessType},
		{Name: "auth0", Scopes: scopes, Optional: offline, RedirectURIs: exactRedirects(), Offline: OfflineScope},
		{Name: "keycloak", Scopes: scopes, Optional: groups, Offline: OfflineScope, RolesClaim: "realm_access.roles"},
		{Name: "dex", Scopes: scopes, Optional: groups, Offline: OfflineScope},
		{Name: generic, Scopes: scopes, Optional: groups, Offline: OfflineAuto},
	}
}

const generic = "generic"

// PresetNamed returns the preset with that name, and whether there is one.
func PresetNamed(name string) (Preset, bool) {
	presets := Presets()
	i := slices.IndexFunc(presets, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, false
	}
	return presets[i], true
}

// PresetFor guesses the kind of provider by its issuer. A provider behind a
// domain of its own looks like any other, so a profile may name its kind.
func PresetFor(issuer string) Preset {
	preset, _ := PresetNamed(kindOf(issuer))
	return preset
}

func kindOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return generic
	}
	host, path := u.Hostname(), strings.TrimSuffix(u.Path, "/")
	under := func(domains ...string) bool {
		return slices.ContainsFunc(domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
	}
	switch {
	case under("okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com"):
		return oktaKind(path)
	case under("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "ciamlogin.com"):
		return "entra"
	case host == "accounts.google.com":
		return "google"
	case under("auth0.com"):
		return "auth0"
	case strings.Contains(path, "/realms/"):
		return "keycloak"
	case strings.HasSuffix(path, "/dex"):
		return "dex"
	}
	return generic
}

// oktaKind tells Okta's org server from a custom authorization server, which
// has a path.
func oktaKind(path string) string {
	if strings.HasPrefix(path, "/oauth2/") {
		return "okta-custom"
	}
	return "okta-org"
}

// OktaPreset is the preset of an Okta issuer on any domain.
func OktaPreset(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return "okta-org"
	}
	return oktaKind(u.Path)
}
