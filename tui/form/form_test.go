package form

import (
	"math/rand/v2"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/toolargs"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// Whatever the schema, a value that is loaded goes out as it came in.
func FuzzFormRoundTrip(f *testing.F) {
	for _, schema := range roundTripSchemas {
		for _, value := range []string{`{}`, `{"a":null}`, `{"a":""}`, `{"a":"x","z":[1.0,1e400,123456789012345678901234567890]}`, `{"z":1,"a":{"kind":"dog","more":true}}`,
			`{"a":[{"b":1},{"b":"\u200b\t"},{}]}`, `{"a":{"k":"v","~/":"w"},"b":{"a":{"b":{}}}}`, `[]`, `"x"`, `{"a":[1,1,"y"],"c":false}`} {
			f.Add(schema, value)
		}
	}
	f.Fuzz(func(t *testing.T, schema, value string) {
		if _, err := toolargs.Parse([]byte(schema)); err != nil {
			return
		}
		v, err := toolargs.Parse([]byte(value))
		if err != nil {
			return
		}
		n := newNode(toolargs.Read([]byte(schema)).Root(), nil)
		n.fill(v)
		out := n.emit().value
		if !out.Equal(v) {
			t.Fatalf("schema %s\nin  %s\nout %s", schema, v.Compact(), out.Compact())
		}
		again, err := toolargs.Parse([]byte(out.Compact()))
		if err != nil || !again.Equal(v) {
			t.Fatalf("%s does not parse to the same: %v", out.Compact(), err)
		}
		if indented, err := toolargs.Parse([]byte(out.Indented())); err != nil || !indented.Equal(v) {
			t.Fatalf("%s does not parse to the same: %v", out.Indented(), err)
		}
	})
}

var roundTripSchemas = []string{
	`{}`, `true`,
	`{"type":"object","required":["a"],"properties":{"a":{"type":"string","default":"d"},"b":{"type":["integer","null"]},"c":{"type":"boolean"}}}`,
	`{"properties":{"a":{"anyOf":[{"type":"object","properties":{"kind":{"const":"cat"}},"required":["kind"]},{"type":"object","properties":{"kind":{"const":"dog"},"age":{"type":"number"}}},{"type":"array","items":{"type":"number"}},{"type":"null"}]}}}`,
	`{"properties":{"a":{"type":"array","items":{"type":"object","required":["b"],"properties":{"b":{"enum":[1,"1",null]},"c":{"const":1}}}},"b":{"$ref":"#"}}}`,
	`{"properties":{"a":{"type":"object","additionalProperties":{"type":"string"}},"c":{"enum":[true]}},"required":["a","c"]}`,
	`{"properties":{"a":{"type":"array","items":{"enum":[1,2,"y"]}},"b":{"allOf":[{"type":"object","properties":{"a":{"type":"number"}}},{"properties":{"b":{}}}]}}}`,
}

// An untouched form sends nothing but what has to be there.
func TestUntouchedForm(t *testing.T) {
	for _, test := range []struct{ schema, want string }{
		{`{"properties":{"a":{"type":"string"},"b":{"type":"boolean","default":true}}}`, `{}`},
		{`{"required":["a"],"properties":{"a":{"type":"string"}}}`, `{}`},
		{`{"required":["a","g"],"properties":{"a":{"const":"x"},"g":{"type":"object","properties":{"b":{"type":"string"}}},"o":{"type":"object","required":["k"],"properties":{"k":{"const":1}}}}}`, `{"a":"x","g":{}}`},
		{`{"required":["n"],"properties":{"n":{"type":"integer","default":20}}}`, `{"n":20}`},
	} {
		if got := New(widget.NewTheme(func(string) string { return "" }), toolargs.Read([]byte(test.schema))).Value().Compact(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.schema, got, test.want)
		}
	}
}

