package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// policyOf compiles the text of a policy.
func policyOf(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, _, err := policy.Parse([]byte(text), identity.OtherClaim)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// gateWith is a gate of Ada, of the group finance, under a policy.
func gateWith(t testing.TB, text string) (*Session, *fixedSession, *notebook) {
	t.Helper()
	g, session, record := testGate()
	g.authorizer.policy = fixedPolicy(policyOf(t, text))
	g.limiter = limiterIn(t.TempDir())
	g.tools.ask = func(context.Context, func([]byte) []byte) ([]byte, error) { return nil, errors.New("there is no list") }
	ada := signedIn("ada")
	ada.User.Groups = []string{"finance"}
	session.set(ada)
	return g, session, record
}

// eras are the _meta of a call of the older protocols and of the modern one.
var eras = map[string]string{
	"legacy": `{}`,
	"modern": `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`,
}

func callOf(method, meta, members string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"_meta":%s%s}}`, method, meta, members)
}

// passes reports whether a call reaches the server.
func passes(t testing.TB, g *Session, line string) bool {
	t.Helper()
	m, refusal := relay.NewParser(reserved).Parse([]byte(line))
	if refusal != nil {
		t.Fatal(refusal, line)
	}
	return g.FromClient(m).Action == relay.Forward
}

// answerTo gives the gate an answer of the server, and returns what the client gets.
func answerTo(t testing.TB, g *Session, method, meta, result string) string {
	t.Helper()
	m, refusal := relay.NewParser(reserved).Parse([]byte(callOf(method, meta, `,"name":"pay"`)))
	if refusal != nil {
		t.Fatal(refusal)
	}
	v := g.FromClient(m)
	if v.Action != relay.Forward {
		t.Fatalf("%s is not forwarded: %s", method, v.Line)
	}
	var scanner relay.Scanner
	out := scanner.Scan([]byte(`{"jsonrpc":"2.0","id":1,"result":` + result + `}`))
	answer := g.FromBackend(out, &relay.Request{ID: []byte("1"), Method: method, Name: "pay", Modern: m.Modern(), Tag: v.Tag})
	if answer.Line == nil {
		return string(out.Bytes())
	}
	return string(answer.Line)
}

// What is listed is what may be used, through every door and in both eras,
// whatever the policy.
func TestListedIsCallable(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	things := []string{"pay", "pay_all", "get", "get_all", "Pay", "drop"}
	patterns := []string{"pay", "pay*", "*_all", "get*", "drop", "*"}
	authorizer := []struct {
		list, member, key string
		uses              map[string]string // method to members
	}{
		{"tools/list", "tools", "name", map[string]string{"tools/call": `,"name":%q`}},
		{"prompts/list", "prompts", "name", map[string]string{
			"prompts/get": `,"name":%q`, "completion/complete": `,"ref":{"type":"ref/prompt","name":%q}`}},
		{"resources/list", "resources", "uri", map[string]string{
			"resources/read": `,"uri":%q`, "resources/subscribe": `,"uri":%q`, "resources/unsubscribe": `,"uri":%q`,
			"subscriptions/listen": `,"notifications":{"resourceSubscriptions":["x",%q]}`,
			"completion/complete":  `,"ref":{"type":"ref/resource","uri":%q}`}},
	}
	listed, hidden := 0, 0
	for range 250 {
		var text strings.Builder
		used := map[string]bool{}
		fmt.Fprint(&text, "[[rules]]\neffect='allow'\nresources=['x']\n") // of the listen above
		for range 2 + random.IntN(5) {
			rule := fmt.Sprintf("[[rules]]\neffect=%q\n%s=[%q]\n", []string{"allow", "allow", "deny"}[random.IntN(3)],
				[]string{"tools", "prompts", "resources"}[random.IntN(3)], patterns[random.IntN(len(patterns))])
			if random.IntN(6) == 0 {
				rule += "groups=['board']\n"
			}
			if !used[rule] {
				fmt.Fprint(&text, rule)
			}
			used[rule] = true
		}
		p, _, err := policy.Parse([]byte(text.String()), identity.OtherClaim)
		if err != nil {
			continue // a rule that another one leaves nothing to do
		}
		g, _, _ := gateWith(t, "")
		g.authorizer.policy = fixedPolicy(p)
		for era, meta := range eras {
			for _, door := range authorizer {
				var elements []string
				for _, thing := range things {
					elements = append(elements, fmt.Sprintf(`{%q:%q}`, door.key, thing))
				}
				shown := answerTo(t, g, door.list, meta, fmt.Sprintf(`{%q:[%s],"cacheScope":"public"}`, door.member, strings.Join(elements, ",")))
				if !strings.Contains(shown, `"cacheScope":"private"`) {
					t.Fatalf("shared by all: %s", shown)
				}
				for _, thing := range things {
					isListed := strings.Contains(shown, fmt.Sprintf(`{%q:%q}`, door.key, thing))
					if isListed {
						listed++
					} else {
						hidden++
					}
					for method, members := range door.uses {
						if passes(t, g, callOf(method, meta, fmt.Sprintf(members, thing))) != isListed {
							t.Fatalf("%s\n%s %s of %q: listed %v, but not so for %s", text.String(), era, door.list, thing, isListed, method)
						}
					}
				}
			}
		}
	}
	if listed < 500 || hidden < 500 {
		t.Errorf("%d listed and %d hidden say little", listed, hidden)
	}
}

func TestDeniedInWords(t *testing.T) {
	g, _, record := gateWith(t, "[[rules]]\neffect='allow'\ngroups=['board']\ntools=['pay']\n[[rules]]\neffect='allow'\ntools=['get']\n")
	v := g.FromClient(message(t, callOf("tools/call", `{}`, `,"name":"pay"`)))
	words := `Denied by policy: needs group board. Asking again will not help. The user can see why, and what would change it, with:  mcpauth why --profile orders pay`
	if !strings.Contains(string(v.Line), words) || !strings.Contains(string(v.Line), `"isError":true`) {
		t.Errorf("%s", v.Line)
	}
	v = g.FromClient(message(t, callOf("resources/read", `{}`, `,"uri":"file:///x"`)))
	if !strings.Contains(string(v.Line), `"error":{"code":4403,"message":"Denied by policy: no rule allows it.`) ||
		!strings.Contains(string(v.Line), "mcpauth why --profile orders --kind resource file:///x") {
		t.Errorf("%s", v.Line)
	}
	if len(record.records) != 2 || record.records[0].Decision != audit.Deny || record.records[0].Reason != "no rule allows it" {
		t.Errorf("%+v", record.records)
	}
}

