package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// corpus returns files as people write them, by name.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/config/*.toml")
	if err != nil || len(paths) < 12 {
		t.Fatalf("corpus: %d files, %v", len(paths), err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = data
	}
	return files
}

func TestCorpusLoads(t *testing.T) {
	for name, data := range corpus(t) {
		if _, err := Parse(name, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := Parse("c.toml", corpus(t)["plain.toml"])
	if err != nil {
		t.Fatal(err)
	}
	want := File{
		DefaultProfile: "orders-prod",
		Profiles: map[string]Profile{"orders-prod": {
			Issuer:   "https://login.example.com",
			ClientID: "mcpauth-desktop",
			Scopes:   []string{"openid", "orders.read", "orders.write"},
			Resource: "https://orders.example.com",
			Command:  []string{"python", "main.py"},
			Cwd:      "/home/ada/orders-mcp",
		}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(File{})); diff != "" {
		t.Error(diff)
	}
}

// TestBadConfig: each error names the file, the line and what was meant.
func TestBadConfig(t *testing.T) {
	tests := []struct{ name, toml, want string }{
		{"typing error", "\n[profiles.prod]\nclient_di = 'x'", `c.toml:3: unknown key "client_di" in [profiles.prod]; did you mean client_id?`},
		{"camel case", "[profiles.prod]\nclientId = 'x'", `c.toml:2: unknown key "clientId" in [profiles.prod]; did you mean client_id?`},
		{"other case, which the library would take", "[profiles.prod]\nIssuer = 'https://a.example'", `c.toml:2: unknown key "Issuer" in [profiles.prod]; did you mean issuer?`},
		{"dash", "[profiles.prod]\nredirect-uri = []", `c.toml:2: unknown key "redirect-uri" in [profiles.prod]; did you mean redirect_uris?`},
		{"singular", "[defaults]\nscope = ['a']", `c.toml:2: unknown key "scope" in [defaults]; did you mean scopes?`},
		{"no idea", "[profiles.prod]\nzzzzzzzz = 1", `c.toml:2: unknown key "zzzzzzzz" in [profiles.prod]; known are absolute_limit, audience, ca_file, client_id,`},
		{"in an inline table", "[profiles]\n\np = { isuer = 'x' }", `c.toml:3: unknown key "isuer" in [profiles.p]; did you mean issuer?`},
		{"in a dotted key", "profiles.p.isuer = 'x'", `c.toml:1: unknown key "isuer" in [profiles.p]; did you mean issuer?`},
		{"a table of a later version", "[profiles.p.policies]\nsource = 'x'", `c.toml:1: unknown key "policies" in [profiles.p]`},
		{"key outside", "issuer = 'https://a.example'", `c.toml:1: issuer stands outside of a profile: put it under [profiles.NAME] or [defaults]`},
		{"table outside", "#\n[orders]\nissuer = 'https://a.example'", `c.toml:2: unknown table [orders]; did you mean [profiles.orders]?`},
		{"singular table", "[profile.orders]", `c.toml:1: unknown key "profile"; did you mean profiles?`},
		{"byte order mark does not count as a line", bom + "x = 1", `c.toml:1: unknown key "x"; known are`},
		{"number for a text", "[profiles.p]\n\nissuer = 3", `c.toml:3: issuer must be a string in quotes`},
		{"text for a list", "[profiles.p]\nscopes = 'openid'", `c.toml:2: scopes must be a list of strings`},
		{"numbers in a list", "[profiles.p]\nscopes = ['a',\n 2]", `c.toml:2: scopes must be a list of strings`},
		{"list for a text", "default_profile = ['a']", `c.toml:1: default_profile must be a string in quotes`},
		{"text for a table", "profiles = 'a'", `c.toml:1: profiles must be a table`},
		{"text for a profile", "[profiles]\np = 'a'", `c.toml:2: p must be a table, like [profiles.p]`},
		{"list of profiles", "[[profiles]]\n", `c.toml:1: profiles must be a table`},
		{"table for a text", "[profiles.p.issuer]", `c.toml:1: issuer in [profiles.p] is a value, not a table`},
		{"table for the default", "[default_profile]", `c.toml:1: default_profile must be a string`},
		{"table under the default", "[default_profile.x]", `c.toml:1: default_profile is a string in quotes, not a table`},
		{"set twice", "[profiles.p]\nissuer = 'https://a.example'\nissuer = 'https://b.example'", `c.toml:3: `},
		{"table twice", "[profiles.p]\n[profiles.p]", `c.toml:2: `},
		{"no value", "[profiles.p]\nissuer =", `c.toml:2: `},
		{"unclosed text", "[profiles.p]\nissuer = 'https", `c.toml:2: `},
		{"bare CR", "a = 1\rb = 2", `c.toml:1: `},
		{"http issuer", "[profiles.p]\nissuer = 'http://login.example.com'", `c.toml:2: issuer must begin with https://`},
		{"issuer with a query", "[profiles.p]\nissuer = 'https://a.example/?x=1'", `c.toml:2: issuer must have no query`},
		{"issuer with a fragment", "[profiles.p]\nissuer = 'https://a.example/#x'", `c.toml:2: issuer must have no fragment`},
		{"issuer with an empty fragment", "[profiles.p]\nissuer = 'https://a.example/#'", `c.toml:2: issuer must have no fragment`},
		{"issuer without a host", "[profiles.p]\nissuer = 'https:///a'", `c.toml:2: issuer must be a full URL`},
		{"issuer with a control byte", "[profiles.p]\nissuer = \"https://a.example/\\u001b[2J\"", `c.toml:2: issuer has a character that cannot be printed`},
		{"issuer with a bidi control", "[profiles.p]\nissuer = \"https://a.example/\\u202e\"", `c.toml:2: issuer has a character that cannot be printed`},
		{"client_id with a newline", "[profiles.p]\nclient_id = \"a\\nb\"", `c.toml:2: client_id must be printable ASCII`},
		{"scopes in one text", "[profiles.p]\nscopes = ['openid email']", `c.toml:2: scopes has ' ' in "openid email"`},
		{"scope with a quote", "[profiles.p]\nscopes = ['a\"']", `c.toml:2: scopes has '"'`},
		{"empty scope", "[profiles.p]\nscopes = ['']", `c.toml:2: scopes has an empty scope`},
		{"redirect to another machine", "[profiles.p]\nredirect_uris = ['http://192.0.2.1/callback']", `c.toml:2: redirect_uris must be on this machine`},
		{"redirect by https", "[profiles.p]\nredirect_uris = ['https://localhost/callback']", `c.toml:2: redirect_uris must be on this machine`},
		{"redirect to a lookalike", "[profiles.p]\nredirect_uris = ['http://localhost.example/callback']", `c.toml:2: redirect_uris must be on this machine`},
		{"redirect without a path", "[profiles.p]\nredirect_uris = ['http://127.0.0.1:1/']", `c.toml:2: redirect_uris must have a path`},
		{"redirect with a query", "[profiles.p]\nredirect_uris = ['http://127.0.0.1:1/cb?x']", `c.toml:2: redirect_uris must have no query`},
		{"relative resource", "[profiles.p]\nresource = 'orders'", `c.toml:2: resource must be an absolute URI`},
		{"resource with a fragment", "[profiles.p]\nresource = 'https://a.example#'", `c.toml:2: resource must have no fragment`},
		{"relative cwd", "[profiles.p]\ncwd = '~/orders'", `c.toml:2: cwd must be an absolute path`},
		{"user_context", "[profiles.p]\nuser_context = 'on'", `c.toml:2: user_context must be "auto", "always" or "never", not "on"`},
		{"empty command", "[profiles.p]\ncommand = ['']", `c.toml:2: command must begin with the name of a program`},
		{"profile name like a flag", "[profiles.-p]", `c.toml:1: profile name "-p" must be`},
		{"profile name like a path", "[profiles.'../p']", `c.toml:1: profile name "../p" must be`},
		{"default_profile like a path", "default_profile = '../p'", `c.toml:1: default_profile must be`},
		{"hidden profile name", "[profiles.'.p']", `c.toml:1: profile name ".p" must be`},
		{"long profile name", "[profiles." + strings.Repeat("p", 65) + "]", `must be 1 to 64`},
		{"names that differ by case", "[profiles.Prod]\n[profiles.prod]", `profiles "Prod" and "prod" differ only by case`},
		{"unknown provider", "[profiles.p]\nprovider = 'okta'", `c.toml:2: provider must be one of okta-org, okta-custom, entra,`},
		{"unknown way to a refresh token", "[profiles.p]\noffline_access = 'yes'", `c.toml:2: offline_access must be "auto", "scope",`},
		{"unknown grant", "[profiles.p]\ngrant = 'password'", `c.toml:2: grant must be "authorization_code" or "client_credentials"`},
		{"relative secret file", "[profiles.p]\nclient_secret_file = 'secret'", `c.toml:2: client_secret_file must be an absolute path`},
		{"two secrets", "[profiles.p]\nclient_secret = 'keychain:p'\nclient_secret_file = '/s'", `c.toml:3: client_secret_file stands beside client_secret`},
		{"shared secret file", "[defaults]\nclient_secret_file = '/s'", `c.toml:2: client_secret_file belongs to one client`},
		{"limit without a unit", "[profiles.p]\nidle_limit = '30'", `c.toml:2: idle_limit must be a time of a second or more`},
		{"limit of nothing", "[profiles.p]\nabsolute_limit = '0d'", `c.toml:2: absolute_limit must be a time of a second or more`},
		{"shared secret", "[defaults]\nclient_secret = 'keychain:x'", `c.toml:2: client_secret belongs to one client`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("c.toml", []byte(tt.toml))
			var found *problem.Problem
			if !errors.As(err, &found) {
				t.Fatalf("got %T %v, want a *Problem", err, err)
			}
			if !strings.Contains(found.Msg, tt.want) {
				t.Errorf("got  %s\nwant %s", found.Msg, tt.want)
			}
			if found.Code != problem.ExitError {
				t.Errorf("code %d", found.Code)
			}
		})
	}
}

// TestSecretInFile: a secret that stands in the file is refused, and no error
// about the file repeats it, not even one about another line.
func TestSecretInFile(t *testing.T) {
	const canary = "CANARY-s3cret"
	for _, toml := range []string{
		"[profiles.p]\nclient_secret = '" + canary + "'",
		"[profiles.p]\nclient_secret = 'keychain:" + canary + "/+'",
		"[profiles.p]\nclient_secret = '" + canary + "'\nissuer = 3",
		"[profiles.p]\nclient_secret = '" + canary + "'\nclient_secret = '" + canary + "'",
		"[profiles.p]\nclient_secret = " + canary,
		"[profiles.p]\nclient_sercet = '" + canary + "'",
		"[defaults]\nclient_secret = '" + canary + "'",
		"[profiles.p]\nissuer = 'https://ada:" + canary + "@login.example.com'",
	} {
		_, err := Parse("c.toml", []byte(toml))
		var found *problem.Problem
		if !errors.As(err, &found) {
			t.Fatalf("%s: got %v, want a *Problem", toml, err)
		}
		for e := error(found); e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), canary) {
				t.Errorf("%s: the error tells the secret: %v", toml, e)
			}
		}
	}
	_, err := Parse("c.toml", []byte("[profiles.p]\nclient_secret = 'x'"))
	var found *problem.Problem
	if !errors.As(err, &found) || len(found.Hints) != 1 ||
		!strings.Contains(found.Hints[0], "mcpauth profile add NAME --client-secret-stdin") {
		t.Errorf("no hint how to store it: %+v", found)
	}
}