// Whatever keys are pressed, what a form would send is JSON, and the view stays in
// its bounds.
func TestFormUnderRandomKeys(t *testing.T) {
	keys := []string{"tab", "shift+tab", "up", "down", "left", "right", "enter", "space", "backspace", "ctrl+u", "ctrl+e", "ctrl+t", "ctrl+n", "ctrl+x",
		"alt+up", "alt+down", "alt+enter", "pgdown", "esc", "a", "1", "\"", "{", "}", "-", "."}
	l := widget.NewTheme(func(string) string { return "" })
	tools := corpus(t)
	for seed := range 25 {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		tool := tools[random.IntN(len(tools))]
		f := New(l, tool.schema)
		for range 100 {
			key := keys[random.IntN(len(keys))]
			if b, ok := widget.Bound(f.Keys(), key); ok {
				b.Act()
			} else {
				f.Update(pressed(key))
			}
			if v, err := toolargs.Parse([]byte(f.Value().Compact())); err != nil || !v.Equal(f.Value()) {
				t.Fatalf("seed %d, %s: %s does not parse: %v", seed, tool.name, f.Value().Compact(), err)
			}
			if again := newNode(f.root.field, nil); true {
				again.fill(f.Value())
				if !again.emit().value.Equal(f.Value()) {
					t.Fatalf("seed %d, %s: %s does not come back", seed, tool.name, f.Value().Compact())
				}
			}
		}
		for _, width := range []int{100, 40, 20} {
			if lines := f.View(width, 10); len(lines) > 10+2 {
				t.Errorf("seed %d, %s: %d lines", seed, tool.name, len(lines))
			}
		}
	}
}

// pressed is a key without a binding: a letter, or one that moves in a text.
func pressed(key string) tea.KeyPressMsg {
	named := map[string]rune{"left": tea.KeyLeft, "right": tea.KeyRight, "up": tea.KeyUp, "down": tea.KeyDown, "backspace": tea.KeyBackspace, "enter": tea.KeyEnter}
	if code, ok := named[key]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if len(key) > 1 {
		return tea.KeyPressMsg{}
	}
	return tea.KeyPressMsg{Code: rune(key[0]), Text: key}
}

// What cannot be edited in place as JSON goes to $EDITOR, and nothing of it is lost.
func TestPasteIntoJSON(t *testing.T) {
	f := New(plainTheme(), toolargs.Read([]byte(`{"properties":{"body":{"type":"string"}}}`)))
	f.ToggleJSON()
	f.raw.set("")
	body := strings.Repeat("x", 40<<10)
	f.Update(tea.PasteMsg{Content: "{\n\t\"body\": \"" + body + "\"\n}"})
	if view := ansi.Strip(strings.Join(f.View(80, 10), "\n")); !strings.Contains(view, "is edited with ctrl+o") || !strings.Contains(view, "✓ JSON") {
		t.Error(view)
	}
	if f.ToggleJSON(); f.Value().Get("body").Text != body {
		t.Error("the text was changed")
	}
	f.raw = newRawJSON(f.theme, "{}")
	f.Update(tea.PasteMsg{Content: "\t"})
	if text := f.raw.text(); text != "    {}" {
		t.Errorf("a tab among the JSON makes %q of it", text)
	}
}

func plainTheme() *widget.Theme { return widget.NewTheme(func(string) string { return "" }) }

// The default of a choice is seen, be the cursor there or not.
func TestDefaultsOfChoices(t *testing.T) {
	f := New(plainTheme(), toolargs.Read([]byte(`{"properties":{"first":{"type":"string"},"sure":{"type":"boolean","default":true},"how":{"enum":["csv","json"],"default":"json"},
		"flags":{"type":"array","items":{"enum":["fast","dry"]},"default":["dry"]}}}`)))
	for _, width := range []int{40, 60, 100} {
		for at := range f.rows {
			f.goTo(at)
			text := ansi.Strip(strings.Join(f.View(width, 40), "\n"))
			for i, want := range []string{"", "true", "json", `["dry"]`} {
				row := ansi.Strip(strings.Join(f.drawRow(f.rows[i], i == at, width, 40), "\n"))
				if !strings.Contains(row, want) || want != "" && !strings.Contains(row, "default") {
					t.Errorf("%d columns: the default %s is hidden:\n%s", width, want, text)
				}
			}
		}
	}
}
