package gate

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// listNotifier tells the client that its lists changed, because a user signed
// in or out. Older clients get a notification once they are initialized, newer ones on
// the streams that they opened by subscriptions/listen.
type listNotifier struct {
	notify func(line []byte)

	mu          sync.Mutex
	initialized bool
	kinds       map[string]bool   // that the server offers: tools, prompts, resources
	streams     map[string]stream // by id of the subscriptions/listen
}

// stream is one subscriptions/listen.
type stream struct {
	id    []byte
	kinds map[string]bool // whose changes the client wants to hear of
	// failed: the client got an error. It is notified of changes all the same, since there
	// are servers that know no subscriptions; but only until it asks again.
	failed bool
}

// fromClient notes what makes the client ready to hear of changes.
func (n *listNotifier) fromClient(m *relay.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch method, call := m.Method(), m.Kind() == relay.Call; {
	case method == "notifications/initialized" && !call:
		n.initialized = true
	case method == "notifications/cancelled" && !call:
		delete(n.streams, string(m.RequestID()))
	case method == "subscriptions/listen" && call:
		n.open(m)
	}
}

func (n *listNotifier) open(m *relay.Message) {
	var wanted struct {
		Tools     bool `json:"toolsListChanged"`
		Prompts   bool `json:"promptsListChanged"`
		Resources bool `json:"resourcesListChanged"`
	}
	if relay.DecodeStrict(m.Notifications(), &wanted) != nil {
		return
	}
	if n.streams == nil {
		n.streams = map[string]stream{}
	}
	maps.DeleteFunc(n.streams, func(_ string, s stream) bool { return s.failed })
	id := append([]byte(nil), m.ID()...)
	n.streams[string(id)] = stream{id: id, kinds: map[string]bool{
		"tools": wanted.Tools, "prompts": wanted.Prompts, "resources": wanted.Resources,
	}}
}

// failed notes that a call was answered with an error.
func (n *listNotifier) failed(method string, id []byte) {
	if method != "subscriptions/listen" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, ok := n.streams[string(id)]; ok {
		s.failed = true
		n.streams[string(id)] = s
	}
}

// answered notes the answer to a call: what the server offers, or the end of a
// stream.
func (n *listNotifier) answered(request *relay.Request, result []byte) {
	switch request.Method {
	case "initialize", "server/discover":
		var offered struct {
			Capabilities map[string]relay.RawValue `json:"capabilities"`
		}
		if relay.DecodeStrict(result, &offered) != nil {
			return
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.kinds = map[string]bool{}
		for kind := range offered.Capabilities {
			n.kinds[kind] = true
		}
	case "subscriptions/listen":
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.streams, string(request.ID))
	}
}

// changed tells the client that all its lists changed.
func (n *listNotifier) changed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, kind := range []string{"tools", "prompts", "resources"} {
		method := "notifications/" + kind + "/list_changed"
		if n.initialized && n.kinds[kind] {
			n.notify([]byte(`{"jsonrpc":"2.0","method":"` + method + `"}`))
		}
		for _, s := range n.streams {
			if s.kinds[kind] {
				// MCP 2026-07-28, "Subscriptions": the id says whose stream it is.
				n.notify([]byte(`{"jsonrpc":"2.0","method":"` + method + `","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":` + string(s.id) + `}}}`))
			}
		}
	}
}

// Run tells the log and the client what becomes of the sign-in, until ctx ends.
// States in which it is about to know more are passed over: nobody saw a list that
// comes from one.
func (g *Session) Run(ctx context.Context) {
	logged := &identity.Snapshot{} // Loading
	var seen *visibleState
	for {
		changed := g.session.Changed()
		now := g.session.Snapshot()
		if !unsettled(now) {
			if now.State != logged.State {
				g.shared.Log(stateLine(g.session.Profile(), now))
			}
			if shown := visibleStateOf(now); seen == nil || *seen != shown {
				if seen != nil {
					g.notifier.changed()
				}
				seen = &shown
			}
			logged = now
		}
		select {
		case <-changed:
		case <-g.changes:
			g.notifier.changed()
		case <-ctx.Done():
			return
		}
	}
}

func stateLine(profile string, now *identity.Snapshot) string {
	switch now.State {
	case identity.SignedIn:
		return "signed in to " + profile
	case identity.Degraded:
		return StateReason(now)
	}
	return fmt.Sprintf("not signed in to %s; waiting for: %s", profile, FixCommand(profile, now.Err))
}

// visibleState is what a client can see of a session: when it changes, the lists do.
type visibleState struct {
	signedIn bool
	proof    string // what a policy knows of the user
}

func visibleStateOf(now *identity.Snapshot) visibleState {
	if now.State != identity.SignedIn {
		return visibleState{}
	}
	return visibleState{signedIn: true, proof: fmt.Sprintf("%+v", PolicyUser(now))}
}
