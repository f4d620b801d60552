package transparency

import (
	"slices"
	"testing"
)

// methods are all methods of a revision, by who sends them, from the schema.ts
// of each in modelcontextprotocol/modelcontextprotocol; those of 2026-07-28
// with its extension io.modelcontextprotocol/tasks.
type methods struct{ client, server []string }

var handshakeMethods = methods{
	client: []string{
		"initialize", "ping", "completion/complete", "logging/setLevel",
		"prompts/get", "prompts/list", "resources/list", "resources/templates/list", "resources/read",
		"resources/subscribe", "resources/unsubscribe", "tools/call", "tools/list",
		"notifications/cancelled", "notifications/progress", "notifications/initialized",
		"notifications/roots/list_changed",
	},
	server: []string{
		"ping", "sampling/createMessage", "roots/list",
		"notifications/cancelled", "notifications/progress", "notifications/message",
		"notifications/resources/updated", "notifications/resources/list_changed",
		"notifications/tools/list_changed", "notifications/prompts/list_changed",
	},
}

var taskMethods = []string{"tasks/get", "tasks/result", "tasks/list", "tasks/cancel", "notifications/tasks/status"}

func methodsOf(revision string) methods {
	all := methods{slices.Clone(handshakeMethods.client), slices.Clone(handshakeMethods.server)}
	if revision >= "2025-06-18" {
		all.server = append(all.server, "elicitation/create")
	}
	if revision >= "2025-11-25" {
		all.client = append(all.client, taskMethods...)
		all.server = append(append(all.server, taskMethods...), "notifications/elicitation/complete")
	}
	if revision < "2026-07-28" {
		return all
	}
	return methods{
		client: []string{
			"server/discover", "completion/complete", "prompts/get", "prompts/list",
			"resources/list", "resources/templates/list", "resources/read", "tools/call", "tools/list",
			"subscriptions/listen", "notifications/cancelled",
			"tasks/get", "tasks/update", "tasks/cancel",
		},
		server: []string{
			"notifications/cancelled", "notifications/progress", "notifications/message",
			"notifications/resources/updated", "notifications/resources/list_changed",
			"notifications/tools/list_changed", "notifications/prompts/list_changed",
			"notifications/subscriptions/acknowledged", "notifications/tasks",
		},
	}
}

// covered: the script had every method of the revision, and each arrived.
func covered(t *testing.T, revision string, r run) {
	t.Helper()
	want := methodsOf(revision)
	for _, side := range []struct {
		who       string
		want, got []string
	}{
		{"client", want.client, methodsIn(r.received)},
		{"server", want.server, methodsIn(r.heard)},
	} {
		for _, method := range side.want {
			if !slices.Contains(side.got, method) {
				t.Errorf("no %s of the %s was seen", method, side.who)
			}
		}
	}
}

func methodsIn(lines []string) []string {
	var found []string
	for _, line := range lines {
		if m, err := understand(line); err == nil && m.method != "" {
			found = append(found, m.method)
		}
	}
	return found
}
