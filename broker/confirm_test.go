package broker

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
		g.confirmer.ask = func(_ context.Context, build func([]byte) []byte) ([]byte, error) {
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
			t.Error("another tool needs an agreement, too")
		}
	}
}

func TestConfirmModern(t *testing.T) {
	g, _, _ := gateWith(t, "confirm=['delete_*']")
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
		meta := `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":` + capabilities + `}`
		v := g.FromClient(message(t, callOf("tools/call", meta, deleteUser)))
		if v.Action != relay.Answer || !strings.Contains(string(v.Line), "this AI client cannot ask them") {
			t.Errorf("%s: %v %s", capabilities, v.Action, v.Line)
		}
	}
	g, _, _ := gateWith(t, "confirm=['delete_*']")
	if v := g.FromClient(message(t, callOf("tools/call", `{}`, deleteUser))); v.Action != relay.Answer {
		t.Errorf("before initialize: %v", v.Action)
	}
}
