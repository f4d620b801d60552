package policy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ada() User {
	return User{
		Sub: "ada", Email: "ada@Example.com", Groups: []string{"finance"}, Scopes: []string{"openid", "orders:read"},
		ACR: "pwd", AuthTime: noon.Add(-time.Hour), Claims: map[string][]string{"department": {"r&d"}},
	}
}

func compile(t testing.TB, s Set) *Policy {
	t.Helper()
	p, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func allow(r Rule) Rule   { r.Effect = WordAllow; return r }
func deny(r Rule) Rule    { r.Effect = WordDeny; return r }
func require(r Rule) Rule { r.Effect = WordRequire; return r }

func rules(list ...Rule) Set { return Set{Rules: list} }

func TestZeroPolicyDenies(t *testing.T) {
	for name, p := range map[string]*Policy{"nil": nil, "zero": {}} {
		for kind := range kinds {
			if got := p.For(ada(), "").Decide(Item{kind, "whoami"}, noon); got.Effect != Deny {
				t.Errorf("%s policy, kind %d: %v, want a denial", name, kind, got)
			}
		}
	}
}

func TestSignedInPolicy(t *testing.T) {
	for _, p := range []*Policy{SignedIn(), compile(t, Set{})} {
		if got := p.For(ada(), "").Decide(Item{Tool, "x"}, noon); got.Effect != Allow {
			t.Errorf("signed in: %v, want it allowed", got)
		}
		if got := p.For(User{}, "").Decide(Item{Tool, "x"}, noon); got.Effect != Deny {
			t.Errorf("nobody: %v, want a denial", got)
		}
	}
}

func TestWho(t *testing.T) {
	tests := []struct {
		name string
		rule Rule
		want Effect
	}{
		{"anybody", Rule{}, Allow},
		{"group", Rule{Groups: []string{"x", "finance"}}, Allow},
		{"other group", Rule{Groups: []string{"Finance"}}, Deny},
		{"role by group and level", Rule{Roles: []string{"viewer"}}, Allow},
		{"higher role", Rule{Roles: []string{"security-admin"}}, Deny},
		{"domain without case", Rule{EmailDomains: []string{"example.COM"}}, Allow},
		{"end of a domain", Rule{EmailDomains: []string{"ample.com"}}, Deny},
		{"claim", Rule{Claims: map[string][]string{"department": {"sales", "r&d"}}}, Allow},
		{"other claim", Rule{Claims: map[string][]string{"department": {"sales"}}}, Deny},
		{"missing claim", Rule{Claims: map[string][]string{"country": {"DE"}}}, Deny},
		{"all of two", Rule{Groups: []string{"finance"}, Roles: []string{"security-admin"}}, Deny},
		{"scope", Rule{Scopes: []string{"orders:read"}}, Allow},
		{"more scopes", Rule{Scopes: []string{"orders:read", "orders:write"}}, StepUp},
		{"fresh", Rule{MaxAuthAge: time.Hour}, Allow},
		{"not fresh", Rule{MaxAuthAge: time.Hour - time.Second}, StepUp},
		{"acr", Rule{ACR: []string{"phr", "pwd"}}, Allow},
		{"stronger acr", Rule{ACR: []string{"phr"}}, StepUp},
		{"server", Rule{Servers: []string{"python3 *"}}, Allow},
		{"other server", Rule{Servers: []string{"node *"}}, Deny},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := rules(allow(test.rule))
			s.RoleLevels = []string{"viewer", "admin", "security-admin"}
			s.GroupRoles = map[string]string{"finance": "admin"}
			if got := compile(t, s).For(ada(), "python3 main.py").Decide(Item{Tool, "pay"}, noon); got.Effect != test.want {
				t.Errorf("%+v, want %v", got, test.want)
			}
		})
	}
	unknown := ada()
	unknown.AuthTime = time.Time{}
	p := compile(t, rules(allow(Rule{MaxAuthAge: time.Hour})))
	if got := p.For(unknown, "").Decide(Item{Tool, "pay"}, noon); got.Effect != StepUp {
		t.Errorf("a sign-in of unknown age counts as fresh: %v", got)
	}
	for ahead, want := range map[time.Duration]Effect{time.Minute: Allow, time.Minute + time.Second: StepUp, 24 * time.Hour: StepUp} {
		unknown.AuthTime = noon.Add(ahead) // a provider's clock may differ a little
		if got := p.For(unknown, "").Decide(Item{Tool, "pay"}, noon); got.Effect != want {
			t.Errorf("a sign-in %s from now: %v, want %v", ahead, got, want)
		}
	}
}

