package tui

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/toolargs"
)

// atForm opens the form of a tool with this schema.
func atForm(t *testing.T, schema string) *bench {
	t.Helper()
	b := atTools(t, func(s *fakeServer) { s.tools[0].InputSchema = json.RawMessage(schema) })
	b.press("enter")
	b.until("WILL SEND")
	return b
}

// A field that has to be filled in says so once, quietly; it is wrong only after the
// cursor was there, or when the form is sent.
func TestRequiredIsSaidOnce(t *testing.T) {
	const schema = `{"required":["a","b"],"properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{"type":"string"}}}`
	b := atForm(t, schema)
	for _, size := range sizes {
		b.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		view := b.plain()
		if n := strings.Count(view, "required"); n != 2 { // of a and of b
			t.Errorf("required is said %d times:\n%s", n, view)
		}
		if strings.Contains(view, "!") {
			t.Errorf("a fresh form complains:\n%s", view)
		}
	}
	b.send(tea.WindowSizeMsg{Width: 100, Height: 30})
	b.press("tab")
	b.until("! required", "! a is required", "1 problem")
	b.press("ctrl+s")
	b.until("2 fields to fix; ctrl+s again sends it anyway", "2 problems")

	b = atForm(t, schema)
	b.text("x")
	b.press("backspace")
	b.until("! a is required")
}

// Three states of a field: a value of its own, the default as a value, and not sent.
func TestDefaultIsSentOnRequest(t *testing.T) {
	b := atForm(t, `{"properties":{"limit":{"type":"integer","default":20},"how":{"enum":["csv","json"],"default":"json"},"deep":{"type":"object","default":{"x":1},"properties":{"x":{"type":"integer"}}},"plain":{"type":"string"}}}`)
	b.until("20  (default, not sent)", "ctrl+g default")
	b.press("ctrl+g")
	b.until(`"limit": 20`)
	b.press("tab", "ctrl+g", "tab")
	b.until(`"how": "json"`, "20  (default)")
	b.press("ctrl+g")
	b.until(`"deep": {`, `"x": 1`)
	b.press("tab", "tab")
	b.lacks("ctrl+g") // plain has no default
	b.press("shift+tab", "shift+tab", "shift+tab", "shift+tab", "ctrl+u")
	b.until("20  (default, not sent)")
	b.lacks(`"limit": 20`)
}

// Before a secret is shown, the user gets a warning, and has to press the key again.
func TestSecretsAreShownOnRequest(t *testing.T) {
	const schema = `{"properties":{"apiKey":{"type":"string"},"login":{"type":"object","properties":{"password":{"type":"string"}}},"name":{"type":"string"}}}`
	for _, key := range []string{"ctrl+e", "ctrl+t"} {
		b := atForm(t, schema)
		b.text("s3cret-CANARY")
		b.until("••••")
		b.press(key)
		b.until(key + " again shows in the clear: apiKey")
		b.lacks("CANARY")
		b.press(key)
		b.until("CANARY")
		b.press(key)
		b.untilGone("CANARY")
	}

	b := atForm(t, schema)
	opened := make(chan string, 1)
	b.m.options.Editor = func(file string) Command { opened <- file; return nil }
	b.text("s3cret-CANARY")
	b.press("ctrl+o")
	b.until("ctrl+o again shows in the clear")
	if len(opened) > 0 {
		t.Error("the editor was opened on a secret unasked")
	}

	// A field beside the secret is nobody's secret, and a group that holds one is.
	b = atForm(t, schema)
	b.press("tab", "enter", "tab")
	b.text("s3cret-CANARY")
	b.press("shift+tab", "ctrl+t")
	b.until("again shows in the clear: password")
	b.press("ctrl+t", "tab")
	b.until("JSON ••••")
	b.lacks("CANARY")
	b.text("ada")
	b.press("ctrl+t")
	b.until(`"ada"`)
	b.lacks("CANARY")
}

// A paste is kept to the last byte, where the cursor is, however large or odd it is.
func TestPasteIsKept(t *testing.T) {
	large := strings.Repeat("0123456789abcde\n", 3000)
	for name, pasted := range map[string]string{"large": large, "tabs": "func x() {\n\treturn\n}", "lines": "one\ntwo"} {
		t.Run(name, func(t *testing.T) {
			b := atForm(t, `{"properties":{"body":{"type":"string"}}}`)
			b.text("beforeafter")
			b.press("left", "left", "left", "left", "left")
			b.send(tea.PasteMsg{Content: pasted})
			sent := make(chan string, 1)
			b.serv.call = func(_ context.Context, _ string, arguments json.RawMessage, _ mcpclient.CallOptions) (mcpclient.CallResult, error) {
				sent <- mustParse(t, string(arguments)).Get("body").Text
				return plainText("it came"), nil
			}
			b.press("ctrl+s")
			b.until("it came")
			if got, want := <-sent, "before"+pasted+"after"; got != want {
				t.Errorf("%d bytes became %d: %.60q", len(want), len(got), got)
			}
			b.press("e", "x", "ctrl+s") // a key that is pressed then loses nothing either
			b.untilTrue("the second call", func() bool { return len(sent) > 0 })
			if got := <-sent; !strings.Contains(got, "before"+pasted) {
				t.Errorf("a key changed it to %.60q", got)
			}
		})
	}
}

// The arguments of prompts and templates may have several lines; enter sends them.
func TestPasteIntoArguments(t *testing.T) {
	got := make(chan map[string]string, 1)
	b := newBench(t, withPrompts, func(_ *Options, _ *fakeHome, f *fakeServer) {
		f.prompts = []mcpclient.Prompt{{Name: "review", Access: allow, Arguments: []mcpclient.PromptArgument{{Name: "code"}}}}
		f.prompt = func(_ context.Context, _ string, arguments map[string]string) (mcpclient.PromptResult, error) {
			got <- arguments
			return mcpclient.PromptResult{Raw: json.RawMessage(`{}`), Messages: []mcpclient.PromptMessage{{Role: "user", Content: mcpclient.Content{Type: "text", Text: "x"}}}}, nil
		}
	})
	b.until("[4 Prompts 1]")
	b.press("enter")
	b.until("enter get")
	b.text("<>")
	b.press("left")
	b.send(tea.PasteMsg{Content: "one\r\ntwo"})
	b.until("│ <one", "│ two>")
	b.press("enter")
	b.until("MESSAGES")
	if sent := <-got; sent["code"] != "<one\ntwo>" {
		t.Errorf("the server got %q", sent)
	}
}

func mustParse(t testing.TB, text string) *toolargs.Value {
	t.Helper()
	v, err := toolargs.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
