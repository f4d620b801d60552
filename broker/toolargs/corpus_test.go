package toolargs

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// corpus are the input schemas of public MCP servers, as they answered tools/list
// (testdata/schemas, each with its origin and version; long descriptions are cut).
func corpus(t testing.TB) map[string]json.RawMessage {
	t.Helper()
	files, err := filepath.Glob("testdata/schemas/*.jsonl")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	tools := map[string]json.RawMessage{}
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
			tools[filepath.Base(file)+" "+tool.Name] = tool.InputSchema
		}
	}
	return tools
}

// Nearly every field of the public servers is filled in without writing JSON, and
// all of their schemas are understood.
func TestFieldsOfPublicServers(t *testing.T) {
	fields, native := 0, 0
	for name, text := range corpus(t) {
		s := Read(text)
		root := s.Root()
		if root.Kind != Group {
			t.Errorf("%s: the root is %s", name, root.Kind)
		}
		countFields(root, 4, &fields, &native)
	}
	t.Logf("%d of %d fields", native, fields)
	if 100*native < 95*fields {
		t.Errorf("only %d of %d fields are more than JSON", native, fields)
	}
}

func countFields(f *Field, depth int, fields, native *int) {
	if depth == 0 {
		return
	}
	for _, kid := range f.Fields() {
		if f.Kind == Group {
			*fields++
			if kid.Kind != JSON {
				*native++
			}
		}
		countFields(kid, depth-1, fields, native)
	}
}

// A library judges whole values; here each problem has a place. Both must agree on
// what is allowed, for all schemas of the corpus.
func TestChecksLikeTheLibrary(t *testing.T) {
	judged, refused := 0, 0
	for name, text := range corpus(t) {
		var schema jsonschema.Schema
		if err := json.Unmarshal(text, &schema); err != nil {
			continue // a draft that the library does not know
		}
		library, err := schema.Resolve(nil)
		if err != nil {
			continue
		}
		s := Read(text)
		for _, v := range samples(s.Root(), 2) {
			var plain any
			if err := json.Unmarshal([]byte(v.Compact()), &plain); err != nil {
				t.Fatal(err)
			}
			judged++
			err := library.Validate(plain)
			problems := s.Check(v)
			fits := true
			for _, p := range problems {
				fits = fits && p.Sort == Format
			}
			if !fits {
				refused++
			}
			if fits != (err == nil) {
				t.Errorf("%s: %s\nlibrary: %v\nhere:    %v", name, v.Compact(), err, problems)
			}
		}
	}
	t.Logf("%d values, %d refused", judged, refused)
	if judged < 5000 || refused < 1000 || refused > judged-1000 {
		t.Errorf("%d values, %d of them refused: that proves little", judged, refused)
	}
}

// samples are values for a field: right ones, and wrong ones.
func samples(f *Field, depth int) []*Value {
	number := func(s string) *Value { return &Value{Kind: '0', Text: s} }
	odd := []*Value{Null, True, String("text"), String(""), String("2026-01-31"), number("0"), number("7"), number("-3"), number("1.5"), number("100000"),
		Object(), {Kind: '['}, {Kind: '[', Items: []*Value{String("a")}}, Object(Member{"a", number("1")})}
	for _, o := range f.Choices {
		odd = append(odd, o.Value)
	}
	if depth == 0 || f.Kind != Group && f.Kind != List {
		return odd
	}
	if f.Kind == List {
		var lists []*Value
		for _, item := range samples(f.Fields()[0], depth-1) {
			lists = append(lists, &Value{Kind: '[', Items: []*Value{item}}, &Value{Kind: '[', Items: []*Value{item, item}})
		}
		return append(lists, odd[0], odd[2], odd[11])
	}
	full := Object()
	for _, kid := range f.Fields() {
		full = full.with(kid.Name, fitting(kid, depth-1))
	}
	all := []*Value{full, Object(), full.with("an unknown name", True)}
	for _, kid := range f.Fields() {
		for _, v := range samples(kid, depth-1) {
			all = append(all, full.with(kid.Name, v))
		}
		all = append(all, full.without(kid.Name))
	}
	return all
}

// fitting is a value that a field may take.
func fitting(f *Field, depth int) *Value {
	for _, v := range samples(f, min(depth, 1)) {
		if (&checker{schema: f.schema}).allOf(f.place, v) {
			return v
		}
	}
	return Null
}

func (c *checker) allOf(p place, v *Value) bool {
	for _, schema := range p {
		if c.check(schema, v, "", 0) != nil {
			return false
		}
	}
	return true
}
