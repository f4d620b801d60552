package policy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What nobody can read may be anything: a rule that takes away holds then, and one
// that gives does not.
func TestAttackUnreadableClaimIsNoWayAroundADenial(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		claim string
		rule  Rule
	}{
		"groups":           {"groups", Rule{Groups: []string{"admins"}}},
		"roles":            {"roles", Rule{Roles: []string{"admin"}}},
		"roles by groups":  {"groups", Rule{Roles: []string{"auditor"}}},
		"e-mail":           {"email", Rule{EmailDomains: []string{"example.org"}}},
		"scopes":           {"scopes", Rule{Scopes: []string{"orders:delete"}}},
		"a claim":          {"department", Rule{Claims: map[string][]string{"department": {"sales"}}}},
		"all other claims": {"*", Rule{Claims: map[string][]string{"department": {"sales"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := Item{Tool, "env"}
			decide := func(known bool, effect Rule) Explanation {
				u := ada()
				if !known {
					u.Unreadable = []string{test.claim}
				}
				set := rules(allow(Rule{Name: "all", Tools: []string{"other", "env"}}), effect)
				if effect.Effect == WordAllow {
					set = rules(effect)
				}
				set.GroupRoles = map[string]string{"finance": "viewer"}
				return compile(t, set).For(u, "").Explain(item, noon)
			}
			rule := test.rule
			rule.Tools = []string{"env"}
			if got := decide(true, deny(rule)); got.Effect != Allow {
				t.Fatalf("known: %+v", got)
			}
			got := decide(false, deny(rule))
			if got.Effect != Deny || !strings.Contains(got.Why(), "not wholly known") || len(got.Unknown) != 1 {
				t.Errorf("not known: %+v, why %q", got, got.Why())
			}
			if got := decide(false, allow(rule)); got.Effect == Allow {
				t.Errorf("not known, and allowed by it: %+v", got)
			}
			if test.claim == "scopes" {
				return // of a require rule they are needs
			}
			rule.ACR = []string{"phr"}
			if got := decide(true, require(rule)); got.Effect != Allow {
				t.Errorf("known: %+v", got)
			}
			if got := decide(false, require(rule)); got.Effect != StepUp || !slices.Equal(got.Needs.ACR, rule.ACR) {
				t.Errorf("not known: %+v", got)
			}
		})
	}
}

// A rule asks about several things: what is known not to hold ends it.
func TestUnknownIsNotEverything(t *testing.T) {
	t.Parallel()
	u := ada()
	u.Unreadable = []string{"groups"}
	p := compile(t, rules(allow(Rule{Name: "all", Tools: []string{"*"}}),
		deny(Rule{Groups: []string{"admins"}, EmailDomains: []string{"example.org"}, Tools: []string{"env"}})))
	if got := p.For(u, "").Decide(Item{Tool, "env"}, noon); got.Effect != Allow {
		t.Errorf("%+v", got)
	}
}

func TestAttackUnverifiedAddress(t *testing.T) {
	t.Parallel()
	only := compile(t, rules(allow(Rule{EmailDomains: []string{"example.com"}})))
	not := compile(t, rules(allow(Rule{Name: "all"}), deny(Rule{EmailDomains: []string{"example.com"}, Tools: []string{"pay"}})))
	for _, test := range []struct {
		name              string
		email, unverified string
		allows, denies    bool
		says              string
	}{
		{"verified", "ada@example.com", "", true, true, ""},
		{"verified, with a dot at its end", "ada@Example.COM.", "", true, true, ""},
		{"not verified", "", "ada@example.com", false, true, "the provider does not say that ada@example.com is verified"},
		{"not verified, elsewhere", "", "ada@example.org", false, false, "needs a verified e-mail address at example.com"},
		{"none", "", "", false, false, "needs a verified e-mail address at example.com"},
	} {
		u := ada()
		u.Email, u.UnverifiedEmail = test.email, test.unverified
		pay := Item{Tool, "pay"}
		got := only.For(u, "").Explain(pay, time.Now())
		if (got.Effect == Allow) != test.allows || !strings.Contains(got.Why(), test.says) {
			t.Errorf("%s: %v, %s", test.name, got.Effect, got.Why())
		}
		if got := not.For(u, "").Decide(pay, time.Now()); (got.Effect == Deny) != test.denies {
			t.Errorf("%s: a rule that denies says %v", test.name, got)
		}
	}
}

// A text that readers take for different addresses opens nothing, and still meets a
// rule that denies its domain.
func TestAttackAddressWithTwoReadings(t *testing.T) {
	t.Parallel()
	item := Item{Tool, "env"}
	domain := Rule{Tools: []string{"env"}, EmailDomains: []string{"example.com"}}
	for address, want := range map[string]Effect{
		"ada@example.com":              Allow,
		"ada+x@example.com":            Allow,
		"ada@evil.org@example.com":     Deny,
		"ada@evil.org\x00@example.com": Deny,
		"evil.org\x00ada@example.com":  Deny,
		"ada@evil.org,b@example.com":   Deny,
		`"ada evil"@example.com`:       Deny,
		"ada evil@example.com":         Deny,
		"<ada@example.com":             Deny,
		"@example.com":                 Deny,
	} {
		u := ada()
		u.Email = address
		if got := compile(t, rules(allow(domain))).For(u, "").Explain(item, noon); got.Effect != want {
			t.Errorf("%q: %v, want %v", address, got.Effect, want)
		}
		all := allow(Rule{Name: "all", Tools: []string{"other", "env"}})
		if got := compile(t, rules(all, deny(domain))).For(u, "").Explain(item, noon); got.Effect != Deny && address[0] != '@' {
			t.Errorf("%q gets around the rule that denies its domain: %v", address, got.Effect)
		}
	}
}
