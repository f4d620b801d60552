package broker

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
	g.doors.policy = fixedPolicy(policyOf(t, "[[rules]]\neffect='allow'\nresources=['orders://public/*']\n"))
	for asked, want := range map[string]string{
		`"argument":{"name":"area"}`: `["public"]`, `"argument":{"name":"id"}`: `["7","public","private"]`,
		`"argument":{"name":"id"},"argument":{"name":"area"}`: `["public"]`, `"argument":{"name":"x"}`: `["public"]`, `"x":1`: `["public"]`,
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
	shown := string(confirmParams(m))
	for _, want := range []string{`May pay be called with these arguments?\nnote: \"xxx`, `… (5002 bytes in all)\nto: \"mallory\"\n`, `\\u{202E}amount: 1000"`} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in %s", want, shown)
		}
	}
	if len(shown) > 2*maxShown {
		t.Errorf("%d bytes", len(shown))
	}
}
