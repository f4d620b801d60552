package policy

import (
	"fmt"
	"slices"
)

// findShadowed returns an error for the first rule that can never matter,
// because another one always decides before it.
func (p *Policy) findShadowed() error {
	byName := p.rulesByName()
	for i, c := range p.rules {
		for _, j := range byName.over(c) {
			other := p.rules[j]
			if i == j || !p.shadows(other, c) || i < j && p.shadows(c, other) && c.denies == other.denies {
				continue // of two that say the same, the later one is named
			}
			verb := "decides"
			switch {
			case other.denies:
				verb = "denies"
			case other.grants:
				verb = "allows"
			}
			return &Error{Line: c.Line, Err: fmt.Errorf("%s can never matter: %s%s %s all of it", c.label, other.label, lineOf(other), verb)}
		}
	}
	return nil
}

// ruleIndex finds rules by what they are about, so that a thousand rules are not
// compared with each other, a million times.
type ruleIndex [kinds]names[int]

func (p *Policy) rulesByName() *ruleIndex {
	var index ruleIndex
	for i, c := range p.rules {
		for kind, patterns := range c.patterns {
			for _, text := range patterns {
				index[kind].add(text, i)
			}
		}
	}
	return &index
}

// over returns, in their order, the rules that could shadow one: a pattern of
// theirs covers its first.
func (x *ruleIndex) over(c *compiled) []int {
	var rules []int
	for kind, patterns := range c.patterns {
		if len(patterns) > 0 {
			x[kind].each(patterns[0], func(i int) bool { rules = append(rules, i); return false })
			break
		}
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

func lineOf(c *compiled) string {
	if c.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" in line %d", c.Line)
}

// shadows reports whether rule a leaves nothing to rule b. It errs on the side
// of no.
func (p *Policy) shadows(a, b *compiled) bool {
	switch {
	case a.denies:
		if b.denies && !containsAll(b.Scopes, a.Scopes) || !b.denies && len(a.Scopes) > 0 {
			return false
		}
	case b.denies, a.grants != b.grants, a.guards != b.guards:
		return false
	case !a.needs.within(b.needs):
		return false
	}
	return within(b.Groups, a.Groups) && p.rolesWithin(b.Roles, a.Roles) && within(b.EmailDomains, a.EmailDomains) &&
		patternsWithin(b.Servers, a.Servers) && claimsWithin(b.Claims, a.Claims) && b.whatWithin(a)
}

// within reports whether everyone who meets list b meets list a.
func within(b, a []string) bool {
	return len(a) == 0 || len(b) > 0 && containsAll(a, b)
}

// rolesWithin is within, where a level includes those below it.
func (p *Policy) rolesWithin(b, a []string) bool {
	if len(a) == 0 {
		return true
	}
	includes := func(high string) bool {
		at := slices.Index(p.roles.levels, high)
		return slices.ContainsFunc(a, func(low string) bool {
			level := slices.Index(p.roles.levels, low)
			return low == high || level >= 0 && level <= at
		})
	}
	return len(b) > 0 && !slices.ContainsFunc(b, func(role string) bool { return !includes(role) })
}

func claimsWithin(b, a map[string][]string) bool {
	for claim, values := range a {
		if !within(b[claim], values) {
			return false
		}
	}
	return true
}

// patternsWithin reports whether each pattern of b is covered by one of a. A
// pattern covers another if it matches its text, as only "*" matches a "*".
func patternsWithin(b, a []string) bool {
	return len(a) == 0 || len(b) > 0 && !slices.ContainsFunc(b, func(text string) bool { return !Match(a, text) })
}

func (c *compiled) whatWithin(a *compiled) bool {
	for kind, patterns := range c.patterns {
		if len(patterns) > 0 && (len(a.patterns[kind]) == 0 || !patternsWithin(patterns, a.patterns[kind])) {
			return false
		}
	}
	return true
}

// within reports whether a sign-in that has what m needs has what n needs.
func (n Needs) within(m Needs) bool {
	return compareAge(m.MaxAuthAge, n.MaxAuthAge) <= 0 && within(m.ACR, n.ACR) && containsAll(m.Scopes, n.Scopes)
}
