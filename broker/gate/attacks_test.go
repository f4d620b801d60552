package gate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/relay"
)

// Ways to what a policy denies that once were open, or look as if they could be.
// TestDisguisedURIsAreDenied, TestLookAlikeIsRefused, TestServerMayNotAsk and
// TestPinBlock have others.

const noDeleting = `[[rules]]
effect = "allow"
[[rules]]
effect = "deny"
tools = ["delete"]
resources = ["file:///srv/secret*"]
prompts = ["drop"]
`

// A lenient server takes Tools/Call for tools/call, which no rule about tools
// would be asked about, and which would not be on record as a call.
func TestAttackMethodThatLooksLikeAnother(t *testing.T) {
	for _, text := range []string{"", noDeleting} {
		g, _, record := gateWith(t, text)
		for _, method := range []string{
			"Tools/Call", "tools/call ", " tools/call", "tools/call/", "/tools/call", "tools//call", `tools\\call`, "tools.call", "tools/c\u0430ll",
			"tools/call\\u0000", "tools\u200b/call", "ｔools/call", "TOOLS/LIST", "resources/Read", "prompts/GET", "tasks/Result",
			"notifications/../tools/call", "tools/./call", "tools/x/../call", `notifications\\..\\tools\\call`,
		} {
			if passes(t, g, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"%s","params":{"name":"delete","uri":"file:///srv/secret"}}`, method)) {
				t.Errorf("%q passes", method)
			}
		}
		for _, method := range []string{"tools/call", "notifications/../tools/call", `notifications/..\\tools/call`} {
			if passes(t, g, `{"jsonrpc":"2.0","method":"`+method+`","params":{"name":"delete"}}`) {
				t.Errorf("%q passes without an id", method)
			}
		}
		if !passes(t, g, `{"jsonrpc":"2.0","method":"notifications/vendor/x"}`) {
			t.Error("a notification of others is refused")
		}
		if !passes(t, g, callOf("vendor/call", `{}`, ``)) || !passes(t, g, callOf("tools/describe", `{}`, ``)) {
			t.Error("a method that looks like none is refused")
		}
		if record.records[0].Reason != "look-alike" {
			t.Errorf("%+v", record.records[0])
		}
	}
}

func TestAttackName(t *testing.T) {
	g, _, _ := gateWith(t, noDeleting)
	for _, name := range []string{
		"delete", "Delete", "DELETE", " delete", "delete ", "delete\\u0000", "delete\\u0000x", "del\u200bete", "d\u0435lete", "ｄelete", "\u0501elete", "delete\\t",
		"delete\\u00a0", "delet\u0435\\u0301", // the last is another letter, and passes
	} {
		want := name == "delet\u0435\\u0301"
		if passes(t, g, callOf("tools/call", `{}`, `,"name":"`+name+`"`)) != want {
			t.Errorf("%q: passes %v", name, !want)
		}
	}
	for _, members := range []string{`,"name":""`, `,"name":null`, `,"name":["delete"]`, `,"name":{"name":"delete"}`, ``, `,"arguments":{"name":"delete"}`} {
		if passes(t, g, callOf("tools/call", `{}`, members)) {
			t.Errorf("%s passes", members)
		}
	}
	if !passes(t, g, callOf("tools/call", `{}`, `,"name":"`+strings.Repeat("x", 100_000)+`"`)) {
		t.Error("a long name is refused, which no rule denies")
	}
}

// A list that names a thing twice, in two ways or behind a page shows it in none.
func TestAttackListOfManyFaces(t *testing.T) {
	g, _, _ := gateWith(t, noDeleting)
	for _, result := range []string{
		`{"tools":[{"name":"get"},{"name":"delete"}]}`, `{"tools":[{"name":"delete"}],"nextCursor":"2"}`, `{"tools":[{"name":"get"}],"tools":[{"name":"delete"}]}`,
		`{"tools":[{"name":"get","name":"delete"}]}`, `{"tools":[{"name":"delete","name":"get"}]}`, `{"tools":[{"\u006eame":"delete"}]}`,
		`{"\u0074ools":[{"name":"delete"}]}`, `{"tools":[["delete"]]}`, `{"tools":["delete"]}`, `{"tools":[{"title":"delete"}]}`, `{"tools":[{"name":"Delete"},{"name":"d\u0435lete"}]}`,
	} {
		if shown := answerTo(t, g, "tools/list", `{}`, result); strings.Contains(strings.ToLower(strings.ReplaceAll(shown, "\u0435", "e")), "delete") {
			t.Errorf("%s shows %s", result, shown)
		}
	}
}

func TestAttackSubscription(t *testing.T) {
	g, _, _ := gateWith(t, noDeleting)
	for _, wanted := range []string{
		`["file:///srv/secret"]`, `["file:///srv/pub","file:///srv/secret2"]`, `["file:///srv/%73ecret"]`, `["file:///srv/pub/../secret"]`, `[["file:///srv/secret"]]`,
		`{"0":"file:///srv/secret"}`, `"file:///srv/secret"`,
	} {
		if passes(t, g, callOf("subscriptions/listen", eras["modern"], `,"notifications":{"resourceSubscriptions":`+wanted+`}`)) {
			t.Errorf("%s passes", wanted)
		}
	}
	if passes(t, g, callOf("subscriptions/listen", eras["modern"], `,"notifications":[{"resourceSubscriptions":["file:///srv/secret"]}]`)) {
		t.Error("an array passes")
	}
	for _, method := range []string{"resources/read", "resources/subscribe"} {
		if passes(t, g, callOf(method, `{}`, `,"uri":"file:///srv/x/../secret"`)) {
			t.Errorf("%s passes", method)
		}
	}
	var scanner relay.Scanner
	updated := `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///srv/%73ecret"}}`
	if g.FromBackend(scanner.Scan([]byte(updated)), nil).Action != relay.Drop {
		t.Error("an update of a disguised resource is heard")
	}
}

// The values that complete a template name resources.
func TestAttackCompletionOfATemplate(t *testing.T) {
	g, _, _ := gateWith(t, noDeleting)
	argument := `"argument":{"name":"path","value":""}`
	ask := func(template, values string) string {
		m := message(t, callOf("completion/complete", `{}`, fmt.Sprintf(`,"ref":{"type":"ref/resource","uri":%q},%s`, template, argument)))
		v := g.FromClient(m)
		if v.Action != relay.Forward || !v.WholeAnswer {
			t.Fatalf("%v %s", v, v.Line)
		}
		var scanner relay.Scanner
		out := scanner.Scan([]byte(`{"jsonrpc":"2.0","id":1,"result":{"completion":{"values":` + values + `,"total":3,"x":1.0},"y":9007199254740993}}`))
		answer := g.FromBackend(out, &relay.Request{ID: []byte("1"), Method: "completion/complete", Tag: v.Tag})
		if answer.Line == nil {
			return string(out.Bytes())
		}
		return string(answer.Line)
	}
	got := ask("file:///srv/{path}", `["public","secret","secret2","%73ecret"]`)
	if got != `{"jsonrpc":"2.0","id":1,"result":{"completion":{"values":["public"],"x":1.0},"y":9007199254740993}}` {
		t.Error(got)
	}
	if got = ask("file:///srv/{path}", `["public","b"]`); !strings.Contains(got, `["public","b"],"total":3`) {
		t.Errorf("nothing is denied: %s", got)
	}
	if got = ask("file:///srv/{+path}{?q}", `["secret/","public"]`); !strings.Contains(got, `["public"]`) {
		t.Errorf("two variables: %s", got)
	}
	if got = ask("file:///srv/{path}", `{"0":"secret"}`); strings.Contains(got, "secret") {
		t.Errorf("what cannot be read: %s", got)
	}
	g.authorizer.policy = fixedPolicy(policyOf(t, "[[rules]]\neffect='allow'\nresources=['orders://public/*']\n"))
	for asked, want := range map[string]string{
		`"argument":{"name":"area"}`: `["public"]`, `"argument":{"name":"id"}`: `["7","public","private"]`,
		`"argument":{"name":"x"}`: `["public"]`, `"x":1`: `["public"]`,
		`"argument":{"name":"id"},"context":{"arguments":{"area":"private"}}`: `[]`, `"argument":{"name":"id"},"context":{"arguments":{"area":"public"}}`: `["7","public","private"]`,
	} {
		argument = asked
		if got = ask("orders://{area}/{id}", `["7","public","private"]`); !strings.Contains(got, want) {
			t.Errorf("%s: %s", asked, got)
		}
	}
}

// What a person is asked to agree to shows each argument, however long the first.
func TestAttackArgumentsBehindALongOne(t *testing.T) {
	m := message(t, callOf("tools/call", `{}`, `,"name":"pay","arguments":{"note":"`+strings.Repeat("x", 5000)+`","to":"mallory","\u202eamount":1000}`))
	text, _ := confirmParams(m, nil)
	shown := string(text)
	for _, want := range []string{`May pay be called with these arguments?\nnote: \"xxx`, `… (5002 bytes in all)\nto: \"mallory\"\n`, `\\u{202E}amount: 1000"`} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in %s", want, shown)
		}
	}
	if len(shown) > 2*maxShown {
		t.Errorf("%d bytes", len(shown))
	}
}