// A retry and a task-augmented call are calls like any other.
func TestRetriesAndTasksAreJudged(t *testing.T) {
	g, _, _ := gateWith(t, "[[rules]]\neffect='allow'\ntools=['get']\n")
	for _, members := range []string{
		`,"name":%q,"task":{"ttl":1}`, `,"name":%q,"requestState":"s","inputResponses":{}`, `,"name":%q,"requestState":"mcpauth:x"`,
	} {
		g.prompter = &signInPrompter{}
		if passes(t, g, callOf("tools/call", eras["modern"], fmt.Sprintf(members, "pay"))) {
			t.Errorf("%s passes", members)
		}
		if !passes(t, g, callOf("tools/call", eras["modern"], fmt.Sprintf(members, "get"))) {
			t.Errorf("%s does not pass for a tool that may be called", members)
		}
	}
}

func TestTasksBelongToTheirUser(t *testing.T) {
	for era, result := range map[string]string{
		"legacy": `{"task":{"taskId":"t1","status":"working"}}`, "modern": `{"resultType":"task","taskId":"t1"}`,
	} {
		t.Run(era, func(t *testing.T) {
			g, session, _ := gateWith(t, "[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\ntools=['other']\n")
			const list = `{"tasks":[{"taskId":"t1"},{"taskId":"t2"}]}`
			methods := []string{"tasks/get", "tasks/result", "tasks/cancel", "tasks/update"}
			if era == "modern" { // which has no tasks/result
				methods = slices.DeleteFunc(methods, func(method string) bool { return method == "tasks/result" })
			}
			uses := func(id string) (n int) {
				for _, method := range methods {
					if passes(t, g, callOf(method, eras[era], fmt.Sprintf(`,"taskId":%q`, id))) {
						n++
					}
				}
				return n
			}
			if uses("t1") != 0 {
				t.Error("a task that nobody made can be used")
			}
			answerTo(t, g, "tools/call", eras[era], result)
			if uses("t1") != len(methods) || uses("t2") != 0 {
				t.Errorf("the user's own task: %d of %d doors, another: %d", uses("t1"), len(methods), uses("t2"))
			}
			if shown := answerTo(t, g, "tasks/list", eras[era], list); !strings.Contains(shown, `[{"taskId":"t1"}]`) {
				t.Errorf("%s", shown)
			}
			status := `{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"t1"}}`
			var scanner relay.Scanner
			if g.FromBackend(scanner.Scan([]byte(status)), nil).Action != relay.Forward {
				t.Error("the user does not hear of the task")
			}

			session.set(signedIn("mallory"))
			answerTo(t, g, "tools/call", eras[era], result) // the server gives the same id again
			if uses("t1") != 0 {
				t.Error("another user can use it")
			}
			if shown := answerTo(t, g, "tasks/list", eras[era], list); !strings.Contains(shown, `"tasks":[]`) {
				t.Errorf("%s", shown)
			}
			if g.FromBackend(scanner.Scan([]byte(status)), nil).Action != relay.Drop {
				t.Error("another user hears of it")
			}
			session.set(signedIn("ada"))
			g.authorizer.policy = fixedPolicy(policyOf(t, "[[rules]]\neffect='deny'\ntools=['pay']\n"))
			if uses("t1") != 0 {
				t.Error("the task of a call that is denied by now can be used")
			}
		})
	}
}

