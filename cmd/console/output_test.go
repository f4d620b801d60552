package console

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// TestComplainHasTheRPCError: a server's error has its code and data, for users and for
// scripts.
func TestComplainHasTheRPCError(t *testing.T) {
	var out, talk bytes.Buffer
	a := &App{Streams: Streams{Out: &out, Err: &talk}, JSON: true}
	a.Complain(&problem.Problem{Msg: "the server answers", Code: problem.ExitToolFailed, Err: &mcpclient.ServerError{
		Code: -32603, Message: "boom", Data: json.RawMessage(`{"at": [1, 2]}`),
	}})
	var printed struct{ Error struct{ RPC map[string]any } }
	if err := json.Unmarshal(out.Bytes(), &printed); err != nil {
		t.Fatal(err)
	}
	if rpc := printed.Error.RPC; rpc["code"] != -32603.0 || rpc["message"] != "boom" || CompactJSON(rpc["data"]) != `{"at":[1,2]}` {
		t.Errorf("rpc is %v", rpc)
	}
	if !strings.Contains(talk.String(), "\n  data: {\"at\":[1,2]}\n") {
		t.Errorf("no data in %q", talk.String())
	}
}
