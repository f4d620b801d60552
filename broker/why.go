package broker

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/gate"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Question is what `mcpauth why` asks.
type Question struct {
	Kind   string // "tool", "resource", "template" (of resources), "prompt", "method" or "request" (of the server)
	Name   string
	Server string // as the audit log names it; empty means the profile's command
	// What the answer is to suppose of the user instead of what is so: values by
	// groups, roles, scopes, email, acr, signed_in_ago or the name of a claim.
	Suppose map[string][]string
}

// Answer is the one to a [Question].
type Answer = gate.Answer

// Why asks the policy of a profile about its signed-in user. Nothing is called.
// Errors are *problem.Problem; that no user is signed in is one.
func (b *Broker) Why(ctx context.Context, r config.Resolved, q Question) (Answer, error) {
	judge, err := b.judge(ctx, r, q.Server, q.Suppose)
	if err != nil {
		return Answer{}, err
	}
	return judge.Answer(q.Kind, q.Name, time.Now()), nil
}

// policy returns the policy of a profile and the file it stands in, empty for the one
// without rules. Errors are *problem.Problem.
func (b *Broker) policy(r config.Resolved) (compiled *policy.Policy, source string, err error) {
	file, err := b.Config()
	if err != nil {
		return nil, "", err
	}
	return file.Policy(r)
}

// judge reads the policy of a profile, its signed-in user and what was approved of its
// server's tools. A server or claims of the user may be supposed instead. Errors are
// *problem.Problem; that no user is signed in is one.
func (b *Broker) judge(ctx context.Context, r config.Resolved, server string, supposed map[string][]string) (*gate.Evaluator, error) {
	compiled, source, err := b.policy(r)
	if err != nil {
		return nil, err
	}
	status, err := b.Status(ctx, r)
	if err != nil {
		return nil, err
	}
	if status.User.Sub == "" && len(supposed) == 0 {
		return nil, &problem.Problem{
			Msg:   "nobody is signed in to " + r.Name,
			Hints: []string{problem.LoginCommand(r.Name)}, Code: problem.ExitSignInNeeded,
		}
	}
	known := status.Snapshot
	if known.User.Sub != "" {
		known.State = identity.SignedIn // what is asked is who it is, not whether the token is good
	}
	user := gate.PolicyUser(&known)
	if err := checkSupposed(compiled, user, supposed); err != nil {
		return nil, err
	}
	if user, err = suppose(user, supposed, time.Now()); err != nil {
		return nil, err
	}
	if server == "" && len(r.Command) > 0 {
		server = text.ServerName(r.Command)
	}
	c := gate.EvaluatorConfig{Profile: r.Name, Issuer: r.Issuer, Server: server, Policy: compiled, Source: source, User: user}
	if compiled.Pin() != policy.PinOff {
		if c.Pins, err = gate.PinStates(b.Paths.StateDir, r.Name, server); err != nil {
			return nil, err
		}
	}
	return gate.NewEvaluator(c), nil
}

// supposable are what a user has beside claims.
var supposable = []string{"groups", "roles", "scopes", "email", "acr", "signed_in_ago"}

// checkSupposed finds typing errors: any other name is a claim, but one that only
// looks like one of ours, and that neither the user nor a rule has, is none.
func checkSupposed(p *policy.Policy, u policy.User, values map[string][]string) error {
	for name := range values {
		meant := text.Nearest(name, supposable)
		if meant == "" || meant == name || u.Claims[name] != nil {
			continue
		}
		if !slices.ContainsFunc(p.Set().Rules, func(r policy.Rule) bool { return r.Claims[name] != nil }) {
			return &problem.Problem{
				Msg:   "no rule asks for a claim " + name,
				Hints: []string{"did you mean " + meant + "=…?"}, Code: problem.ExitUsage,
			}
		}
	}
	return nil
}

// suppose changes what is known of a user.
func suppose(u policy.User, values map[string][]string, now time.Time) (policy.User, error) {
	u.Unreadable = slices.DeleteFunc(slices.Clone(u.Unreadable), func(claim string) bool { return values[claim] != nil })
	for name, list := range values {
		switch name {
		case "groups":
			u.Groups = list
		case "roles":
			u.Roles = list
		case "scopes":
			u.Scopes = list
		case "email":
			u.Email, u.UnverifiedEmail = strings.Join(list, ","), ""
		case "acr":
			u.ACR = strings.Join(list, ",")
		case "signed_in_ago":
			ago, err := text.ParseSpan(strings.Join(list, ","))
			if err != nil {
				return u, &problem.Problem{Msg: "signed_in_ago " + err.Error(), Code: problem.ExitUsage}
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
