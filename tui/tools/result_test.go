package tools

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// bigResult is an answer of about 5 MB: a table, the same as text, and prose.
func bigResult() mcpclient.CallResult {
	var rows strings.Builder
	for i := range 32000 {
		if i > 0 {
			rows.WriteByte(',')
		}
		fmt.Fprintf(&rows, `{"id":"O-%d","customer":"C-%d","status":"paid","total":%d.50,"note":"late delivery, please call"}`, i, i%977, i)
	}
	structured := json.RawMessage(`{"orders":[` + rows.String() + `]}`)
	prose := strings.Repeat("# Orders\n\nSome **words** about [orders](https://example.com) that go on for a while.\n", 25000)
	raw, _ := json.Marshal(map[string]any{"structuredContent": structured, "content": []any{map[string]any{"type": "text", "text": prose}}})
	return mcpclient.CallResult{Structured: structured, Raw: raw, Content: []mcpclient.Content{{Type: "text", Text: prose}}}
}

// bigPage is a screen with the result of a call of about 5 MB on it.
func bigPage() (*Screen, *callPage) {
	l := widget.NewTheme(func(string) string { return "" })
	s := New(&screen.Session{Terminal: &screen.Terminal{Theme: l, Width: 100, Height: 30, Now: time.Now}}, "")
	c := &call{tool: newToolItem(mcpclient.Tool{Name: "big"}), safe: &toolargs.Value{Kind: '{'}, now: s.Now, done: true, result: readResult(bigResult(), nil)}
	page := newCallPage(s, c)
	s.calls, s.page = []*call{c}, page
	return s, page
}

// BenchmarkKeyOnBigResult is one key press and the view after it, with a result of
// 5 MB on the screen: what the user waits for.
func BenchmarkKeyOnBigResult(b *testing.B) {
	for _, part := range []string{"table", "tree", "text", "raw"} {
		b.Run(part, func(b *testing.B) {
			s, page := bigPage()
			press := func(key string) {
				if bound, ok := widget.Bound(s.Keys(), key); ok {
					bound.Act()
				}
			}
			page.at = map[string]int{"text": 1, "raw": 2}[part]
			if part == "tree" {
				page.part().Mode = slices.Index(page.part().Modes, "tree")
				for _, key := range []string{"right", "end", "enter", "+"} {
					press(key)
				}
			}
			if job, ok := page.ready().(*widget.Job); ok && job != nil { // as the model does
				s.Update(job.Do(b.Context(), nil))
			}
			b.ResetTimer()
			for i := range b.N {
				press([]string{"down", "pgdown", "up", "pgup"}[i%4])
				_ = s.View(100, 24)
			}
		})
	}
}

// BenchmarkPrepareBigResult is what is done with a result of 5 MB before it is
// shown, aside from the update loop.
func BenchmarkPrepareBigResult(b *testing.B) {
	answer := bigResult()
	l := widget.NewTheme(func(string) string { return "" })
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(answer.Raw)))
		for range b.N {
			readResult(answer, nil)
		}
	})
	r := readResult(answer, nil)
	for i, mode := range []string{"table", "markdown", "json"} {
		b.Run(mode, func(b *testing.B) {
			for range b.N {
				r.parts[i].Draw(mode, 66, l)
			}
		})
	}
}

// What is shown of a big result is bounded, says so, and can be saved as a whole.
func TestBigResultIsCut(t *testing.T) {
	answer := bigResult()
	r := readResult(answer, nil)
	l := widget.NewTheme(func(string) string { return "" })
	for _, p := range r.parts {
		for _, mode := range p.Modes {
			lines := p.Draw(mode, 80, l)
			size := 0
			for _, line := range lines {
				size += len(line)
			}
			if len(lines) > 2*widget.MaxShownLines+10 || size > 8*widget.MaxShownBytes {
				t.Errorf("%s as %s: %d lines, %d bytes", p.Title, mode, len(lines), size)
			}
			if !strings.Contains(strings.Join(lines, "\n"), "w saves all of it") {
				t.Errorf("%s as %s does not say that it is cut", p.Title, mode)
			}
		}
	}
	if string(r.parts[0].Data) != string(answer.Structured) || string(r.parts[2].Data) != string(answer.Raw) {
		t.Error("what is saved is not what came")
	}
}
