package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Set is a whole policy as written. The zero Set has no rule: who is
// signed in may do everything.
type Set struct {
	Rules []Rule
	// ToolScopes is the short form "this tool needs this scope, and who has it may
	// call it". A tool that several patterns match needs the scopes of all.
	ToolScopes []ToolScope
	// RoleLevels are roles in order, the weakest first: each includes those before.
	RoleLevels []string
	// GroupRoles gives the members of a group a role.
	GroupRoles map[string]string
	// Strict denies methods that MCP does not know, and what servers ask of the
	// client, unless a rule names them.
	Strict bool
	// ReadOnly denies every tool but ReadTools. What a server says of its tools
	// (readOnlyHint) is never believed.
	ReadOnly  bool
	ReadTools []string
	// Confirm are the tools that a person must agree to, call by call.
	Confirm []string
	Limits  []Limit
	Pin     string // PinOff, PinWarn or PinBlock; empty is PinOff
}

// What becomes of a tool whose definition is not the one that was approved.
const (
	PinOff   = "off"
	PinWarn  = "warn"
	PinBlock = "block"
)

// ToolScope is one entry of the short form.
type ToolScope struct {
	Tool, Scope string
	Line        int
}

// Limit bounds how often tools are called.
type Limit struct {
	Tools  []string // patterns; none means all
	Count  int      // calls …
	Per    time.Duration
	Burst  int    // at once; 0 means Count
	Shared bool   // one allowance for all the tools together, not one for each
	Text   string // as it was written, for people
	Line   int
}

// ToolLimit is a limit. Its ID identifies it across reloads.
type ToolLimit struct {
	Limit
	ID string

	folded []string
}

func newToolLimit(l Limit) ToolLimit {
	t := ToolLimit{Limit: l, ID: fmt.Sprintf("%q %d %s %d %v", l.Tools, l.Count, l.Per, l.Burst, l.Shared)}
	for _, text := range l.Tools {
		t.folded = append(t.folded, fold(text))
	}
	return t
}

// Limits returns those that a call of the tool counts against.
func (p *Policy) Limits(tool string) []ToolLimit {
	if p == nil {
		return nil
	}
	var mine []ToolLimit
	for _, l := range p.limits {
		if len(l.Tools) == 0 || Match(l.Tools, tool) || Match(l.folded, fold(tool)) {
			mine = append(mine, l)
		}
	}
	return mine
}

// The effects of a rule, as written.
const (
	WordAllow   = "allow"
	WordDeny    = "deny"
	WordRequire = "require" // whichever rule allows it, these needs must be met, too
)

// Rule is one rule. A list that is empty says nothing; what is said must all
// hold, and of each list one entry must, but all the scopes.
//
// In names "*" stands for any number of characters. Scopes of a deny rule say
// whom it is about; those of others are needed, and a sign-in may bring them.
type Rule struct {
	Name   string // for people; may be empty
	Line   int    // where it stands, for errors and explanations; 0 if nowhere
	Effect string // WordAllow, WordDeny or WordRequire

	Groups, Roles, EmailDomains, Scopes []string
	Claims                              map[string][]string

	Methods, Servers, Tools, Resources, Prompts []string

	MaxAuthAge time.Duration
	ACR        []string
}

// Error is a mistake in a Set, at a line of what it was read from.
type Error struct {
	Line int      // of the rule; 0 when it is about no rule
	Path []string // keys of a policy file to the value, from the rule on; empty when it is about the rule as a whole
	Err  error
}

// Error says what is wrong, without the line.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// atLine is a mistake, with the line of the rule that it is in.
func atLine(line int, err error) *Error {
	var at *Error
	if errors.As(err, &at) {
		return &Error{line, at.Path, at.Err}
	}
	return &Error{Line: line, Err: err}
}

// wrong is a mistake in the value of a key, or of a member: "claims: department".
func wrong(key, format string, args ...any) *Error {
	return &Error{Path: strings.Split(key, ": "), Err: fmt.Errorf(format, args...)}
}