func TestWhat(t *testing.T) {
	s := rules(
		allow(Rule{Tools: []string{"get_*", "pay"}}),
		allow(Rule{Resources: []string{"file:///public/*"}}),
		allow(Rule{Methods: []string{"prompts/get", "vendor/*"}}),
		deny(Rule{Tools: []string{"get_secret*"}}),
		deny(Rule{Methods: []string{"vendor/danger"}}),
	)
	p := compile(t, s)
	for item, want := range map[Item]Effect{
		{Tool, "get_x"}:                        Allow,
		{Tool, "pay"}:                          Allow,
		{Tool, "Pay"}:                          Deny,
		{Tool, "pay "}:                         Deny,
		{Tool, "other"}:                        Deny,
		{Tool, "get_secrets"}:                  Deny,
		{Tool, "get_SECRETS"}:                  Deny, // byte for byte it is allowed; folded it is denied
		{Tool, "get_s\u200becret"}:             Deny,
		{Tool, "get_ｓｅｃｒｅｔ"}:                   Deny,
		{Tool, "get_secret\x00"}:               Deny,
		{Tool, "get_𝐬ecret"}:                   Deny,
		{Resource, "file:///public/a"}:         Allow,
		{Resource, "file:///etc/passwd"}:       Deny,
		{Template, "file:///public/{x}"}:       Allow,
		{Template, "file:///{+path}"}:          Allow, // some of its URIs may be read
		{Template, "file:///etc/{x}"}:          Deny,
		{Prompt, "any"}:                        Allow,
		{Method, "vendor/x"}:                   Allow,
		{Method, "vendor/danger"}:              Deny,
		{Method, "Vendor/Danger"}:              Deny,
		{Method, "other/x"}:                    Allow, // relayed
		{Method, "vendor/\u00addanger\u2060 "}: Deny,
	} {
		if got := p.For(ada(), "").Decide(item, noon); got.Effect != want {
			t.Errorf("%d %+q: %+v, want %v", item.Kind, item.Name, got, want)
		}
	}
	s.Strict = true
	view := compile(t, s).For(ada(), "")
	if view.Decide(Item{Method, "other/x"}, noon).Effect != Deny || view.Decide(Item{Method, "vendor/x"}, noon).Effect != Allow {
		t.Error("strict does not ask for a rule that names the method")
	}
}

func TestRequireAndToolScopes(t *testing.T) {
	p := compile(t, Set{
		Rules: []Rule{
			allow(Rule{Tools: []string{"*"}}),
			require(Rule{Tools: []string{"delete_*"}, MaxAuthAge: time.Minute}),
			require(Rule{Tools: []string{"delete_all"}, ACR: []string{"phr"}}),
		},
		ToolScopes: []ToolScope{{Tool: "pay", Scope: "orders:write"}, {Tool: "get", Scope: "orders:read"}},
	})
	view := p.For(ada(), "")
	if got := view.Decide(Item{Tool, "get"}, noon); got.Effect != Allow {
		t.Errorf("%+v", got)
	}
	if got := view.Explain(Item{Tool, "pay"}, noon); got.Effect != StepUp || got.Why() != "needs the scope orders:write" {
		t.Errorf("%+v", got)
	}
	want := "needs a sign-in of the last 1m, and a stronger sign-in (acr phr)"
	if got := view.Explain(Item{Tool, "delete_all"}, noon); got.Effect != StepUp || got.Why() != want {
		t.Errorf("%q", got.Why())
	}
}

