package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// machine is one user's machine: a home folder, a keychain, a provider.
type machine struct {
	t        *testing.T
	home     string
	issuer   string
	clientID string
	issued   string // file of the codes and tokens that the provider issued
	watch    *watch
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, home: t.TempDir(), issued: filepath.Join(t.TempDir(), "issued"), watch: newWatch(t)}
	var said struct {
		Issuer   string `json:"issuer"`
		ClientID string `json:"client_id"`
	}
	suite.StartProvider(t, &said, "node", "provider.mjs", m.issued)
	m.issuer, m.clientID = said.Issuer, said.ClientID
	return m
}

// mcpauth returns the command with all of its environment: HOME and PATH. That
// is what an AI client may leave of it.
func (m *machine) mcpauth(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, suite.Program("mcpauth"), args...)
	command.Env = []string{"HOME=" + m.home, "PATH=" + suite.CleanPath}
	command.Dir = m.home
	return command
}

// result is what a command said.
type result struct {
	stdout, stderr string
	code           int
}

func (r result) String() string {
	return fmt.Sprintf("exit %d\nstdout: %s\nstderr: %s", r.code, r.stdout, r.stderr)
}

// run runs mcpauth to its end, within a minute.
func (m *machine) run(environ []string, args ...string) result {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	command := m.mcpauth(ctx, args...)
	command.Env = append(command.Env, environ...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatalf("mcpauth %v: %v", args, err)
	}
	r := result{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
	m.watch.heard("mcpauth "+strings.Join(args, " "), r.stdout, r.stderr)
	return r
}

// login signs in as a person would: a browser opens and somebody clicks.
func (m *machine) login(who string, args ...string) (said result, screenshot string) {
	m.t.Helper()
	screenshot = filepath.Join(m.t.ArtifactDir(), "signed-in.png")
	script, err := filepath.Abs("browser.mjs")
	if err != nil {
		m.t.Fatal(err)
	}
	browser := fmt.Sprintf("BROWSER=node %s %s %s", script, who, screenshot)
	return m.run([]string{browser}, append([]string{"login"}, args...)...), screenshot
}

// secrets returns all that the provider has issued, by kind.
func (m *machine) secrets() map[string][]string {
	m.t.Helper()
	data, err := os.ReadFile(m.issued)
	if err != nil {
		m.t.Fatal(err)
	}
	secrets := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		kind, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		secrets[kind] = append(secrets[kind], value)
	}
	return secrets
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// active asks the provider whether a token is good (RFC 7662).
func (m *machine) active(token string) bool {
	m.t.Helper()
	answer := m.post("/token/introspection", url.Values{"token": {token}, "client_id": {m.clientID}})
	active, ok := answer["active"].(bool)
	if !ok {
		m.t.Fatalf("introspection answered %v", answer)
	}
	return active
}

// refreshError tries a refresh token and returns the error code.
func (m *machine) refreshError(token string) any {
	m.t.Helper()
	return m.post("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {m.clientID}})["error"]
}

func (m *machine) post(path string, form url.Values) map[string]any {
	m.t.Helper()
	response, err := http.PostForm(m.issuer+path, form)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		m.t.Fatalf("%s: %s: %v", path, response.Status, err)
	}
	return answer
}

// proxy starts mcpauth in front of the Python example, as an AI client does.
func (m *machine) proxy(args ...string) *client {
	m.t.Helper()
	example, err := filepath.Abs("../../examples/python/main.py")
	if err != nil {
		m.t.Fatal(err)
	}
	argv := append([]string{"proxy"}, append(args, "--", "python3", example)...)
	return startClient(m.t, m.mcpauth(context.Background(), argv...), m.watch)
}
