package transparency

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// visitor is a real AI client as a command: it starts a server by the argv that
// it is given and prints what it heard.
type visitor struct {
	name   string
	server []string
	argv   func(server []string) []string
}

func visitors() []visitor {
	everything := []string{"node", absolute("node_modules/@modelcontextprotocol/server-everything/dist/index.js")}
	all := []visitor{
		{"mcp-go legacy", part("mcpgo"), mcpgoClient("legacy")},
		{"mcp-go modern", part("mcpgo"), mcpgoClient("modern")},
	}
	for _, revision := range revisions {
		all = append(all, visitor{"go-sdk " + revision, []string{suite.Program("everything-server")},
			func(server []string) []string {
				return append([]string{suite.Program("gosdk-client"), revision}, server...)
			}})
	}
	for _, request := range []string{
		"tools/list", "resources/list", "prompts/list", "resources/templates/list",
		"tools/call --tool-name echo --tool-arg message=café",
		"tools/call --tool-name get-sum --tool-arg a=1 --tool-arg b=2",
		"prompts/get --prompt-name args-prompt --prompt-args city=Aix",
		"resources/read --uri demo://resource/static/document/features.md",
	} {
		all = append(all, visitor{"inspector " + request, everything, inspector(request)})
	}
	return all
}

func mcpgoClient(era string) func([]string) []string {
	return func(server []string) []string { return part("mcpgo-client", append([]string{era}, server...)...) }
}

// inspector runs npm @modelcontextprotocol/inspector. Each of its calls is a
// session of its own.
func inspector(request string) func([]string) []string {
	return func(server []string) []string {
		argv := append([]string{absolute("node_modules/.bin/mcp-inspector"), "--cli"}, server...)
		return append(append(argv, "--method"), strings.Fields(request)...)
	}
}

// TestClientsNoticeNothing runs each client with its server, and with the proxy
// between. What the client makes of it is the same, and so are the bytes at both
// ends of the proxy.
func TestClientsNoticeNothing(t *testing.T) {
	for _, visitor := range visitors() {
		t.Run(visitor.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			outer, inner := t.TempDir(), t.TempDir()
			direct := m.output(t, visitor.argv(visitor.server))
			through := m.output(t, visitor.argv(tee(outer, proxied(tee(inner, visitor.server)))))
			if diff := cmp.Diff(direct, through); diff != "" || strings.TrimSpace(direct) == "" {
				t.Errorf("the client hears something else (-direct +through the proxy):\n%s", diff)
			}
			for _, what := range altered(run{
				sent: recorded(t, outer, "received"), farewell: recorded(t, outer, "said"),
				received: recorded(t, inner, "received"), said: recorded(t, inner, "said"),
			}) {
				t.Errorf("altered by the proxy: %s", what)
			}
		})
	}
}

// TestInspectorSwallowsTheDashes: it hands "mcpauth proxy -- COMMAND" on without
// the dashes, and the proxy does not need them.
func TestInspectorSwallowsTheDashes(t *testing.T) {
	m := newMachine(t)
	server := append([]string{suite.Program("mcpauth"), "proxy"}, part("mcpgo")...)
	argv := inspector("tools/call --tool-name echo --tool-arg text=hello")
	without := m.output(t, argv(server))
	with := m.output(t, argv(proxied(part("mcpgo"))))
	if without != with || !strings.Contains(with, "hello") {
		t.Errorf("with dashes: %s\nwithout: %s", with, without)
	}
}

// output runs a client to its end.
func (m *machine) output(t *testing.T, argv []string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := m.command(argv)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(2*patience, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	if err := command.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(argv[0]), err, &stderr)
	}
	return stdout.String()
}
