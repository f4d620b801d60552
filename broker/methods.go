package broker

import (
	"path"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/audit"
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

// unknownNotification judges a notification that MCP does not know, which may be
// a command to the server. Without rules it is relayed, whoever is there.
func (g *gate) unknownNotification(m *relay.Message) relay.Verdict {
	now := g.session.Snapshot()
	if g.doors.policy.current.Load().None() {
		return g.cleaned(m)
	}
	item := policy.Item{Kind: policy.Method, Name: m.Method()}
	if decision := g.doors.policy.of(now, g.server).Decide(item, m.Now()); decision.Effect != policy.Allow {
		g.record(m, &now.User, audit.Deny, decision.Rule)
		return relay.Verdict{Action: relay.Drop}
	}
	return g.cleaned(m)
}
