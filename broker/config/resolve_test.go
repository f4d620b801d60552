package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// vars makes an environment of NAME, value, NAME, value…
func vars(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func parse(t *testing.T, toml string) File {
	t.Helper()
	c, err := Parse("c.toml", []byte(toml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const twoProfiles = `default_profile = "prod"
[defaults]
audience = "file"
resource = "https://file.example"
[profiles.prod]
issuer = "https://prod.example"
client_id = "prod-id"
scopes = ["openid"]
resource = "https://profile.example"
[profiles.dev]
issuer = "https://dev.example"
client_id = "dev-id"
`

// TestPrecedence: flag, environment, profile, file, built in; for each field
// the origin is told.
func TestPrecedence(t *testing.T) {
	c := parse(t, twoProfiles)
	got, err := c.Resolve(
		Overrides{ClientID: "flag-id", Cwd: "/flag"},
		vars("MCPAUTH_CLIENT_ID", "env-id", "MCPAUTH_SCOPES", " openid  email ", "MCPAUTH_REDIRECT_URI", "http://127.0.0.1:1/cb"))
	if err != nil {
		t.Fatal(err)
	}
	want := Resolved{
		Name: "prod",
		Profile: Profile{
			Issuer: "https://prod.example", ClientID: "flag-id", Scopes: []string{"openid", "email"},
			RedirectURIs: []string{"http://127.0.0.1:1/cb"}, Audience: "file", Resource: "https://profile.example",
			Cwd: "/flag", UserContext: "auto",
			Provider: "generic", OfflineAccess: "auto", Grant: "authorization_code", GroupsClaim: "groups", RolesClaim: "roles",
		},
		Origin: map[string]Origin{
			"issuer": OriginProfile, "client_id": OriginFlag, "scopes": OriginEnvironment, "redirect_uris": OriginEnvironment,
			"audience": OriginFile, "resource": OriginProfile, "cwd": OriginFlag, "user_context": OriginDefault,
			"provider": OriginPreset, "offline_access": OriginPreset, "grant": OriginDefault, "groups_claim": OriginPreset, "roles_claim": OriginPreset,
		},
		Remembered: true,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameSecret)); diff != "" {
		t.Error(diff)
	}
	wantExplicit := want.Profile
	wantExplicit.Audience, wantExplicit.UserContext = "", ""
	wantExplicit.Provider, wantExplicit.OfflineAccess, wantExplicit.Grant = "", "", ""
	wantExplicit.GroupsClaim, wantExplicit.RolesClaim = "", ""
	if diff := cmp.Diff(wantExplicit, got.Explicit()); diff != "" {
		t.Error(diff)
	}
}

func sameSecret(a, b keychain.Secret) bool { return a.Reveal() == b.Reveal() }

// TestEveryOverride: each flag and each variable reaches its own field.
func TestEveryOverride(t *testing.T) {
	want := Profile{
		Issuer: "https://a.example", ClientID: "id", Scopes: []string{"s"}, RedirectURIs: []string{"http://127.0.0.1/cb"},
		Audience: "aud", Resource: "https://r.example", UserContext: "auto",
		Provider: "generic", OfflineAccess: "auto", Grant: "authorization_code", GroupsClaim: "groups", RolesClaim: "roles",
	}
	got, err := File{}.Resolve(Overrides{}, vars("MCPAUTH_PROFILE", "p", "MCPAUTH_ISSUER", want.Issuer, "MCPAUTH_CLIENT_ID", want.ClientID,
		"MCPAUTH_SCOPES", "s", "MCPAUTH_REDIRECT_URI", "http://127.0.0.1/cb", "MCPAUTH_AUDIENCE", "aud", "MCPAUTH_RESOURCE", "https://r.example"))
	if err != nil || got.Name != "p" {
		t.Fatalf("%q, %v", got.Name, err)
	}
	if diff := cmp.Diff(want, got.Profile); diff != "" {
		t.Errorf("variables: %s", diff)
	}
	want.Command, want.Cwd, want.UserContext, want.Provider, want.OfflineAccess = []string{"x"}, "/w", "never", "dex", "scope"
	got, err = File{}.Resolve(Overrides{Profile: "p", Issuer: want.Issuer, ClientID: want.ClientID, Scopes: want.Scopes,
		RedirectURIs: want.RedirectURIs, Audience: want.Audience, Resource: want.Resource, Command: want.Command, Cwd: want.Cwd,
		UserContext: want.UserContext, Provider: want.Provider}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Profile); diff != "" {
		t.Errorf("flags: %s", diff)
	}
}

func TestChoose(t *testing.T) {
	const one = "[profiles.only]\nissuer = 'https://only.example'\nclient_id = 'x'\n"
	const two = one + "[profiles.other]\nissuer = 'https://other.example'\nclient_id = 'x'\n"
	const local = "[profiles.local]\nissuer = 'http://127.0.0.1:1'\nclient_id = 'x'\n[profiles.Local-2]\nissuer = 'http://127.0.0.1:2'\nclient_id = 'x'\n"
	okta := []string{"OKTA_ORG_URL", "https://dev.okta.com", "OKTA_CLIENT_ID", "0oa"}
	client := func(issuer, id string) Overrides { return Overrides{Issuer: issuer, ClientID: id} }
	tests := []struct {
		name, toml string
		flags      Overrides
		env        []string
		want       string
		remembered bool
	}{
		{"the default", twoProfiles, Overrides{}, nil, "prod", true},
		{"flag", twoProfiles, Overrides{Profile: "dev"}, nil, "dev", true},
		{"variable", twoProfiles, Overrides{}, []string{"MCPAUTH_PROFILE", "dev"}, "dev", true},
		{"flag over variable", twoProfiles, Overrides{Profile: "dev"}, []string{"MCPAUTH_PROFILE", "prod"}, "dev", true},
		{"the only one", one, Overrides{}, nil, "only", true},
		{"the only one, though Okta is set", one, Overrides{}, okta, "only", true},
		{"the default, though Okta is set", twoProfiles, Overrides{}, okta, "prod", true},
		{"Okta alone", "", Overrides{}, okta, "okta", false},
		{"Okta asked for", twoProfiles, Overrides{Profile: "okta"}, okta, "okta", false},
		{"Okta as the default", "default_profile = 'okta'\n" + two, Overrides{}, okta, "okta", false},
		{"new client by flags", "", client("https://login.example.com/x", "x"), nil, "login-example-com", false},
		{"new client on this machine", "", client("http://127.0.0.1:1234", "x"), nil, "local", false},
		{"new client by IPv6", "", client("http://[::1]:1234", "x"), nil, "local", false},
		{"new client by name", "", Overrides{Profile: "mine", Issuer: "https://a.example", ClientID: "x"}, nil, "mine", false},
		{"new client by variables", "", Overrides{}, []string{"MCPAUTH_ISSUER", "https://a.example", "MCPAUTH_CLIENT_ID", "x"}, "a-example", false},
		{"variables override the default", twoProfiles, Overrides{}, []string{"MCPAUTH_ISSUER", "https://a.example", "MCPAUTH_CLIENT_ID", "x"}, "prod", true},
		{"known client, whatever its name", two, client("https://other.example", "x"), nil, "other", true},
		{"same host, another client", local, client("http://127.0.0.1:1", "y"), nil, "local-3", false},
		{"new client beside a default", twoProfiles, client("https://login.example.com", "x"), nil, "login-example-com", false},
		{"one flag changes the default", twoProfiles, Overrides{ClientID: "x"}, nil, "prod", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.toml).Resolve(tt.flags, vars(tt.env...))
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != tt.want || got.Remembered != tt.remembered {
				t.Errorf("got %s, remembered %v", got.Name, got.Remembered)
			}
		})
	}
}

// TestOktaVariables: the ancestor's four variables alone make a profile, and
// with a file they touch no other.
func TestOktaVariables(t *testing.T) {
	fallback := []string{"http://127.0.0.1:8765/callback", "http://127.0.0.1:18765/callback", "http://127.0.0.1:28765/callback"}
	compatible := append([]string{"http://localhost:3001/oauth/callback"}, fallback...)
	tests := []struct {
		name, toml string
		env        []string
		issuer     string
		redirects  []string
	}{
		{"org server", "", []string{"OKTA_ORG_URL", "https://dev.okta.com/"}, "https://dev.okta.com", compatible},
		{"custom server", "", []string{"OKTA_ORG_URL", "https://dev.okta.com/oauth2/default"}, "https://dev.okta.com/oauth2/default", compatible},
		{"own redirect", "", []string{"OKTA_ORG_URL", "https://dev.okta.com", "OAUTH_REDIRECT_URI", "http://localhost:9000/cb"},
			"https://dev.okta.com", append([]string{"http://localhost:9000/cb"}, fallback...)},
		{"own redirect of the list", "", []string{"OKTA_ORG_URL", "https://dev.okta.com", "OAUTH_REDIRECT_URI", fallback[0]}, "https://dev.okta.com", fallback},
		{"over a profile", "[profiles.okta]\nissuer='https://old.okta.com'\nclient_id='old'\nredirect_uris=['http://127.0.0.1:1/cb']",
			[]string{"OKTA_ORG_URL", "https://dev.okta.com"}, "https://dev.okta.com", []string{"http://127.0.0.1:1/cb"}},
		{"remembered profile, no variables", "[profiles.okta]\nissuer='https://old.okta.com'\nclient_id='old'", nil, "https://old.okta.com", fallback},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := tt.env
			if tt.env != nil {
				env = append(env, "OKTA_CLIENT_ID", "0oa", "OKTA_CLIENT_SECRET", "CANARY-okta")
			}
			got, err := parse(t, tt.toml).Resolve(Overrides{}, vars(env...))
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != "okta" || got.Issuer != tt.issuer {
				t.Errorf("got %s %s", got.Name, got.Issuer)
			}
			if diff := cmp.Diff(tt.redirects, got.RedirectURIs); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"openid", "profile", "email", "offline_access", "groups"}, got.Scopes); diff != "" {
				t.Error(diff)
			}
			if tt.env != nil && got.Secret.Reveal() != "CANARY-okta" {
				t.Error("the secret is lost")
			}
			if text := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(text, "CANARY") {
				t.Errorf("the secret is printed: %s", text)
			}
		})
	}
	env := vars("OKTA_ORG_URL", "https://dev.okta.com", "OKTA_CLIENT_ID", "0oa", "OKTA_CLIENT_SECRET", "CANARY", "OAUTH_REDIRECT_URI", "http://localhost:9000/cb")
	with, err := parse(t, twoProfiles).Resolve(Overrides{}, env)
	if err != nil {
		t.Fatal(err)
	}
	without, err := parse(t, twoProfiles).Resolve(Overrides{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(without, with, cmp.Comparer(sameSecret)); diff != "" {
		t.Errorf("the variables changed another profile: %s", diff)
	}
}

// TestSecretStaysWithItsClient: the attack is a variable or a flag that points
// a profile at another provider and so collects its client secret.
func TestSecretStaysWithItsClient(t *testing.T) {
	const file = "[profiles.okta]\nissuer = 'https://dev.okta.com'\nclient_id = 'x'\nclient_secret = 'keychain:okta'\n"
	okta := []string{"OKTA_ORG_URL", "https://dev.okta.com", "OKTA_CLIENT_ID", "x", "OKTA_CLIENT_SECRET", "env-secret"}
	tests := []struct {
		name, toml string
		flags      Overrides
		env        []string
		ref        string
		secret     string
	}{
		{"profile", file, Overrides{}, nil, "keychain:okta", ""},
		{"same issuer by flag", file, Overrides{Issuer: "https://dev.okta.com"}, nil, "keychain:okta", ""},
		{"issuer by flag", file, Overrides{Issuer: "https://evil.example"}, nil, "", ""},
		{"issuer by variable", file, Overrides{}, []string{"MCPAUTH_ISSUER", "https://evil.example"}, "", ""},
		{"issuer by Okta variable", file, Overrides{}, []string{"OKTA_ORG_URL", "https://evil.example"}, "", ""},
		{"client by flag", file, Overrides{ClientID: "y"}, nil, "", ""},
		{"Okta variables", "", Overrides{}, okta, "", "env-secret"},
		{"Okta variables over a profile", file, Overrides{}, okta, "", "env-secret"},
		{"Okta variables, issuer by flag", "", Overrides{Issuer: "https://evil.example"}, okta, "", ""},
		{"Okta variables over a profile, issuer by flag", file, Overrides{Issuer: "https://evil.example"}, okta, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.flags.Profile = "okta"
			got, err := parse(t, tt.toml).Resolve(tt.flags, vars(tt.env...))
			if err != nil {
				t.Fatal(err)
			}
			if got.ClientSecret != tt.ref || got.Secret.Reveal() != tt.secret {
				t.Errorf("got %q and a secret of %d bytes", got.ClientSecret, len(got.Secret.Reveal()))
			}
			if _, told := got.Origin["client_secret"]; told != (tt.ref != "") {
				t.Errorf("origin told: %v", told)
			}
		})
	}
}

