package cmd

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpauth/mcpauth/broker/config"
)

// withPolicy is "with-policy FILE": the last profile of the configuration gets
// the policy of a file.
func withPolicy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: with-policy FILE")
	}
	path := ts.Getenv("CONFIG")
	data, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, append(data, "policy = '"+ts.MkAbs(args[0])+"'\n"...), 0o600))
}

// TestPolicyGuide runs the examples of the guide that hold tests.
func TestPolicyGuide(t *testing.T) {
	tested := 0
	for _, d := range documents(t) {
		if !strings.HasSuffix(d.path, "policy.md") {
			continue
		}
		for _, b := range d.blocks {
			if !strings.Contains(b.text, "[[tests]]") {
				continue
			}
			cases, err := config.TestPolicy(d.path, []byte(b.text))
			if err != nil {
				t.Errorf("%v in\n%s", err, b.text)
			}
			for _, one := range cases {
				tested++
				if !one.Passed() {
					t.Errorf("%s line %d: %+v", d.path, one.Line, one)
				}
			}
		}
	}
	if tested < 10 {
		t.Errorf("only %d tests in docs/policy.md", tested)
	}
}

// A running proxy follows the policy file within a second, and tells
// its client of the change.
func TestRunningProxyFollowsThePolicy(t *testing.T) {
	m := newMachine(t)
	path := filepath.Join(m.dir, "policy.toml")
	write := func(text string) {
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("[[rules]]\neffect = 'allow'\ntools = ['plain']\n")
	file := config.DefaultPaths(m.dir, runtime.GOOS).ConfigFile
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(data, "policy = '"+path+"'\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	m.run("login")
	c := m.connect(hello, initialized)
	if got := c.tools("1"); got != "plain" {
		t.Fatalf("tools %q", got)
	}
	write("[[rules]]\neffect = 'allow'\ntools = ['declares']\n")
	c.hears(`"method":"notifications/tools/list_changed"`)
	if got := c.tools("2"); got != "declares" {
		t.Errorf("tools %q after the change", got)
	}
	c.say(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"plain"}}`)
	if line := c.hears(`"id":3,`); !strings.Contains(line, "Denied by policy") {
		t.Errorf("a call that is denied by now: %s", line)
	}
}
