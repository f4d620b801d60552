package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/relay"
)

const deleteUser = `,"name":"delete_user","arguments":{"id":"7` + "\u202e" + `"}`

func TestConfirmLegacy(t *testing.T) {
	for said, want := range map[string]relay.Action{
		`{"id":1,"result":{"action":"accept","content":{}}}`: relay.Forward,
		`{"id":1,"result":{"action":"decline"}}`:             relay.Answer,
		`{"id":1,"result":{"action":"cancel"}}`:              relay.Answer,
		`{"id":1,"error":{"code":-1,"message":"accept"}}`:    relay.Answer,
		``: relay.Answer,
	} {
		g, _, record := gateWith(t, "confirm=['Delete_*']")
		var asked []string
		g.approver.ask = func(_ context.Context, build func([]byte) []byte) ([]byte, error) {
			asked = append(asked, string(build([]byte("1"))))
			if said == "" {
				return nil, errors.New("the client is gone")
			}
			return []byte(said), nil
		}
		initialized(t, g)
		call := callOf("tools/call", `{}`, deleteUser)
		if v := settle(t, g, call); v.Action != want {
			t.Errorf("%s: %v %s", said, v.Action, v.Line)
		}
		if len(asked) != 1 || !strings.Contains(asked[0], `May delete_user be called with {\"id\":\"7\\u{202E}\"}?`) {
			t.Errorf("asked %q", asked)
		}
		settle(t, g, call)
		if len(asked) != 2 {
			t.Error("a yes is good for two calls")
		}
		if want == relay.Answer && record.records[0].Decision != audit.Deny {
			t.Errorf("%+v", record.records[0])
		}
		if g.FromClient(message(t, callOf("tools/call", `{}`, `,"name":"get"`))).Action != relay.Forward || len(asked) != 2 {
			t.Error("another tool needs an approval, too")
		}
	}
}

// Two equal calls are two questions: the id tells them apart.
func TestConfirmTwoEqualCalls(t *testing.T) {
	g, _, _ := gateWith(t, "confirm=['delete_*']")
	g.approver.ask = func(context.Context, func([]byte) []byte) ([]byte, error) {
		return []byte(`{"id":1,"result":{"action":"accept","content":{}}}`), nil
	}
	initialized(t, g)
	first := callOf("tools/call", `{}`, deleteUser)
	second := strings.Replace(first, `"id":1`, `"id":2`, 1)
	g.tools.complete = true
	waits := g.FromClient(message(t, first))
	if waits.Action != relay.Wait {
		t.Fatalf("%v %s", waits.Action, waits.Line)
	}
	if v := g.FromClient(message(t, second)); v.Action != relay.Wait {
		t.Errorf("while the first question is open: %v %s", v.Action, v.Line)
	}
	if v := g.FromClient(message(t, first)); v.Action != relay.Answer {
		t.Errorf("the same id again: %v %s", v.Action, v.Line)
	}
	waits.Until(context.Background())
	if v := g.FromClient(message(t, second)); v.Action == relay.Forward {
		t.Error("the yes to the first call is one to the second")
	}
	if v := g.FromClient(message(t, first)); v.Action != relay.Forward {
		t.Errorf("after the yes: %v %s", v.Action, v.Line)
	}
}

func TestConfirmModern(t *testing.T) {
	g, _, _ := gateWith(t, "confirm=['delete_*']")
	g.tools.complete = true
	first := g.FromClient(message(t, callOf("tools/call", asks, deleteUser+`,"requestState":"server's"`)))
	if first.Action != relay.Answer || !strings.Contains(string(first.Line), `"mcpauth_confirm":{"method":"elicitation/create"`) {
		t.Fatalf("%v %s", first.Action, first.Line)
	}
	retry := func(call, state, action string) relay.Verdict {
		return g.FromClient(message(t, callOf("tools/call", asks, fmt.Sprintf(`%s,"requestState":%q,"inputResponses":{"mcpauth_confirm":{"action":%q}}`, call, state, action))))
	}
	state := stateIn(t, first.Line)
	v := retry(deleteUser, state, "accept")
	if v.Action != relay.Forward || !strings.Contains(string(v.Line), `"requestState":"server's"`) {
		t.Errorf("%v %s", v.Action, v.Line)
	}
	if v := retry(deleteUser, state, "accept"); v.Action == relay.Forward {
		t.Error("a yes is good for two calls")
	}
	ask := func() string {
		return stateIn(t, g.FromClient(message(t, callOf("tools/call", asks, deleteUser))).Line)
	}
	if v := retry(`,"name":"delete_user","arguments":{"id":"8"}`, ask(), "accept"); v.Action == relay.Forward {
		t.Error("a yes is good for other arguments")
	}
	if v := retry(strings.Replace(deleteUser, "user", "all", 1), ask(), "accept"); v.Action == relay.Forward {
		t.Error("a yes is good for another tool")
	}
	if v := retry(deleteUser, ask(), "decline"); v.Action != relay.Answer || !strings.Contains(string(v.Line), "did not agree") {
		t.Errorf("%v %s", v.Action, v.Line)
	}
	if v := retry(deleteUser, "mcpauth:confirm:made-up", "accept"); v.Action == relay.Forward {
		t.Error("a state that nobody was asked with is a yes")
	}
}

