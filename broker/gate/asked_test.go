package gate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

const noSampling = "[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\nmethods=['sampling/*']\n"

// What a server may ask of the client is for the policy to say, in both eras.
func TestServerMayNotAsk(t *testing.T) {
	for text, may := range map[string]map[string]bool{
		"":                {"sampling/createMessage": true, "elicitation/create": true, "roots/list": true, "vendor/x": true},
		noSampling:        {"sampling/createMessage": false, "elicitation/create": true, "roots/list": true, "Sampling/createMessage": false},
		"strict=true":     {"sampling/createMessage": false, "elicitation/create": false, "roots/list": false, "ping": true},
		"read_only=true":  {"sampling/createMessage": true},
		"confirm=['pay']": {"elicitation/create": true},
		"strict=true\n[[rules]]\neffect='allow'\nmethods=['tools/call','roots/list']\n":              {"roots/list": true, "elicitation/create": false},
		"[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\ngroups=['board']\nmethods=['*']\n":     {"roots/list": true},
		"[[rules]]\neffect='allow'\n[[rules]]\neffect='require'\nacr=['phr']\nmethods=['roots/*']\n": {"roots/list": false, "elicitation/create": true},
	} {
		for method, want := range may {
			g, _, record := gateWith(t, text)
			var scanner relay.Scanner
			v := g.FromBackend(scanner.Scan(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":"s1","method":%q,"params":{}}`, method)), nil)
			if (v.Action == relay.Forward) != want {
				t.Errorf("%q: %s, not %v", text, method, want)
			}
			if !want && (v.Action != relay.Answer || !strings.Contains(string(v.Line), `"id":"s1","error":{"code":4403,"message":"Denied by policy: this server may not ask for `)) {
				t.Errorf("%s is answered %s", method, v.Line)
			}
			if !want && (len(record.records) != 1 || record.records[0].Decision != audit.Deny || record.records[0].Method != method) {
				t.Errorf("on record: %+v", record.records)
			}
			for _, key := range []string{"inputRequests", `input\u0052equests`, `\u0069nputRequests`} {
				asks := fmt.Appendf(nil, `{"id":1,"result":{"resultType":"input_required","%s":{"a":{"method":%q,"params":{}}}}}`, key, method)
				v := g.FromBackend(scanner.Scan(asks), &relay.Request{ID: []byte("1"), Method: "vendor/y", Modern: true})
				passes := want
				if strings.Contains(key, `\u`) { // clients differ in whether they read that: it passes where all may be asked for
					passes = g.authorizer.view(g.session.Snapshot()).AllowsRequests()
				}
				if v.Action != relay.Forward || (v.Line == nil) != passes {
					t.Errorf("%q: an answer that asks for %s: %s", text, method, v.Line)
				}
			}
		}
	}
}

// A tool's answer that asks for what it may not is one that the model can read.
func TestInputThatMayNotBeAskedFor(t *testing.T) {
	g, _, record := gateWith(t, noSampling)
	const asks = `{"resultType":"input_required","inputRequests":{"a":{"method":"sampling/createMessage","params":{}}}}`
	shown := answerTo(t, g, "tools/call", eras["modern"], asks)
	if !strings.Contains(shown, `"text":"Denied by policy: this server may not ask for sampling/createMessage. Asking again will not help."`) ||
		!strings.Contains(shown, `"isError":true`) || !strings.Contains(shown, `"resultType":"complete"`) {
		t.Error(shown)
	}
	if last := record.records[len(record.records)-1]; last.Reason != "the server asked: rule 2" || last.Sub != "ada" {
		t.Errorf("%+v", last)
	}
	if shown := answerTo(t, g, "tools/call", eras["legacy"], asks); !strings.Contains(shown, "may not ask") || strings.Contains(shown, `"complete"`) {
		t.Errorf("in answer to a call of an older protocol: %s", shown)
	}
	if shown := answerTo(t, g, "prompts/get", eras["modern"], asks); !strings.Contains(shown, `"error":{"code":4403`) {
		t.Error(shown)
	}
	elicits := strings.Replace(asks, "sampling/createMessage", "elicitation/create", 1)
	if shown := answerTo(t, g, "tools/call", eras["modern"], elicits); !strings.Contains(shown, "input_required") {
		t.Errorf("elicitation: %s", shown)
	}
	// The older protocol has an error that asks.
	const pages = `{"id":1,"error":{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","url":"https://x"}]}}}`
	for text, may := range map[string]bool{"": true, noSampling: true, "[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\nmethods=['elicitation/*']\n": false} {
		g, _, _ := gateWith(t, text)
		var scanner relay.Scanner
		v := g.FromBackend(scanner.Scan([]byte(pages)), &relay.Request{ID: []byte("1"), Method: "tools/call"})
		if v.Action != relay.Forward || (v.Line == nil) != may || !may && !strings.Contains(string(v.Line), "may not ask for elicitation/create") {
			t.Errorf("%q: pages to visit: %s", text, v.Line)
		}
	}
	// An answer that passes while it is read could not be stopped.
	m := message(t, callOf("tools/call", eras["modern"], `,"name":"pay"`))
	if !g.FromClient(m).WholeAnswer {
		t.Error("the answer is not read as a whole")
	}
	g, _, _ = gateWith(t, "")
	if g.FromClient(m).WholeAnswer {
		t.Error("without rules, long answers are held, too")
	}
}

// A server that starts asks before anybody is known to be signed in.
func TestServerAsksWhileItStarts(t *testing.T) {
	for text, want := range map[string]relay.Action{noSampling: relay.Forward, "strict=true": relay.Answer} {
		g, session, _ := gateWith(t, text)
		session.set(identity.Snapshot{State: identity.Loading})
		var scanner relay.Scanner
		if v := g.FromBackend(scanner.Scan([]byte(`{"jsonrpc":"2.0","id":1,"method":"roots/list"}`)), nil); v.Action != want {
			t.Errorf("%q: %v", text, v.Action)
		}
	}
}

// A notification that MCP does not know may be a command to the server.
func TestUnknownNotifications(t *testing.T) {
	for text, want := range map[string]relay.Action{
		"": relay.Forward, "strict=true": relay.Drop, "read_only=true": relay.Drop,
		"strict=true\n[[rules]]\neffect='allow'\nmethods=['notifications/vendor/*']":  relay.Forward,
		"[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\nmethods=['*/vendor/*']": relay.Drop,
	} {
		g, _, record := gateWith(t, text)
		if v := g.FromClient(message(t, `{"jsonrpc":"2.0","method":"notifications/vendor/wipe","params":{}}`)); v.Action != want {
			t.Errorf("%q: %v", text, v.Action)
		}
		if len(record.records) != 1 || (record.records[0].Decision == audit.Deny) != (want == relay.Drop) {
			t.Errorf("%q: %+v", text, record.records)
		}
		for known := range knownNotifications {
			if v := g.FromClient(message(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":{"requestId":1}}`, known))); v.Action != relay.Forward {
				t.Errorf("%q: %s: %v", text, known, v.Action)
			}
		}
	}
}
