package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Describe says in sentences what the policy says, one thing each.
func (p *Policy) Describe() []string {
	s := p.Set()
	lines := []string{}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for i, r := range s.Rules {
		name := ""
		if r.Name != "" {
			name = " (" + r.Name + ")"
		}
		add("rule %d%s, line %d: %s", i+1, name, r.Line, ruleText(r))
	}
	for _, t := range s.ToolScopes {
		add("line %d: tool %s needs the scope %s, and who has it may call it", t.Line, t.Tool, t.Scope)
	}
	switch {
	case len(s.Rules)+len(s.ToolScopes) > 0:
		add("everything else is denied")
	default:
		add("no rules: whoever is signed in may do everything that is not named here")
	}
	if len(s.RoleLevels) > 0 {
		add("roles, the weakest first: %s", strings.Join(s.RoleLevels, " < "))
	}
	for _, group := range slices.Sorted(maps.Keys(s.GroupRoles)) {
		add("group %s has the role %s", group, s.GroupRoles[group])
	}
	if s.ReadOnly {
		add("read-only: of the tools only %s", orNone(s.ReadTools))
	}
	if s.Strict {
		add("strict: methods that no rule names, and what the server asks of the client, are denied")
	}
	if len(s.Confirm) > 0 {
		add("a person must agree to each call of: %s", strings.Join(s.Confirm, ", "))
	}
	for _, l := range s.Limits {
		add("at most %s: %s", l.Text, orAll(l.Tools))
	}
	if s.Pin != "" && s.Pin != PinOff {
		add("tools that changed or are new: %s", s.Pin)
	}
	return lines
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func orAll(list []string) string {
	if len(list) == 0 {
		return "all tools"
	}
	return strings.Join(list, ", ")
}

// ruleWords says a rule in one sentence.
func ruleText(r Rule) string {
	var who, what []string
	add := func(to *[]string, what string, list []string) {
		if len(list) > 0 {
			*to = append(*to, what+" "+strings.Join(list, " or "))
		}
	}
	add(&who, "group", r.Groups)
	add(&who, "role", r.Roles)
	add(&who, "e-mail at", r.EmailDomains)
	for _, claim := range slices.Sorted(maps.Keys(r.Claims)) {
		add(&who, claim, r.Claims[claim])
	}
	if r.Effect == WordDeny {
		add(&who, "the scopes", r.Scopes)
	}
	add(&what, "tool", r.Tools)
	add(&what, "resource", r.Resources)
	add(&what, "prompt", r.Prompts)
	add(&what, "method", r.Methods)
	words := r.Effect + " "
	if len(who) == 0 {
		words += "everybody"
	} else {
		words += strings.Join(who, " and ")
	}
	if len(what) == 0 {
		words += ": everything"
	} else {
		words += ": " + strings.Join(what, ", ")
	}
	if len(r.Servers) > 0 {
		words += " of server " + strings.Join(r.Servers, " or ")
	}
	needs := Needs{MaxAuthAge: r.MaxAuthAge, ACR: r.ACR}
	if r.Effect != WordDeny {
		needs.Scopes = r.Scopes
	}
	if !needs.None() {
		words += ", with " + needs.String()
	}
	return words
}