func TestSecretName(t *testing.T) {
	c, err := Parse("c.toml", corpus(t)["loopback.toml"])
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Profiles["local"].SecretName(); got != "local" {
		t.Errorf("got %q", got)
	}
	if got := (Profile{}).SecretName(); got != "" {
		t.Errorf("no secret: got %q", got)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.toml")
	c, err := Load(path)
	if err != nil || len(c.Profiles) != 0 {
		t.Fatalf("missing file: %v %v", c, err)
	}
	if err := os.WriteFile(path, []byte("[profiles.p]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = Load(path); err != nil || len(c.Profiles) != 1 {
		t.Errorf("file: %v %v", c, err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("folder: %v", err)
	}
	if err := os.WriteFile(path, make([]byte, maxConfigSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("large file: %v", err)
	}
}

// TestConfigOthersCanWrite: who can write the file chooses the provider and
// the command that the user runs.
func TestConfigOthersCanWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // no mode bits there: see owner_windows.go
	}
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o620, 0o602, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		var found *problem.Problem
		if !errors.As(err, &found) || len(found.Hints) != 1 || found.Hints[0] != "chmod go-w "+text.QuoteWord(path) {
			t.Errorf("%v: got %v", mode, err)
		}
		if err := AddProfile(t.Context(), path, "p", Profile{}); err == nil {
			t.Errorf("%v: edited", mode)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Errorf("others may read it: %v", err)
	}
	if os.Geteuid() != 0 {
		return // only root can give a file away
	}
	if err := os.Chown(path, 4711, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "belongs to another user (uid 4711") {
		t.Errorf("another's file: %v", err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"client_id", "client_secret", "issuer", "scopes"}
	for word, want := range map[string]string{
		"client_di": "client_id", "cilent_id": "client_id", "ClientID": "client_id", "client-secret": "client_secret",
		"isuer": "issuer", "scope": "scopes", "url": "", "": "", "x": "",
	} {
		if got := text.Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
