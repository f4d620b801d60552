package gate

import (
	"path"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// mcpMethods are the methods that a client may call. A lenient server may take
// another spelling of one for it, and no rule about tools would be asked.
var mcpMethods = sync.OnceValue(func() *policy.LookAlikes {
	var known policy.LookAlikes
	for _, method := range []string{
		"initialize", "ping", "server/discover", "logging/setLevel", "completion/complete", "subscriptions/listen",
		"tools/list", "tools/call", "prompts/list", "prompts/get",
		"resources/list", "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe",
		"tasks/get", "tasks/result", "tasks/list", "tasks/cancel", "tasks/update",
	} {
		known.Add(method)
	}
	return &known
})

// cleanMethod is a method as a server that takes it for a path might.
func cleanMethod(method string) string { return path.Clean(strings.ReplaceAll(method, `\`, "/")) }

// resembledMethod returns the method of MCP that another name looks like.
func resembledMethod(method string) (known string, found bool) {
	if isUsers(method) || mcpMethods().Has(method) {
		return "", false
	}
	if clean := cleanMethod(method); mcpMethods().Has(clean) {
		return clean, true
	}
	plain := strings.Trim(strings.NewReplacer("//", "/", `\`, "/", ".", "/").Replace(method), "/ ")
	if mcpMethods().Has(plain) {
		return plain, true
	}
	return mcpMethods().Of(plain)
}

// knownNotifications are those that MCP lets a client send. Any other is a method
// that MCP does not know.
var knownNotifications = map[string]bool{
	"notifications/initialized":        true,
	"notifications/cancelled":          true,
	"notifications/progress":           true,
	"notifications/roots/list_changed": true,
	"notifications/tasks/status":       true,
}

// openNotifications pass whoever is there: they start a session and give calls up.
var openNotifications = map[string]bool{"notifications/initialized": true, "notifications/cancelled": true}

// isNotification reports whether a server may take a method for a notification.
func isNotification(method string) bool {
	return strings.HasPrefix(policy.Fold(cleanMethod(method)), "notifications/")
}

// clientNotification judges a notification of the client.
func (g *Session) clientNotification(m *relay.Message) relay.Verdict {
	method, now := m.Method(), g.session.Snapshot()
	switch {
	case !strings.HasPrefix(cleanMethod(method), "notifications/"):
		// A call without an id would run without an answer and without a trace.
		g.record(m, &identity.User{}, audit.Refused, "a call without an id")
		return relay.Verdict{Action: relay.Drop}
	case openNotifications[method]:
		return g.cleaned(m)
	case unsettled(now):
		return relay.Verdict{Action: relay.Wait, Until: g.settled}
	case now.State != identity.SignedIn:
		if !knownNotifications[method] {
			g.record(m, &now.User, audit.SignedOut, StateReason(now))
		}
		return relay.Verdict{Action: relay.Drop}
	case knownNotifications[method]:
		return g.cleaned(m)
	}
	return g.unknownNotification(m, now)
}

// clientAnswer judges an answer of the client to a request of the server.
func (g *Session) clientAnswer(m *relay.Message) relay.Verdict {
	switch now := g.session.Snapshot(); {
	case now.State == identity.SignedIn:
		return g.cleaned(m)
	case unsettled(now):
		return relay.Verdict{Action: relay.Wait, Until: g.settled}
	}
	return relay.Verdict{Action: relay.Drop}
}

// callOfNotification refuses a call of a method that is a notification: a server may
// act on it without an answer.
func (g *Session) callOfNotification(m *relay.Message) relay.Verdict {
	g.record(m, &g.session.Snapshot().User, audit.Refused, "a notification with an id")
	return answer(relay.AppendError(nil, m.ID(), relay.CodeInvalidRequest, "mcpauth: a notification has no id", nil))
}

// unknownNotification judges a notification that MCP does not know, which may be
// a command to the server, and so is logged as a call is.
func (g *Session) unknownNotification(m *relay.Message, now *identity.Snapshot) relay.Verdict {
	item := policy.Item{Kind: policy.Method, Name: m.Method()}
	decision := g.authorizer.view(now).Decide(item, m.Now())
	if decision.Effect != policy.Allow {
		g.record(m, &now.User, audit.Deny, decision.Rule)
		return relay.Verdict{Action: relay.Drop}
	}
	if g.record(m, &now.User, audit.Allow, decision.Rule) != nil {
		return relay.Verdict{Action: relay.Drop}
	}
	return relay.Verdict{Action: relay.Forward}
}
