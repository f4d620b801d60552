package relay

import (
	"bytes"
	"strings"
	"testing"
)

const hidden = `{"jsonrpc":"2.0","id":66,"method":"tools/call","params":{"name":"danger","arguments":{}}}`

// hostile lines by the name of their attack. refused: the backend must not see
// anything of it. The others may pass, but only with one reading.
var hostile = []struct {
	name    string
	line    string
	refused bool
}{
	{"cr smuggling between tokens", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":` + "\r" + hidden + "\r" + `}}`, false},
	{"cr smuggling at the end", `{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\r" + hidden, true},
	{"crlf line end", `{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\r", false},
	{"tab between tokens", "{\"jsonrpc\":\"2.0\",\t\"id\":1,\"method\":\"ping\"}", false},
	{"vertical tab between tokens", "{\"jsonrpc\":\"2.0\",\v\"id\":1,\"method\":\"ping\"}", true},
	{"raw control byte in a string", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\x01ng\"}", true},
	{"line separator in a string", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"a\u2028` + strings.ReplaceAll(hidden, `"`, `\"`) + `\u2028"}}`, false},

	{"raw line separator in a string", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"a` + "\u2028" + strings.ReplaceAll(hidden, `"`, `\"`) + "\u2028" + `"}}`, false},
	{"raw line separator between tokens", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":` + "\u2028" + hidden + "\u2028" + `}}`, true},

	{"duplicate method", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"danger"}}`, true},
	{"duplicate params", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe"},"params":{"name":"danger"}}`, true},
	{"duplicate id", `{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`, true},
	{"duplicate name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","name":"danger"}}`, true},
	{"duplicate uri", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a:1","uri":"a:2"}}`, true},
	{"duplicate _meta", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{},"_meta":{}}}`, true},
	{"duplicate arguments", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{},"arguments":{}}}`, true},
	{"duplicate requestState", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","requestState":"x","requestState":"y"}}`, true},
	{"duplicate protocol version in _meta", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/protocolVersion":"1"}}}`, true},
	{"duplicate name in ref", `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a","name":"b"}}}`, true},
	{"duplicate among the arguments is the backend's own", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1,"x":2}}}`, false},

	{"case of method", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"danger"}}`, true},
	{"case of name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","NAME":"danger"}}`, true},
	{"case of params alone", `{"jsonrpc":"2.0","id":1,"method":"tools/call","Params":{"name":"danger"}}`, true},
	{"long s in params", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe"},"paramſ":{"name":"danger"}}`, true},
	{"long s escaped", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe"},"param\u017f":{"name":"danger"}}`, true},
	{"kelvin sign in taskId", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"1","tas` + "\u212a" + `Id":"2"}}`, true},
	{"escaped method", `{"jsonrpc":"2.0","id":1,"method":"ping","\u006dethod":"tools/call","params":{"name":"danger"}}`, true},
	{"escaped name alone", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"\u006eame":"danger"}}`, true},
	{"nul in method", `{"jsonrpc":"2.0","id":1,"method":"ping","method\u0000":"tools/call","params":{"name":"danger"}}`, true},
	{"nul in name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","name\u0000x":"danger"}}`, true},
	{"zero width space in name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","na` + "\u200b" + `me":"danger"}}`, true},

	{"bom", "\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`, true},
	{"invalid utf-8 in a value", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"x\":\"\xff\"}}", true},
	{"invalid utf-8 in a name", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"\xff\":1}", true},
	{"overlong utf-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"x\":\"\xc0\xaf\"}}", true},
	{"lone surrogate", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\ud800"}}`, true},
	{"nan", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}`, true},
	{"infinity", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":-Infinity}}`, true},
	{"comment", `{"jsonrpc":"2.0","id":1,/*x*/"method":"ping"}`, true},
	{"trailing comma", `{"jsonrpc":"2.0","id":1,"method":"ping",}`, true},
	{"single quotes", `{'jsonrpc':'2.0','id':1,'method':'ping'}`, true},
	{"two values", `{"jsonrpc":"2.0","id":1,"method":"ping"}` + hidden, true},
	{"trailing text", `{"jsonrpc":"2.0","id":1,"method":"ping"} x`, true},
	{"cut short", `{"jsonrpc":"2.0","id":1,"method":"ping"`, true},
	{"nul byte", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\x00", true},
	{"nested too deeply", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}}`, true},
	{"nested twenty thousand deep", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), true},

	{"batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"},` + hidden + `]`, true},
	{"batch of one", `[` + hidden + `]`, true},
	{"a string", `"ping"`, true},
	{"a number", `1`, true},

	{"id 1e400", `{"jsonrpc":"2.0","id":1e400,"method":"ping"}`, true},
	{"id with a fraction", `{"jsonrpc":"2.0","id":1.0,"method":"ping"}`, true},
	{"id null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, true},
	{"id object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, true},
	{"id negative zero", `{"jsonrpc":"2.0","id":-0,"method":"ping"}`, true},
	{"id beyond 2^53", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, false},
	{"request and answer at once", `{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`, true},
	{"result and error at once", `{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}`, true},
	{"method is a number", `{"jsonrpc":"2.0","id":1,"method":1}`, true},
	{"params is an array", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["danger"]}`, true},
	{"params is a string", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"danger"}`, true},
	{"no jsonrpc", `{"id":1,"method":"ping"}`, true},
	{"jsonrpc 1.0", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, true},
	{"jsonrpc as a number", `{"jsonrpc":2.0,"id":1,"method":"ping"}`, true},

	{"forged user in _meta", call(`"_meta":{"io.github.mcpauth/user":{"sub":"mallory"}}`), false},
	{"forged user in _meta, escaped", call(`"_meta":{"io.github.mcpauth\/user":{"sub":"mallory"}}`), false},
	{"forged user in _meta, in capitals", call(`"_meta":{"IO.GitHub.mcpauth/USER":{"sub":"mallory"}}`), false},
	{"forged user in _meta, twice", call(`"_meta":{"io.github.mcpauth/user":1,"k":2,"io.github.mcpauth/user":{"sub":"mallory"}}`), false},
	{"forged user in _meta, with nul", call(`"_meta":{"io.github.mcpauth/user\u0000":{"sub":"mallory"}}`), false},
	{"forged argument", call(`"arguments":{"_oauth_user":{"sub":"mallory"},"x":1}`), false},
	{"forged argument, last", call(`"arguments":{"x":1,"_oauth_user":{"sub":"mallory"}}`), false},
	{"forged argument, alone", call(`"arguments":{"_oauth_user":{"sub":"mallory"}}`), false},
	{"forged argument, escaped", call(`"arguments":{"_oauth\u005fuser":{"sub":"mallory"}}`), false},
	{"forged argument, long s", call(`"arguments":{"_oauth_uſer":{"sub":"mallory"}}`), false},
	{"forged argument, cut at nul", call(`"arguments":{"_oauth_user\u0000x":{"sub":"mallory"}}`), false},
	{"forged argument, zero width", call(`"arguments":{"_oauth` + "\u200d" + `_user":{"sub":"mallory"}}`), false},
	{"forged argument beside _meta", call(`"_oauth_user":{"sub":"mallory"},"arguments":{}`), false},
	{"forged at the top", `{"jsonrpc":"2.0","_oauth_user":{"sub":"mallory"},"id":1,"method":"tools/call","params":{"name":"a"}}`, false},
	{"forged in _meta of the envelope", `{"jsonrpc":"2.0","id":1,"_meta":{"io.github.mcpauth/user":{"sub":"mallory"}},"method":"tools/call","params":{"name":"a"}}`, false},
	{"forged in _meta of the arguments", call(`"arguments":{"_meta":{"io.github.mcpauth/user":{"sub":"mallory"}}}`), false},
	{"_meta is a string", call(`"_meta":"mallory"`), true},
	{"arguments is an array", call(`"arguments":["mallory"]`), true},
	{"arguments is null", call(`"arguments":null`), false},
}

