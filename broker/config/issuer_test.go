package config

import "testing"

// init and login take the same names of providers.
func TestKindOf(t *testing.T) {
	for _, test := range [][3]string{
		{"", "https://a.example", ""}, {"okta", "https://sso.example.com", "okta-org"}, {"okta", "https://sso.example.com/oauth2/default", "okta-custom"},
		{"okta-org", "https://sso.example.com", "okta-org"}, {"other", "https://a.example", "generic"}, {"nonsense", "https://a.example", "nonsense"},
	} {
		if got := KindOf(test[0], test[1]); got != test[2] {
			t.Errorf("KindOf(%q, %q) = %q, want %q", test[0], test[1], got, test[2])
		}
	}
}

// An address is taken as people have it: from the address bar, a console or a mail.
func TestIssuerOf(t *testing.T) {
	for typed, want := range map[string]string{
		"":                                "",
		"nonsense":                        "nonsense",
		"two words.example":               "two words.example",
		" https://login.example.com ":     "https://login.example.com",
		"https://tenant.eu.auth0.com/":    "https://tenant.eu.auth0.com/",
		"example.okta.com":                "https://example.okta.com",
		"example.okta.com/oauth2/default": "https://example.okta.com/oauth2/default",
		"127.0.0.1:8080/dex":              "http://127.0.0.1:8080/dex",
		"http://login.example.com":        "http://login.example.com",
		"https://dev-1-admin.okta.com":    "https://dev-1.okta.com",
		"dev-1-admin.oktapreview.com/admin/dashboard":                        "https://dev-1.oktapreview.com",
		"https://my-admin.example.com":                                       "https://my-admin.example.com",
		"https://login.example.com/.well-known/openid-configuration":         "https://login.example.com",
		"https://a.okta.com/oauth2/default/.well-known/openid-configuration": "https://a.okta.com/oauth2/default",
	} {
		if got := IssuerOf(typed); got != want {
			t.Errorf("IssuerOf(%q) = %q, want %q", typed, got, want)
		}
	}
}
