package relay

import (
	"fmt"
	"strings"
	"testing"
)

func TestFilter(t *testing.T) {
	tests := []struct{ name, result, want string }{
		{"first", `{"tools":[{"name":"no"},{"name":"a"}]}`, `{"tools":[{"name":"a"}]}`},
		{"last", `{"tools":[{"name":"a"} , {"name":"no"}]}`, `{"tools":[{"name":"a"}]}`},
		{"all", `{"tools":[ {"name":"no"},{"name":"no"} ],"nextCursor":"2"}`, `{"tools":[ ],"nextCursor":"2"}`},
		{"middle", `{"tools":[{"name":"a"},{"name":"no"},{"name":"no"},{"x":1,"name":"b"}]}`, `{"tools":[{"name":"a"},{"x":1,"name":"b"}]}`},
		{"escaped", `{"tools":[{"n\u0061me":"\u006eo"},{"name":"a"}]}`, `{"tools":[{"name":"a"}]}`},
		{"two names", `{"tools":[{"name":"a","name":"b"},{"name":"a"}]}`, `{"tools":[{"name":"a"}]}`},
		{"two names, one a number", `{"tools":[{"name":1,"name":"b"},{"name":"b","name":1}]}`, `{"tools":[]}`},
		{"no name", `{"tools":[{"title":"x"},1,null,{"name":"a"}]}`, `{"tools":[{"name":"a"}]}`},
		{"two names, one in another case", `{"tools":[{"name":"a","Name":"no"},{"naMe":"no","name":"a"},{"name":"a"}]}`, `{"tools":[{"name":"a"}]}`},
		{"two names, one escaped", `{"tools":[{"name":"a","n\u0061me":"no"},{"name":"a"}]}`, `{"tools":[{"name":"a"}]}`},
		{"a name that is not UTF-8", "{\"tools\":[{\"name\":\"n\xffo\"},{\"name\":\"a\"}]}", `{"tools":[{"name":"a"}]}`},
		{"shared cache", `{"cacheScope":"public","tools":[{"name":"a"}]}`, `{"cacheScope":"private","tools":[{"name":"a"}]}`},
		{"kept", `{"tools":[{"name":"a"}],"cacheScope":"private"}`, ""},
		{"other", `{"resources":[{"name":"no"}]}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			const head = `{"id":1,"result":`
			var s Scanner
			out := s.Scan([]byte(head + test.result + `,"jsonrpc":"2.0"}`))
			line, ok := out.Filter(ListFilter{Member: "tools", Name: "name", Private: true, Keep: func(name string, element []byte) bool {
				if element[0] != '{' {
					t.Errorf("element %s", element)
				}
				return name != "no"
			}})
			want := test.want
			if want != "" {
				want = head + want + `,"jsonrpc":"2.0"}`
			}
			if !ok || string(line) != want {
				t.Errorf("%v\n got %s\nwant %s", ok, line, want)
			}
		})
	}
}

func TestFilterAddsCacheScope(t *testing.T) {
	for result, want := range map[string]string{
		`{"tools":[]}`:                       `{"cacheScope":"private","tools":[]}`,
		`{}`:                                 `{"cacheScope":"private"}`,
		`{"tools":[],"cacheScope":"public"}`: `{"tools":[],"cacheScope":"private"}`,
	} {
		var s Scanner
		line, ok := s.Scan([]byte(`{"id":1,"result":` + result + `}`)).Filter(ListFilter{Member: "tools", Name: "name", Private: true, Add: true})
		if !ok || string(line) != `{"id":1,"result":`+want+`}` {
			t.Errorf("%s: %s", result, line)
		}
	}
	var s Scanner
	if _, ok := s.Scan([]byte(`{"id":1,"result":[{"name":"no"}]}`)).Filter(ListFilter{Member: "tools", Name: "name"}); ok {
		t.Error("a result that is no object counts as filtered")
	}
}

// A client that folds letters, or takes the last of two, would show the other list.
func TestAttackListsWithTwoReadings(t *testing.T) {
	for _, second := range []string{"tools", "Tools", "TOOLS", `tool\u0073`, "toolſ", `tools\u0000`, "ｔｏｏｌｓ", "tools\xff", `tools\ud800`} {
		for _, form := range []string{`{"tools":[],"%s":[{"name":"no"}]}`, `{"%s":[{"name":"no"}],"tools":[]}`} {
			var s Scanner
			out := s.Scan([]byte(`{"id":1,"result":` + fmt.Sprintf(form, second) + `}`))
			if line, ok := out.Filter(ListFilter{Member: "tools", Name: "name", Keep: func(string, []byte) bool { return false }}); ok {
				t.Errorf("%q passes as %s", second, line)
			}
		}
	}
	var s Scanner
	out := s.Scan([]byte(`{"id":1,"result":{"tools":[],"cacheScope":"private","CacheScope":"public"}}`))
	if line, ok := out.Filter(ListFilter{Member: "tools", Name: "name", Private: true}); ok {
		t.Errorf("two scopes pass as %s", line)
	}
}

func TestDoors(t *testing.T) {
	m, refusal := NewParser(Reserved{}).Parse([]byte(`{"jsonrpc":"2.0","id":1,"method":"x","params":{"taskId":"t\u0031","ref":{"type":"ref/prompt","name":"p","uri":"u"}}}`))
	if refusal != nil {
		t.Fatal(refusal)
	}
	kind, name, uri := m.Ref()
	if kind != "ref/prompt" || name != "p" || uri != "u" || m.TaskID() != "t1" {
		t.Errorf("%q %q %q %q", kind, name, uri, m.TaskID())
	}
}

func BenchmarkFilter310Tools(b *testing.B) {
	var list []string
	for i := range 310 {
		list = append(list, fmt.Sprintf(`{"name":"tool_%d","description":"%s","inputSchema":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}}}}`, i, strings.Repeat("words ", 40)))
	}
	line := []byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[` + strings.Join(list, ",") + `]}}`)
	var s Scanner
	b.Run("hide", func(b *testing.B) {
		for b.Loop() {
			s.Scan(line).HideArgument("_oauth_user")
		}
	})
	b.Run("filter", func(b *testing.B) {
		for b.Loop() {
			s.Scan(line).Filter(ListFilter{Member: "tools", Name: "name", Private: true, Keep: func(name string, _ []byte) bool { return name != "tool_7" }})
		}
	})
}
