package cmd

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpauth/mcpauth/broker"
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
			cases, err := broker.TestPolicy(d.path, []byte(b.text))
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
