package gate

import (
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/policy"
)

// A mark says what the gate does.
func TestMarkIsWhatTheGateDoes(t *testing.T) {
	const text = `confirm = ["pay"]
pin = "block"
[[rules]]
effect = "allow"
groups = ["finance"]
tools = ["pay", "get", "fresh", "new"]
servers = ["main.py"]
resources = ["x:public/*"]
[[rules]]
effect = "allow"
groups = ["board"]
tools = ["drop"]
[[rules]]
effect = "deny"
prompts = ["p"]
[[rules]]
effect = "require"
tools = ["fresh"]
scopes = ["orders:write"]
[[limits]]
rate = "5/minute"
`
	state := t.TempDir()
	var said []string
	g := pinnedGate(t, state, "block", &said)
	g.authorizer.policy = fixedPolicy(policyOf(t, text))
	approved := []string{definition("pay", ""), definition("get", ""), definition("fresh", "")}
	serverLists(t, g, approved...)
	g.authorizer.pins.keep()
	changes, err := PinChanges(state, "orders")
	if err != nil || len(changes) != 3 || Approve(changes) != nil {
		t.Fatal(changes, err)
	}
	serverLists(t, g, append(approved, definition("new", ""))...)
	g.authorizer.pins.keep()
	g.authorizer.pins.follow()

	pins, err := PinStates(state, "orders", "main.py")
	if err != nil {
		t.Fatal(err)
	}
	judge := NewEvaluator(EvaluatorConfig{
		Profile: "orders", Issuer: "https://a.example", Server: "main.py", Policy: policyOf(t, text),
		User: policy.User{Sub: "ada", Groups: []string{"finance"}}, Pins: pins,
	})
	g.approver = nil // not asked: the client cannot show a form
	for _, c := range []struct{ kind, name, method, members, effect, why string }{
		{"tool", "get", "tools/call", `,"name":"get"`, "allow", ""},
		{"tool", "drop", "tools/call", `,"name":"drop"`, "deny", "needs group board"},
		{"tool", "fresh", "tools/call", `,"name":"fresh"`, "step_up", "needs the scope orders:write"},
		{"tool", "new", "tools/call", `,"name":"new"`, "deny", "its definition is new and not approved"},
		{"resource", "x:public/1", "resources/read", `,"uri":"x:public/1"`, "allow", ""},
		{"resource", "x:private/1", "resources/read", `,"uri":"x:private/1"`, "deny", "no rule allows it"},
		{"template", "x:public/{id}", "completion/complete", `,"ref":{"type":"ref/resource","uri":"x:public/{id}"}`, "allow", ""},
		{"template", "y:{id}", "completion/complete", `,"ref":{"type":"ref/resource","uri":"y:{id}"}`, "deny", "no rule allows it"},
		{"prompt", "p", "prompts/get", `,"name":"p"`, "deny", "rule 3 denies it"},
		{"method", "vendor/x", "vendor/x", ``, "allow", ""},
	} {
		mark := judge.Access(c.kind, c.name)
		if mark.Effect != c.effect || mark.Why != c.why || mark.Allowed != (c.effect == "allow") {
			t.Errorf("%s %s: %+v", c.kind, c.name, mark)
		}
		if !mark.Allowed && len(mark.Hints) == 0 {
			t.Errorf("%s %s: nothing mends it", c.kind, c.name)
		}
		if passes(t, g, callOf(c.method, `{}`, c.members)) != mark.Allowed {
			t.Errorf("%s %s: the gate does not do what is marked, %+v", c.kind, c.name, mark)
		}
	}
	if mark := judge.Access("tool", "pay"); !mark.Allowed || strings.Join(mark.Notes, "; ") != "a person must agree to each call; at most 5/minute" {
		t.Errorf("%+v", mark)
	}
	if states, err := PinStates(state, "orders", "other.py"); err != nil || len(states) != 0 {
		t.Errorf("of another server: %v, %v", states, err)
	}
}
