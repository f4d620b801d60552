package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// loadClosed reads a policy file, if others cannot write to it.
func loadClosed(path string) (*policy.Policy, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode()&0o022 != 0 {
		return nil, &problem.Problem{Msg: "other users can write to it", Hints: []string{"chmod go-w " + path}}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, _, err := policy.Parse(data, identity.OtherClaim)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return p, err
}

func TestPolicyReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.toml")
	write := func(text string) {
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	var said []string
	changed := 0
	w := &policyWatch{
		say:  func(text string) { said = append(said, text) },
		load: func() (*policy.Policy, []string, error) { p, err := loadClosed(path); return p, []string{path}, err },
	}
	look := func() {
		w.look()
		if w.another.Swap(false) {
			changed++
		}
	}
	may := func(tool string) bool {
		ada := signedIn("ada")
		return w.current.Load().For(PolicyUser(&ada), "").Decide(policy.Item{Kind: policy.Tool, Name: tool}, time.Now()).Effect == policy.Allow
	}
	w.start()
	if may("get") || len(said) != 1 || !strings.Contains(said[0], "everything is denied") {
		t.Errorf("without a file: %q", said)
	}
	write("[[rules]]\neffect='allow'\ntools=['get']")
	look()
	if !may("get") || may("pay") || changed != 1 {
		t.Errorf("the file is there: %q, %d changes", said, changed)
	}
	write("[[rules]]\neffect='alow'\ntools=['pay']")
	look()
	look()
	if !may("get") || may("pay") || changed != 1 || len(said) != 3 || !strings.Contains(said[2], "effect must be") || !strings.Contains(said[2], "the last good policy stays in force") {
		t.Errorf("a mistake: %q, %d changes", said, changed)
	}
	if runtime.GOOS != "windows" { // where modes mean nothing
		write("[[rules]]\neffect='allow'\ntools=['drop']")
		if err := os.Chmod(path, 0o666); err != nil {
			t.Fatal(err)
		}
		look()
		if may("drop") || !strings.Contains(said[len(said)-1], "other users can write") || !strings.Contains(said[len(said)-1], "to fix it:  chmod go-w") {
			t.Errorf("a file that others can write: %q", said)
		}
		if err := os.Chmod(path, 0o600); err != nil { // and nothing else of it
			t.Fatal(err)
		}
		look()
		if !may("drop") {
			t.Error("the file is fine again, and not read")
		}
		write("[[rules]]\neffect='allow'\ntools=['get']")
		look()
		changed, said = 1, said[:3]
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	look()
	if !may("get") || changed != 1 {
		t.Error("a file that is gone takes the policy with it")
	}
	write("[[rules]]\neffect='allow'\ntools=['pay']")
	look()
	if may("get") || !may("pay") || changed != 2 {
		t.Errorf("mended: %q, %d changes", said, changed)
	}
}
