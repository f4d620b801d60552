package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// calling starts at the tools with a server that answers as the test says, and
// sends a call of the first tool.
func calling(t *testing.T, schema string, call func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error)) (*bench, *json.RawMessage) {
	t.Helper()
	sent := new(json.RawMessage)
	b := newBench(t, func(o *Options, _ *fakeHome, s *fakeServer) {
		o.Tab = "tools"
		s.tools[0].InputSchema = json.RawMessage(schema)
		s.call = func(ctx context.Context, _ string, arguments json.RawMessage, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
			*sent = bytes.Clone(arguments)
			return call(ctx, o)
		}
	})
	b.until("search_orders", "INPUT")
	b.press("enter")
	b.until("WILL SEND")
	return b, sent
}

func plainText(text string) mcpclient.CallResult {
	raw, _ := json.Marshal(map[string]any{"content": []any{map[string]any{"type": "text", "text": text}}})
	return mcpclient.CallResult{Content: []mcpclient.Content{{Type: "text", Text: text}}, Raw: raw, Took: 20 * time.Millisecond}
}

func TestRunningCall(t *testing.T) {
	go1 := make(chan struct{})
	b, _ := calling(t, `{}`, func(ctx context.Context, _ mcpclient.CallOptions) (mcpclient.CallResult, error) {
		select {
		case <-go1:
			return plainText("done"), nil
		case <-ctx.Done():
			return mcpclient.CallResult{}, ctx.Err()
		}
	})
	b.press("ctrl+s")
	b.until("running")
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventProgress, Call: 1, Progress: 21, Total: 50, Message: "page 21 of 50"})
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventProgress, Call: 2, Progress: 49, Total: 50, Message: "of another call"})
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventLog, Level: "info", Message: "wrote 2100 rows"})
	b.until("42 %", "page 21 of 50", "wrote 2100 rows")
	b.lacks("of another call")
	b.golden("running")
	b.press("esc")
	b.until("1 call runs", "runs read")
	close(go1)
	b.until("search_orders: ok", "CALLED  1 time")
	b.press("l")
	b.until("Text", "done")
}

func TestCancelledCall(t *testing.T) {
	cancelled := make(chan struct{})
	b, _ := calling(t, `{}`, func(ctx context.Context, _ mcpclient.CallOptions) (mcpclient.CallResult, error) {
		<-ctx.Done()
		close(cancelled)
		return mcpclient.CallResult{}, ctx.Err()
	})
	b.press("ctrl+s")
	b.until("running")
	b.press("ctrl+c")
	b.until("stopped before it answered")
	<-cancelled
	if b.quit {
		t.Error("cancelling a call left the program")
	}
	b.press("e")
	b.until("WILL SEND")
}

func TestElicitationForm(t *testing.T) {
	answers := make(chan mcpclient.ElicitationAnswer, 1)
	b, _ := calling(t, `{}`, func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
		answers <- o.Ask(ctx, mcpclient.Elicitation{Message: "Overwrite orders.csv?", Schema: json.RawMessage(
			`{"type":"object","required":["overwrite"],"properties":{"overwrite":{"type":"boolean","title":"Overwrite"},"reason":{"type":"string"}}}`)})
		return plainText("written"), nil
	})
	b.press("ctrl+s")
	b.until("The server asks:", "Overwrite orders.csv?")
	b.golden("elicitation")
	b.press("ctrl+s")
	b.until("1 field to fix; ctrl+s again answers anyway")
	b.press("right")
	b.press("ctrl+s")
	b.until("written")
	if a := <-answers; a.Action != "accept" || string(a.Content) != `{"overwrite":true}` {
		t.Errorf("answered %s %s", a.Action, a.Content)
	}
}

// What a question offers as its defaults is answered unless it is changed.
func TestElicitationDefaults(t *testing.T) {
	const schema = `{"type":"object","required":["name"],"properties":{"name":{"type":"string","default":"orders.csv"},"overwrite":{"type":"boolean","default":false},
		"format":{"type":"string","enum":["csv","json"],"default":"json"},"reason":{"type":"string","default":"none"},"rows":{"type":"integer","default":50},"note":{"type":"string"}}}`
	answers := make(chan mcpclient.ElicitationAnswer, 1)
	b, _ := calling(t, `{}`, func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
		answers <- o.Ask(ctx, mcpclient.Elicitation{Message: "How?", Schema: json.RawMessage(schema)})
		return plainText("written"), nil
	})
	b.press("ctrl+s")
	b.until("The server asks:", "(•) json")
	b.press("tab", "tab", "left", "tab", "ctrl+u", "ctrl+s") // another format, and no reason
	b.until("written")
	want := `{"name":"orders.csv","overwrite":false,"format":"csv","rows":50}`
	if a := <-answers; a.Action != "accept" || string(a.Content) != want {
		t.Errorf("answered %s %s, want %s", a.Action, a.Content, want)
	}
}

