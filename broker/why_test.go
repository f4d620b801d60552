package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// judging is a broker with one profile, whose policy file has this text.
func judging(t testing.TB, text string) (*Broker, config.Resolved) {
	t.Helper()
	dir := t.TempDir()
	rules := filepath.Join(dir, "policy.toml")
	b := New(Options{
		Paths: config.Paths{ConfigFile: filepath.Join(dir, "config.toml"), StateDir: filepath.Join(dir, "state")},
		Store: keychain.Memory(), Env: func(string) string { return "" },
	})
	profile := fmt.Sprintf("[profiles.orders]\nissuer = \"https://a.example\"\nclient_id = \"x\"\ncommand = [\"main.py\"]\npolicy = %q\n", rules)
	for path, data := range map[string]string{rules: text, b.Paths.ConfigFile: profile} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.Resolve(config.Overrides{Profile: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	return b, r
}

func TestJudgeOfNobody(t *testing.T) {
	b, r := judging(t, "")
	if _, err := b.judge(t.Context(), r, "", nil); !errors.As(err, new(*problem.Problem)) || problem.Of(err).Code != problem.ExitSignInNeeded {
		t.Errorf("nobody is signed in: %v", err)
	}
}

// BenchmarkMark310 marks the 310 tools of a list under 1,000 rules.
func BenchmarkMark310(b *testing.B) {
	var rules strings.Builder
	for i := range 500 {
		fmt.Fprintf(&rules, "[[rules]]\neffect='allow'\ntools=['tool_%d']\ngroups=['board']\n[[rules]]\neffect='deny'\ntools=['area%d_*']\n", i, i)
	}
	broker, r := judging(b, rules.String())
	for b.Loop() {
		judge, err := broker.judge(b.Context(), r, "", map[string][]string{"groups": {"finance"}})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 310 {
			judge.Access("tool", fmt.Sprintf("tool_%d", i))
		}
	}
}