// A task that nobody here has seen may be of any tool: it is for who may use them all.
func TestTaskThatNobodyHasSeen(t *testing.T) {
	all := "[[rules]]\neffect='allow'\n"
	for text, want := range map[string]bool{
		"": true, "strict=true": true, all: true, all + "tools=['*']\n": true, all + "[[rules]]\neffect='deny'\nresources=['x']\n": true, all + "max_auth_age='1m'\n": false,
		all + "tools=['get*']\n": false, all + "[[rules]]\neffect='deny'\ntools=['drop']\n": false, "read_only=true": false,
		all + "[[rules]]\neffect='require'\nacr=['phr']\ntools=['pay']\n": false, "[tool_scopes]\npay='pay'\n": false,
	} {
		for _, method := range []string{"tasks/get", "tasks/cancel", "tasks/update", "tasks/result"} {
			g, _, record := gateWith(t, text)
			v := g.FromClient(message(t, callOf(method, eras["legacy"], `,"taskId":"t1"`)))
			if (v.Action == relay.Forward) != want || !want && !strings.Contains(string(v.Line), `"error":{"code":-32602,`) {
				t.Errorf("%q: %s: %v %s", text, method, v.Action, v.Line)
			}
			if len(record.records) != 1 || record.records[0].Method != method {
				t.Errorf("logged: %+v", record.records)
			}
			if passes(t, g, callOf(method, eras["legacy"], `,"taskId":["t1"]`)) {
				t.Errorf("%q: %s of a task without a name passes", text, method)
			}
		}
		g, _, _ := gateWith(t, text)
		if shown := answerTo(t, g, "tasks/list", `{}`, `{"tasks":[{"taskId":"t1"}]}`); strings.Contains(shown, "t1") != want {
			t.Errorf("%q: the list is %s", text, shown)
		}
	}
	g, _, _ := gateWith(t, "")
	if v := g.FromClient(message(t, callOf("tasks/result", eras["modern"], `,"taskId":"t1"`))); !strings.Contains(string(v.Line), `"code":-32601,`) {
		t.Errorf("tasks/result of the modern protocol: %s", v.Line)
	}
	// What was forgotten may be somebody else's.
	for i := range maxTasks + 1 {
		g.authorizer.tasks.note(fmt.Appendf(nil, `{"taskId":"m%d"}`, i), taskOwner{"mallory", "pay"})
	}
	if passes(t, g, callOf("tasks/get", `{}`, `,"taskId":"m1"`)) {
		t.Error("a task that was forgotten is for everybody")
	}
	g, _, _ = gateWith(t, "")
	g.authorizer.tasks.note([]byte(`{"taskId":"a","taskId":"b"}`), taskOwner{"mallory", "pay"})
	if passes(t, g, callOf("tasks/get", `{}`, `,"taskId":"a"`)) {
		t.Error("a task that could not be read is for everybody")
	}
}

