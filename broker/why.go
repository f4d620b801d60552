package broker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/policy"
)

// Question is what `mcpauth why` asks.
type Question struct {
	Kind   string // "tool", "resource", "template" (of resources), "prompt", "method" or "request" (of the server)
	Name   string
	Server string // as the record names it; empty means the profile's command
	// What the answer is to suppose of the user instead of what is so: values by
	// groups, roles, scopes, email, acr, signed_in_ago or the name of a claim.
	Suppose map[string][]string
}

// Answer says whether somebody may do something, and why.
type Answer struct {
	Effect string   `json:"effect"` // allow, deny or step_up
	Rule   string   `json:"rule"`   // what decided
	Source string   `json:"source"` // where the rule stands, as file:line; or the file
	Why    string   `json:"why"`
	Cures  []string `json:"cures"` // what a person can do about it, commands where there are some
	Notes  []string `json:"notes"` // what else stands between a call and the tool
}

var questionKinds = map[string]policy.Kind{
	"tool": policy.Tool, "resource": policy.Resource, "template": policy.Template, "prompt": policy.Prompt, "method": policy.Method,
	"request": policy.Request,
}

// Why asks the policy of a profile about its signed-in user. Nothing is called.
// Errors are *Problem; that nobody is signed in is one.
func (b *Broker) Why(ctx context.Context, r Resolved, q Question) (Answer, error) {
	judge, err := b.judge(ctx, r, q.Server, q.Suppose)
	if err != nil {
		return Answer{}, err
	}
	return judge.answer(q.Kind, q.Name, time.Now()), nil
}

// Policy returns the policy of a profile and the file it stands in, empty for
// the one without rules. Errors are *Problem.
func (b *Broker) Policy(r Resolved) (compiled *policy.Policy, source string, err error) {
	config, err := b.Config()
	if err != nil {
		return nil, "", err
	}
	compiled, err = config.Policy(r)
	switch {
	case r.Policy != "":
		source = r.Policy
	case config.policies[r.Name] != nil:
		source = config.path
	}
	return compiled, source, err
}

// supposable are what a user has beside claims.
var supposable = []string{"groups", "roles", "scopes", "email", "acr", "signed_in_ago"}

// checkSupposed finds typing errors: any other name is a claim, but one that only
// looks like one of ours, and that neither the user nor a rule has, is none.
func checkSupposed(p *policy.Policy, u policy.User, values map[string][]string) error {
	for name := range values {
		meant := nearest(name, supposable)
		if meant == "" || meant == name || u.Claims[name] != nil {
			continue
		}
		if !slices.ContainsFunc(p.Set().Rules, func(r policy.Rule) bool { return r.Claims[name] != nil }) {
			return &Problem{Msg: "no rule asks for a claim " + name, Hints: []string{"did you mean " + meant + "=…?"}, Code: ExitUsage}
		}
	}
	return nil
}

// suppose changes what is known of a user.
func suppose(u policy.User, values map[string][]string, now time.Time) (policy.User, error) {
	for name, list := range values {
		switch name {
		case "groups":
			u.Groups = list
		case "roles":
			u.Roles = list
		case "scopes":
			u.Scopes = list
		case "email":
			u.Email = strings.Join(list, ",")
		case "acr":
			u.ACR = strings.Join(list, ",")
		case "signed_in_ago":
			ago, err := parseLimit(strings.Join(list, ","))
			if err != nil {
				return u, &Problem{Msg: "signed_in_ago " + err.Error(), Code: ExitUsage}
			}
			u.AuthTime = now.Add(-ago)
		default:
			if u.Claims == nil {
				u.Claims = map[string][]string{}
			}
			u.Claims[name] = list
		}
	}
	if u.Sub == "" {
		u.Sub = "somebody"
	}
	return u, nil
}

// curesOf says what mends a denial: a sign-in, or whom to ask for what.
func curesOf(e policy.Explanation, r Resolved, u policy.User) []string {
	if e.Effect == policy.StepUp {
		return []string{stepUpCommand(r.Name, e.Needs)}
	}
	if e.Effect == policy.Allow {
		return nil
	}
	who := u.Email
	if who == "" {
		who = u.Sub
	}
	var cures []string
	const most = 3
	for _, m := range e.Missing[:min(len(e.Missing), most)] {
		needs := m.Needs
		m.Needs = policy.Needs{}
		if ask := m.String(); ask != "" {
			cures = append(cures, fmt.Sprintf("ask whoever manages %s to give %s %s, then: %s", r.Issuer, who, ask, loginCommand(r.Name)))
		}
		if !needs.None() {
			cures = append(cures, stepUpCommand(r.Name, needs))
		}
	}
	if len(cures) == 0 {
		cures = append(cures, "ask whoever wrote the policy: mcpauth policy show"+profileFlag(r.Name))
	}
	return cures
}

func profileFlag(profile string) string {
	if profile == "" {
		return ""
	}
	return " --profile " + profile
}