// A question that is left for later is not forgotten, however narrow the terminal.
func TestElicitationLater(t *testing.T) {
	answers := make(chan mcpclient.ElicitationAnswer, 1)
	b, _ := calling(t, `{}`, func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
		answers <- o.Ask(ctx, mcpclient.Elicitation{Message: "Your name?", Schema: json.RawMessage(`{"type":"object","properties":{"name":{"type":"string"}}}`)})
		return plainText("fine"), nil
	})
	b.press("ctrl+s")
	b.until("The server asks:")
	b.press("esc")
	b.until("? asks read", "? 1 call asks: a answers", "a answer")
	b.lacks("runs")
	b.press("down")
	b.golden("asks")
	b.press("a")
	b.until("The server asks:", "Your name?")
	b.text("Ada")
	b.press("ctrl+s")
	b.until("fine")
	if a := <-answers; string(a.Content) != `{"name":"Ada"}` {
		t.Errorf("answered %s %s", a.Action, a.Content)
	}
}

// A tool that destroys is called when the user says so; a key that is pressed
// once too often does not.
func TestDestructiveToolIsAskedAbout(t *testing.T) {
	calls := make(chan string, 9)
	b := newBench(t, func(o *Options, _ *fakeHome, s *fakeServer) {
		o.Tab = "tools"
		s.tools[0].ReadOnly, s.tools[0].Destructive = false, true
		s.call = func(_ context.Context, tool string, _ json.RawMessage, _ mcpclient.CallOptions) (mcpclient.CallResult, error) {
			calls <- tool
			return plainText("gone"), nil
		}
	})
	b.until("search_orders", "INPUT")
	b.press("enter", "enter", "enter", "enter")
	b.until("Call search_orders?", "It says of itself that it destroys")
	b.press("n")
	b.untilGone("Call search_orders?")
	if len(calls) > 0 {
		t.Fatal("it was called unasked")
	}
	b.press("enter", "y")
	b.until("gone")
	b.press("R")
	b.until("Call search_orders?")
	b.press("y")
	b.untilTrue("a second call", func() bool { return len(calls) == 2 })
}

func TestElicitationDeclined(t *testing.T) {
	answers := make(chan mcpclient.ElicitationAnswer, 1)
	b, _ := calling(t, `{}`, func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
		answers <- o.Ask(ctx, mcpclient.Elicitation{Message: "Your name?", Own: true, Schema: json.RawMessage(`{"type":"object","properties":{"name":{"type":"string"}}}`)})
		return plainText("fine"), nil
	})
	b.press("ctrl+s")
	b.until("mcpauth asks:")
	b.press("ctrl+d")
	b.until("fine")
	if a := <-answers; a.Action != "decline" || a.Content != nil {
		t.Errorf("answered %s %s", a.Action, a.Content)
	}
}

// A page is opened when the user says so, and never before.
func TestElicitationURL(t *testing.T) {
	opened := make(chan string, 1)
	answers := make(chan mcpclient.ElicitationAnswer, 1)
	b, _ := calling(t, `{}`, func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
		answers <- o.Ask(ctx, mcpclient.Elicitation{Message: "Pay first", URL: "https://pay.example.com/x?id=7"})
		return plainText("paid"), nil
	})
	b.m.Browser = func(_ context.Context, address string) error { opened <- address; return nil }
	b.press("ctrl+s")
	b.until("It wants to open a page of  pay.example.com", "https://pay.example.com/x?id=7")
	b.golden("elicitation-url")
	if len(opened) > 0 {
		t.Fatal("opened by itself")
	}
	b.press("o")
	b.until("paid")
	if a, address := <-answers, <-opened; a.Action != "accept" || address != "https://pay.example.com/x?id=7" {
		t.Errorf("answered %s after opening %s", a.Action, address)
	}
}

func TestElicitationOfABadAddress(t *testing.T) {
	b, _ := calling(t, `{}`, func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
		return plainText(o.Ask(ctx, mcpclient.Elicitation{URL: "file:///etc/passwd"}).Action), nil
	})
	b.m.Browser = func(context.Context, string) error { t.Error("opened"); return nil }
	b.press("ctrl+s")
	b.until("it is not opened")
	b.press("o", "d")
	b.until("decline")
}