func TestResourceUpdatesAreForReaders(t *testing.T) {
	g, session, _ := gateWith(t, "[[rules]]\neffect='allow'\nresources=['file:///a']\n")
	hears := func(uri string) bool {
		var scanner relay.Scanner
		line := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":%q}}`, uri)
		return g.FromBackend(scanner.Scan([]byte(line)), nil).Action == relay.Forward
	}
	if !hears("file:///a") || hears("file:///b") {
		t.Error("updates do not follow the policy")
	}
	session.set(identity.Snapshot{State: identity.SignedOut})
	if hears("file:///a") {
		t.Error("somebody who has left hears of updates")
	}
}

func TestLookAlikeIsRefused(t *testing.T) {
	g, _, record := testGate()
	answerTo(t, g, "tools/list", `{}`, `{"tools":[{"name":"delete_user"}]}`)
	for _, name := range []string{"Delete_User", "delete_user ", "delete\u200b_user", "ｄelete_user", "d\u0435lete_user", "\u0501elete_user", "delete_user\\u0000"} {
		if passes(t, g, callOf("tools/call", `{}`, `,"name":"`+name+`"`)) {
			t.Errorf("%q passes", name)
		}
	}
	if !passes(t, g, callOf("tools/call", `{}`, `,"name":"delete_user"`)) || !passes(t, g, callOf("tools/call", `{}`, `,"name":"unlisted"`)) {
		t.Error("a name that looks like none is refused")
	}
	if record.records[0].Reason != "look-alike" {
		t.Errorf("%+v", record.records[0])
	}
}

// A refusal must not name what the lists hide.
func TestLookAlikeOfAHiddenTool(t *testing.T) {
	g, _, _ := gateWith(t, "[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\ntools=['dr\u043ep']\n")
	answerTo(t, g, "tools/list", `{}`, `{"tools":[{"name":"dr\u043ep"},{"name":"keep"}]}`)
	for asked, told := range map[string]string{"drop": "only looks like that of another tool", "Keep": "only looks like keep"} {
		verdict := g.FromClient(message(t, callOf("tools/call", `{}`, `,"name":"`+asked+`"`)))
		if answer := string(verdict.Line); !strings.Contains(answer, told) || strings.Contains(answer, "dr\u043ep") {
			t.Errorf("%q is answered %s", asked, answer)
		}
	}
}

func TestUnknownMethods(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "strict=true": false,
		"strict=true\n[[rules]]\neffect='allow'\nmethods=['vendor/*']":              true,
		"[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\nmethods=['vendor/*']": false,
		"[[rules]]\neffect='allow'\ntools=['x']":                                    true,
		"read_only=true":                                                            false,
	} {
		g, _, _ := gateWith(t, text)
		if passes(t, g, callOf("vendor/x", `{}`, ``)) != want {
			t.Errorf("%q: not %v", text, want)
		}
	}
}

// A list that cannot be read might name anything, so it does not pass.
func TestUnreadableListDoesNotPass(t *testing.T) {
	g, _, _ := gateWith(t, "[[rules]]\neffect='allow'\ntools=['get']\n")
	if shown := answerTo(t, g, "tools/list", `{}`, `[{"name":"pay"}]`); strings.Contains(shown, "pay") {
		t.Error(shown)
	}
}

