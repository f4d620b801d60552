package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/keychain"
)

// judging is a broker with one profile, whose policy file has this text.
func judging(t testing.TB, text string) (*Broker, Resolved) {
	t.Helper()
	dir := t.TempDir()
	rules := filepath.Join(dir, "policy.toml")
	b := New(Options{
		Paths: Paths{ConfigFile: filepath.Join(dir, "config.toml"), StateDir: filepath.Join(dir, "state")},
		Store: keychain.Memory(), Env: func(string) string { return "" },
	})
	profile := fmt.Sprintf("[profiles.orders]\nissuer = \"https://a.example\"\nclient_id = \"x\"\ncommand = [\"main.py\"]\npolicy = %q\n", rules)
	for path, data := range map[string]string{rules: text, b.Paths.ConfigFile: profile} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.Resolve(Overrides{Profile: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	return b, r
}

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
	b, r := judging(t, text)
	if _, err := b.Judge(t.Context(), r); !errors.As(err, new(*Problem)) || AsProblem(err).Code != ExitSignInNeeded {
		t.Errorf("nobody is signed in: %v", err)
	}
	var said []string
	g := pinnedGate(t, b, "block", &said)
	g.doors.policy = fixedPolicy(policyOf(t, text))
	approved := []string{definition("pay", ""), definition("get", ""), definition("fresh", "")}
	serverLists(t, g, approved...)
	g.doors.pins.keep()
	changes, err := b.PinChanges(r)
	if err != nil || len(changes) != 3 || b.Approve(changes) != nil {
		t.Fatal(changes, err)
	}
	serverLists(t, g, append(approved, definition("new", ""))...)
	g.doors.pins.keep()
	g.doors.pins.follow()

	judge, err := b.judge(t.Context(), r, "", map[string][]string{"groups": {"finance"}})
	if err != nil {
		t.Fatal(err)
	}
	g.confirmer = nil // not asked: the client cannot show a form
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
		mark := judge.Mark(c.kind, c.name)
		if mark.Effect != c.effect || mark.Why != c.why || mark.Allowed != (c.effect == "allow") {
			t.Errorf("%s %s: %+v", c.kind, c.name, mark)
		}
		if !mark.Allowed && len(mark.Cures) == 0 {
			t.Errorf("%s %s: nothing mends it", c.kind, c.name)
		}
		if passes(t, g, callOf(c.method, `{}`, c.members)) != mark.Allowed {
			t.Errorf("%s %s: the gate does not do what is marked, %+v", c.kind, c.name, mark)
		}
	}
	if mark := judge.Mark("tool", "pay"); !mark.Allowed || strings.Join(mark.Notes, "; ") != "a person must agree to each call; at most 5/minute" {
		t.Errorf("%+v", mark)
	}
	if states, err := b.pinStates(r, "other.py"); err != nil || len(states) != 0 {
		t.Errorf("of another server: %v, %v", states, err)
	}
}

// BenchmarkMark310 marks the 310 tools of a list under 1,000 rules.
func BenchmarkMark310(b *testing.B) {
	var rules strings.Builder
	for i := range 500 {
		fmt.Fprintf(&rules, "[[rules]]\neffect='allow'\ntools=['tool_%d']\ngroups=['board']\n[[rules]]\neffect='deny'\ntools=['area%d_*']\n", i, i)
	}
	broker, r := judging(b, rules.String())
	for b.Loop() {
		judge, err := broker.judge(b.Context(), r, "", map[string][]string{"groups": {"finance"}})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 310 {
			judge.Mark("tool", fmt.Sprintf("tool_%d", i))
		}
	}
}
