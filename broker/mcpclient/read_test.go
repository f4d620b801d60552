package mcpclient

import (
	"encoding/json"
	"testing"
)

func TestErrorOfAServer(t *testing.T) {
	for message, want := range map[string]string{
		"no such file.":                       "no such file (code -32602)",
		"MCP error -32602: no such file":      "no such file (code -32602)",
		"MCP error -32603: of another number": "MCP error -32603: of another number (code -32602)",
	} {
		if got := (&ServerError{Code: -32602, Message: message}).Error(); got != want {
			t.Error(got)
		}
	}
}

func TestWhatIsATask(t *testing.T) {
	const old, extension = `{"task":{"taskId":"t","status":"working"}}`, `{"resultType":"task","taskId":"t","status":"working"}`
	for _, c := range []struct {
		result        string
		asked, modern bool
		is            bool
	}{
		{old, true, false, true}, {old, true, true, true}, {old, false, false, false}, {old, false, true, false},
		{extension, false, true, true}, {extension, true, true, true}, {extension, false, false, false},
		{`{"content":[],"task":{}}`, true, false, false}, {`{"task":5}`, true, false, false}, {`{"resultType":"task"}`, true, true, false}, {`5`, true, true, false},
	} {
		if _, is := createdTask(json.RawMessage(c.result), c.asked, c.modern); is != c.is {
			t.Errorf("%+v: %v", c, is)
		}
	}
	for capabilities, offered := range map[string]bool{
		`{"tasks":{"requests":{"tools":{"call":{}}}}}`: true, `{"tasks":{"list":{}}}`: false, `{}`: false, `{"tasks":1}`: false,
	} {
		if offersTasks(json.RawMessage(capabilities)) != offered {
			t.Error(capabilities)
		}
	}
}
