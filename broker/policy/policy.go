// Package policy decides who may do what. It is pure: no file, no clock, no
// network, so that the same question always has the same answer and a decision
// can be tested, explained and repeated.
//
// A [Set] is the rules as written. [Compile] checks it and makes a [Policy], and
// [Policy.For] narrows that to one user at one server: a [View], which answers
// fast, for lists and for calls alike.
package policy

import (
	"cmp"
	"time"
)

// Effect is the outcome of a decision. Its zero value is Deny.
type Effect int

// The effects.
const (
	Deny   Effect = iota
	Allow         // go on
	StepUp        // go on after a sign-in that gives what Decision.Needs says
)

// String is the word for the audit record.
func (e Effect) String() string {
	switch e {
	case Allow:
		return "allow"
	case StepUp:
		return "step_up"
	}
	return "deny"
}

// Kind is what a request is about.
type Kind int

// The kinds. One decision stands for all the doors to a thing: a resource that
// may be read may be listed, subscribed to and completed, and none else.
const (
	Tool     Kind = iota // tools/call and an element of tools/list
	Resource             // resources/read, resources/subscribe, an element of resources/list
	Prompt               // prompts/get and an element of prompts/list
	Template             // an element of resources/templates/list, by its uriTemplate
	Method               // any other method of the client; Item.Name is the method itself
	Request              // what the server asks of the client: Item.Name is the method, as sampling/createMessage
	kinds
)

// Item is what the user wants to use. Names are compared byte for byte.
type Item struct {
	Kind Kind
	Name string // of the tool, prompt or method, or the URI
}

// User is who asks, from verified claims only.
type User struct {
	Sub   string // empty for nobody
	Email string // one that the provider has verified, or that the profile trusts
	// UnverifiedEmail is an address that nobody has verified: it lets nobody in, and
	// rules that take away hold for it.
	UnverifiedEmail string
	Groups          []string
	Roles           []string
	Scopes          []string
	ACR             string              // "acr" of the ID token (OpenID Connect Core 2)
	AuthTime        time.Time           // when the person proved who they are; zero: not known
	Claims          map[string][]string // any other claim; numbers and booleans as JSON spells them
	// Unreadable are the claims that are not completely known: "groups", "roles",
	// "email", "scopes" and names of other claims, "*" for all of these. Unknown is
	// not absent: what takes away by such a claim holds.
	Unreadable []string
}

// Needs is what a sign-in must have, beyond who the person is.
type Needs struct {
	MaxAuthAge time.Duration // at most this long ago; 0: any time
	ACR        []string      // one of these; none: any
	Scopes     []string      // all of these
}

// None reports whether nothing is needed.
func (n Needs) None() bool { return n.MaxAuthAge == 0 && len(n.ACR) == 0 && len(n.Scopes) == 0 }

// Decision is the answer and why.
type Decision struct {
	Effect Effect
	Rule   string // what decided, for the record
	Needs  Needs  // what is missing, with StepUp
}

// Policy is a compiled set of rules. The nil and the zero Policy deny everything.
// It is never changed, so that any number of goroutines may use it.
type Policy struct {
	set     Set
	open    bool // no rule is there: who is signed in may do everything
	rules   []*compiled
	confirm names[bool]
	reads   names[bool]
	limits  []ToolLimit
	roles   roleBook
}

// SignedIn is the policy without rules: who is signed in may do everything.
func SignedIn() *Policy { return &Policy{open: true} }

// None reports whether the policy says nothing beyond that a user must be
// signed in.
func (p *Policy) None() bool {
	return p != nil && p.open && !p.set.ReadOnly && !p.set.Strict && len(p.set.Confirm)+len(p.set.Limits) == 0 && p.Pin() == PinOff
}

// Set returns what the policy was made of; it must not be changed.
func (p *Policy) Set() Set {
	if p == nil {
		return Set{}
	}
	return p.set
}

// Pin is one of PinOff, PinWarn and PinBlock.
func (p *Policy) Pin() string {
	if p == nil || p.set.Pin == "" {
		return PinOff
	}
	return p.set.Pin
}

const (
	nobody   = "nobody is signed in"
	noRule   = "no rule allows it"
	signedIn = "signed in"
	readOnly = "read-only"
	strict   = "strict"
	relayed  = "no rule about this method"

	otherReading = "a server may read this address as another one, which no rule allows"
)

// merge is what both need.
func (n Needs) merge(m Needs) Needs {
	switch {
	case n.MaxAuthAge == 0:
		n.MaxAuthAge = m.MaxAuthAge
	case m.MaxAuthAge != 0:
		n.MaxAuthAge = min(n.MaxAuthAge, m.MaxAuthAge)
	}
	switch both := common(n.ACR, m.ACR); {
	case len(n.ACR) == 0:
		n.ACR = m.ACR
	case len(both) > 0: // else no sign-in has what both need: ask for the first
		n.ACR = both
	}
	n.Scopes = union(n.Scopes, m.Scopes)
	return n
}

// compareAge orders durations; 0 is the longest.
func compareAge(a, b time.Duration) int {
	switch {
	case a == b:
		return 0
	case a == 0:
		return 1
	case b == 0:
		return -1
	}
	return cmp.Compare(a, b)
}
