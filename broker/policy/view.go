package policy

import (
	"slices"
	"strings"
	"time"
)

// View is a policy as one user at one server sees it. It is never changed.
type View struct {
	policy *Policy
	user   User
	roles  []string
	server string

	denies    [kinds]wideNames[*compiled]
	guards    [kinds]wideNames[bound]
	grants    [kinds]names[grant]
	templates []pattern[grant]
}

// grant is a pattern of a rule that allows.
type grant struct {
	bound
	readings []string // of resources: each reading of a URI must match one of these patterns
}

// bound is a rule that holds for the user but for what a sign-in could bring.
type bound struct {
	*compiled
	missing Needs // but for MaxAuthAge, which time decides
}

// For narrows the policy to a user at a server, named as the record names it.
func (p *Policy) For(u User, server string) *View {
	v := &View{policy: p, user: u, server: server}
	if p == nil {
		return v
	}
	v.roles = p.roles.of(u)
	for _, c := range p.rules {
		if len(c.Servers) > 0 && !Match(c.Servers, server) || !v.isAbout(c) {
			continue
		}
		b := bound{c, v.missing(c.needs)}
		for kind, patterns := range c.patterns {
			for _, text := range patterns {
				v.add(Kind(kind), text, b)
			}
		}
	}
	return v
}

func (v *View) add(kind Kind, text string, b bound) {
	if b.denies {
		v.denies[kind].add(kind, text, b.compiled)
	}
	if b.guards {
		v.guards[kind].add(kind, text, b)
	}
	switch {
	case !b.grants:
	case kind == Template:
		v.templates = append(v.templates, pattern[grant]{text, grant{bound: b}})
	case kind == Resource:
		v.grants[kind].add(text, grant{b, uriPatterns(text)})
	default:
		v.grants[kind].add(text, grant{bound: b})
	}
}

// isAbout reports whether the user is one of those whom the rule is about, or for
// a rule that takes away, whether they may be.
func (v *View) isAbout(c *compiled) bool {
	for _, asked := range v.conditions(c) {
		if !asked.met && (c.Effect == WordAllow || !asked.unknown) {
			return false
		}
	}
	return true
}

// condition is what a rule asks of one claim.
type condition struct {
	claim        string
	met, unknown bool
}

func (v *View) conditions(c *compiled) []condition {
	u := v.user
	list := []condition{
		{"groups", meets(c.Groups, u.Groups), u.unreadable("groups")},
		{"roles", meets(c.Roles, v.roles), u.unreadable("roles") || len(v.policy.set.GroupRoles) > 0 && u.unreadable("groups")},
		{"email", u.hasEmailAt(c.EmailDomains), u.unreadable("email") || inDomain(c.EmailDomains, u.Email) || inDomain(c.EmailDomains, u.UnverifiedEmail)},
	}
	if c.denies {
		list = append(list, condition{"scopes", containsAll(u.Scopes, c.Scopes), u.unreadable("scopes")})
	}
	for claim, values := range c.Claims {
		list = append(list, condition{claim, meets(values, u.Claims[claim]), u.unreadable(claim) || u.unreadable("*")})
	}
	return list
}

func (u User) unreadable(claim string) bool { return slices.Contains(u.Unreadable, claim) }

// hasEmailAt reports whether the user's verified address is at one of the domains. What
// is more than one address to some readers, or is cut short by others, is at none.
func (u User) hasEmailAt(domains []string) bool {
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>,;"`, r) }
	return inDomain(domains, u.Email) && (len(domains) == 0 || strings.Count(u.Email, "@") == 1 && !strings.ContainsFunc(u.Email, odd))
}

// inDomain compares without case and without the dot at the end, as DNS does.
func inDomain(domains []string, email string) bool {
	if len(domains) == 0 {
		return true
	}
	at := strings.LastIndexByte(email, '@')
	return at > 0 && slices.ContainsFunc(domains, func(d string) bool {
		return strings.EqualFold(strings.TrimSuffix(d, "."), strings.TrimSuffix(email[at+1:], "."))
	})
}

// missing is what of the needs the user's sign-in does not have, at any time.
func (v *View) missing(n Needs) Needs {
	missing := Needs{MaxAuthAge: n.MaxAuthAge}
	if len(n.ACR) > 0 && !slices.Contains(n.ACR, v.user.ACR) {
		missing.ACR = n.ACR
	}
	for _, scope := range n.Scopes {
		if !slices.Contains(v.user.Scopes, scope) {
			missing.Scopes = append(missing.Scopes, scope)
		}
	}
	return missing
}

// clockLeeway is how far the provider's clock may be ahead. A sign-in in the future
// is none: it would be a fresh one for ever.
const clockLeeway = time.Minute

// at is what is missing at a moment.
func (b bound) at(v *View, now time.Time) Needs {
	missing := b.missing
	age := now.Sub(v.user.AuthTime)
	if missing.MaxAuthAge != 0 && !v.user.AuthTime.IsZero() && -clockLeeway <= age && age <= missing.MaxAuthAge {
		missing.MaxAuthAge = 0
	}
	return missing
}