// TestSecretFileStaysWithItsClient is the same for a secret in a file, and a
// secret of a stronger layer takes its place.
func TestSecretFileStaysWithItsClient(t *testing.T) {
	const file = "[profiles.okta]\nissuer = 'https://dev.okta.com'\nclient_id = 'x'\nclient_secret_file = '/run/secret'\n"
	for _, tt := range []struct {
		flags Overrides
		env   []string
		want  string
	}{
		{Overrides{}, nil, "/run/secret"},
		{Overrides{Issuer: "https://evil.example"}, nil, ""},
		{Overrides{}, []string{"OKTA_ORG_URL", "https://dev.okta.com", "OKTA_CLIENT_ID", "x", "OKTA_CLIENT_SECRET", "s"}, ""},
	} {
		got, err := parse(t, file).Resolve(tt.flags, vars(tt.env...))
		if err != nil {
			t.Fatal(err)
		}
		if _, told := got.Origin["client_secret_file"]; got.ClientSecretFile != tt.want || told != (tt.want != "") {
			t.Errorf("%+v %q: got %q, origin told: %v", tt.flags, tt.env, got.ClientSecretFile, told)
		}
	}
}

// TestPresetStandsBelowThePerson: each field of a preset can be chosen
// otherwise, and what nobody chose is not remembered.
func TestPresetStandsBelowThePerson(t *testing.T) {
	const file = "[defaults]\noffline_access = 'never'\n[profiles.p]\nissuer = 'https://sso.example.com'\nclient_id = 'x'\n"
	got, err := parse(t, file).Resolve(Overrides{Provider: "okta-custom", Scopes: []string{"orders"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := got.Client()
	if client.Offline != "never" || !slices.Equal(client.Scopes, []string{"orders"}) || client.OptionalScopes != nil || len(client.RedirectURIs) != 3 {
		t.Errorf("%+v", client)
	}
	want := Profile{Issuer: "https://sso.example.com", ClientID: "x", Provider: "okta-custom", Scopes: []string{"orders"}}
	if diff := cmp.Diff(want, got.Explicit()); diff != "" {
		t.Error(diff)
	}
	got, err = parse(t, file).Resolve(Overrides{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client = got.Client()
	if !slices.Equal(client.Scopes, []string{"openid", "profile", "email"}) || !slices.Equal(client.OptionalScopes, []string{"offline_access", "groups"}) {
		t.Errorf("%+v", client)
	}
}

func TestResolveProblems(t *testing.T) {
	tests := []struct {
		name, toml string
		flags      Overrides
		env        []string
		want, hint string
	}{
		{"nothing at all", "", Overrides{}, nil, "there is no profile yet in c.toml, so", "mcpauth login --issuer"},
		{"unknown", twoProfiles, Overrides{Profile: "prdo"}, nil, `there is no profile "prdo"; did you mean prod?`, "dev, prod"},
		{"unknown, far off", twoProfiles, Overrides{Profile: "customers"}, nil, `there is no profile "customers"`, "dev, prod"},
		{"unknown by variable", twoProfiles, Overrides{}, []string{"MCPAUTH_PROFILE", "x"}, `there is no profile "x"`, "dev, prod"},
		{"unknown, no file", "", Overrides{Profile: "x"}, nil, `there is no profile "x"`, "mcpauth login --profile x"},
		{"no default", strings.Replace(twoProfiles, `default_profile = "prod"`, "", 1), Overrides{}, nil, "there are 2 profiles and none is the default: dev, prod", "mcpauth profile use dev"},
		{"default is gone", "default_profile = 'prd'\n[profiles.prod]", Overrides{}, nil, `default_profile in c.toml: there is no profile "prd"; did you mean prod?`, ""},
		{"bad name", "", Overrides{Profile: "../x"}, nil, "--profile must be", ""},
		{"bad name by variable", "", Overrides{}, []string{"MCPAUTH_PROFILE", "-x"}, "MCPAUTH_PROFILE must be", ""},
		{"bad issuer", "", Overrides{Issuer: "http://a.example", ClientID: "x"}, nil, "--issuer must begin with https://", ""},
		{"bad issuer by variable", twoProfiles, Overrides{}, []string{"MCPAUTH_ISSUER", "a"}, "MCPAUTH_ISSUER must be", ""},
		{"bad scope by variable", twoProfiles, Overrides{}, []string{"MCPAUTH_SCOPES", `a"`}, "MCPAUTH_SCOPES has", ""},
		{"the ancestor's public callback", "", Overrides{}, []string{"OKTA_ORG_URL", "https://a.okta.com", "OKTA_CLIENT_ID", "x", "OAUTH_REDIRECT_URI", "https://proxy.example/cb"},
			"OAUTH_REDIRECT_URI must be on this machine", ""},
		{"half of Okta", "", Overrides{}, []string{"OKTA_CLIENT_ID", "x"}, "profile okta has no issuer", "OKTA_ORG_URL"},
		{"other half of Okta", "", Overrides{}, []string{"OKTA_ORG_URL", "https://a.okta.com"}, "profile okta has no client_id", "OKTA_CLIENT_ID"},
		{"no client", "", Overrides{Issuer: "https://a.example"}, nil, "profile a-example has no client_id", "--client-id"},
		{"no client in the file", "[profiles.p]\nissuer = 'https://a.example'", Overrides{}, nil, "profile p has no client_id", "[profiles.p] in c.toml"},
		{"no issuer in the file", "[profiles.p]", Overrides{}, nil, "profile p has no issuer", "--issuer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(t, tt.toml).Resolve(tt.flags, vars(tt.env...))
			var found *problem.Problem
			if !errors.As(err, &found) {
				t.Fatalf("got %v, want a *Problem", err)
			}
			if !strings.Contains(found.Msg, tt.want) || found.Code != problem.ExitUsage {
				t.Errorf("got %q, code %d, want %q", found.Msg, found.Code, tt.want)
			}
			if !strings.Contains(strings.Join(found.Hints, "\n"), tt.hint) {
				t.Errorf("hints %q, want %q", found.Hints, tt.hint)
			}
		})
	}
}
