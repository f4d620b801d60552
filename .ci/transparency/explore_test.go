package transparency

import (
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"testing"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// everythingCalls has the arguments of a call of each tool of server-everything.
var everythingCalls = map[string][]string{
	"echo":                           {"message=hi"},
	"get-annotated-message":          {"messageType=success", "includeImage=true"},
	"get-env":                        {},
	"get-resource-links":             {"count=3"},
	"get-resource-reference":         {"resourceType=Text", "resourceId=1"},
	"get-structured-content":         {"location=New York"},
	"get-sum":                        {"a=2", "b=3.5"},
	"get-tiny-image":                 {},
	"gzip-file-as-resource":          {"name=a.gz", "data=data:text/plain,hi", "outputType=resource"},
	"toggle-simulated-logging":       {},
	"toggle-subscriber-updates":      {},
	"trigger-long-running-operation": {"duration=1", "steps=2"},
	"trigger-elicitation-request":    {}, // declined: nobody is at a terminal
	"trigger-url-elicitation":        {"url=https://example.com/"},
	"simulate-research-query":        {"topic=x", "ambiguous=yes"}, // a task, which asks in the middle
}

// TestEveryToolIsCallable lists the tools of a real server by `mcpauth tools list`
// and calls each by `mcpauth tools call`, as the signed-in user.
func TestEveryToolIsCallable(t *testing.T) {
	m := newMachine(t)
	server := []string{"--", "node", absolute("node_modules/@modelcontextprotocol/server-everything/dist/index.js")}
	mcpauth := func(words ...string) ([]byte, int) {
		command := m.command(slices.Concat([]string{suite.Program("mcpauth")}, words, server))
		said, err := command.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return said, command.ProcessState.ExitCode()
	}
	var list struct {
		Tools    []struct{ Name string }
		SignedIn bool `json:"signed_in"`
	}
	said, _ := mcpauth("tools", "list", "--json")
	if err := json.Unmarshal(said, &list); err != nil || !list.SignedIn || len(list.Tools) != len(everythingCalls) {
		t.Fatalf("%d tools, %v:\n%s", len(list.Tools), err, said)
	}
	for _, tool := range list.Tools {
		call, known := everythingCalls[tool.Name]
		if !known {
			t.Errorf("there is no call of %s here", tool.Name)
			continue
		}
		var result struct {
			Schema int
			Result struct{ Content []any }
		}
		said, exit := mcpauth(slices.Concat([]string{"tools", "call", tool.Name, "--json"}, call)...)
		if err := json.Unmarshal(said, &result); err != nil || exit != 0 || result.Schema != 1 || len(result.Result.Content) == 0 {
			t.Errorf("%s: exit %d, %v:\n%s", tool.Name, exit, err, said)
		}
	}
}
