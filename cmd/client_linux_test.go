package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/keychain"
)

// asking is a stream that calls back when a question is written to it.
type asking struct {
	mu    sync.Mutex
	b     bytes.Buffer
	asked func()
}

func (a *asking) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if bytes.Contains(p, []byte("[y/N]")) {
		a.asked()
	}
	return a.b.Write(p)
}

// ctrl+c at the question writes nothing and ends with 130.
func TestClientAddStopped(t *testing.T) {
	_, program := terminal(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	file := filepath.Join(home, ".cursor", "mcp.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said := &asking{asked: stop}
	code := Main(ctx, []string{"client", "add", "cursor", "--name", "orders", "--", "/bin/sh"}, console.Streams{In: program, Out: &bytes.Buffer{}, Err: said}, console.Deps{
		Keychain:   func(time.Duration) keychain.Store { return keychain.Memory() },
		Env:        func(string) string { return "" },
		Executable: func() (string, error) { return "/bin/sh", nil },
	})
	data, err := os.ReadFile(file)
	if code != problem.ExitInterrupted || err != nil || string(data) != "{}" || !strings.Contains(said.b.String(), "stopped") {
		t.Errorf("exit %d, %v, file %q: %s", code, err, data, said.b.String())
	}
}

// The parser of clients' entries knows which flags of proxy take no value.
func TestProxySwitches(t *testing.T) {
	c, _, err := newRoot(&console.App{}).Find([]string{clients.ProxyName})
	if err != nil {
		t.Fatal(err)
	}
	c.InitDefaultHelpFlag()
	var want []string
	add := func(f *pflag.Flag) {
		if f.NoOptDefVal == "" {
			return
		}
		want = append(want, "--"+f.Name)
		if f.Shorthand != "" {
			want = append(want, "-"+f.Shorthand)
		}
	}
	c.Flags().VisitAll(add)
	c.InheritedFlags().VisitAll(add)
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(clients.Switches)); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("clients.Switches %v, the flags are %v", got, want)
	}
}