// Clients read a name that stands there twice, escaped or in another letter case in
// different ways: what a rule hides must not be in any of them.
func TestAttackNamesThatClientsReadDifferently(t *testing.T) {
	names := func(name string) []string {
		upper, escaped := strings.ToUpper(name[:1])+name[1:], fmt.Sprintf(`\u%04x`, name[0])+name[1:]
		return []string{upper, strings.ToUpper(name), escaped, name + `\u0000`, name + "\u200b", strings.ReplaceAll(name, "s", "ſ")}
	}
	lists := map[string][3]string{
		"tools/list": {"tools", "name", "delete"}, "prompts/list": {"prompts", "name", "drop"}, "resources/list": {"resources", "uri", "file:///srv/secret"},
		"resources/templates/list": {"resourceTemplates", "uriTemplate", "file:///srv/secret/{x}"},
	}
	for _, text := range []string{noDeleting, "pin='block'\n" + noDeleting, ""} {
		for method, of := range lists {
			g, _, _ := gateWith(t, text)
			hidden := fmt.Sprintf(`{%q:%q,"inputSchema":{"type":"object"}}`, of[1], of[2])
			for _, other := range names(of[0]) {
				if other == of[0] {
					continue
				}
				for _, result := range []string{
					fmt.Sprintf(`{%q:[],"%s":[%s]}`, of[0], other, hidden), fmt.Sprintf(`{"%s":[%s],%q:[]}`, other, hidden, of[0]), fmt.Sprintf(`{"%s":[%s]}`, other, hidden),
				} {
					if shown := answerTo(t, g, method, `{}`, result); strings.Contains(shown, of[2]) {
						t.Errorf("%q: %s shows %s", text, result, shown)
					}
				}
			}
			for _, other := range names(of[1]) {
				if other == of[1] {
					continue
				}
				result := fmt.Sprintf(`{%q:[{%q:"get","%s":%q}]}`, of[0], of[1], other, of[2])
				if shown := answerTo(t, g, method, `{}`, result); strings.Contains(shown, of[2]) {
					t.Errorf("%q: %s shows %s", text, result, shown)
				}
			}
		}
	}
	const asks = `{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}}}`
	g, _, _ := gateWith(t, noSampling)
	for _, result := range []string{
		strings.Replace(asks, `"roots/list"`, `"sampling/createMessage","Method":"roots/list"`, 1), strings.Replace(asks, `"roots/list"`, `"roots/list","METHOD":"sampling/createMessage"`, 1),
		strings.Replace(asks, `"roots/list"`, `"roots/list","method":"sampling/createMessage"`, 1), strings.Replace(asks, `"roots/list"`, `"roots/list","m\u0065thod":"sampling/createMessage"`, 1),
		strings.Replace(asks, `"method"`, `"Method"`, 1), strings.Replace(asks, "roots/list", "sampling/createMessage", 1),
		`{"INPUTREQUESTS":{"a":{"method":"sampling/createMessage"}}}`, `{"InputRequests":{"a":{"method":"sampling/createMessage"}}}`, `{"ｉnputRequests":{"a":{"method":"sampling/createMessage"}}}`,
		`{"inputRequests":{},"inputRequests":{"a":{"method":"sampling/createMessage"}}}`, `{"inputRequests":[{"method":"sampling/createMessage"}]}`, `{"inputRequests":{"a":{},"b":{"method":"roots/list"}}}`,
	} {
		for _, method := range []string{"tools/call", "prompts/get", "tools/list", "vendor/x"} {
			if shown := answerTo(t, g, method, eras["modern"], result); strings.Contains(strings.ToLower(shown), `equests"`) {
				t.Errorf("%s: %s shows %s", method, result, shown)
			}
		}
	}
	if shown := answerTo(t, g, "tools/call", eras["modern"], asks); !strings.Contains(shown, "roots/list") {
		t.Errorf("what may be asked for is not: %s", shown)
	}
	g, _, _ = gateWith(t, "[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\nmethods=['elicitation/*']\n")
	for _, failure := range []string{
		`{"code":-32042,"Code":0,"message":"m"}`, `{"code":0,"CODE":-32042,"message":"m"}`, `{"code":0,"code":-32042,"message":"m"}`, `{"c\u006fde":-32042,"message":"m"}`,
		`{"code":-32042.0,"message":"m"}`, `{"code":-3.2042e4,"message":"m"}`, `{"code":"-32042","message":"m"}`,
	} {
		var scanner relay.Scanner
		out := scanner.Scan([]byte(`{"jsonrpc":"2.0","id":1,"error":` + failure + `}`))
		if v := g.FromBackend(out, &relay.Request{ID: []byte("1"), Method: "tools/call"}); v.Line == nil || strings.Contains(string(v.Line), "32042") {
			t.Errorf("%s passes: %s", failure, v.Line)
		}
	}
}

