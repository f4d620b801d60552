package tools

import (
	"encoding/json"
	"testing"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/toolargs"
)

func TestCommandFor(t *testing.T) {
	tool := newToolItem(mcpclient.Tool{Name: "t 1", InputSchema: json.RawMessage(`{"properties":{"q":{"type":"string"},"id":{"type":["string","integer"]},"n":{"type":"integer"}}}`)})
	for _, test := range []struct {
		o      config.Overrides
		value  string
		anyway bool
		want   string
	}{
		{config.Overrides{}, `{}`, false, `mcpauth tools call 't 1'`},
		{config.Overrides{Profile: "p"}, `{"q":"$(rm -rf ~)","n":12345678901234567890}`, false, `mcpauth tools call --profile p 't 1' 'q=$(rm -rf ~)' n:=12345678901234567890`},
		{config.Overrides{}, `{"id":"5","q":null,"x":["a b"]}`, true, `mcpauth tools call --no-validate 't 1' 'id:="5"' q:=null 'x:=["a b"]'`},
		{config.Overrides{Command: []string{"node", "my server.js"}}, `{"q":"a\nb"}`, false, "mcpauth tools call 't 1' 'q=a\nb' -- node 'my server.js'"},
		{config.Overrides{}, `{"a.b":"it's"}`, false, `printf %s '{"a.b":"it'\''s"}' | mcpauth tools call 't 1' --input -`},
	} {
		c := &call{tool: tool, safe: parsed(t, test.value), anyway: test.anyway}
		if got := commandFor(test.o, c); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func parsed(t testing.TB, text string) *toolargs.Value {
	t.Helper()
	v, err := toolargs.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