// compiled is a rule in the form that is decided by.
type compiled struct {
	Rule
	number                 int    // from 1, in the order of the file; 0 of a short form
	label                  string // names it in records and words
	grants, denies, guards bool
	patterns               [kinds][]string
	needs                  Needs
}

// Covers reports whether the rule is about an item, for any user.
func (r Rule) Covers(item Item) bool {
	c, err := compileRule(r, 0)
	return err == nil && c.covers(item)
}

// NamesThings reports whether the rule is about tools, resources or prompts, and
// not only about methods beside them.
func (r Rule) NamesThings() bool {
	c, err := compileRule(r, 0)
	return err == nil && len(c.patterns[Tool])+len(c.patterns[Resource])+len(c.patterns[Prompt]) > 0
}

// labelOf names a rule in records and words.
func labelOf(r Rule, number int) string {
	switch {
	case number == 0 && len(r.Tools) > 0:
		return "tool_scopes " + r.Tools[0]
	case r.Name != "":
		return fmt.Sprintf("rule %d (%s)", number, r.Name)
	}
	return fmt.Sprintf("rule %d", number)
}

// Compile checks a set and makes the policy of it. Errors are *Error: of a rule
// that says nothing sensible, that can never hold, or that another rule leaves
// nothing to do, since its author believes that it does something.
func Compile(s Set) (*Policy, error) {
	p := &Policy{set: s, open: len(s.Rules) == 0 && len(s.ToolScopes) == 0}
	for i, r := range s.Rules {
		c, err := compileRule(r, i+1)
		if err != nil {
			return nil, atLine(r.Line, err)
		}
		p.rules = append(p.rules, c)
	}
	for _, t := range s.ToolScopes {
		r := Rule{Effect: WordAllow, Line: t.Line, Tools: []string{t.Tool}, Scopes: []string{t.Scope}}
		c, err := compileRule(r, 0)
		if err != nil {
			return nil, atLine(t.Line, err)
		}
		c.guards = true
		p.rules = append(p.rules, c)
	}
	var err error
	if p.roles, err = newRoleBook(s.RoleLevels, s.GroupRoles); err != nil {
		return nil, atLine(0, err)
	}
	if err := p.findShadowed(); err != nil {
		return nil, err
	}
	for _, name := range s.Confirm {
		p.confirm.add(name, true)
		p.confirm.add(fold(name), true)
	}
	for _, l := range s.Limits {
		p.limits = append(p.limits, newToolLimit(l))
	}
	for _, name := range s.ReadTools {
		p.reads.add(name, true)
	}
	return p, nil
}

func compileRule(r Rule, number int) (*compiled, error) {
	c := &compiled{Rule: r, number: number, label: labelOf(r, number)}
	c.needs = Needs{MaxAuthAge: r.MaxAuthAge, ACR: r.ACR, Scopes: r.Scopes}
	switch r.Effect {
	case WordAllow:
		c.grants = true
	case WordRequire:
		c.guards = true
		if c.needs.None() {
			return nil, errors.New("the rule requires nothing: give max_auth_age, acr or scopes")
		}
	case WordDeny:
		c.denies = true
		if r.MaxAuthAge != 0 || len(r.ACR) > 0 {
			key := "acr"
			if r.MaxAuthAge != 0 {
				key = "max_auth_age"
			}
			return nil, wrong(key, `max_auth_age and acr stand in rules with effect "allow" or "require"`)
		}
		c.needs = Needs{}
	default:
		return nil, wrong("effect", `effect must be "allow", "deny" or "require", not %q`, r.Effect)
	}
	if r.MaxAuthAge < 0 {
		return nil, wrong("max_auth_age", "max_auth_age must not be negative")
	}
	if err := c.takePatterns(); err != nil {
		return nil, err
	}
	return c, nil
}

