package refresh

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// machine is one user's machine, with a home of its own. Its keychain is that
// of the session, in which every issuer has its own entries.
type machine struct {
	t        *testing.T
	home     string
	issuer   string
	clientID string
	clock    string // path of the clock's file; "" for the true clock
	bus      string // address of another message bus than the session's

	mu   sync.Mutex
	said bytes.Buffer // all that was printed to people
}

func newMachine(t *testing.T, issuer, clientID string) *machine {
	m := &machine{t: t, home: t.TempDir(), issuer: issuer, clientID: clientID}
	t.Cleanup(m.checkCanary)
	return m
}

// checkCanary finds the tokens of demoidp where none may be.
func (m *machine) checkCanary() {
	canary := regexp.MustCompile(demoidp.Canary)
	m.mu.Lock()
	defer m.mu.Unlock()
	if canary.Match(m.said.Bytes()) {
		m.t.Error("a token was printed to people")
	}
	suite.NoSecretIn(m.t, m.home, canary)
}

func (m *machine) hear(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said.WriteString(text)
}

// heard is the end of all that was said.
func (m *machine) heard() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	said := m.said.Bytes()
	return bytes.Clone(said[max(0, len(said)-4000):])
}

// shift makes the machine one whose clock is ahead.
func (m *machine) shift(by time.Duration) {
	m.t.Helper()
	if m.clock == "" {
		m.clock = filepath.Join(m.t.TempDir(), "clock")
	}
	// In one step: a program may read it now.
	text := fmt.Appendf(nil, "%d", int64(by/time.Second))
	if err := os.WriteFile(m.clock+".new", text, 0o600); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Rename(m.clock+".new", m.clock); err != nil {
		m.t.Fatal(err)
	}
}

// mcpauth returns the command with all of its environment: HOME and PATH, which
// is what an AI client may leave of it.
func (m *machine) mcpauth(ctx context.Context, args ...string) *exec.Cmd {
	name := "mcpauth"
	if m.clock != "" {
		name = "mcpauth-shifted"
	}
	command := exec.CommandContext(ctx, suite.Program(name), args...)
	command.Env = []string{"HOME=" + m.home, "PATH=" + suite.CleanPath}
	if m.clock != "" {
		command.Env = append(command.Env, clockVariable+"="+m.clock)
	}
	if m.bus != "" {
		command.Env = append(command.Env, "DBUS_SESSION_BUS_ADDRESS="+m.bus)
	}
	command.Dir = m.home
	return command
}

type result struct {
	stdout, stderr string // stdout may be a token: it is never printed here
	code           int
	took           time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("exit %d after %v, %d bytes, and: %s", r.code, r.took.Round(time.Millisecond), len(r.stdout), r.stderr)
}

func (m *machine) run(environ []string, args ...string) result {
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	command := m.mcpauth(ctx, args...)
	command.Env = append(command.Env, environ...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	began := time.Now()
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Errorf("mcpauth %v: %v", args, err)
		return result{code: -1}
	}
	m.hear(stderr.String())
	if args[0] != "token" {
		m.hear(stdout.String())
	}
	return result{stdout.String(), stderr.String(), command.ProcessState.ExitCode(), time.Since(began)}
}

func (m *machine) login() {
	m.t.Helper()
	if said := m.tryLogin(); said.code != 0 {
		m.t.Fatalf("login: %v", said)
	}
}

func (m *machine) tryLogin() result {
	self, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	return m.run([]string{"BROWSER=" + self + " browser"}, "login", "--issuer", m.issuer, "--client-id", m.clientID)
}

// token is what `mcpauth token` prints, which must work.
func (m *machine) token(args ...string) string {
	m.t.Helper()
	said := m.run(nil, append([]string{"token"}, args...)...)
	if said.code != 0 {
		m.t.Errorf("token: %v", said)
	}
	return strings.TrimSpace(said.stdout)
}

// status is the state of the one profile, and the reason for it.
func (m *machine) status() (state, reason string, expires time.Time) {
	m.t.Helper()
	said := m.run(nil, "status", "--json")
	var status struct {
		Profiles []struct {
			State     string    `json:"state"`
			Reason    string    `json:"reason"`
			ExpiresAt time.Time `json:"expires_at"`
		} `json:"profiles"`
	}
	if err := json.Unmarshal([]byte(said.stdout), &status); err != nil || len(status.Profiles) != 1 {
		m.t.Fatalf("status: %v: %v", err, said)
	}
	p := status.Profiles[0]
	return p.State, p.Reason, p.ExpiresAt
}

// untilOver waits for the end of the access token.
func (m *machine) untilOver() {
	m.t.Helper()
	_, _, expires := m.status()
	time.Sleep(time.Until(expires))
}
