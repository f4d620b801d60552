package tui

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/doctor"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/account"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// evil are the parts of texts that a hostile server, provider or client would
// send: sequences that write to the clipboard, the title or the cursor, links,
// reversed and hidden text, and lines that pretend to be ours.
var evil = []string{
	"\x1b]52;c;ZXZpbA==\a", "\x1b]0;title\x1b\\", "\x1b[2J", "\x1b[31m", "\x1b[8m", "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "\x1bP1;2|evil\x1b\\",
	"\x1b_Gi=1\x1b\\", "\x9b2J", "\u009b31m", "\u0090x\u009c", "\r", "\b\b\b", "\a", "\x00", "\x7f", "\u202e", "\u2066", "\u2069", "\u200b", "\u200d", "\ufeff",
	"\u00ad", "\U000e0041", "\u2028", "\u2029", "\xff\xfe", "plain", "漢字", "e\u0301", "🎉", "\n", "\t", "# head\n", "**bold**", "[a](http://b)", "`code`",
	"<script>", "{\"a\":1}", strings.Repeat("x", 200), "%s%d",
}

// sharedSource is a source of chance for the test and for the jobs of its fakes.
type sharedSource struct {
	mu     sync.Mutex
	source rand.Source
}

func (s *sharedSource) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Uint64()
}

func evilText(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(6) {
		b.WriteString(evil[r.IntN(len(evil))])
	}
	return b.String()
}

// hostileTo fills every text that comes from outside.
func hostileTo(r *rand.Rand) func(*Options, *fakeHome, *fakeServer) {
	e := func() string { return evilText(r) }
	raw := func() json.RawMessage {
		data, _ := json.Marshal(map[string]any{e(): e(), "list": []any{e(), 1}})
		return data
	}
	mark := func() mcpclient.Access {
		return mcpclient.Access{Allowed: r.IntN(2) == 0, Effect: []string{"allow", "deny", "step_up"}[r.IntN(3)], Rule: e(), Why: e(), Hints: []string{e()}, Notes: []string{e()}}
	}
	content := func() mcpclient.Content {
		return mcpclient.Content{Type: []string{"text", "resource", "image", e()}[r.IntN(4)], Text: e(), MIMEType: []string{"text/plain", "text/markdown", "application/json", e()}[r.IntN(4)], URI: e(), Name: e()}
	}
	return func(_ *Options, h *fakeHome, f *fakeServer) {
		h.status.User = broker.User{Sub: e(), Email: e(), Name: e(), Groups: []string{e()}, Roles: []string{e()}, Scopes: []string{e()}, Warnings: []string{e()}}
		h.status.ACR, h.status.StoredIn = e(), e()
		resolved := h.resolved["orders-prod"]
		resolved.Name, resolved.Issuer, resolved.Command = e(), e(), []string{e(), e()}
		h.resolved["orders-prod"] = resolved
		h.config.Profiles[e()] = config.Profile{}
		h.clients = []clients.State{{ID: e(), Name: e(), State: clients.SetUp, After: e(), Places: []clients.FileState{{File: e(), Servers: []clients.ServerState{{Name: e(), Proxy: &clients.Proxy{}}}}}}}
		h.findings = []doctor.Finding{{Severity: doctor.Bad, What: e(), Cause: e(), Hints: []string{e(), e()}}, {Severity: doctor.Fine, What: e()}}
		h.shown = config.ShownPolicy{Source: e(), Lines: []string{e(), e()}}
		h.login = func(_ context.Context, o broker.LoginOptions) (broker.User, error) {
			o.UI.Warn(e())
			o.UI.ShowURL(e(), false)
			return broker.User{}, &problem.Problem{Msg: e(), Hints: []string{e()}}
		}
		f.info = mcpclient.ServerInfo{Name: e(), Version: e(), ProtocolVersion: e(), Instructions: e(), Capabilities: json.RawMessage(`{"tools":{},"resources":{},"prompts":{},"completions":{}}`)}
		f.tools, f.resources, f.prompts = nil, nil, nil
		for range 3 {
			f.tools = append(f.tools, mcpclient.Tool{Name: e(), Title: e(), Description: e(), InputSchema: raw(), OutputSchema: raw(), TaskOnly: r.IntN(2) == 0, Access: mark(), Raw: raw()})
			f.resources = append(f.resources, mcpclient.Resource{URI: e(), Name: e(), Title: e(), Description: e(), MIMEType: e(), Access: mark(), Raw: raw()})
			f.resources = append(f.resources, mcpclient.Resource{URITemplate: "x://{a}/" + e(), Name: e(), Access: mark(), Raw: raw()})
			f.prompts = append(f.prompts, mcpclient.Prompt{Name: e(), Title: e(), Description: e(), Access: mark(), Arguments: []mcpclient.PromptArgument{{Name: e(), Description: e()}}, Raw: raw()})
		}
		f.read = func(context.Context, string) (mcpclient.ReadResult, error) {
			if r.IntN(4) == 0 {
				return mcpclient.ReadResult{}, errors.New(e())
			}
			return mcpclient.ReadResult{Contents: []mcpclient.Content{content(), content()}, Raw: raw()}, nil
		}
		f.prompt = func(context.Context, string, map[string]string) (mcpclient.PromptResult, error) {
			return mcpclient.PromptResult{Description: e(), Messages: []mcpclient.PromptMessage{{Role: e(), Content: content()}}, Raw: raw()}, nil
		}
		f.complete = func(mcpclient.CompletionRef, string, string) (mcpclient.Completion, error) {
			return mcpclient.Completion{Values: []string{e(), e()}, HasMore: true}, nil
		}
		f.call = func(context.Context, string, json.RawMessage, mcpclient.CallOptions) (mcpclient.CallResult, error) {
			return mcpclient.CallResult{Content: []mcpclient.Content{content()}, Structured: raw(), Raw: raw(), IsError: r.IntN(2) == 0}, nil
		}
	}
}

