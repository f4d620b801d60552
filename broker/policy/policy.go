// Package policy decides who may do what. It is pure: no file, no clock, no
// network, so that the same question always has the same answer and a decision
// can be tested, explained and repeated.
package policy

// Effect is the outcome of a decision. Its zero value is Deny.
type Effect int

// The effects.
const (
	Deny Effect = iota
	Allow
)

// String is the word for the audit record.
func (e Effect) String() string {
	if e == Allow {
		return "allow"
	}
	return "deny"
}

// Request is one question: may this user do this?
type Request struct {
	Sub    string // subject of the signed-in user; empty for nobody
	Method string // MCP method, such as "tools/call"
	Name   string // tool, prompt or resource URI; empty where the method has none
}

// Decision is the answer and why.
type Decision struct {
	Effect Effect
	Rule   string // what decided
}

// Policy is a set of rules. The nil and the zero Policy deny everything.
type Policy struct {
	everySignedInUser bool
}

// SignedIn is the policy without rules: who is signed in may do everything.
func SignedIn() *Policy { return &Policy{everySignedInUser: true} }

// Decide answers a request.
func (p *Policy) Decide(r Request) Decision {
	if p == nil || !p.everySignedInUser {
		return Decision{Deny, "no rule allows it"}
	}
	if r.Sub == "" {
		return Decision{Deny, "nobody is signed in"}
	}
	return Decision{Allow, "signed in"}
}
