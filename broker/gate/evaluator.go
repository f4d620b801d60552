package gate

import (
	"cmp"
	"fmt"
	"time"

	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Answer says whether the user may do something, and why.
type Answer struct {
	Effect string   `json:"effect"` // allow, deny or step_up
	Rule   string   `json:"rule"`   // what decided
	Source string   `json:"source"` // where the rule stands, as file:line; or the file
	Why    string   `json:"why"`
	Hints  []string `json:"hints"` // what a person can do about it, commands where there are some
	Notes  []string `json:"notes"` // what else stands between a call and the tool
}

// kinds are the words for what can be asked about.
var kinds = map[string]policy.Kind{
	"tool": policy.Tool, "resource": policy.Resource, "template": policy.Template, "prompt": policy.Prompt, "method": policy.Method,
	"request": policy.Request,
}

// ItemOf is the item of such a name; kind is one of the words of [Evaluator.Access].
func ItemOf(kind, name string) policy.Item { return policy.Item{Kind: kinds[kind], Name: name} }

// kindWord is the reverse of kinds.
func kindWord(kind policy.Kind) string {
	for word, k := range kinds {
		if k == kind {
			return word
		}
	}
	return ""
}

// EvaluatorConfig is what a [Evaluator] goes by.
type EvaluatorConfig struct {
	Profile, Issuer, Server string
	Policy                  *policy.Policy
	Source                  string // file of the policy
	User                    policy.User
	Pins                    map[string]string // state by tool, of those that are not approved
}

// Evaluator answers what the policy says to one user about many items. It holds what
// it was made of: after a change of the policy, the sign-in or the approved tools a
// new one is needed. It is safe for concurrent use.
type Evaluator struct {
	EvaluatorConfig
	view *policy.View
}

// NewJudge makes a judge.
func NewEvaluator(c EvaluatorConfig) *Evaluator { return &Evaluator{c, c.Policy.For(c.User, c.Server)} }

// Access is what the policy says now to an item. Of the configuration it needs the
// profile, the issuer and the source.
func (g *Session) Access(item policy.Item, c EvaluatorConfig) policy.Access {
	now := g.session.Snapshot()
	c.Server, c.Policy, c.User = g.server, g.authorizer.policy.current.Load(), PolicyUser(now)
	j := &Evaluator{c, g.authorizer.view(now)}
	if state := g.authorizer.pins.state(item.Name); item.Kind == policy.Tool && state != "" {
		j.Pins = map[string]string{item.Name: state}
	}
	return j.Access(kindWord(item.Kind), item.Name)
}

// PolicyProblem says why there is no policy to go by; nil where there is one.
func (g *Session) PolicyProblem() *problem.Problem { return g.authorizer.policy.failure.Load() }

// Access is what the policy says to an item now: kind is "tool", "resource",
// "template", "prompt", "method" or "request".
func (j *Evaluator) Access(kind, name string) policy.Access {
	a := j.Answer(kind, name, time.Now())
	m := policy.Access{Allowed: a.Effect == policy.Allow.String(), Effect: a.Effect, Rule: a.Rule, Why: a.Why, Hints: a.Hints, Notes: a.Notes}
	if m.Allowed {
		m.Why = ""
	}
	return m
}

// Answer says why the policy decides so.
func (j *Evaluator) Answer(kind, name string, now time.Time) Answer {
	e := j.view.Explain(ItemOf(kind, name), now)
	a := Answer{Effect: e.Effect.String(), Rule: e.Rule, Source: j.Source, Why: e.Why(), Hints: []string{}, Notes: []string{}}
	if e.Line > 0 {
		a.Source = fmt.Sprintf("%s:%d", j.Source, e.Line)
	}
	a.Hints = append(a.Hints, hintsOf(e, j.Profile, j.Issuer, j.User)...)
	if kind != "tool" {
		return a
	}
	if j.view.Confirms(name) {
		a.Notes = append(a.Notes, "a person must agree to each call")
	}
	for _, limit := range j.Policy.Limits(name) {
		a.Notes = append(a.Notes, "at most "+limit.Text)
	}
	j.addPin(&a, name)
	return a
}

// addPin adds what pinning says of a tool.
func (j *Evaluator) addPin(a *Answer, tool string) {
	state, there := j.Pins[tool]
	if !there {
		return
	}
	words := "its definition is " + state + " and not approved"
	a.Notes = append(a.Notes, words)
	if j.Policy.Pin() != policy.PinBlock || a.Effect == policy.Deny.String() {
		return
	}
	a.Effect, a.Rule, a.Why = policy.Deny.String(), "pin", words
	a.Hints = []string{"mcpauth tools approve" + problem.ProfileFlag(j.Profile) + " " + text.QuoteWord(tool)}
}

// curesOf says what would lift a denial: a sign-in, or whom to ask for what.
func hintsOf(e policy.Explanation, profile, issuer string, u policy.User) []string {
	if e.Effect == policy.StepUp {
		return []string{stepUpCommand(profile, e.Needs)}
	}
	if e.Effect == policy.Allow {
		return nil
	}
	who := cmp.Or(u.Email, u.UnverifiedEmail, u.Sub)
	var hints []string
	for _, claim := range e.Unknown {
		hints = append(hints, fmt.Sprintf("ask the administrator of %s to send %s so that it can be read and trusted, then: %s", issuer, claim, problem.LoginCommand(profile)))
	}
	const most = 3
	for _, m := range e.Missing[:min(len(e.Missing), most)] {
		needs := m.Needs
		m.Needs = policy.Needs{}
		if m.Unverified != "" {
			hints = append(hints, "ask the administrator of "+issuer+" to send email_verified = true, or where each of its addresses can be trusted: "+
				"trust_email = true in the profile")
			m.EmailDomains, m.Unverified = nil, ""
		}
		if ask := m.String(); ask != "" {
			hints = append(hints, fmt.Sprintf("ask whoever manages %s to give %s %s, then: %s", issuer, who, ask, problem.LoginCommand(profile)))
		}
		if !needs.None() {
			hints = append(hints, stepUpCommand(profile, needs))
		}
	}
	if len(hints) == 0 {
		hints = append(hints, "ask whoever wrote the policy: mcpauth policy show"+problem.ProfileFlag(profile))
	}
	return hints
}
