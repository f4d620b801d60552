package form

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcpauth/mcpauth/broker/toolargs"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// The schemas of public MCP servers, as they answered tools/list
// (broker/toolargs/testdata/schemas, each with its origin and version).
type corpusTool struct {
	name   string
	schema *toolargs.Schema
}

func corpus(t testing.TB) []corpusTool {
	t.Helper()
	files, err := filepath.Glob("../../broker/toolargs/testdata/schemas/*.jsonl")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var tools []corpusTool
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n"))[1:] { // the first has origin and version
			var tool struct {
				Name        string
				InputSchema json.RawMessage
			}
			if err := json.Unmarshal(line, &tool); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			tools = append(tools, corpusTool{filepath.Base(file) + " " + tool.Name, toolargs.Read(tool.InputSchema)})
		}
	}
	return tools
}

// Every tool of the public servers has a form; what is filled in there is valid, and
// comes back as it was.
func TestPublicServersAreCallable(t *testing.T) {
	tools := corpus(t)
	if len(tools) < 500 {
		t.Errorf("%d tools", len(tools))
	}
	for _, tool := range tools {
		for _, onlyRequired := range []bool{true, false} {
			f := New(widget.NewTheme(func(string) string { return "" }), tool.schema)
			fillAsUser(f, f.root, onlyRequired)
			f.changed()
			for _, p := range f.problems {
				t.Errorf("%s: %s\n%s", tool.name, p.sentence(), f.Value().Compact())
			}
			again := newNode(tool.schema.Root(), nil)
			again.fill(f.Value())
			if !again.emit().value.Equal(f.Value()) {
				t.Errorf("%s: %s does not come back", tool.name, f.Value().Compact())
			}
		}
	}
}

// fillAsUser fills a form in: all of it, or only what is required.
func fillAsUser(form *Form, n *node, onlyRequired bool) {
	switch f := n.field; f.Kind {
	case toolargs.Group:
		for _, kid := range n.members() {
			if kid.field.Required || !onlyRequired && depthOf(n) < 3 {
				fillAsUser(form, kid, onlyRequired)
			}
		}
	case toolargs.Choice, toolargs.Choices:
		n.take(0)
	case toolargs.List:
		fillAsUser(form, n.addRow(), onlyRequired)
	default:
		for _, sample := range samples {
			n.set, n.text = true, sample
			if form.changed(); !hasProblem(form, n) {
				return
			}
		}
	}
}

// hasProblem reports whether a node or something inside it is wrong, or its owner by
// its number of items.
func hasProblem(f *Form, n *node) bool {
	for _, p := range f.problems {
		for up := p.node; up != nil; up = up.up {
			if up == n {
				return true
			}
		}
	}
	return false
}

func depthOf(n *node) (depth int) {
	for ; n.up != nil; n = n.up {
		depth++
	}
	return depth
}

var samples = []string{"text", "2026-11-23", "2026-11-23T09:41:00Z", "https://example.com/x", "ada@example.com", "5d41402a-bc4b-4a76-b971-9d911017c592",
	"1", "0", "10", "100", "1.5", "{}", "[]", `[{"a":1}]`, `["a"]`, `{"a":"b"}`, "abcdefghijklmnopqrstuvwxyz", "5d41402abc4b4a76b9719d911017c592", `[{}]`, `[[1]]`, "true", `"x"`,
	"5d41402abc4b2a76b9719d91", "example.com", "127.0.0.1", "10.0.0.0/8", "a_b", "A1", "ABC", "abc123def",
	`[{"type":"text","text":{"content":"x"}}]`, `{"type":"page_id","page_id":"5d41402abc4b4a76b9719d911017c592"}`}