func TestReadOnly(t *testing.T) {
	view := compile(t, Set{ReadOnly: true, ReadTools: []string{"get_*"}}).For(ada(), "")
	for item, want := range map[Item]Effect{
		{Tool, "get_x"}: Allow, {Tool, "set_x"}: Deny, {Tool, "GET_x"}: Deny,
		{Resource, "x:1"}: Allow, {Prompt, "x"}: Allow, {Method, "vendor/x"}: Deny,
	} {
		if got := view.Decide(item, noon); got.Effect != want {
			t.Errorf("%d %q: %+v, want %v", item.Kind, item.Name, got, want)
		}
	}
}

func TestConfirms(t *testing.T) {
	view := compile(t, Set{Confirm: []string{"Delete_*"}}).For(ada(), "")
	for name, want := range map[string]bool{"Delete_x": true, "delete_x": true, "undelete_x": false} {
		if view.Confirms(name) != want {
			t.Errorf("%s: not %v", name, want)
		}
	}
}

func TestExplain(t *testing.T) {
	p := compile(t, rules(
		allow(Rule{Name: "admins", Line: 3, Tools: []string{"pay"}, Groups: []string{"admins"}, EmailDomains: []string{"corp.example"}}),
		allow(Rule{Line: 9, Tools: []string{"pay"}, Groups: []string{"treasury", "board"}}),
		deny(Rule{Name: "never", Line: 12, Tools: []string{"drop"}}),
	))
	view := p.For(ada(), "")
	e := view.Explain(Item{Tool, "pay"}, noon)
	if e.Why() != "needs group treasury or board; or group admins, and a verified e-mail address at corp.example" || e.Missing[0].Line != 9 {
		t.Errorf("%q %+v", e.Why(), e)
	}
	if e = view.Explain(Item{Tool, "drop"}, noon); e.Why() != "rule 3 (never) denies it" || e.Line != 12 {
		t.Errorf("%q %+v", e.Why(), e)
	}
	if e = view.Explain(Item{Tool, "other"}, noon); e.Why() != "no rule allows it" {
		t.Errorf("%q", e.Why())
	}
}