// itemMethods are the methods that stand for a kind of things.
var itemMethods = map[Kind]string{Tool: "tools/call", Resource: "resources/read", Prompt: "prompts/get"}

// sideDoors are methods that no rule decides about: they lead to things that
// the rules of another method are about.
var sideDoors = map[string]string{
	"tools/list": "tools/call", "resources/list": "resources/read", "resources/templates/list": "resources/read",
	"resources/subscribe": "resources/read", "resources/unsubscribe": "resources/read",
	"subscriptions/listen": "resources/read", "prompts/list": "prompts/get",
	"completion/complete": "prompts/get or resources/read",
	"tasks/get":           "tools/call", "tasks/result": "tools/call", "tasks/list": "tools/call",
	"tasks/cancel": "tools/call", "tasks/update": "tools/call",
}

// alwaysOpen are methods that no rule decides about, since they say nothing of
// what a server holds.
var alwaysOpen = []string{"initialize", "ping", "logging/setLevel", "server/discover"}

// Unruled reports whether a method is one of MCP that rules may not name: it leads
// to things that another method's rules are about, or is open to all.
func Unruled(method string) bool {
	return sideDoors[method] != "" || slices.Contains(alwaysOpen, method)
}

// takePatterns brings methods and names into one form: patterns per kind.
func (c *compiled) takePatterns() error {
	for _, method := range c.Methods {
		if main, ok := sideDoors[method]; ok {
			return wrong("methods", "no rule is asked about %s: who may use a thing may also see it; name %s", method, main)
		}
		if slices.Contains(alwaysOpen, method) {
			return wrong("methods", "no rule is asked about %s: it says nothing of what the server holds, and is open to all", method)
		}
	}
	named := map[Kind][]string{Tool: c.Tools, Resource: c.Resources, Prompt: c.Prompts}
	anyName := len(c.Tools)+len(c.Resources)+len(c.Prompts) > 0
	for kind, method := range itemMethods {
		covered := len(c.Methods) == 0 || slices.ContainsFunc(c.Methods, func(m string) bool { return match(m, method) })
		switch {
		case len(named[kind]) > 0 && !covered:
			return wrong("methods", "the rule can never hold: it names %s, but %s is not among its methods", nounOf(kind), method)
		case len(named[kind]) > 0:
			c.patterns[kind] = named[kind]
		case covered && !anyName:
			c.patterns[kind] = []string{"*"}
		}
	}
	c.patterns[Template] = c.patterns[Resource]
	c.patterns[Method] = c.Methods
	if len(c.Methods) == 0 && !anyName {
		c.patterns[Method] = []string{"*"}
	}
	c.patterns[Request] = c.patterns[Method]
	return nil
}

func nounOf(k Kind) string {
	return [...]string{"tools", "resources", "prompts", "resource templates", "methods", "requests"}[k]
}

// roleBook knows which roles a person has.
type roleBook struct {
	levels []string
	groups map[string]string
}

func newRoleBook(levels []string, groups map[string]string) (roleBook, error) {
	for i, role := range levels {
		if slices.Contains(levels[:i], role) {
			return roleBook{}, wrong("role_levels", "role_levels names %s twice", role)
		}
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		if role := groups[group]; len(levels) > 0 && !slices.Contains(levels, role) {
			err := wrong("group_roles", "group_roles gives group %s the role %s, which role_levels (%s) does not have",
				group, role, strings.Join(levels, ", "))
			err.Path = append(err.Path, group)
			return roleBook{}, err
		}
	}
	return roleBook{levels, groups}, nil
}

// of returns all roles of a user: the verified ones, those of the groups, and
// all below.
func (b roleBook) of(u User) []string {
	roles := slices.Clone(u.Roles)
	for _, group := range u.Groups {
		if role, ok := b.groups[group]; ok {
			roles = append(roles, role)
		}
	}
	highest := -1
	for _, role := range roles {
		highest = max(highest, slices.Index(b.levels, role))
	}
	return append(roles, b.levels[:highest+1]...)
}