// Decide answers whether the user may use an item now. It is asked for each call
// and for each element of a list, so it tries no rule that cannot match.
func (v *View) Decide(item Item, now time.Time) Decision {
	p := v.policy
	switch {
	case p == nil || !p.open && len(p.rules) == 0:
		return Decision{Deny, noRule, Needs{}}
	case v.user.Sub == "" && item.Kind != Request: // a server asks while it starts, too
		return Decision{Deny, nobody, Needs{}}
	case p.set.ReadOnly && !v.reads(item):
		return Decision{Deny, readOnly, Needs{}}
	}
	if denied := v.denied(item); denied != nil {
		return Decision{Deny, denied.label, Needs{}}
	}
	granted := v.granted(item, now)
	if granted.Effect == Deny {
		return granted
	}
	return v.guarded(item, now, granted)
}

// reads reports whether an item is one of those that only read.
func (v *View) reads(item Item) bool {
	switch item.Kind {
	case Tool:
		return v.policy.reads.has(item.Name)
	case Method:
		return false
	}
	return true
}

// denied returns the first rule that denies an item. Names that look alike are
// denied together: "Delete" is no way around a rule about "delete".
func (v *View) denied(item Item) (rule *compiled) {
	first := func(c *compiled) bool {
		if rule == nil || c.number < rule.number {
			rule = c
		}
		return false
	}
	v.denies[item.Kind].each(item, first)
	return rule
}

// granted looks for a rule that allows an item, and if there is none for one
// that would after a sign-in.
func (v *View) granted(item Item, now time.Time) Decision {
	if v.policy.open {
		if v.policy.set.Strict && item.Kind >= Method {
			return Decision{Deny, strict, Needs{}}
		}
		return Decision{Allow, signedIn, Needs{}}
	}
	decision := Decision{Deny, noRule, Needs{}}
	var readings []string
	if item.Kind == Resource {
		readings = uriReadings(item.Name)
	}
	consider := func(b grant) bool {
		if item.Kind >= Method && v.policy.set.Strict && len(b.Methods) == 0 {
			return false // strict wants the method named
		}
		if slices.ContainsFunc(readings, func(r string) bool { return !Match(b.readings, r) && !Match(b.readings, r+"/") }) {
			if decision.Effect == Deny {
				decision.Rule = otherReading
			}
			return false
		}
		missing := b.at(v, now)
		if missing.None() {
			decision = Decision{Allow, b.label, Needs{}}
			return true
		}
		if decision.Effect == Deny {
			decision = Decision{StepUp, b.label, missing}
		}
		return false
	}
	if item.Kind == Template {
		v.eachTemplate(item.Name, consider)
	} else {
		v.grants[item.Kind].each(item.Name, consider)
	}
	if decision.Effect == Deny && item.Kind >= Method {
		if v.policy.set.Strict {
			return Decision{Deny, strict, Needs{}}
		}
		return Decision{Allow, relayed, Needs{}}
	}
	return decision
}

// guarded adds what rules require beyond what allows an item.
func (v *View) guarded(item Item, now time.Time, granted Decision) Decision {
	v.guards[item.Kind].each(item, func(b bound) bool {
		missing := b.at(v, now)
		if missing.None() {
			return false
		}
		if granted.Effect == Allow {
			granted.Rule = b.label
		}
		granted.Effect, granted.Needs = StepUp, granted.Needs.merge(missing)
		return false
	})
	return granted
}

// eachTemplate finds the rules under which some URI of a template could be
// read: patterns whose beginning agrees with the template's.
func (v *View) eachTemplate(template string, f func(grant) bool) {
	fixed, _, _ := strings.Cut(template, "{")
	for _, p := range v.templates {
		head, _, star := strings.Cut(p.text, "*")
		agrees := strings.HasPrefix(head, fixed) || star && strings.HasPrefix(fixed, head)
		if agrees && f(p.what) {
			return
		}
	}
}

// Confirms reports whether a person must agree to each call of a tool.
func (v *View) Confirms(tool string) bool {
	if v.policy == nil {
		return false
	}
	return v.policy.confirm.has(tool) || v.policy.confirm.has(fold(tool))
}

// meets reports whether one of the wanted is there, or none is wanted.
func meets(wanted, has []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(has, w) })
}

func containsAll(has, wanted []string) bool {
	for _, w := range wanted {
		if !slices.Contains(has, w) {
			return false
		}
	}
	return true
}

func common(a, b []string) []string {
	var both []string
	for _, x := range a {
		if slices.Contains(b, x) {
			both = append(both, x)
		}
	}
	return both
}

func union(a, b []string) []string {
	all := a[:len(a):len(a)]
	for _, x := range b {
		if !slices.Contains(all, x) {
			all = append(all, x)
		}
	}
	return all
}

// AllowsRequests reports whether the server may ask everything of the client.
func (v *View) AllowsRequests() bool {
	return v.policy != nil && !v.policy.set.Strict && v.denies[Request].none() && v.guards[Request].none()
}

// AllowsRequests reports whether the server may ask everything of the client, whoever
// the user is.
func (p *Policy) AllowsRequests() bool { return p != nil && p.open && !p.set.Strict }

// AllowsAllTools reports whether the user may use every tool now, whatever it is called.
func (v *View) AllowsAllTools(now time.Time) bool {
	if v.policy == nil || v.user.Sub == "" || v.policy.set.ReadOnly || !v.denies[Tool].none() || !v.guards[Tool].none() {
		return false
	}
	return v.policy.open || slices.ContainsFunc(v.grants[Tool].rest, func(p pattern[grant]) bool {
		return strings.Trim(p.text, "*") == "" && p.what.at(v, now).None()
	})
}

// AllowsAll reports whether the user may use everything that a list can hold.
func (v *View) AllowsAll() bool {
	return v.policy != nil && v.policy.open && !v.policy.set.ReadOnly && v.user.Sub != ""
}