func TestMistakes(t *testing.T) {
	levels := Set{RoleLevels: []string{"viewer", "admin"}}
	with := func(list ...Rule) Set { s := levels; s.Rules = list; return s }
	tests := []struct {
		set  Set
		want string
	}{
		{rules(Rule{Effect: "Allow"}), `effect must be "allow", "deny" or "require", not "Allow"`},
		{rules(require(Rule{Tools: []string{"x"}})), "requires nothing"},
		{rules(deny(Rule{MaxAuthAge: time.Minute})), "max_auth_age and acr stand in rules"},
		{rules(allow(Rule{Methods: []string{"tools/list"}})), "name tools/call"},
		{rules(allow(Rule{Methods: []string{"prompts/get"}, Tools: []string{"x"}})), "can never hold"},
		{rules(deny(Rule{Tools: []string{"pay_*"}}), allow(Rule{Line: 7, Tools: []string{"pay_x"}})), "rule 2 can never matter: rule 1 denies all of it"},
		{rules(allow(Rule{Line: 1, Tools: []string{"pay_x"}}), allow(Rule{Line: 7, Tools: []string{"pay_*"}})), "rule 1 can never matter: rule 2 in line 7 allows all of it"},
		{rules(allow(Rule{}), allow(Rule{Groups: []string{"a"}})), "rule 2 can never matter"},
		{rules(allow(Rule{}), allow(Rule{})), "rule 2 can never matter"},
		{rules(allow(Rule{MaxAuthAge: time.Hour}), allow(Rule{MaxAuthAge: time.Minute})), "rule 2 can never matter"},
		{rules(allow(Rule{Scopes: []string{"a"}}), allow(Rule{Scopes: []string{"b", "a"}})), "rule 2 can never matter"},
		{with(allow(Rule{Roles: []string{"viewer"}}), allow(Rule{Roles: []string{"admin"}})), "rule 2 can never matter"},
		{Set{GroupRoles: map[string]string{"g": "amdin"}, RoleLevels: []string{"admin"}}, "which role_levels (admin) does not have"},
		{Set{RoleLevels: []string{"a", "a"}}, "twice"},
	}
	for _, test := range tests {
		_, err := Compile(test.set)
		var at *Error
		if !errors.As(err, &at) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v\n got %v\nwant %s", test.set, err, test.want)
		}
	}
	for i, good := range []Set{
		rules(allow(Rule{Tools: []string{"pay_*"}}), deny(Rule{Tools: []string{"pay_x"}})),
		rules(allow(Rule{MaxAuthAge: time.Minute}), allow(Rule{Tools: []string{"x"}})),
		rules(allow(Rule{Groups: []string{"a"}}), allow(Rule{Groups: []string{"a", "b"}, Tools: []string{"x"}})),
		rules(allow(Rule{}), require(Rule{Scopes: []string{"x"}})),
		rules(deny(Rule{Scopes: []string{"guest"}}), allow(Rule{})),
		with(allow(Rule{Roles: []string{"admin"}}), allow(Rule{Roles: []string{"viewer"}, Tools: []string{"x"}})),
		rules(allow(Rule{Tools: []string{"a*"}}), allow(Rule{Tools: []string{"*a"}})),
	} {
		if _, err := Compile(good); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// A rule that Compile calls unreachable changes no decision, and the index
// finds the same as trying each rule would.
func TestIndexAgreesWithTheRules(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "ab", "b", "ba", "abc"}
	pick := func() string { return words[random.IntN(len(words))] }
	glob := func() string {
		return []string{pick(), pick() + "*", "*" + pick(), "*", pick() + "*" + pick(), "*" + pick() + "*"}[random.IntN(6)]
	}
	for range 2000 {
		var n names[string]
		var all []string
		for range 4 {
			text := glob()
			n.add(text, text)
			all = append(all, text)
		}
		name := pick() + pick()
		found := 0
		n.each(name, func(string) bool { found++; return false })
		want := 0
		for _, text := range all {
			if match(text, name) {
				want++
			}
		}
		if found != want {
			t.Fatalf("%q among %q: %d found, want %d", name, all, found, want)
		}
	}
}

func TestShadowedRulesDecideNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	some := func(list ...string) []string {
		var chosen []string
		for _, x := range list {
			if random.IntN(3) == 0 {
				chosen = append(chosen, x)
			}
		}
		return chosen
	}
	rule := func() Rule {
		r := Rule{Effect: []string{WordAllow, WordDeny, WordAllow}[random.IntN(3)], Groups: some("g", "h"), Roles: some("low", "high"), Tools: some("a", "a*", "*b", "*")}
		if r.Effect == WordAllow {
			r.Scopes = some("s")
		}
		return r
	}
	shadowed := 0
	for range 5000 {
		s := Set{Rules: []Rule{rule(), rule(), rule()}, RoleLevels: []string{"low", "high"}}
		_, err := Compile(s)
		if err == nil {
			continue
		}
		var number int
		if _, scan := fmt.Sscanf(err.Error(), "rule %d can never matter", &number); scan != nil {
			t.Fatal(err)
		}
		shadowed++
		with, without := uncheckedPolicy(t, s), s
		without.Rules = append(append([]Rule{}, s.Rules[:number-1]...), s.Rules[number:]...)
		other := uncheckedPolicy(t, without)
		for _, u := range []User{{}, {Groups: []string{"g"}}, {Groups: []string{"h"}, Roles: []string{"high"}}, {Roles: []string{"low"}, Scopes: []string{"s"}}} {
			u.Sub = "x"
			for _, name := range []string{"a", "ab", "b", "c", "A"} {
				a, b := with.For(u, "").Decide(Item{Tool, name}, noon), other.For(u, "").Decide(Item{Tool, name}, noon)
				if a.Effect != b.Effect {
					t.Fatalf("%v\n%+v\n%+v %s: %v with, %v without", err, s.Rules, u, name, a, b)
				}
			}
		}
	}
	if shadowed < 100 {
		t.Errorf("only %d sets had a shadowed rule", shadowed)
	}
}

