package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

const ada = `{"sub":"ada","issuer":"https://login.example.com","email":"ada@example.com","groups":["admins"],"future":1}`

// ask sends one request to the server, as it comes over stdio, and gives the
// result back.
func ask(t *testing.T, method, params string) string {
	t.Helper()
	line := `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
	answer, err := json.Marshal(newServer().HandleMessage(context.Background(), json.RawMessage(line)))
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestUserInMeta(t *testing.T) {
	answer := ask(t, "tools/call", `{"name":"whoami","_meta":{"`+userKey+`":`+ada+`}}`)
	if !strings.Contains(answer, `\"email\":\"ada@example.com\"`) {
		t.Error(answer)
	}
}

func TestUserAsArgument(t *testing.T) {
	answer := ask(t, "tools/call", `{"name":"my_orders","arguments":{"limit":1,"_oauth_user":`+ada+`}}`)
	if !strings.Contains(answer, "difference engine") || strings.Contains(answer, "punched cards") {
		t.Error(answer)
	}
}

func TestUserInResource(t *testing.T) {
	if answer := ask(t, "resources/read", `{"uri":"user://me","_meta":{"`+userKey+`":`+ada+`}}`); !strings.Contains(answer, `ada@example.com`) {
		t.Error(answer)
	}
}

func TestWithoutUserNothingIsTold(t *testing.T) {
	for name, params := range map[string]string{
		"no _meta":           `{"name":"whoami"}`,
		"no user":            `{"name":"whoami","_meta":{"progressToken":1}}`,
		"no subject":         `{"name":"whoami","_meta":{"` + userKey + `":{"issuer":"https://login.example.com"}}}`,
		"no object":          `{"name":"whoami","_meta":{"` + userKey + `":"ada"}}`,
		"no argument":        `{"name":"my_orders","arguments":{}}`,
		"argument of a kind": `{"name":"my_orders","arguments":{"_oauth_user":{"sub":7}}}`,
	} {
		answer := ask(t, "tools/call", params)
		if !strings.Contains(answer, `"isError":true`) || !strings.Contains(answer, "nobody is signed in") {
			t.Errorf("%s: %s", name, answer)
		}
	}
	if answer := ask(t, "resources/read", `{"uri":"user://me"}`); !strings.Contains(answer, "nobody is signed in") {
		t.Error(answer)
	}
}

func TestLimitIsTheModels(t *testing.T) {
	for _, limit := range []string{"0", "-1", "101"} {
		answer := ask(t, "tools/call", `{"name":"my_orders","arguments":{"limit":`+limit+`,"_oauth_user":`+ada+`}}`)
		if !strings.Contains(answer, `"isError":true`) {
			t.Errorf("limit %s: %s", limit, answer)
		}
	}
}

func TestListNamesTheArgument(t *testing.T) {
	var answer struct{ Result mcp.ListToolsResult }
	if err := json.Unmarshal([]byte(ask(t, "tools/list", `{}`)), &answer); err != nil {
		t.Fatal(err)
	}
	for _, tool := range answer.Result.Tools {
		if _, declared := tool.InputSchema.Properties["_oauth_user"]; declared != (tool.Name == "my_orders") {
			t.Errorf("%s declares _oauth_user: %v", tool.Name, declared)
		}
	}
}
