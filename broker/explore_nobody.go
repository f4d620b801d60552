package broker

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

const (
	// nobodysName stands for the profile in the names of files. No profile can
	// be called so.
	nobodysName = "+nobody"
	// nobodysRule is what lets a call pass where there is no profile.
	nobodysRule = "no profile: the server is told of no user"
)

// nobodysPolicy is the policy where there is no profile: nothing asks it.
func nobodysPolicy() (*policy.Policy, []string, error) { return nil, nil, nil }

// nobodysGate is the gate of an explorer where no profile is configured, so that
// nobody can sign in. Calls pass without a user, and are put on record as such.
// An AI client never gets this gate: there, no user is a reason to refuse.
// Decision 11 says why.
type nobodysGate struct{ *gate }

// FromClient lets a message pass, without the members that only we may set.
func (g nobodysGate) FromClient(m *relay.Message) relay.Verdict {
	g.noteClient(m)
	g.news.fromClient(m)
	method := m.Method()
	switch {
	case m.Kind() == relay.Notification && !strings.HasPrefix(method, "notifications/"):
		g.record(m, &identity.User{}, audit.Refused, "a call without an id")
		return relay.Verdict{Action: relay.Drop}
	case m.Kind() != relay.Call || !isUsers(method):
		v := g.cleaned(m)
		v.Tag = m.Cursor() == nil
		return v
	}
	call, commit, err := g.recordCall(m, &writtenUser{user: &identity.User{}}, nobodysRule)
	if err != nil {
		return g.refuse(m, codeUnrecorded, unrecordedWords(err))
	}
	return relay.Verdict{Action: relay.Forward, Tag: call, Commit: commit}
}

// Refused records a line of the client that was not read.
func (g nobodysGate) Refused(r *relay.Refusal) { g.gate.Refused(r) }

// FromBackend lets a message pass. Tools do not show the argument that only we
// may set.
func (g nobodysGate) FromBackend(out *relay.Output, request *relay.Request) relay.Verdict {
	g.calls.answered(out, request)
	v := relay.Verdict{Action: relay.Forward}
	if request == nil || out.Failed() || listMembers[request.Method] == "" {
		return v
	}
	if request.Method == "tools/list" {
		v.Line, _ = out.HideArgument(UserArgument)
	}
	g.keepList(out, request, v.Line)
	return v
}