// uncheckedPolicy is Compile without the look for shadowed rules.
func uncheckedPolicy(t *testing.T, s Set) *Policy {
	t.Helper()
	p := &Policy{set: s}
	for i, r := range s.Rules {
		c, err := compileRule(r, i+1)
		if err != nil {
			t.Fatal(err)
		}
		p.rules = append(p.rules, c)
	}
	p.roles, _ = newRoleBook(s.RoleLevels, s.GroupRoles)
	return p
}

func TestLookAlikes(t *testing.T) {
	var known LookAlikes
	for _, name := range []string{"delete_user", "Get", "get"} {
		known.Add(name)
	}
	for name, want := range map[string]string{
		"delete_user": "", "Get": "", "get": "", "other": "",
		"Delete_user": "delete_user", "delete\u200b_user": "delete_user", " delete_user": "delete_user",
		"ｄｅｌｅｔｅ_user": "delete_user", "delete_user\x00x": "delete_user", "delete_uſer": "delete_user", "GET": "get",
		"d\u0435lete_user": "delete_user", "\u0501\u0415l\u0435t\u0435\uff3fus\u0435r": "delete_user", "delete\u2010user": "", "g\u0435\u03c4": "get", "\u0261et": "get",
		"удалить": "",
	} {
		got, found := known.Of(name)
		if got != want || found != (want != "") {
			t.Errorf("%q looks like %q, want %q", name, got, want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a*b*", "aXbY")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if match(pattern, name) != matchSlowly(pattern, name) {
			t.Errorf("%q %q: %v", pattern, name, match(pattern, name))
		}
	})
}

func matchSlowly(pattern, name string) bool {
	reach := map[int]bool{0: true} // bytes of the name that are matched
	for i := range len(pattern) {
		next := map[int]bool{}
		for at := range reach {
			switch {
			case pattern[i] == '*':
				for to := at; to <= len(name); to++ {
					next[to] = true
				}
			case at < len(name) && name[at] == pattern[i]:
				next[at+1] = true
			}
		}
		reach = next
	}
	return reach[len(name)]
}

// thousandRules are of all forms: exact names, globs of each kind, claims.
func thousandRules() Set {
	var s Set
	for i := range 250 {
		s.Rules = append(s.Rules,
			allow(Rule{Tools: []string{fmt.Sprintf("tool_%d", i)}, Groups: []string{fmt.Sprintf("group-%d", i), "finance"}}),
			allow(Rule{Tools: []string{fmt.Sprintf("area%d_*", i)}, Groups: []string{"finance"}}),
			deny(Rule{Tools: []string{fmt.Sprintf("*_secret%d", i)}}),
			allow(Rule{Tools: []string{fmt.Sprintf("x*y%d*z", i)}, Roles: []string{fmt.Sprintf("role-%d", i)}}),
		)
	}
	return s
}

func BenchmarkDecide1000Rules(b *testing.B) {
	view := compile(b, thousandRules()).For(ada(), "python3 main.py")
	for _, name := range []string{"tool_249", "area200_get", "unknown", "area7_secret7"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				view.Decide(Item{Tool, name}, noon)
			}
		})
	}
}

func BenchmarkFor1000Rules(b *testing.B) {
	p := compile(b, thousandRules())
	for b.Loop() {
		p.For(ada(), "python3 main.py")
	}
}