// Whatever comes from outside, nothing but colours reaches the terminal: no other
// sequence, no control character, nothing that hides or reverses text. It holds
// for what the screens draw, before the last door looks at it.
func TestHostile(t *testing.T) {
	t.Chdir(t.TempDir()) // its keys may save a file
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		r := rand.New(&sharedSource{source: rand.NewPCG(uint64(round), 7)})
		var folder audit.Folder
		b := newBench(t, hostileTo(r), func(_ *Options, h *fakeHome, _ *fakeServer) { folder = h.audit })
		record := audit.Record{Time: fakeNow, ID: "h1", Event: "call", Client: evilText(r), Method: evilText(r), Name: evilText(r), Reason: evilText(r),
			Email: evilText(r), Server: evilText(r), Profile: evilText(r), Decision: []string{"allow", "deny", evilText(r)}[r.IntN(3)]}
		record.Arguments = append(record.Arguments, argument(evilText(r), 3, evilText(r)))
		auditFile(t, folder, record)
		b.send(tea.WindowSizeMsg{Width: []int{100, 60, 40}[r.IntN(3)], Height: []int{30, 20, 12}[r.IntN(3)]})
		b.send(tea.BackgroundColorMsg{})
		b.untilTrue("all lists", func() bool {
			return b.m.Server != nil && b.m.counted() && b.m.tabs[4].Screen.(settler).Whole()
		})
		b.serv.on(mcpclient.Event{Kind: mcpclient.EventLog, Level: evilText(r), Message: evilText(r)})
		b.serv.on(mcpclient.Event{Kind: mcpclient.EventStderr, Message: evilText(r)})
		b.untilTrue("the log", func() bool { return len(b.m.Log.Lines) >= 3 })
		for range 60 {
			key := hostileKeys[r.IntN(len(hostileKeys))]
			b.press(key)
			if key == "d" && len(b.m.over) > 0 { // it may be the doctor, who is worth waiting for
				if doctor, ok := b.m.top().(*account.Examination); ok {
					b.untilTrue("the doctor", func() bool { return doctor.Busy() == nil })
				}
			}
			if b.quit {
				break
			}
			b.drain()
			checkHarmless(t, b.m.draw())
			if t.Failed() {
				t.Fatalf("round %d", round)
			}
		}
		b.send(tea.PasteMsg{Content: evilText(r)})
		checkHarmless(t, widget.Sanitize(b.m.draw()))
	}
}

// hostileKeys lead everywhere.
var hostileKeys = []string{
	"1", "2", "3", "4", "5", "enter", "enter", "down", "down", "up", "tab", "esc", "esc", "?", ":", "v", "r", "t", "u", "e", "w", "P", "p", "L", "o", "ctrl+n",
	"pgdown", "G", "g", "s", "ctrl+s", "ctrl+e", "h", "y", "c", "Y", "d", "D", "a", "l", "ctrl+l", "ctrl+t", "ctrl+g", "R", "left", "right", "-", "+",
}

// drain takes the messages that are there.
func (b *bench) drain() {
	for {
		select {
		case msg := <-b.msgs:
			b.send(msg)
		default:
			return
		}
	}
}

func checkHarmless(t *testing.T, view string) {
	t.Helper()
	for view != "" {
		view = view[widget.StyleSequence(view):]
		end := widget.NextStyle(view)
		drawn := view[:end]
		if clean := text.CleanText(drawn); clean != drawn || strings.Contains(drawn, "\t") {
			t.Errorf("this is drawn: %q", drawn)
			return
		}
		view = view[end:]
	}
}

// FuzzHarmless: what passes the last door can do nothing, and passes it again.
func FuzzHarmless(f *testing.F) {
	for _, text := range evil {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := widget.Sanitize(text)
		checkHarmless(t, widget.Untab(once))
		if again := widget.Sanitize(once); again != once {
			t.Errorf("%q becomes %q", once, again)
		}
	})
}
