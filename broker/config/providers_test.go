package config

import (
	"slices"
	"testing"
)

func TestKindForIssuer(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		"https://x.oktapreview.com/oauth2/aus1":              "okta-custom",
		"https://notokta.com":                                "generic",
		"https://okta.com.example.org":                       "generic",
		"https://login.microsoftonline.us/t/v2.0":            "entra",
		"https://accounts.google.com.example.org":            "generic",
		"http://127.0.0.1:5556/dex":                          "dex",
		"http://127.0.0.1:8080/realms/master":                "keycloak",
		"https://contoso.ciamlogin.com/1234-5678-90ab/v2.0/": "entra",
		"%": "generic",
	} {
		if got := KindFor(issuer).Name; got != want {
			t.Errorf("%s is %s, want %s", issuer, got, want)
		}
	}
}

// Each kind that an issuer is taken for can be registered by the text of its
// provider; and the last one is for all that no other matches.
func TestEveryKindHasItsRegistration(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, p := range Providers() {
		if p.Name == "" || p.Title == "" || p.IssuerShape == "" || p.IssuerHint == "" || p.Where == "" || p.Type == "" || len(p.Steps) == 0 || len(p.kinds) == 0 {
			t.Errorf("%q: what to register is not complete: %+v", p.Name, p)
		}
		for _, k := range p.kinds {
			if found, ok := ProviderNamed(k.Name); !ok || found.Name != p.Name || slices.Contains(seen, k.Name) {
				t.Errorf("%s of %s is found as %s", k.Name, p.Name, found.Name)
			}
			seen = append(seen, k.Name)
		}
		if own := "https://login.example.com/oidc/2"; p.Preset(own) != "" {
			if kind, ok := KindNamed(p.Preset(own)); !ok || !slices.ContainsFunc(p.kinds, func(k Kind) bool { return k.Name == kind.Name }) {
				t.Errorf("%s on a domain of its own is %q", p.Name, p.Preset(own))
			}
		}
	}
	for _, issuer := range []string{"https://acme.onelogin.com/oidc/2", "%", ""} {
		if p := ProviderOf(issuer); p.Name != "other" || p.Title == "" || KindFor(issuer).Name != "generic" {
			t.Errorf("%s is %+v", issuer, p)
		}
	}
	if okta, _ := ProviderNamed("okta"); okta.Preset("https://id.example.com") != "okta-org" || okta.Preset("https://id.example.com/oauth2/a") != "okta-custom" {
		t.Error("Okta on a domain of its own")
	}
}
