package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// Kind is what is known of one kind of provider: the preset of a profile, which may
// override each field. docs/decisions/0006 has where the values come from.
type Kind struct {
	Name         string   // what a profile calls it by
	Scopes       []string // asked for in any case
	Optional     []string // asked for where the provider lists them, and given up when it refuses
	RedirectURIs []string // empty means http://127.0.0.1/callback on any port
	Offline      identity.Offline
	GroupsClaim  string // empty means groups
	RolesClaim   string // empty means roles

	hosts []string               // of its issuers, or domains above them; none: any host
	path  func(path string) bool // of its issuers; nil: any path
}

var (
	userScopes       = []string{"openid", "profile", "email"}
	offline          = []string{"offline_access"}
	offlineAndGroups = []string{"offline_access", "groups"}
	oktaHosts        = []string{"okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com"}
	// exactRedirects are for providers that compare the port, too. RFC 8252 7.3
	// wants any port allowed on loopback; they do not care.
	exactRedirects = []string{"http://127.0.0.1:8765/callback", "http://127.0.0.1:18765/callback", "http://127.0.0.1:28765/callback"}
)

func below(part string) func(string) bool {
	return func(path string) bool { return strings.Contains(path, part) }
}

func notBelow(prefix string) func(string) bool {
	return func(path string) bool { return !strings.HasPrefix(path, prefix) }
}

func endsWith(suffix string) func(string) bool {
	return func(path string) bool { return strings.HasSuffix(path, suffix) }
}

func (k Kind) takes(path string) bool { return k.path == nil || k.path(path) }

func (k Kind) matches(host, path string) bool {
	under := func(domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }
	return (len(k.hosts) == 0 || slices.ContainsFunc(k.hosts, under)) && k.takes(path)
}

// KindNames are the names of all kinds, as provider of a profile takes them.
func KindNames() []string {
	var names []string
	for _, p := range providers {
		for _, k := range p.kinds {
			names = append(names, k.Name)
		}
	}
	return names
}

// ProviderNames are the names of all providers, as `mcpauth init` takes them.
func ProviderNames() []string {
	names := make([]string, 0, len(providers))
	for _, p := range providers {
		names = append(names, p.Name)
	}
	return names
}

// ProviderNamed finds a provider by its name, or by the name of one of its kinds.
func ProviderNamed(name string) (Provider, bool) {
	for _, p := range providers {
		if p.Name == name || slices.ContainsFunc(p.kinds, func(k Kind) bool { return k.Name == name }) {
			return p, true
		}
	}
	return Provider{}, false
}

// KindNamed returns the kind with that name, and whether there is one.
func KindNamed(name string) (Kind, bool) {
	for _, p := range providers {
		if i := slices.IndexFunc(p.kinds, func(k Kind) bool { return k.Name == name }); i >= 0 {
			return p.kinds[i], true
		}
	}
	return Kind{}, false
}

// KindOf is the kind of provider that a user names, by itself or by its provider, for an
// issuer. An unknown name stays as it is.
func KindOf(name, issuer string) string {
	if _, known := KindNamed(name); known {
		return name
	}
	if p, known := ProviderNamed(name); known {
		return p.kindOn(issuer).Name
	}
	return name
}

// KindFor guesses the kind of provider by its issuer. A provider behind a domain of
// its own looks like any other, so a profile may name its kind.
func KindFor(issuer string) Kind {
	_, kind := providerFor(issuer)
	return kind
}

// ProviderOf guesses the provider by its issuer.
func ProviderOf(issuer string) Provider {
	p, _ := providerFor(issuer)
	return p
}

func providerFor(issuer string) (Provider, Kind) {
	last := providers[len(providers)-1]
	general := last.kinds[len(last.kinds)-1]
	u, err := url.Parse(issuer)
	if err != nil {
		return last, general
	}
	for _, p := range providers {
		for _, k := range p.kinds {
			if k.matches(u.Hostname(), strings.TrimSuffix(u.Path, "/")) {
				return p, k
			}
		}
	}
	return last, general
}

// Preset is what a profile has to name as its provider, because the issuer does not
// tell; empty where it does.
func (p Provider) Preset(issuer string) string {
	if p.Name == providers[len(providers)-1].Name || ProviderOf(issuer).Name == p.Name {
		return ""
	}
	return p.kindOn(issuer).Name
}

// kindOn is the kind of this provider that an issuer on any domain is.
func (p Provider) kindOn(issuer string) Kind {
	if u, err := url.Parse(issuer); err == nil {
		for _, k := range p.kinds {
			if k.takes(u.Path) {
				return k
			}
		}
	}
	return p.kinds[0]
}
