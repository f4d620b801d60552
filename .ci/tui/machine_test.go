package tui

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/.ci/suite"
	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// machine is one user's machine: a home folder and a provider. The keychain is
// that of the session, so profiles have names of their own.
type machine struct {
	t       *testing.T
	home    string
	profile string
	issuer  string
	idp     *demoidp.Server
}

// newMachine has a profile whose server is the command; policy is the text of
// its rules.
func newMachine(t *testing.T, policy string, server ...string) *machine {
	t.Helper()
	return newMachineWith(t, demoidp.Options{AutoApprove: true}, policy, server...)
}

// newMachineWith is newMachine with a provider of the test's own.
func newMachineWith(t *testing.T, o demoidp.Options, policy string, server ...string) *machine {
	t.Helper()
	idp, err := demoidp.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = idp.Close() })
	m := &machine{t: t, home: t.TempDir(), profile: "orders", issuer: idp.Issuer(), idp: idp}
	var words []string
	for _, word := range server {
		words = append(words, fmt.Sprintf("%q", word))
	}
	m.write(".config/mcpauth/config.toml", fmt.Sprintf(
		"default_profile = %q\n[audit]\ncontent = true\n[profiles.%s]\nissuer = %q\nclient_id = %q\ncommand = [%s]\n%s",
		m.profile, m.profile, m.issuer, demoidp.DefaultClientID, strings.Join(words, ", "), policy))
	return m
}

func (m *machine) write(name, text string) string {
	m.t.Helper()
	path := filepath.Join(m.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

// program puts a program on the PATH of this machine.
func (m *machine) program(name string, argv ...string) {
	m.t.Helper()
	var words []string
	for _, word := range argv {
		words = append(words, quoted(word))
	}
	path := m.write("bin/"+name, "#!/bin/sh\nexec "+strings.Join(words, " ")+" \"$@\"\n")
	if err := os.Chmod(path, 0o700); err != nil {
		m.t.Fatal(err)
	}
}

// env is the environment of mcpauth on this machine.
func (m *machine) env(more ...string) []string {
	self, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	return append([]string{"HOME=" + m.home, "PATH=" + filepath.Join(m.home, "bin") + ":" + suite.CleanPath, "LANG=C.UTF-8", "COLORTERM=truecolor", "BROWSER=" + self + " " + browserWord}, more...)
}

// open starts mcpauth in a terminal.
func (m *machine) open(width, height int, args ...string) *terminal {
	m.t.Helper()
	return open(m.t, width, height, m.env(), append([]string{mcpauth()}, args...)...)
}

// run runs mcpauth to its end.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	command := exec.Command(mcpauth(), args...)
	command.Env = append(os.Environ(), m.env()...)
	out, err := command.CombinedOutput()
	if err != nil {
		m.t.Fatalf("mcpauth %v: %v: %s", args, err, out)
	}
	return string(out)
}

// root is a path in the repository.
func root(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// python is the server of the examples.
func python(t *testing.T) []string { return []string{"python3", root(t, "examples/python/main.py")} }

// everything is the protocol's own test server.
func everything(t *testing.T) []string {
	return []string{"node", root(t, ".ci/transparency/node_modules/@modelcontextprotocol/server-everything/dist/index.js")}
}

// mcpauth is the program under test.
func mcpauth() string { return suite.Program("mcpauth") }
