package tui

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/tui/widget"
)

const searchSchema = `{"type":"object","required":["query"],"properties":{
	"query":{"type":"string","description":"words to look for","minLength":2},
	"status":{"type":"string","enum":["open","paid","shipped","cancelled"]},
	"created":{"type":"object","description":"when it was made","properties":{"from":{"type":"string","format":"date"},"to":{"type":"string","format":"date"}}},
	"customers":{"type":"array","maxItems":20,"items":{"type":"string","pattern":"^C-\\d+$"},"description":"customer ids"},
	"sort":{"type":"string","enum":["newest","oldest","total","customer","status","region","carrier"]},
	"limit":{"type":"integer","minimum":1,"maximum":50,"default":20},
	"apiKey":{"type":"string"},
	"extra":{"type":"object"},
	"cursor":{"type":["string","null"],"description":"from the previous answer"}}}`

const searchOutput = `{"type":"object","required":["orders"],"properties":{"orders":{"type":"array","items":{"type":"object","properties":{
	"id":{"type":"string"},"customer":{"type":"string"},"status":{"type":"string"},"total":{"type":"number"},"created":{"type":"string"}}}},"next":{"type":["string","null"]}}}`

const searchAnswer = `{"orders":[{"id":"O-88121","customer":"C-1009","status":"paid","total":42.00,"created":"2026-11-20"},
	{"id":"O-88119","customer":"C-1009","status":"paid","total":17.50,"created":"2026-11-20"},
	{"id":"O-88107","customer":"C-1009","status":"paid","total":180.00,"created":"2026-11-19"}],"next":"eyJvIjo1MH0"}`

// atTools starts at the tools, with a tool that has a form.
func atTools(t *testing.T, change ...func(*fakeServer)) *bench {
	t.Helper()
	b := newBench(t, func(o *Options, _ *fakeHome, s *fakeServer) {
		o.Tab = "tools"
		s.tools[0].InputSchema, s.tools[0].OutputSchema = json.RawMessage(searchSchema), json.RawMessage(searchOutput)
		s.tools[0].Raw = json.RawMessage(`{"name":"search_orders","inputSchema":` + searchSchema + `}`)
		s.call = func(context.Context, string, json.RawMessage, mcpclient.CallOptions) (mcpclient.CallResult, error) {
			return mcpclient.CallResult{Structured: json.RawMessage(searchAnswer), Took: 213 * time.Millisecond,
				Content: []mcpclient.Content{{Type: "text", Text: "# Orders\n\n* **3** were found\n"}, {Type: "resource_link", URI: "orders://today", Name: "today", MIMEType: "text/markdown"}},
				Raw:     json.RawMessage(`{"structuredContent":` + searchAnswer + `}`)}, nil
		}
		for _, c := range change {
			c(s)
		}
	})
	b.until("search_orders", "INPUT")
	return b
}

func TestToolsScreen(t *testing.T) {
	b := atTools(t)
	b.golden("tools")
	b.press("/")
	b.text("rfd")
	b.until("1 of 3", "needs the role finance", "→ ask for the role finance")
	b.golden("tools-denied")
	b.press("enter", "enter")
	b.until("WILL SEND", "✗ denied  rule 7   a call is refused and logged")
	b.press("esc", "esc", "h")
	b.until("2 of 3")
	b.press("h", "home", "s")
	b.until("DEFINITION", `"inputSchema"`)
}

// What decides is not always a rule with a name: it is not put in a sentence, nor cut.
func TestPolicyWords(t *testing.T) {
	b := atTools(t, func(s *fakeServer) {
		s.tools[2].Access = mcpclient.Access{Allowed: true, Effect: "allow", Rule: "no profile: the server is told of no user, whoever that may be"}
	})
	b.press("end")
	b.until("POLICY  allowed  no profile: the server is told of no", "user, whoever that may be")
}

