package relay

import "testing"

func TestRetryMembers(t *testing.T) {
	const ours = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"requestState":"mcpauth:1","name":"a","arguments":{"n":1.0},"inputResponses":{"sign_in":{"action":"accept"}}}}`
	m := parsed(t, ours)
	if m.RequestState() != "mcpauth:1" || string(m.InputResponses()) != `{"sign_in":{"action":"accept"}}` {
		t.Errorf("state %q, responses %s", m.RequestState(), m.InputResponses())
	}
	tests := map[string]struct{ in, members, want string }{
		"back to a first call": {
			ours, ``,
			`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a","arguments":{"n":1.0}}}`,
		},
		"back to the retry of another": {
			ours, `"requestState":"R","inputResponses":{"x":1},`,
			`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"requestState":"R","inputResponses":{"x":1},"name":"a","arguments":{"n":1.0}}}`,
		},
		"nothing else in it": {
			`{"jsonrpc":"2.0","id":2,"method":"x","params":{ "inputResponses":{}, "requestState":"mcpauth:1" }}`, `"requestState":"R",`,
			`{"jsonrpc":"2.0","id":2,"method":"x","params":{"requestState":"R" }}`,
		},
		"nothing to change": {
			`{"jsonrpc":"2.0","id":2,"method":"x","params":{"name":"a"}}`, ``,
			`{"jsonrpc":"2.0","id":2,"method":"x","params":{"name":"a"}}`,
		},
		"no params": {`{"jsonrpc":"2.0","id":2,"method":"x"}`, `"requestState":"R",`, `{"jsonrpc":"2.0","id":2,"method":"x"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := string(parsed(t, test.in).WithRetryMembers([]byte(test.members)))
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			parsed(t, got)
		})
	}
	if got := string(parsed(t, tests["back to the retry of another"].want).RetryMembers()); got != `"requestState":"R","inputResponses":{"x":1},` {
		t.Errorf("members %s", got)
	}
}