// What a completion is about has one reading.
func TestAttackCompletionReadInTwoWays(t *testing.T) {
	parser := relay.NewParser(reserved)
	for _, members := range []string{
		`"argument":{"name":"id","Name":"db","value":""}`, `"argument":{"name":"id"},"Argument":{"name":"db"}`, `"argument":{"name":"id","name\u0000":"db"}`, `"argument":{"name":"id","name":"db"}`,
		`"argument":{"n\u0061me":"db"}`, `"argument":{"name":"id","value":"","VALUE":"x"}`, `"context":{},"Context":{"arguments":{"db":"private"}}`,
		`"context":{"arguments":{},"Arguments":{"db":"private"}}`, `"context":{"arguments":{"db":"public","db":"private"}}`, `"context":{"arguments":{"db":"public","DB":"private"}}`,
		`"task":{"ttl":1,"TTL":2}`, `"task":{"ttl":1,"ttl":2}`, `"inputResponses":{"a":{"action":"decline","Action":"accept"}}`, `"inputResponses":{"a":{"action":"decline"},"a":{"action":"accept"}}`,
		`"inputResponses":{"a":{"action":"decline"},"A":{"action":"accept"}}`, `"level":"info","Level":"debug"`, `"meta":{},"Meta":{}`, `"cursor":"1","Cursor":"2"`,
	} {
		line := `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"orders://{db}/{id}"},` + members + `}}`
		if _, refusal := parser.Parse([]byte(line)); refusal == nil {
			t.Errorf("%s has one reading", members)
		}
	}
	line := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","meta":{"io.github.mcpauth/user":{"sub":"mallory"},"a":1}}}`
	m := message(t, line)
	if sent, _ := m.Splice(nil, reserved, relay.Insertion{}); !m.Spoofed() || strings.Contains(string(sent), "mallory") {
		t.Errorf("sent %s", sent)
	}
}