// Who signs out between the question and the answer must not see the list.
func TestListOfSomebodyWhoLeft(t *testing.T) {
	g, session, _ := testGate()
	v := g.FromClient(message(t, callOf("tools/list", `{}`, ``)))
	session.set(identity.Snapshot{State: identity.SignedOut})
	var scanner relay.Scanner
	out := g.FromBackend(scanner.Scan([]byte(`{"id":1,"result":{"tools":[{"name":"pay"}]}}`)), &relay.Request{ID: []byte("1"), Method: "tools/list", Tag: v.Tag})
	if strings.Contains(string(out.Line), "pay") || out.Line == nil {
		t.Errorf("%s", out.Line)
	}
}

// manyTools is a tools/list answer of 310 tools, and the rules are 1,000.
func manyTools() []byte {
	type tool map[string]any
	var tools []tool
	for i := range 310 {
		tools = append(tools, tool{"name": fmt.Sprintf("tool_%d", i), "description": strings.Repeat("words ", 40), "inputSchema": map[string]any{
			"type": "object", "properties": map[string]any{"id": map[string]any{"type": "string"}, "count": map[string]any{"type": "integer"}}}})
	}
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "result": map[string]any{"tools": tools}})
	if err != nil {
		panic(err)
	}
	return line
}

func BenchmarkToolsList310(b *testing.B) {
	var rules strings.Builder
	for i := range 500 {
		fmt.Fprintf(&rules, "[[rules]]\neffect='allow'\ntools=['tool_%d']\ngroups=['finance']\n[[rules]]\neffect='deny'\ntools=['area%d_*']\n", i, i)
	}
	line := manyTools()
	for name, text := range map[string]string{"unfiltered": "", "1000 rules": rules.String()} {
		b.Run(name, func(b *testing.B) {
			g, _, _ := gateWith(b, text)
			request := &relay.Request{ID: []byte("1"), Method: "tools/list", Tag: true}
			var scanner relay.Scanner
			for b.Loop() {
				g.readList(scanner.Scan(line), request)
			}
		})
		b.Run(name+", again", func(b *testing.B) {
			g, _, _ := gateWith(b, text)
			request := &relay.Request{ID: []byte("1"), Method: "tools/list", Tag: true}
			var scanner relay.Scanner
			for b.Loop() {
				g.FromBackend(scanner.Scan(line), request)
				<-g.lists.pages
			}
		})
	}
}

// A name that is no text may be one to a lenient server: ["drop"] is "drop" to
// JavaScript.
func TestNamelessCallsAreRefused(t *testing.T) {
	calls := map[string]string{
		"tools/call": `,"name":["drop"]`, "prompts/get": `,"name":{"x":"drop"}`, "resources/read": `,"uri":["x"]`,
		"completion/complete": `,"ref":{"type":"REF/prompt","name":"drop"}`, "resources/subscribe": ``,
	}
	for text, want := range map[string]bool{
		"": true, "[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\ntools=['drop']\nprompts=['drop']": false, "confirm=['drop']": false,
		"[[limits]]\ntools=['drop']\nrate='1/day'": false, "pin='warn'": false, "strict=true": false,
	} {
		g, _, _ := gateWith(t, text)
		for method, members := range calls {
			if passes(t, g, callOf(method, `{}`, members)) != want {
				t.Errorf("%q %s%s: not %v", text, method, members, want)
			}
		}
	}
}

// The view of the policy that is kept from call to call is of one user in one
// state.
func TestViewFollowsTheUser(t *testing.T) {
	g, session, _ := gateWith(t, "[[rules]]\neffect='allow'\ngroups=['finance']\ntools=['pay']\n")
	call := callOf("tools/call", `{}`, `,"name":"pay"`)
	now := *session.Snapshot()
	if !passes(t, g, call) {
		t.Error("the group's member may not")
	}
	now.User.Groups = nil // as after a refresh
	session.set(now)
	if passes(t, g, call) {
		t.Error("who has left the group may")
	}
	now.User.Groups = []string{"finance"}
	session.set(now)
	item := policy.Item{Kind: policy.Tool, Name: "pay"}
	if !passes(t, g, call) {
		t.Error("who is back in the group may not")
	}
	now.State = identity.Degraded
	if g.authorizer.view(&now).Decide(item, time.Now()).Effect == policy.Allow {
		t.Error("a sign-in that cannot be used counts")
	}
}
