package tui

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The schemas of public MCP servers, as they answered tools/list (testdata/schemas,
// each with its origin and version; long descriptions are cut).
type corpusTool struct {
	server string
	name   string
	schema *jsonValue
}

func corpus(t testing.TB) []corpusTool {
	t.Helper()
	files, err := filepath.Glob("testdata/schemas/*.jsonl")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var tools []corpusTool
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
			var tool struct {
				Name        string          `json:"name"`
				InputSchema json.RawMessage `json:"inputSchema"`
			}
			if i == 0 {
				continue // origin and version
			}
			if err := json.Unmarshal(line, &tool); err != nil {
				t.Fatalf("%s:%d: %v", file, i+1, err)
			}
			server := strings.TrimSuffix(filepath.Base(file), ".jsonl")
			tools = append(tools, corpusTool{server, tool.Name, mustParse(t, string(tool.InputSchema))})
		}
	}
	return tools
}

// Every tool of the public servers has a form; what a person fills in there is
// valid; and nearly every field has a widget of its own.
func TestPublicServersAreCallable(t *testing.T) {
	type tally struct{ tools, fields, native int }
	servers, total := map[string]*tally{}, tally{}
	for _, tool := range corpus(t) {
		root := planForm(tool.schema)
		v := newValidator(tool.schema)
		if v.schema == nil {
			t.Errorf("%s %s: %s", tool.server, tool.name, v.note)
		}
		for _, some := range []bool{true, false} {
			n := newNode(root, nil)
			fillAsPerson(n, v, some)
			out := n.emit("")
			for _, p := range v.check(out) {
				t.Errorf("%s %s: %s %s\n%s", tool.server, tool.name, p.at, p.text, out.value.compact())
			}
			if err := v.judge("", out.value.plain()); err != nil {
				t.Errorf("%s %s: %v\n%s", tool.server, tool.name, err, out.value.compact())
			}
			again := newNode(root, nil)
			again.fill(out.value)
			if !again.emit("").value.equal(out.value) {
				t.Errorf("%s %s: %s does not come back", tool.server, tool.name, out.value.compact())
			}
		}
		s := servers[tool.server]
		if s == nil {
			s = &tally{}
			servers[tool.server] = s
		}
		s.tools++
		countFields(root, 4, &s.fields, &s.native)
	}
	for name, s := range servers {
		t.Logf("%-26s %3d tools, %4d of %4d fields with a widget of their own", name, s.tools, s.native, s.fields)
		total.tools, total.fields, total.native = total.tools+s.tools, total.fields+s.fields, total.native+s.native
	}
	t.Logf("%-26s %3d tools, %4d of %4d (%d %%)", "all", total.tools, total.native, total.fields, 100*total.native/total.fields)
	if 100*total.native < 95*total.fields {
		t.Errorf("only %d of %d fields have a widget of their own", total.native, total.fields)
	}
}

func countFields(f *spec, depth int, fields, native *int) {
	if depth == 0 {
		return
	}
	for _, kid := range f.members() {
		if f.kind == kindGroup {
			*fields++
			if kid.kind != kindJSON {
				*native++
			}
		}
		countFields(kid, depth-1, fields, native)
	}
}

// fillAsPerson fills a form in: all of it, or only what is required.
func fillAsPerson(n *node, v *validator, onlyRequired bool) {
	f := n.field
	switch f.kind {
	case kindGroup:
		for _, kid := range n.members() {
			if kid.field.required || !onlyRequired && depthOf(n) < 3 {
				fillAsPerson(kid, v, onlyRequired)
			}
		}
	case kindText, kindNumber:
		n.set, n.text = true, sampleFor(f, v)
	case kindChoice:
		n.set, n.picks = true, []int{0}
	case kindMulti:
		n.set, n.picks = true, []int{0}
	case kindList:
		for range max(1, f.minLen) {
			fillAsPerson(n.addRow(""), v, onlyRequired)
		}
	case kindMap:
		fillAsPerson(n.addRow("key"), v, onlyRequired)
	case kindVariant:
		n.set, n.picks = true, []int{0}
		fillAsPerson(n.variant(), v, onlyRequired)
	case kindJSON:
		n.set, n.text = true, sampleFor(f, v)
	}
}

func depthOf(n *node) (depth int) {
	for ; n.up != nil; n = n.up {
		depth++
	}
	return depth
}

// sampleFor is the first of some values that the field's schema takes.
func sampleFor(f *spec, v *validator) string {
	samples := []string{"text", "2026-11-23", "2026-11-23T09:41:00Z", "https://example.com/x", "ada@example.com", "5d41402a-bc4b-4a76-b971-9d911017c592",
		"1", "0", "10", "100", "1.5", "{}", "[]", `[{"a":1}]`, `["a"]`, `{"a":"b"}`, "abcdefghijklmnopqrstuvwxyz", "5d41402abc4b4a76b9719d911017c592", `[{}]`, `[[1]]`, "true", `"x"`,
		"5d41402abc4b2a76b9719d91", "example.com", "127.0.0.1", "10.0.0.0/8", "a_b", "A1", "ABC", "abc123def"}
	for _, sample := range samples {
		n := &node{field: f, set: true, text: sample}
		if out := n.emit(""); out.broken == "" && len(v.check(out)) == 0 {
			return sample
		}
	}
	return "no sample for " + f.typeWords() + " " + f.pattern
}
