package gate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/relay"
)

// A client whose subscriptions end with an error asks again and again. It is told of a
// change once, and nothing is kept of the others.
func TestFailedSubscriptionsAreForgotten(t *testing.T) {
	const again = 50
	listen := func(i int, wants string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true%s}}}`, i, wants)
	}
	for name, fail := range map[string]func(t *testing.T, g *Session, id int){
		"answered by the server with an error": func(t *testing.T, g *Session, id int) {
			m := message(t, listen(id, ""))
			g.FromClient(m)
			var scanner relay.Scanner
			out := scanner.Scan(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"error":{"code":-32601,"message":"method not found"}}`, id))
			g.FromBackend(out, &relay.Request{ID: m.ID(), Method: m.Method()})
		},
		"given up by the relay": func(t *testing.T, g *Session, id int) {
			m := message(t, listen(id, ""))
			g.FromClient(m)
			g.unanswered(&relay.Request{ID: m.ID(), Method: m.Method()}, relay.CodeBackendGone)
		},
		"refused": func(t *testing.T, g *Session, id int) {
			if v := g.FromClient(message(t, listen(id, `,"resourceSubscriptions":1`))); v.Action != relay.Answer {
				t.Fatalf("%+v", v)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, _, _ := testGate()
			told := []string{}
			g.notifier.notify = func(line []byte) { told = append(told, string(line)) }
			g.FromClient(message(t, listen(again, "")))
			for id := range again {
				fail(t, g, id)
			}
			g.notifier.changed()
			text := strings.Join(told, "\n")
			if len(told) != 2 || !strings.Contains(text, fmt.Sprintf(`"io.modelcontextprotocol/subscriptionId":%d}`, again)) {
				t.Errorf("told of one change:\n%s", text)
			}
		})
	}
}
