package identity

import (
	"cmp"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// asked is what a sign-in asks the provider for.
type asked struct {
	scopes   []string
	optional []string // those of scopes that nobody has chosen, and that may be given up
	offline  bool     // access_type=offline
	prompt   []string
	reauth   bool     // max_age=0
	acr      []string // acr_values
}

// ask puts together what this sign-in asks for.
func (p *provider) ask(c Client, o LoginOptions) asked {
	offline := p.offline(c)
	a := asked{reauth: o.Reauth, acr: o.ACR}
	if o.Reauth {
		a.prompt = []string{"login"}
	}
	optional := c.OptionalScopes
	if len(c.Scopes) == 0 {
		optional = append([]string{oidc.ScopeOfflineAccess}, optional...)
	}
	optional = slices.DeleteFunc(slices.Clone(optional), func(scope string) bool { return !p.offers(scope, offline) })
	own := c.Scopes
	if len(own) == 0 {
		own = []string{"profile", "email"}
	}
	a.add(slices.Concat([]string{oidc.ScopeOpenID}, own)...)
	chosen := slices.Concat(a.scopes, o.Scopes)
	a.add(optional...)
	a.add(o.Scopes...)
	a.optional = slices.DeleteFunc(optional, func(scope string) bool { return slices.Contains(chosen, scope) })
	switch {
	case offline == OfflineAccessType:
		a.offline, a.prompt = true, append(a.prompt, "consent")
	case offline == OfflineConsent && slices.Contains(a.scopes, oidc.ScopeOfflineAccess):
		a.prompt = append(a.prompt, "consent")
	}
	return a
}

// offers tells whether an optional scope may be asked for. Okta and Google
// answer one that they do not know with an error, so only what is listed is;
// offline_access also where nothing is listed at all.
func (p *provider) offers(scope string, offline Offline) bool {
	if scope == oidc.ScopeOfflineAccess {
		return (offline == OfflineScope || offline == OfflineConsent) && !p.lacksOfflineAccess()
	}
	return slices.Contains(p.ScopesSupported, scope)
}

// offline settles how a refresh token is asked for.
//
// OpenID Connect Core 11 lets a provider ignore offline_access without
// prompt=consent, and strict ones do: npm oidc-provider drops the scope,
// authentik answers consent_required. So an unknown provider is asked with it.
func (p *provider) offline(c Client) Offline {
	way := cmp.Or(c.Offline, OfflineAuto)
	switch {
	case way != OfflineAuto:
		return way
	case p.lacksOfflineAccess():
		return OfflineAccessType // Google's way; others ignore what they do not know (RFC 6749 3.1)
	case len(p.PromptValues) > 0 && !slices.Contains(p.PromptValues, "consent"):
		return OfflineScope
	}
	return OfflineConsent
}

func (p *provider) lacksOfflineAccess() bool {
	return len(p.ScopesSupported) > 0 && !slices.Contains(p.ScopesSupported, oidc.ScopeOfflineAccess)
}

// less is what to ask for after the provider refused the request, and in words
// what is left out, or no words when nothing can be: what a person has chosen is
// never given up.
func (a asked) less(refused *ProviderError) (less asked, leftOut string) {
	switch refused.Code {
	case "invalid_scope", "not_allowed": // the second is Keycloak's, for a user without the role offline_access
		if len(a.optional) == 0 {
			return a, ""
		}
		less = a
		less.scopes, less.optional = nil, nil
		for _, scope := range a.scopes {
			if !slices.Contains(a.optional, scope) {
				less.add(scope)
			}
		}
		return less, strings.Join(a.optional, " ")
	case "invalid_request", "consent_required", "interaction_required":
		if refused.Step != "authorization" || a.offline || !slices.Contains(a.prompt, "consent") {
			return a, ""
		}
		less = a
		less.prompt = slices.DeleteFunc(slices.Clone(a.prompt), func(value string) bool { return value == "consent" })
		return less, "prompt=consent"
	}
	return a, ""
}

func (a *asked) add(scopes ...string) {
	for _, scope := range scopes {
		if !slices.Contains(a.scopes, scope) {
			a.scopes = append(a.scopes, scope)
		}
	}
}

// options are the parameters of the authorization request.
func (a asked) options() []oauth2.AuthCodeOption {
	var options []oauth2.AuthCodeOption
	if a.offline {
		options = append(options, oauth2.AccessTypeOffline)
	}
	if len(a.prompt) > 0 {
		options = append(options, oauth2.SetAuthURLParam("prompt", strings.Join(a.prompt, " ")))
	}
	a.proof(func(name, value string) { options = append(options, oauth2.SetAuthURLParam(name, value)) })
	return options
}

// proof sets the parameters that ask for more than a mere sign-in. Those who know
// them of an authorization request know them of a device's, too; the ID token
// tells whether they were heeded.
func (a asked) proof(set func(name, value string)) {
	if a.reauth {
		set("max_age", "0")
	}
	if len(a.acr) > 0 {
		set("acr_values", strings.Join(a.acr, " "))
	}
}

// union are the scopes of both, each once: those that earlier sign-ins have asked
// for beside the client's own, and those of this one.
func union(before, now []string) []string {
	var all asked
	all.add(before...)
	all.add(now...)
	return all.scopes
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}
