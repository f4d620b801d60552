package gate

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// AnonymousRule is what lets a call pass where there is no profile.
const AnonymousRule = "no profile: the server is told of no user"

// NobodysProfile stands for the profile in the names of files where there is none. No
// profile can have this name.
const NobodysProfile = "+nobody"

// anonymousGate is the gate of an explorer where no profile is configured, so that
// nobody can sign in. Calls pass without a user, and are logged as such.
// An AI client never gets this gate: there, no user is a reason to refuse.
// Decision 11 says why.
type anonymousGate struct{ *Session }

// FromClient lets a message pass, without the members that only we may set.
func (g anonymousGate) FromClient(m *relay.Message) relay.Verdict {
	g.noteClient(m)
	g.notifier.fromClient(m)
	method := m.Method()
	switch {
	case m.Kind() == relay.Notification && !strings.HasPrefix(method, "notifications/"):
		g.record(m, &identity.User{}, audit.Refused, "a call without an id")
		return relay.Verdict{Action: relay.Drop}
	case m.Kind() != relay.Call || isOpen(method) || isList(method):
		v := g.cleaned(m)
		v.Tag = m.Cursor() == nil
		return v
	}
	call, commit, err := g.recordCall(m, &writtenUser{user: &identity.User{}}, AnonymousRule)
	if err != nil {
		return g.refuse(m, CodeUnrecorded, unrecordedMessage(err))
	}
	return relay.Verdict{Action: relay.Forward, Tag: call, Commit: commit}
}

// Refused records a line of the client that was not read.
func (g anonymousGate) Refused(r *relay.Refusal) { g.Session.Refused(r) }

// FromBackend lets a message pass. Tools do not show the argument that only we
// may set.
func (g anonymousGate) FromBackend(out *relay.Output, request *relay.Request) relay.Verdict {
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
