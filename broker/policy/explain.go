package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Explanation is a decision with all that a person may want to know of it.
type Explanation struct {
	Decision
	Line int // of the rule that decided; 0 if none did
	// Missing are the rules that would allow it if the user were another one, the
	// nearest first: the one that lacks least.
	Missing []Missing
	// Unknown are the claims that the deciding rule asks about and that are not
	// completely known, so that it was taken to hold.
	Unknown []string
}

// Missing is what a user lacks for a rule to hold.
type Missing struct {
	Rule         string
	Line         int
	Groups       []string // one of these
	Roles        []string // one of these
	EmailDomains []string // one of these
	Unverified   string   // the address that would do if the provider had verified it
	Claims       map[string][]string
	Needs        Needs // a sign-in can bring these
}

// Explain answers as Decide does, and says why and what is missing.
func (v *View) Explain(item Item, now time.Time) Explanation {
	e := Explanation{Decision: v.Decide(item, now)}
	if v.policy == nil {
		return e
	}
	for _, c := range v.policy.rules {
		if c.label == e.Rule {
			e.Line, e.Unknown = c.Line, v.unknown(c)
		}
	}
	if e.Effect != Deny || e.Rule != noRule {
		return e
	}
	for _, c := range v.policy.rules {
		if c.grants && c.covers(item) && (len(c.Servers) == 0 || Match(c.Servers, v.server)) {
			e.Missing = append(e.Missing, v.lacks(c, now))
		}
	}
	slices.SortStableFunc(e.Missing, func(a, b Missing) int { return cmp.Compare(a.count(), b.count()) })
	return e
}

// unknown are the claims that a rule holds by only because they are not known.
func (v *View) unknown(c *compiled) []string {
	var claims []string
	for _, asked := range v.conditions(c) {
		if !asked.met && asked.unknown && c.Effect != WordAllow {
			claims = append(claims, asked.claim)
		}
	}
	slices.Sort(claims)
	return claims
}

func (c *compiled) covers(item Item) bool {
	if item.Kind != Template {
		return Match(c.patterns[item.Kind], item.Name)
	}
	v := View{}
	for _, text := range c.patterns[Template] {
		v.templates = append(v.templates, pattern[grant]{what: grant{}, text: text})
	}
	found := false
	v.eachTemplate(item.Name, func(grant) bool { found = true; return true })
	return found
}

// lacks is what the user does not have of what a rule asks for.
func (v *View) lacks(c *compiled, now time.Time) Missing {
	m := Missing{Rule: c.label, Line: c.Line, Needs: bound{c, v.missing(c.needs)}.at(v, now)}
	if !meets(c.Groups, v.user.Groups) {
		m.Groups = c.Groups
	}
	if !meets(c.Roles, v.roles) {
		m.Roles = c.Roles
	}
	if !v.user.hasEmailAt(c.EmailDomains) {
		m.EmailDomains = c.EmailDomains
		if inDomain(c.EmailDomains, v.user.UnverifiedEmail) {
			m.Unverified = v.user.UnverifiedEmail
		}
	}
	for claim, values := range c.Claims {
		if !meets(values, v.user.Claims[claim]) {
			if m.Claims == nil {
				m.Claims = map[string][]string{}
			}
			m.Claims[claim] = values
		}
	}
	return m
}

func (m Missing) count() int {
	count := len(m.Claims)
	for _, list := range [][]string{m.Groups, m.Roles, m.EmailDomains} {
		if len(list) > 0 {
			count++
		}
	}
	return count
}

// String says what is needed, as in "group finance or admins, and role admin".
func (m Missing) String() string {
	var parts []string
	add := func(what string, list []string) {
		if len(list) > 0 {
			parts = append(parts, what+" "+strings.Join(list, " or "))
		}
	}
	add("group", m.Groups)
	add("role", m.Roles)
	add("a verified e-mail address at", m.EmailDomains)
	if m.Unverified != "" {
		parts[len(parts)-1] += " (the provider does not say that " + m.Unverified + " is verified: email_verified)"
	}
	claims := make([]string, 0, len(m.Claims))
	for claim := range m.Claims {
		claims = append(claims, claim)
	}
	slices.Sort(claims)
	for _, claim := range claims {
		add("the claim "+claim+" =", m.Claims[claim])
	}
	if !m.Needs.None() {
		parts = append(parts, m.Needs.String())
	}
	return strings.Join(parts, ", and ")
}

// String says what a sign-in must have, as in "a sign-in of the last 15m".
func (n Needs) String() string {
	var parts []string
	if n.MaxAuthAge > 0 {
		parts = append(parts, "a sign-in of the last "+shortTime(n.MaxAuthAge))
	}
	if len(n.ACR) > 0 {
		parts = append(parts, "a stronger sign-in (acr "+strings.Join(n.ACR, " or ")+")")
	}
	switch len(n.Scopes) {
	case 0:
	case 1:
		parts = append(parts, "the scope "+n.Scopes[0])
	default:
		parts = append(parts, "the scopes "+strings.Join(n.Scopes, " "))
	}
	return strings.Join(parts, ", and ")
}

// shortTime is a duration without the zeros that Go writes: 15m, not 15m0s.
func shortTime(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Why says in a few words why something is denied or what it needs: what
// follows "denied by policy: " or "sign in again: ".
func (e Explanation) Why() string {
	switch {
	case e.Effect == StepUp:
		return "needs " + e.Needs.String() + unknownText(e.Unknown)
	case e.Effect == Allow:
		return e.Rule
	case len(e.Missing) == 0:
		return deniedText(e.Rule) + unknownText(e.Unknown)
	}
	const most = 3
	var ways []string
	for _, m := range e.Missing {
		if way := m.String(); !slices.Contains(ways, way) && len(ways) < most {
			ways = append(ways, way)
		}
	}
	return "needs " + strings.Join(ways, "; or ")
}

// unknownWords say why a rule holds for a user that it may not be about.
func unknownText(claims []string) string {
	if len(claims) == 0 {
		return ""
	}
	return ", since what it asks about is not wholly known or not verified: " + strings.Join(claims, ", ")
}

func deniedText(rule string) string {
	switch rule {
	case readOnly:
		return "the server is used read-only, and this is not among its read_tools"
	case strict:
		return "the policy is strict, and no rule names this method"
	case noRule, nobody, otherReading:
		return rule
	}
	return fmt.Sprintf("%s denies it", rule)
}