// A client that cannot ask has not asked.
func TestConfirmFailsClosed(t *testing.T) {
	for _, capabilities := range []string{`{}`, `{"elicitation":{"url":{}}}`, `{"elicitation":null}`, `[]`} {
		g, _, _ := gateWith(t, "confirm=['delete_*']")
		g.tools.complete = true
		meta := `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":` + capabilities + `}`
		v := g.FromClient(message(t, callOf("tools/call", meta, deleteUser)))
		if v.Action != relay.Answer || !strings.Contains(string(v.Line), "this AI client cannot ask them") {
			t.Errorf("%s: %v %s", capabilities, v.Action, v.Line)
		}
	}
	g, _, _ := gateWith(t, "confirm=['delete_*']")
	g.tools.complete = true
	if v := g.FromClient(message(t, callOf("tools/call", `{}`, deleteUser))); v.Action != relay.Answer {
		t.Errorf("before initialize: %v", v.Action)
	}
}

// A person who is asked sees the name of every argument: first those that the tool
// declares. What cannot be shown is not sent.
func TestAttackArgumentsBehindOthers(t *testing.T) {
	g, _, record := gateWith(t, "confirm=['pay']")
	var members []string
	for i := range 30 {
		members = append(members, fmt.Sprintf(`"a%02d":"%s"`, i, strings.Repeat("x", 40)))
	}
	answerTo(t, g, "tools/list", asks, `{"tools":[{"name":"pay","inputSchema":{"properties":{"to":{},"amount":{}}}}]}`)
	ask := func(arguments string) relay.Verdict {
		return g.FromClient(message(t, callOf("tools/call", asks, `,"name":"pay","arguments":{`+arguments+`}`)))
	}
	shown := string(ask(strings.Join(members, ",") + `,"amount":1000000,"to":"mallory"`).Line)
	if !strings.Contains(shown, `with these arguments?\nto: \"mallory\"\namount: 1000000\na00: `) || !strings.Contains(shown, `\na29: `) {
		t.Errorf("asked %s", shown)
	}
	inside := `"order":{` + strings.Join(members, ",") + `,"to":["x",{"name":"mallory"}],"amount":1000000}`
	if shown = string(ask(inside).Line); !strings.Contains(shown, `\norder.amount: 1000000`) || !strings.Contains(shown, `\norder.to: [\"x\",{\"name\":\"mallory\"}]`) {
		t.Errorf("asked %s", shown)
	}
	long := `"note":"` + strings.Repeat("x", 2000) + `","note":"b"`
	if shown = string(ask(long).Line); !strings.Contains(shown, `… (2002 bytes in all)\nnote: \"b\"`) {
		t.Errorf("asked %s", shown)
	}
	var many []string
	for i := range 70 {
		many = append(many, fmt.Sprintf(`"b%02d":%d`, i, i))
	}
	for _, arguments := range []string{
		long + "," + strings.Join(many, ","), `"x":{` + strings.Join(many, ",") + `,` + long + `}`, `"x":[` + strings.Repeat(`"y",`, 300) + `"mallory"]`,
		long + `,"` + strings.Repeat("n", 300) + `":1`, `"x":{"` + strings.Repeat("n", 2000) + `":1}`,
	} {
		v := ask(arguments)
		if v.Action != relay.Answer || !strings.Contains(string(v.Line), "more arguments than they can be shown") || strings.Contains(string(v.Line), "mcpauth_confirm") {
			t.Errorf("%.60s… is answered %s", arguments, v.Line)
		}
		if last := record.records[len(record.records)-1]; last.Decision != audit.Deny {
			t.Errorf("%+v", last)
		}
	}
}
