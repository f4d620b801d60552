package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
)

// Judge answers what the policy says to one user about many items. It holds what
// it has read when it was made: after a change of the policy, the sign-in or the
// approved tools a new one is needed. It is safe for concurrent use.
type Judge struct {
	r        Resolved
	compiled *policy.Policy
	source   string // file of the policy
	user     policy.User
	view     *policy.View
	pins     map[string]string // state by tool, of those that are not approved
}

// Judge reads the policy of a profile, its signed-in user and what was approved of
// its server's tools, for marks of whole lists. Errors are *Problem; that nobody
// is signed in is one.
func (b *Broker) Judge(ctx context.Context, r Resolved) (*Judge, error) {
	return b.judge(ctx, r, "", nil)
}

// judge is Judge for another server or a user that is supposed.
func (b *Broker) judge(ctx context.Context, r Resolved, server string, supposed map[string][]string) (*Judge, error) {
	compiled, source, err := b.Policy(r)
	if err != nil {
		return nil, err
	}
	status, err := b.Status(ctx, r)
	if err != nil {
		return nil, err
	}
	if status.User.Sub == "" && len(supposed) == 0 {
		return nil, &Problem{Msg: "nobody is signed in to " + r.Name, Hints: []string{loginCommand(r.Name)}, Code: ExitSignInNeeded}
	}
	known := status.Snapshot
	if known.User.Sub != "" {
		known.State = identity.SignedIn // what is asked is who it is, not whether the token is good
	}
	if err := checkSupposed(compiled, policyUser(&known), supposed); err != nil {
		return nil, err
	}
	user, err := suppose(policyUser(&known), supposed, time.Now())
	if err != nil {
		return nil, err
	}
	if server == "" && len(r.Command) > 0 {
		server = serverName(r.Command)
	}
	j := &Judge{r: r, compiled: compiled, source: source, user: user, view: compiled.For(user, server)}
	if compiled.Pin() == policy.PinOff {
		return j, nil
	}
	j.pins, err = b.pinStates(r, server)
	return j, err
}

// Mark is what the policy says to an item now: kind is "tool", "resource",
// "template", "prompt", "method" or "request", as [Question.Kind].
func (j *Judge) Mark(kind, name string) Mark {
	a := j.answer(kind, name, time.Now())
	m := Mark{Allowed: a.Effect == policy.Allow.String(), Effect: a.Effect, Rule: a.Rule, Why: a.Why, Cures: a.Cures, Notes: a.Notes}
	if m.Allowed {
		m.Why = ""
	}
	return m
}

func (j *Judge) answer(kind, name string, now time.Time) Answer {
	e := j.view.Explain(policy.Item{Kind: questionKinds[kind], Name: name}, now)
	a := Answer{Effect: e.Effect.String(), Rule: e.Rule, Source: j.source, Why: e.Why(), Cures: []string{}, Notes: []string{}}
	if e.Line > 0 {
		a.Source = fmt.Sprintf("%s:%d", j.source, e.Line)
	}
	a.Cures = append(a.Cures, curesOf(e, j.r, j.user)...)
	if kind != "tool" {
		return a
	}
	if j.view.Confirms(name) {
		a.Notes = append(a.Notes, "a person must agree to each call")
	}
	for _, limit := range j.compiled.Limits(name) {
		a.Notes = append(a.Notes, "at most "+limit.Text)
	}
	j.addPin(&a, name)
	return a
}

// addPin adds what pinning says of a tool.
func (j *Judge) addPin(a *Answer, tool string) {
	state, there := j.pins[tool]
	if !there {
		return
	}
	words := "its definition is " + state + " and not approved"
	a.Notes = append(a.Notes, words)
	if j.compiled.Pin() != policy.PinBlock || a.Effect == policy.Deny.String() {
		return
	}
	a.Effect, a.Rule, a.Why = policy.Deny.String(), "pin", words
	a.Cures = []string{"mcpauth tools approve" + profileFlag(j.r.Name) + " " + quoteWord(tool)}
}

// pinStates tells of each tool of a server, named as the record names it, that is
// not approved as running proxies saw it last. Without a server it is about all
// servers of the profile.
func (b *Broker) pinStates(r Resolved, server string) (map[string]string, error) {
	changes, err := b.pinChanges(r)
	if err != nil {
		return nil, err
	}
	states := map[string]string{}
	for _, change := range changes {
		if change.State != pinGone && (server == "" || change.Server == server) {
			states[change.Tool] = change.State
		}
	}
	return states, nil
}
