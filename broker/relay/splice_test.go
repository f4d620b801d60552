package relay

import (
	"bytes"
	"testing"
)

func parsed(t testing.TB, text string) *Message {
	t.Helper()
	m, refusal := NewParser(testReserved).Parse([]byte(text))
	if refusal != nil || m == nil {
		t.Fatalf("%s is refused: %v", text, refusal)
	}
	return m
}

// What the proxy adds and removes is all that changes: spaces, order, numbers
// and escapes stay as the client spelled them.
func TestSplice(t *testing.T) {
	both := Insertion{Meta: []byte(`"M"`), Argument: []byte(`"A"`)}
	tests := map[string]struct {
		add      Insertion
		in, want string
	}{
		"nothing to do": {
			Insertion{},
			`{ "method" : "tools/call", "params" : {"name":"a","arguments":{"n":1.0,"big":12345678901234567890}},"jsonrpc":"2.0","id":9007199254740993 }`,
			`{ "method" : "tools/call", "params" : {"name":"a","arguments":{"n":1.0,"big":12345678901234567890}},"jsonrpc":"2.0","id":9007199254740993 }`,
		},
		"into what is there": {
			both,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1e2},"_meta":{"progressToken":5}}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"_oauth_user":"A","x":1e2},"_meta":{"io.github.mcpauth/user":"M","progressToken":5}}}`,
		},
		"into empty objects": {
			both,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{ },"arguments":{},"name":"a"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.github.mcpauth/user":"M" },"arguments":{"_oauth_user":"A"},"name":"a"}}`,
		},
		"with new objects": {
			both,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.github.mcpauth/user":"M"},"arguments":{"_oauth_user":"A"},"name":"a"}}`,
		},
		"in place of null": {
			both,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":null,"_meta":null}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"_oauth_user":"A"},"_meta":{"io.github.mcpauth/user":"M"}}}`,
		},
		"in place of forgeries": {
			both,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_oauth_user":0, "name":"a","arguments":{"_oauth_user":1, "x":2},"_meta":{"k":1,"io.github.mcpauth/user":3 , "l":2}}}`,
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"_oauth_user":"A","x":2},"_meta":{"io.github.mcpauth/user":"M","k":1 , "l":2}}}`,
		},
		"forgeries only, next to each other": {
			Insertion{},
			`{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"arguments":{"_oauth_user":1,"_OAUTH_USER":2},"_meta":{"a":1,"io.github.mcpauth/user":3,"IO.github.mcpauth/user":4}}}`,
			`{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"arguments":{},"_meta":{"a":1}}}`,
		},
		"forgeries in an answer of the client": {
			Insertion{},
			`{"jsonrpc":"2.0","id":1,"result":{"content":{"_meta":{"_oauth_user":1}},"_meta":{"io.github.mcpauth/user":3,"a":1},"_oauth_user":2}}`,
			`{"jsonrpc":"2.0","id":1,"result":{"content":{"_meta":{"_oauth_user":1}},"_meta":{"a":1}}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := parsed(t, test.in).Splice(nil, testReserved, test.add)
			if !ok || string(got) != test.want {
				t.Errorf("ok %v\ngot  %s\nwant %s", ok, got, test.want)
			}
			parsed(t, string(got)) // and it is still one message
		})
	}
}

