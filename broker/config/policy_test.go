package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker/policy"
)

const wholePolicy = `strict = true
read_only = true
read_tools = ["get_*"]
confirm = ["delete_*"]
pin = "block"
role_levels = ["viewer", "admin"]

[group_roles]
"okta admins" = "admin"

[tool_scopes]
pay = "orders:write"

[[rules]]
name = "finance"
effect = "allow"
groups = ["finance"]
claims = { level = 3, on = true, country = ["DE", "FR"] }
tools = ["pay_*"]
max_auth_age = "15m"

[[limits]]
tools = ["search_*"]
rate = "10/minute"
burst = 3
shared = true
`

func TestParsePolicy(t *testing.T) {
	want := policy.Set{
		Rules: []policy.Rule{{
			Name: "finance", Line: 14, Effect: "allow", Groups: []string{"finance"},
			Claims: map[string][]string{"level": {"3"}, "on": {"true"}, "country": {"DE", "FR"}},
			Tools:  []string{"pay_*"}, MaxAuthAge: 15 * time.Minute,
		}},
		ToolScopes: []policy.ToolScope{{Tool: "pay", Scope: "orders:write", Line: 12}},
		RoleLevels: []string{"viewer", "admin"}, GroupRoles: map[string]string{"okta admins": "admin"},
		Strict: true, ReadOnly: true, ReadTools: []string{"get_*"}, Confirm: []string{"delete_*"}, Pin: "block",
		Limits: []policy.Limit{{Tools: []string{"search_*"}, Count: 10, Per: time.Minute, Burst: 3, Shared: true, Text: "10/minute", Line: 22}},
	}
	p, err := ParsePolicy("p.toml", []byte(wholePolicy))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, p.Set()); diff != "" {
		t.Error(diff)
	}

	// the same in the table of a profile
	inline := "[profiles.orders]\nissuer = 'https://login.example.com'\nclient_id = 'x'\n" +
		strings.NewReplacer("[[", "[[profiles.orders.", "\n[g", "\n[profiles.orders.g", "\n[tool", "\n[profiles.orders.tool").Replace(wholePolicy)
	c, err := Parse("c.toml", []byte(inline))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Resolve(Overrides{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err = c.Policy(r)
	if err != nil {
		t.Fatal(err)
	}
	want.Rules[0].Line, want.ToolScopes[0].Line, want.Limits[0].Line = 17, 15, 25
	if diff := cmp.Diff(want, p.Set()); diff != "" {
		t.Error(diff)
	}
	r.Policy = "/some/file"
	if _, _, err := c.Policy(r); err == nil || !strings.Contains(err.Error(), "rules in its own table and a policy file") {
		t.Errorf("two policies: %v", err)
	}
	delete(c.policies, "orders")
	r.Policy = ""
	if p, _, err := c.Policy(r); err != nil || p.For(policy.User{Sub: "ada"}, "").Decide(policy.Item{Kind: policy.Tool, Name: "x"}, time.Now()).Effect != policy.Allow {
		t.Errorf("no policy: %v", err)
	}
}

func TestPolicyMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"ruels = 1":                                                                   `p.toml:1: unknown key "ruels"; did you mean rules?`,
		"\n[[rules]]\nefect = 'allow'":                                                `p.toml:3: unknown key "efect" in [[rules]]; did you mean effect?`,
		"[[rules]]\nEffect = 'allow'":                                                 `p.toml:2: unknown key "Effect" in [[rules]]`,
		"[[rules]]\neffect = 'alow'":                                                  `p.toml:2: effect must be "allow", "deny" or "require", not "alow"`,
		"[[rules]]\ntools = 'x'":                                                      `p.toml:2: tools must be a list of strings`,
		"[[rules]]\neffect = 'allow'\ntools = []":                                     `p.toml:3: tools is an empty list`,
		"[[rules]]\neffect = 'allow'\ntools = ['']":                                   `p.toml:3: tools has an empty string`,
		"[[rules]]\neffect = 'allow'\nacr = [\"\\u200b\"]":                            `p.toml:3: acr: "\u200b" has a character that cannot be printed`,
		"rules = [{effect = 'allow'}]":                                                `p.toml:1: rules are written one by one, each under [[rules]]`,
		"rules.effect = 'allow'":                                                      `p.toml:1: `,
		"[rules]\neffect = 'allow'":                                                   `p.toml:1: rules are written one by one`,
		"[[rules]]\neffect='allow'\nmax_auth_age='5'":                                 `p.toml:3: max_auth_age must be a time`,
		"[[rules]]\neffect='allow'\nclaims={a=1.5}":                                   `p.toml:3: a must be a string, a number`,
		"[[rules]]\neffect='allow'\nclaims.a.b='x'":                                   `p.toml:3: claims holds no tables`,
		"[[rules]]\neffect='allow'\nmethods=['tools/cal']":                            `p.toml:3: methods: there is no "tools/cal"; did you mean tools/call?`,
		"[[rules]]\neffect='deny'\nmethods=['sampling/createMesage']":                 `p.toml:3: methods: there is no "sampling/createMesage"; did you mean sampling/createMessage?`,
		"[[rules]]\neffect='allow'\nmethods=['ping']":                                 `p.toml:3: no rule is asked about ping: it says nothing`,
		"role_levels=['viewer','editor']\n[[rules]]\neffect='allow'\nroles=['edtor']": `p.toml:4: roles: role_levels has no "edtor"; did you mean editor?`,
		"[[rules]]\neffect='allow'\nemail_domains=['@example.com']":                   `p.toml:3: email_domains: "@example.com" is no domain`,
		"[[rules]]\neffect='allow'\nemail_domains=['*.example.com']":                  `p.toml:3: email_domains: "*.example.com" is no domain`,
		"[[tests]]\ntool='x'\nwant='alow'":                                            `p.toml:3: want must be "allow", "deny" or "step_up", not "alow"`,
		"[[tests]]\nwant='allow'":                                                     `p.toml:1: a test names one of tool`,
		"confirm=['']":                                                                `p.toml:1: confirm has an empty string`,
		"\nread_tools=[\"a\\u200b\"]":                                                 `p.toml:2: read_tools: "a\u200b" has a character`,
		"[[limits]]\nrate='1/day'\ntools=[]":                                          `p.toml:3: tools is an empty list: leave it out for all`,
		"[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\nacr=['phr']":            `p.toml:5: max_auth_age and acr stand in`,
		"[[rules]]\neffect='allow'\n[rules.claims]\na='x'\nb=['']":                    `p.toml:5: claims: b has an empty string`,
		"[[rules]]\neffect='deny'\nclaims={email='x'}":                                `p.toml:3: claims: email is not among the other claims`,
		"[[rules]]\neffect='allow'\nclaims={a=''}":                                    `p.toml:3: claims: a has an empty string`,
		"role_levels=['a','a']\n[group_roles]\ng='a'":                                 `p.toml:1: role_levels names a twice`,
		"[[limits]]\nrate='1/day'\nburst=0":                                           `p.toml:3: burst must be 1 or more`,
		"pin = 'blok'":                                                                `p.toml:1: pin must be`,
		"strict = 'yes'":                                                              `p.toml:1: strict must be true or false`,
		"[tool_scopes]\nx = 'a b'":                                                    `p.toml:2: tool_scopes has ' ' in "a b"`,
		"[tool_scopes]\nx = ['a']":                                                    `p.toml:2: x must be a string`,
		"[[limits]]\nrate = '10'":                                                     `p.toml:2: rate must be like`,
		"[[limits]]\nrate = '1/s'\nburst = '2'":                                       `p.toml:3: burst must be a number`,
		"role_levels = ['a']\n[group_roles]\nx = 'b'":                                 `p.toml:3: group_roles gives group x the role b`,
		"[[rules]]\neffect = 'allow'\n\n[[rules]]\neffect = 'allow'\ngroups = ['a']":  `p.toml:4: rule 2 can never matter: rule 1 in line 1 allows all of it`,
		"pin = ": `p.toml:1: `,
	} {
		_, err := ParsePolicy("p.toml", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q\n got %v\nwant %s", text, err, want)
		}
	}
	_, err := Parse("c.toml", []byte("[profiles.p]\n[[profiles.p.rules]]\neffect = 'x'"))
	if err == nil || !strings.HasPrefix(err.Error(), "c.toml:3: effect must be") {
		t.Errorf("in a profile: %v", err)
	}
	_, err = Parse("c.toml", []byte("[defaults]\nread_only = true"))
	if err == nil || !strings.Contains(err.Error(), "read_only belongs to one profile") {
		t.Errorf("in defaults: %v", err)
	}
	_, err = Parse("c.toml", []byte("[profiles.p]\npolicy = 'policy.toml'"))
	if err == nil || !strings.Contains(err.Error(), "policy must be an absolute path") {
		t.Errorf("in the working folder: %v", err)
	}
}

// Who can write the policy file decides who may do what.
func TestPolicyOthersCanWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.toml")
	if _, err := LoadPolicy(path); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("missing: %v", err)
	}
	if err := os.WriteFile(path, []byte("strict = true"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadPolicy(path); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		return // no mode bits there: see owner_windows.go
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadPolicy(path); err == nil || !strings.Contains(err.Error(), "other users can write") {
		t.Errorf("writable: %v", err)
	}
}
