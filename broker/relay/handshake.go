package relay

import (
	"maps"
	"slices"
	"sync"
)

// handshake is what a client sent that a restarted server must
// hear again: how the session began (up to MCP 2025-11-25) and what has no
// effect but on what the server says. Never a call with side effects.
type handshake struct {
	mu            sync.Mutex
	initialize    []byte
	settled       bool // initialize was answered with a result
	initialized   []byte
	level         []byte
	subscriptions map[string][]byte // resources/subscribe by URI
	changes       []string          // kinds of lists whose change the server offered to tell
}

// maxSubscriptions bounds what is remembered.
const maxSubscriptions = 1000

// note remembers a line that was sent to the server.
func (h *handshake) note(m *Message, line func() []byte) {
	method, uri := m.Method(), m.URI()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case method == "initialize" && m.Kind() == Call:
		h.initialize, h.settled = line(), false
		h.initialized, h.level, h.subscriptions, h.changes = nil, nil, nil, nil
	case method == "notifications/initialized":
		h.initialized = line()
	case method == "logging/setLevel" && m.Kind() == Call:
		h.level = line()
	case method == "resources/unsubscribe":
		delete(h.subscriptions, uri)
	case method == "resources/subscribe" && m.Kind() == Call && len(h.subscriptions) < maxSubscriptions:
		if h.subscriptions == nil {
			h.subscriptions = make(map[string][]byte)
		}
		h.subscriptions[uri] = line()
	}
}

// answered notes what the client was told that the server can do.
func (h *handshake) answered(response []byte) {
	var offered struct {
		Result struct {
			Capabilities map[string]RawValue `json:"capabilities"`
		} `json:"result"`
	}
	if DecodeStrict(response, &offered) != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settled, h.changes = true, nil
	for _, kind := range []string{"tools", "resources", "prompts"} {
		var list struct {
			ListChanged bool `json:"listChanged"`
		}
		if DecodeStrict(offered.Result.Capabilities[kind], &list) == nil && list.ListChanged {
			h.changes = append(h.changes, kind)
		}
	}
}

// script is what is sent to a new server.
type script struct {
	initialize  []byte // a call whose answer must be waited for; nil: nothing to do
	initialized []byte
	calls       [][]byte // calls whose answers do not matter
	changes     []string
}

func (h *handshake) script() script {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.settled {
		return script{}
	}
	s := script{initialize: h.initialize}
	if h.initialized == nil {
		return s
	}
	s.initialized, s.changes = h.initialized, h.changes
	if h.level != nil {
		s.calls = append(s.calls, h.level)
	}
	for _, uri := range slices.Sorted(maps.Keys(h.subscriptions)) {
		s.calls = append(s.calls, h.subscriptions[uri])
	}
	return s
}

// withID is a call, as it was sent, under another id.
func withID(call, id []byte) []byte {
	m, refusal := NewParser(Reserved{}).Parse(slices.Clone(call))
	if refusal != nil {
		return nil // not reached: it was read before
	}
	where := m.members[memberID]
	return slices.Concat(m.line[:where.from], id, m.line[where.to:])
}