// What a server says it can do has one reading, or the client gets an error.
func TestAttackCapabilitiesOfManyFaces(t *testing.T) {
	const good = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"x":1},"serverInfo":{"name":"s","version":"1"}}`
	faces := map[string]bool{
		good: true, `{"capabilities":null}`: true, `{"capabilities":{"tools":true}}`: true, `{}`: true, `[]`: true,
	}
	for name, value := range map[string]string{
		"capabilities": `{"prompts":{}}`, "tools": `{"x":1}`, "listChanged": `false`, "protocolVersion": `"2026-07-28"`, "serverInfo": `{}`,
	} {
		for _, other := range []string{name, strings.ToUpper(name), fmt.Sprintf(`\u%04x%s`, name[0], name[1:]), name + `\u0000`, "\u200b" + name} {
			faces[strings.Replace(good, `"`+name+`":`, fmt.Sprintf(`"%s":%s,"%s":`, other, value, name), 1)] = false
		}
	}
	for _, method := range []string{"initialize", "server/discover"} {
		for result, want := range faces {
			g, _, _ := gateWith(t, "")
			shown := answerTo(t, g, method, `{}`, result)
			if strings.Contains(shown, `"error":{"code":`) == want {
				t.Errorf("%s: %s becomes %s", method, result, shown)
			}
		}
	}
}

// A task's notification is a door to what a server may not ask for.
func TestAttackInputRequiredByANotification(t *testing.T) {
	const task = `{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"t","status":"input_required",%s}}`
	for asks, want := range map[string]relay.Action{
		`"inputRequests":{"a":{"method":"sampling/createMessage"}}`:                       relay.Drop,
		`"input\u0052equests":{"a":{"method":"sampling/createMessage"}}`:                  relay.Drop,
		`"inputRequests":{},"inputRequests":{"a":{"method":"sampling/createMessage"}}`:    relay.Drop,
		`"inputRequests":{"a":{"method":"roots/list","Method":"sampling/createMessage"}}`: relay.Drop,
		`"inputRequests":{"a":{"method":"roots/list"}},"params":{"b":"\u00e9"}`:           relay.Forward,
		`"statusMessage":"inputRequests"`:                                                 relay.Forward,
	} {
		for text, want := range map[string]relay.Action{noSampling: want, "": relay.Forward} {
			g, _, record := gateWith(t, text)
			var scanner relay.Scanner
			v := g.FromBackend(scanner.Scan(fmt.Appendf(nil, task, asks)), nil)
			if v.Action != want || (want == relay.Drop) != (len(record.records) == 1) {
				t.Errorf("%q: %s: %v, logged %+v", text, asks, v.Action, record.records)
			}
		}
	}
}

// Of an expression with several variables a value that is known fills a part only.
func TestCompletionOfAnExpressionWithSeveralVariables(t *testing.T) {
	g, _, _ := gateWith(t, "[[rules]]\neffect='allow'\n[[rules]]\neffect='deny'\nresources=['orders://private/*']\n")
	for template, want := range map[string]string{"orders://{area}/{id}": `"values":[]`, "orders://{area,kind}/{id}": `"values":["7"]`} {
		m := message(t, callOf("completion/complete", `{}`, fmt.Sprintf(
			`,"ref":{"type":"ref/resource","uri":%q},"argument":{"name":"id","value":""},"context":{"arguments":{"area":"private"}}`, template)))
		v := g.FromClient(m)
		var scanner relay.Scanner
		out := scanner.Scan([]byte(`{"jsonrpc":"2.0","id":1,"result":{"completion":{"values":["7"]}}}`))
		got := string(g.FromBackend(out, &relay.Request{ID: []byte("1"), Method: "completion/complete", Tag: v.Tag}).Line)
		if got == "" {
			got = string(out.Bytes())
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s", template, got)
		}
	}
}