func BenchmarkCompile1000Rules(b *testing.B) {
	s := thousandRules()
	for b.Loop() {
		compile(b, s)
	}
}

// The index that spares comparing all rules with each other loses none that
// could leave nothing to another.
func TestIndexFindsAllThatShadow(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	patterns := []string{"*", "a*", "*b", "a*b", "ab", "a*c*b", "abc"}
	found := 0
	for range 2000 {
		var set Set
		for range 5 {
			r := Rule{Effect: []string{WordAllow, WordDeny}[random.IntN(2)]}
			for _, list := range []*[]string{&r.Tools, &r.Resources, &r.Methods} {
				if random.IntN(2) == 0 {
					*list = []string{patterns[random.IntN(len(patterns))]}
				}
			}
			set.Rules = append(set.Rules, r)
		}
		p := &Policy{}
		for i, r := range set.Rules {
			if c, err := compileRule(r, i+1); err == nil {
				p.rules = append(p.rules, c)
			}
		}
		index := p.rulesByName()
		for _, c := range p.rules {
			over := index.over(c)
			for j, other := range p.rules {
				if p.shadows(other, c) {
					found++
					if !slices.Contains(over, j) {
						t.Fatalf("%+v shadows %+v", other.Rule, c.Rule)
					}
				}
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d were there to find", found)
	}
}

// A policy that only says which scopes tools need allows those tools, and nothing else.
func TestOnlyToolScopes(t *testing.T) {
	p := compile(t, Set{ToolScopes: []ToolScope{{Tool: "pay*", Scope: "orders:write"}}})
	user := ada()
	user.Scopes = nil
	without := p.For(user, "")
	user.Scopes = []string{"orders:write"}
	with := p.For(user, "")
	for _, test := range []struct {
		item          Item
		before, after Effect
	}{
		{Item{Tool, "pay_invoice"}, StepUp, Allow}, {Item{Tool, "Pay"}, Deny, Deny}, {Item{Tool, "get"}, Deny, Deny}, {Item{Resource, "x:1"}, Deny, Deny}, {Item{Prompt, "x"}, Deny, Deny},
		{Item{Template, "x:{id}"}, Deny, Deny}, {Item{Method, "vendor/x"}, Allow, Allow}, {Item{Request, "roots/list"}, Allow, Allow},
	} {
		if got := without.Decide(test.item, noon); got.Effect != test.before {
			t.Errorf("without the scope: %v: %+v", test.item, got)
		}
		if got := with.Decide(test.item, noon); got.Effect != test.after {
			t.Errorf("with the scope: %v: %+v", test.item, got)
		}
	}
	if p.None() || with.AllowsAll() || with.AllowsAllTools(noon) {
		t.Error("it counts as no policy")
	}
}

// What a strict policy, an address without a domain and two ages come to.
func TestStrictDomainsAndAges(t *testing.T) {
	strictly := compile(t, Set{Strict: true}).For(ada(), "")
	if got := strictly.Decide(Item{Request, "sampling/createMessage"}, noon); got.Effect != Deny {
		t.Errorf("strict, without rules: %+v", got)
	}
	user := ada()
	user.Email = "example.com"
	domain := compile(t, rules(allow(Rule{EmailDomains: []string{"example.com"}}))).For(user, "")
	if got := domain.Decide(Item{Tool, "get"}, noon); got.Effect != Deny {
		t.Errorf("an address without @: %+v", got)
	}
	both := compile(t, rules(allow(Rule{MaxAuthAge: time.Hour}), require(Rule{Tools: []string{"get"}, MaxAuthAge: 15 * time.Minute})))
	user = ada()
	user.AuthTime = noon.Add(-2 * time.Hour)
	if got := both.For(user, "").Decide(Item{Tool, "get"}, noon); got.Effect != StepUp || got.Needs.MaxAuthAge != 15*time.Minute {
		t.Errorf("the shorter age is needed: %+v", got)
	}
}