func TestMessage(t *testing.T) {
	m := parsed(t, `{"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c"},"progressToken":1},"name":"caf\u00e9"},"method":"tools\/call","jsonrpc":"2.0","id":"x"}`)
	if m.Kind() != Call || m.Method() != "tools/call" || m.Name() != "café" || string(m.ID()) != `"x"` {
		t.Errorf("kind %v method %q name %q id %s", m.Kind(), m.Method(), m.Name(), m.ID())
	}
	if !m.Modern() {
		t.Error("a request that names its protocol version in _meta is modern")
	}
	if got := string(m.ModernMeta()); got != `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c"}}` {
		t.Errorf("modern _meta: %s", got)
	}
	old := parsed(t, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`)
	if old.Modern() {
		t.Error("initialize is not modern")
	}
	if string(old.ClientInfo()) != `{"name":"c","version":"1"}` {
		t.Errorf("client info %s", old.ClientInfo())
	}
	clone := m.Clone()
	copy(m.line, bytes.Repeat([]byte("x"), len(m.line)))
	if clone.Name() != "café" {
		t.Error("the clone shares its bytes with the line")
	}
}

// Adding the user and taking it out again gives back the line, byte for byte.
func FuzzSplice(f *testing.F) {
	for _, test := range hostile {
		if !test.refused {
			f.Add([]byte(test.line))
		}
	}
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x": [1, 2.50]} ,"_meta":{"k":"v"}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, _ := NewParser(testReserved).Parse(text)
		if m == nil || m.Spoofed() || m.metaAt.open == 0 || m.objects[argumentsObject].open == 0 {
			return
		}
		before := bytes.Clone(m.Bytes())
		added, ok := m.Splice(nil, testReserved, Insertion{Meta: []byte(testUser), Argument: []byte(testUser)})
		if !ok {
			t.Fatalf("%q has room for a user, but does not take it", text)
		}
		back := parsed(t, string(added))
		if !back.Spoofed() {
			t.Fatalf("%q: our own members are not found again", added)
		}
		after, _ := back.Splice(nil, testReserved, Insertion{})
		if !bytes.Equal(withoutBlanks(after), withoutBlanks(before)) {
			t.Fatalf("before %q\nwith   %q\nafter  %q", before, added, after)
		}
	})
}

// withoutBlanks drops the blanks that stand before a first member: they go with
// the member that was first.
func withoutBlanks(text []byte) []byte { return bytes.ReplaceAll(text, []byte(" "), nil) }

func TestHideArgument(t *testing.T) {
	tests := map[string]struct {
		in, want string // want empty: unchanged
		tools    []Tool
	}{
		"declared": {
			`{"id":1,"jsonrpc":"2.0","result":{"tools":[{"name":"a","inputSchema":{"type":"object","properties":{"x":{"type":"integer"},"_oauth_user":{"type":"object"}},"required":["_oauth_user","x"],"additionalProperties":false}}],"nextCursor":"2"}}`,
			`{"id":1,"jsonrpc":"2.0","result":{"tools":[{"name":"a","inputSchema":{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"],"additionalProperties":false}}],"nextCursor":"2"}}`,
			[]Tool{{"a", true}},
		},
		"declared alone, required before properties": {
			`{"result":{"tools":[{"inputSchema":{"required":["_oauth_user"],"properties":{ "_oauth_user" : {} }},"name":"a"},{"name":"b","inputSchema":{"properties":{"_oauth_username":{}}}}]},"jsonrpc":"2.0","id":1}`,
			`{"result":{"tools":[{"inputSchema":{"required":[],"properties":{ }},"name":"a"},{"name":"b","inputSchema":{"properties":{"_oauth_username":{}}}}]},"jsonrpc":"2.0","id":1}`,
			[]Tool{{"a", true}, {"b", false}},
		},
		"escaped": {
			`{"id":1,"jsonrpc":"2.0","result":{"tools":[{"name":"a","inputSchema":{"properties":{"_oauth\u005fuser":{}}}}]}}`,
			`{"id":1,"jsonrpc":"2.0","result":{"tools":[{"name":"a","inputSchema":{"properties":{}}}]}}`,
			[]Tool{{"a", true}},
		},
		"not declared": {
			`{"id":1,"jsonrpc":"2.0","result":{"tools":[{"name":"a","inputSchema":{"type":"object"}}]}}`, "", []Tool{{"a", false}},
		},
		"a nested property is another matter": {
			`{"id":1,"jsonrpc":"2.0","result":{"tools":[{"name":"a","inputSchema":{"properties":{"x":{"properties":{"_oauth_user":{}}}}}}]}}`, "", []Tool{{"a", false}},
		},
		"no tools":      {`{"id":1,"jsonrpc":"2.0","result":{}}`, "", nil},
		"strange tools": {`{"id":1,"jsonrpc":"2.0","result":{"tools":{"a":1}}}`, "", nil},
		"strange tool":  {`{"id":1,"jsonrpc":"2.0","result":{"tools":[1,{"name":2}]}}`, "", nil},
		"a list result": {`{"id":1,"jsonrpc":"2.0","result":[]}`, "", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var scanner Scanner
			out := scanner.Scan([]byte(test.in))
			if out == nil {
				t.Fatal("not a message")
			}
			line, tools := out.HideArgument("_oauth_user")
			if string(line) != test.want {
				t.Errorf("got  %s\nwant %s", line, test.want)
			}
			if len(tools) != len(test.tools) {
				t.Fatalf("tools %v, want %v", tools, test.tools)
			}
			for i := range tools {
				if tools[i] != test.tools[i] {
					t.Errorf("tool %v, want %v", tools[i], test.tools[i])
				}
			}
		})
	}
}