func TestResults(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 64, 32))); err != nil {
		t.Fatal(err)
	}
	b, _ := calling(t, `{}`, func(context.Context, mcpclient.CallOptions) (mcpclient.CallResult, error) {
		return mcpclient.CallResult{IsError: true, Raw: json.RawMessage(`{"content":[]}`), Content: []mcpclient.Content{
			{Type: "text", Text: "# Title\n\n* one\n* two\n"},
			{Type: "text", Text: `{"a":{"b":[1,2,{"c":null}]},"big":12345678901234567890}`},
			{Type: "image", MIMEType: "image/png", Data: picture.Bytes()},
			{Type: "audio", MIMEType: "audio/wav", Data: []byte("RIFF")},
			{Type: "resource_link", URI: "orders://1", Name: "one"},
			{Type: "resource_link", URI: "orders://2", Name: "two"},
			{Type: "resource", URI: "orders://3.txt", MIMEType: "text/plain", Text: "embedded words"},
			{Type: "hologram", Raw: json.RawMessage(`{"type":"hologram","depth":3}`)},
		}}, nil
	})
	b.press("ctrl+s")
	b.until("the tool failed", "• one", "Text 1", "64×32 png", "2 resources", "hologram")
	b.golden("result-parts")
	b.press("tab", "v")
	b.until("* one", "[text]")
	b.press("tab")
	b.until("12345678901234567890")
	b.press("v")
	b.until(`"big": 12345678901234567890`)
	b.press("tab")
	b.until("64×32 pixels", "w saves it in a file")
	b.press("w")
	b.until("Save as", "search_orders-image.png")
	b.press("esc", "tab", "tab", "down")
	b.until("▸ orders://2")
	b.press("tab")
	b.until("embedded words")
	b.press("tab")
	b.until("depth")
	b.press("tab")
	b.until("result of tools/call")
}

// What is seen first of a result is what a user wants to read.
func TestResultIsReadAtOnce(t *testing.T) {
	text := mcpclient.Content{Type: "text", Text: "all of it in words"}
	for name, test := range map[string]struct {
		structured string
		content    []mcpclient.Content
		want       []string
	}{
		"one string":      {`{"content":"line one\nline two"}`, nil, []string{"line one", "line two"}},
		"a text says it":  {`{"customer":{"id":7},"items":[{"sku":"a"}]}`, []mcpclient.Content{text}, []string{"all of it in words", "Structured"}},
		"no list: a tree": {`{"customer":{"id":7},"items":[{"sku":"a"}]}`, nil, []string{"[tree] json", "▾ items  1 item"}},
		"a list: a table": {`{"items":[{"sku":"a"},{"sku":"b"}],"total":2}`, []mcpclient.Content{text}, []string{"sku", "2 items", "total"}},
		"parts, in a column": {``, []mcpclient.Content{text, {Type: "text", Text: "more words"}, {Type: "resource_link", URI: "orders://1"}},
			[]string{"Text 1", "all of it in words", "Text 2", "more words", "→ orders://1"}},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := calling(t, `{}`, func(context.Context, mcpclient.CallOptions) (mcpclient.CallResult, error) {
				return mcpclient.CallResult{Structured: json.RawMessage(test.structured), Content: test.content, Raw: json.RawMessage(`{}`)}, nil
			})
			b.press("ctrl+s")
			b.until(test.want...)
		})
	}
}

func TestSaveNeverOverwrites(t *testing.T) {
	b, _ := calling(t, `{}`, func(context.Context, mcpclient.CallOptions) (mcpclient.CallResult, error) {
		return plainText("words"), nil
	})
	path := filepath.Join(t.TempDir(), "result.txt")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.press("ctrl+s")
	b.until("words")
	b.press("w")
	b.until("Save as")
	b.press("ctrl+u")
	b.send(tea.PasteMsg{Content: path})
	b.press("enter")
	b.until("is there already")
	if data, _ := os.ReadFile(path); string(data) != "precious" {
		t.Errorf("it holds %q now", data)
	}
}

func TestRunAgainAndEdit(t *testing.T) {
	b, sent := calling(t, `{"properties":{"q":{"type":"string"},"password":{"type":"string"}}}`,
		func(context.Context, mcpclient.CallOptions) (mcpclient.CallResult, error) {
			return plainText("fine"), nil
		})
	b.text("it's")
	b.press("tab")
	b.text("p4ss-CANARY")
	b.press("ctrl+s")
	b.until("fine")
	b.lacks("CANARY")
	copied := make(chan string, 1)
	b.m.options.Copy = func(text string) error { copied <- text; return nil }
	b.press("c")
	b.until("copied the command")
	b.untilTrue("the clipboard", func() bool { return len(copied) > 0 })
	if got := <-copied; got != `mcpauth tools call search_orders 'q=it'\''s'` {
		t.Errorf("copied %s", got)
	}
	*sent = nil
	b.press("R")
	b.until("fine")
	b.untilTrue("the second call", func() bool { return *sent != nil })
	if string(*sent) != `{"q":"it's","password":"p4ss-CANARY"}` {
		t.Errorf("run again sent %s", *sent)
	}
	b.press("e")
	b.until("WILL SEND", "it's", "RECENT")
	b.press("ctrl+u", "ctrl+r")
	b.until("RECENT CALLS")
	b.lacks("CANARY")
	b.press("down", "enter")
	b.until(`"q": "it's"`)
	b.press("tab")
	b.lacks("••••")
}