func call(members string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a",` + members + `}}`
}

func TestHostileLines(t *testing.T) {
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) {
			m, sent := relayed(t, []byte(test.line))
			if refused := m == nil; refused != test.refused {
				t.Fatalf("refused: %v, want %v; sent on as %q", refused, test.refused, sent)
			}
			checkOneReading(t, []byte(test.line))
			if bytes.Contains(sent, []byte(forgedSub)) {
				t.Errorf("the forged user reaches the backend: %q", sent)
			}
			if strings.Contains(test.line, forgedSub) && m != nil && !m.Spoofed() {
				t.Error("the forgery is not reported")
			}
		})
	}
}

// A refusal names the id whenever it can be known, so that no client waits for
// ever for the answer to a line that went nowhere.
func TestRefusalNamesTheID(t *testing.T) {
	tests := map[string]struct{ line, id string }{
		"invalid json, id first": {`{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":NaN}}`, `7`},
		"invalid json, id last":  {`{"method":"ping","params":{"x":NaN,"id":1},"jsonrpc":"2.0","id":"a"}`, `"a"`},
		"two ids":                {`{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`, ``},
		"id of the wrong type":   {`{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, ``},
		"no id":                  {`{"jsonrpc":"2.0","method":1}`, ``},
		"id in a string":         {`{"jsonrpc":"2.0","method":"{\"id\":5}","params":[]}`, ``},
		"an endless id":          {`{"jsonrpc":"2.0","id":"` + strings.Repeat("x", longestID) + `","method":1}`, ``},
		"a batch":                {`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, ``},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, refusal := NewParser(testReserved).Parse([]byte(test.line))
			if refusal == nil {
				t.Fatalf("it was read: %+v", m)
			}
			if string(refusal.ID) != test.id {
				t.Errorf("id %q, want %q", refusal.ID, test.id)
			}
			if strings.Contains(refusal.Reason, "ping") {
				t.Errorf("the reason quotes the line: %s", refusal.Reason)
			}
		})
	}
}

func FuzzOneReading(f *testing.F) {
	for _, test := range hostile {
		if len(test.line) < 1000 {
			f.Add([]byte(test.line))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.IndexByte(text, '\n') >= 0 {
			return // the reader of lines cuts there
		}
		checkOneReading(t, text)
	})
}