func TestCallForm(t *testing.T) {
	b := atTools(t)
	b.press("enter")
	b.until("WILL SEND", "required")
	b.golden("form-empty")
	b.text("late delivery")
	b.press("tab", "right", "right", "tab", "enter", "tab")
	b.text("2026-11-01")
	b.press("tab")
	b.text("21-11-2026")
	b.until("! must be a date like 2026-01-31", `"status": "paid"`)
	b.press("tab", "enter")
	b.text("C-1009")
	b.until(`"customers": ["C-1009"]`)
	b.press("tab", "tab")
	b.text("tot")
	b.until("▸ ( ) total")
	b.press("enter")
	b.until(`"sort": "total"`)
	b.press("tab", "tab")
	b.text("s3cret-CANARY")
	b.until("••••")
	b.lacks("CANARY")
	b.press("tab")
	b.text(`{"a": 1}`)
	b.press("tab", "ctrl+t")
	b.text("null")
	b.until(`"cursor": null`)
	b.golden("form-filled")
	b.press("ctrl+s")
	b.until("1 field to fix; ctrl+s again sends it anyway")
	b.press("end", "backspace", "backspace", "backspace", "backspace", "backspace", "backspace", "backspace", "backspace", "backspace", "backspace")
	b.text("2026-11-21")
	b.until("✓ valid")
	b.press("ctrl+s")
	b.until("ok", "O-88121", "matches the tool's output schema")
	b.golden("result")
}

func TestFormWidgets(t *testing.T) {
	const schema = `{"type":"object","properties":{
		"headers":{"type":"object","additionalProperties":{"type":"string"}},
		"target":{"oneOf":[{"title":"by id","type":"object","required":["id"],"properties":{"id":{"type":"integer"}}},{"title":"by name","type":"object","properties":{"name":{"type":"string"}}}]},
		"body":{"type":"string"},
		"flags":{"type":"array","items":{"enum":["fast","safe","dry"]}},
		"rows":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}}}}}`
	b := atTools(t, func(s *fakeServer) { s.tools[0].InputSchema = json.RawMessage(schema) })
	b.press("enter")
	b.until("WILL SEND")
	b.press("enter") // an empty line is no value
	b.lacks("!")
	b.text(`{"X-A":1}`)
	b.until("! headers.X-A must be string, not 1", "JSON: an object with members of any name")
	b.press("left", "backspace")
	b.text(`"1"`)
	b.until(`"X-A": "1"`)
	b.press("tab")
	b.text(`5`)
	b.until("JSON: one of several forms", "! must be object, not 5")
	b.press("backspace")
	b.text(`{"id":9007199254740993}`)
	b.until(`"id": 9007199254740993`)
	b.press("tab")
	b.text("one")
	b.press("enter")
	b.text("two")
	b.until(`"body": "one\ntwo"`)
	b.press("tab", "space", "right", "right", "space")
	b.until("[x] fast", "[x] dry", `"flags": ["fast","dry"]`)
	b.press("tab", "enter")
	b.text("first")
	b.press("ctrl+n")
	b.text("second")
	b.press("alt+up")
	b.until(`"a": "second"`)
	b.golden("form-widgets")
	b.press("ctrl+x")
	b.untilGone("second")
	b.press("ctrl+e")
	b.until("all as JSON")
	b.golden("form-raw")
	b.press("ctrl+e")
	b.until("▸ headers")
}

// A text that $EDITOR gives back is never lost, however bad it is.
func TestEditorGivesBack(t *testing.T) {
	b := atTools(t)
	b.press("enter")
	b.until("WILL SEND")
	page := b.m.tabs[1].Screen
	b.run(b.m.deliver(reply{page, widget.Edited{Text: "from\nthe editor\n"}}))
	b.until(`"query": "from\nthe editor"`)
	b.press("ctrl+t")
	b.until("JSON")
	b.run(b.m.deliver(reply{page, widget.Edited{Text: `{"broken":`}}))
	b.until("! no JSON", `{"broken":`)
	b.press("ctrl+s")
	b.until("to fix")
	b.press("ctrl+t")
	b.until("it ends too early")
}

// A terminal spells the ends of pasted lines as carriage returns.
func TestPasteOfSeveralLines(t *testing.T) {
	b := atTools(t)
	b.press("enter")
	b.until("WILL SEND")
	b.send(tea.PasteMsg{Content: "one\rtwo\r\nthree\nfour"})
	b.until(`"query": "one\ntwo\nthree\nfour"`)
}

// The file for the editor is written by the command: the update does not wait for a disk.
func TestEditorFileIsNotWrittenInTheUpdate(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	b := atTools(t)
	b.m.options.Editor = func(file string) Command {
		if data, err := os.ReadFile(file); err != nil || string(data) != "a text" {
			t.Errorf("the editor gets %q, %v", data, err)
		}
		return nil
	}
	files := func() int {
		all, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	cmd := b.m.edit(b.m.tabs[1].Screen, widget.EditText{Text: "a text", Ending: ".txt"})
	if files() != 0 {
		t.Error("the update wrote a file")
	}
	if cmd(); files() != 1 {
		t.Error("the command wrote no file")
	}
}