func TestCallThatIsRefused(t *testing.T) {
	b, _ := calling(t, `{}`, func(context.Context, mcpclient.CallOptions) (mcpclient.CallResult, error) {
		return mcpclient.CallResult{}, &problem.Problem{Msg: "search_orders needs the role finance", Code: problem.ExitDenied, Hints: []string{"mcpauth why search_orders"}}
	})
	b.press("ctrl+s")
	b.until("denied", "needs the role finance", "mcpauth why search_orders")
	b.golden("result-denied")
}

// A tool that the policy denies is called all the same, and without a question: the
// gate denies and logs it.
func TestDeniedToolMeetsTheGate(t *testing.T) {
	b := atTools(t, func(s *fakeServer) {
		s.call = func(_ context.Context, tool string, _ json.RawMessage, _ mcpclient.CallOptions) (mcpclient.CallResult, error) {
			return mcpclient.CallResult{}, &problem.Problem{Msg: "denied by policy: " + tool + " needs the role finance", Code: problem.ExitDenied, Hints: []string{"ask for the role finance"}}
		}
	})
	b.press("/")
	b.text("rfd")
	b.press("enter", "enter", "ctrl+s")
	b.until("refund_order", "denied by policy: refund_order needs the role finance", "ask for the role finance")
}

// What a server sends never reaches the terminal as anything but text.
func TestHostileTextInCalls(t *testing.T) {
	const evil = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[31m\u202Eright\u200b\rto\u0085left\x1bP1$r\x1b\\"
	quoted, _ := json.Marshal(evil)
	q := string(quoted)
	schema := `{"type":"object","title":` + q + `,"properties":{` + q + `:{"type":"string","title":` + q + `,"description":` + q + `,"default":` + q + `},
		"choice":{"enum":[` + q + `,"b"],"description":` + q + `},"v":{"oneOf":[{"title":` + q + `,"type":"object","properties":{"x":{"type":"string"}}},{"type":"number"}]},
		"re":{"type":"string","pattern":` + q + `},"n":{"type":"string","format":` + q + `}},"required":[` + q + `,"choice"]}`
	b, _ := calling(t, schema, func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
		o.Ask(ctx, mcpclient.Elicitation{Message: evil, Schema: json.RawMessage(schema)})
		o.Ask(ctx, mcpclient.Elicitation{Message: evil, URL: "https://e.example/" + evil})
		raw := json.RawMessage(`{` + q + `:[{` + q + `:` + q + `,"n":1}]}`)
		return mcpclient.CallResult{Structured: raw, Raw: raw, Content: []mcpclient.Content{
			{Type: "text", Text: evil}, {Type: "text", Text: "# " + evil + "\n* [" + evil + "](https://" + evil + ")\n* b\n"}, {Type: evil, Raw: raw},
			{Type: "image", MIMEType: evil, Data: []byte(evil)}, {Type: "resource_link", URI: evil, Name: evil}, {Type: "resource", URI: evil, Text: evil, MIMEType: evil}}}, nil
	})
	check := func(where string) {
		t.Helper()
		content := b.m.View().Content
		for _, bad := range []string{"\x1b]", "\x1b[2J", "\u202E", "\u200b", "\r", "\u0085", "\x1bP", "\x07"} {
			if strings.Contains(content, bad) {
				t.Errorf("%s: %q reaches the terminal", where, bad)
			}
		}
	}
	b.send(tea.PasteMsg{Content: evil})
	for range 9 {
		b.press("tab", "right")
		check("form")
	}
	b.press("ctrl+e")
	check("raw")
	b.press("esc", "ctrl+s", "ctrl+s")
	b.until("The server asks:")
	check("elicitation")
	b.press("ctrl+d")
	b.until("https:")
	check("elicitation of a page")
	b.press("d")
	b.until("Structured")
	for range 9 {
		b.settle()
		check("result")
		b.press("v")
		b.settle()
		check("result")
		b.press("tab")
	}
	b.press("esc", "s")
	check("definition")
}

// In a terminal of 80 columns the parts of a result still have their names.
func TestPartsAreNamed(t *testing.T) {
	b := atTools(t)
	b.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	b.press("e", "ctrl+s", "ctrl+s")
	b.until("Structured", "Raw ")
}
