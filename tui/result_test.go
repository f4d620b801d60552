package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// bigResult is an answer of about 5 MB: a table, the same as text, and prose.
func bigResult() broker.CallResult {
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
	return broker.CallResult{Structured: structured, Raw: raw, Content: []broker.Content{{Type: "text", Text: prose}}}
}

// bigPage is the model with the result of a call of about 5 MB on its screen.
func bigPage(t testing.TB) *model {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	m := newModel(ctx, Options{Environ: []string{"LANG=C.UTF-8", "TERM=xterm-256color"}})
	m.Update(tea.WindowSizeMsg{Width: 100, Height: 30})
	m.goTo("tools")
	s := m.tabs[m.at].screen.(*toolsScreen)
	c := &call{tool: newToolItem(broker.Tool{Name: "big"}), safe: &jsonValue{kind: '{'}, now: s.now, done: true, result: readResult(bigResult(), nil)}
	s.calls, s.page = []*call{c}, newCallPage(s, c)
	return m
}

// draw does what the jobs of a page would.
func draw(m *model) {
	page := m.tabs[m.at].screen.(*toolsScreen).page.(*callPage)
	if job, ok := page.ready().(*job); ok && job != nil {
		m.tabs[m.at].screen.update(job.do(m.ctx, nil))
	}
}

// BenchmarkKeyOnBigResult is one key press and the view after it, with a result of
// 5 MB on the screen: what a person waits for.
func BenchmarkKeyOnBigResult(b *testing.B) {
	for _, part := range []string{"table", "tree", "text", "raw"} {
		b.Run(part, func(b *testing.B) {
			m := bigPage(b)
			page := m.tabs[m.at].screen.(*toolsScreen).page.(*callPage)
			page.at = map[string]int{"text": 1, "raw": 2}[part]
			if part == "tree" {
				page.part().mode = slices.Index(page.part().modes, "tree")
				page.part().tree.pressing("right", "end", "enter", "+")
			}
			draw(m)
			b.ResetTimer()
			for i := range b.N {
				m.Update(keyPress([]string{"down", "pgdown", "up", "pgup"}[i%4]))
				_ = m.View()
			}
		})
	}
}

// BenchmarkPrepareBigResult is what is done with a result of 5 MB before it is
// shown, aside from the update loop.
func BenchmarkPrepareBigResult(b *testing.B) {
	answer := bigResult()
	l := newLook(func(string) string { return "" })
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
				r.parts[i].draw(mode, 66, l)
			}
		})
	}
}

// In a terminal of 80 columns the parts of a result still have their names.
func TestPartsAreNamed(t *testing.T) {
	b := atTools(t)
	b.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	b.press("e", "ctrl+s", "ctrl+s")
	b.until("Structured", "Raw ")
}

// What is shown of a big result is bounded, says so, and can be saved as a whole.
func TestBigResultIsCut(t *testing.T) {
	answer := bigResult()
	r := readResult(answer, nil)
	l := newLook(func(string) string { return "" })
	for _, p := range r.parts {
		for _, mode := range p.modes {
			lines := p.draw(mode, 80, l)
			size := 0
			for _, line := range lines {
				size += len(line)
			}
			if len(lines) > 2*maxShownLines+10 || size > 8*maxShownBytes {
				t.Errorf("%s as %s: %d lines, %d bytes", p.title, mode, len(lines), size)
			}
			if !strings.Contains(strings.Join(lines, "\n"), "w saves all of it") {
				t.Errorf("%s as %s does not say that it is cut", p.title, mode)
			}
		}
	}
	if string(r.parts[0].data) != string(answer.Structured) || string(r.parts[2].data) != string(answer.Raw) {
		t.Error("what is saved is not what came")
	}
}

// Whatever keys are pressed, what a form would send is JSON, and the view stays in
// its bounds.
func TestFormUnderRandomKeys(t *testing.T) {
	keys := []string{"tab", "shift+tab", "up", "down", "left", "right", "enter", "space", "backspace", "ctrl+u", "ctrl+e", "ctrl+t", "ctrl+n", "ctrl+x",
		"alt+up", "alt+down", "alt+enter", "pgdown", "esc", "a", "1", "\"", "{", "}", "-", "."}
	l := newLook(func(string) string { return "" })
	tools := corpus(t)
	for seed := range 25 {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		tool := tools[random.IntN(len(tools))]
		f := newForm(l, []byte(tool.schema.compact()))
		for range 100 {
			key := keys[random.IntN(len(keys))]
			if b, ok := bound(f.keys(), key); ok {
				b.act()
			} else {
				f.update(keyPress(key))
			}
			if v, err := parseJSON([]byte(f.value().compact())); err != nil || !v.equal(f.value()) {
				t.Fatalf("seed %d, %s: %s does not parse: %v", seed, tool.name, f.value().compact(), err)
			}
			if again := newNode(f.root.field, nil); true {
				again.fill(f.value())
				if !again.emit("").value.equal(f.value()) {
					t.Fatalf("seed %d, %s: %s does not come back", seed, tool.name, f.value().compact())
				}
			}
		}
		for _, width := range []int{100, 40, 20} {
			if lines := f.view(width, 10); len(lines) > 10+2 {
				t.Errorf("seed %d, %s: %d lines", seed, tool.name, len(lines))
			}
		}
	}
}
