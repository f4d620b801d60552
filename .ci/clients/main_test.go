// Package clients_test runs real AI clients from npm: mcpauth adds a server to
// each, and the client finds it and connects. None is signed in, and none has a
// network.
//
//	npm ci --prefix .ci/clients && go test -v ./.ci/clients
//
// It needs root, for a network namespace, and Python. README.md says what each
// client shows without a sign-in.
package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// programs is the folder with mcpauth.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "mcpauth-clients-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	build := exec.Command("go", "build", "-o", filepath.Join(programs, "mcpauth"), "github.com/mcpauth/mcpauth/cmd/mcpauth")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building mcpauth:", err)
		return 1
	}
	return m.Run()
}

// patience bounds one run of a client: a cold start on a busy machine with two
// cores takes half a minute.
const patience = 2 * time.Minute

// machine is a home with a project folder in it.
type machine struct {
	t             *testing.T
	home, project string
	witness       string // what the server behind mcpauth received, a line for each message
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	home := t.TempDir()
	m := &machine{t: t, home: home, project: filepath.Join(home, "project"), witness: filepath.Join(home, "witness")}
	if err := os.Mkdir(m.project, 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

// command runs in the project with nothing but loopback and no environment.
func (m *machine) command(ctx context.Context, argv ...string) *exec.Cmd {
	modules, err := filepath.Abs("node_modules")
	if err != nil {
		m.t.Fatal(err)
	}
	path := strings.Join([]string{
		programs, filepath.Join(modules, ".bin"), filepath.Join(modules, "opencode-linux-x64-baseline", "bin"),
		filepath.Join(modules, "@aaif", "goose-binary-linux-x64", "bin"),
		"/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
	}, ":")
	const loopback = `ip link set lo up && exec "$@"`
	c := exec.CommandContext(ctx, "unshare", append([]string{"-n", "sh", "-c", loopback, "sh"}, argv...)...)
	c.Dir = m.project
	c.Env = []string{"HOME=" + m.home, "PATH=" + path, "TERM=dumb", "NO_COLOR=1"}
	c.WaitDelay = 5 * time.Second
	return c
}

// run returns what a command said; it must end with code 0.
func (m *machine) run(argv ...string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	output, err := m.command(ctx, argv...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, output)
	}
	return string(output)
}

// add adds the witness to a client by mcpauth.
func (m *machine) add(client string) {
	m.t.Helper()
	server, err := filepath.Abs("witness.py")
	if err != nil {
		m.t.Fatal(err)
	}
	m.run("mcpauth", "client", "add", client, "--name", "witness", "--yes", "--", "python3", server, m.witness)
	_ = os.Remove(m.witness) // mcpauth has looked at the server itself
}

// received are the methods that the server received from a client.
func (m *machine) received() (methods, clients []string) {
	data, _ := os.ReadFile(m.witness)
	for line := range strings.Lines(string(data)) {
		var message struct{ Method, Client string }
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			m.t.Fatal(err)
		}
		methods = append(methods, message.Method)
		if message.Client != "" {
			clients = append(clients, message.Client)
		}
	}
	return methods, clients
}

// connected checks that a client said hello to the server through mcpauth.
func (m *machine) connected(client string) {
	m.t.Helper()
	methods, names := m.received()
	if !slices.Contains(methods, "initialize") || !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, client) }) {
		m.t.Errorf("the server behind mcpauth received %q from %q, want initialize from %s", methods, names, client)
	}
	m.t.Logf("connected: the server received %q from %q", methods, names)
}

// connects runs a client that goes on for ever, until it has said hello to the
// server through mcpauth.
func (m *machine) connects(client string, argv ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	c := m.command(ctx, argv...)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	for waits := true; waits; {
		select {
		case <-ended: // too early, or after patience
			m.t.Errorf("%s ended:\n%s", strings.Join(argv, " "), output.String())
			waits = false
		case <-time.After(50 * time.Millisecond):
			data, _ := os.ReadFile(m.witness)
			waits = !bytes.Contains(data, []byte("notifications/initialized"))
		}
	}
	cancel()
	<-ended
	m.connected(client)
}

// says checks the words of a client.
func (m *machine) says(output string, words ...string) {
	m.t.Helper()
	for _, word := range words {
		if !strings.Contains(output, word) {
			m.t.Errorf("it does not say %q:\n%s", word, output)
		}
	}
}

// removed removes the witness again: the file is as it was, or gone.
func (m *machine) removed(client, file string, before []byte) {
	m.t.Helper()
	m.run("mcpauth", "client", "remove", client, "--name", "witness", "--yes")
	after, err := os.ReadFile(filepath.Join(m.home, file))
	if before == nil && err == nil || before != nil && !bytes.Equal(after, before) {
		m.t.Errorf("%s after the removal (%v):\n%s\nwas:\n%s", file, err, after, before)
	}
}

func (m *machine) write(file, text string) {
	m.t.Helper()
	path := filepath.Join(m.home, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// rpc asks a program that speaks JSON-RPC in lines, and returns the answers by id.
func (m *machine) rpc(last string, lines []string, argv ...string) map[string]json.RawMessage {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	c := m.command(ctx, argv...)
	var noise bytes.Buffer
	c.Stderr = &noise
	in, err := c.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	var end sync.Once
	finish := func() { end.Do(func() { _ = in.Close(); cancel(); _ = c.Wait() }) }
	defer finish()
	for _, line := range lines {
		fmt.Fprintln(in, line)
	}
	answers := map[string]json.RawMessage{}
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var answer struct{ ID, Result json.RawMessage }
		if json.Unmarshal(scanner.Bytes(), &answer) == nil && answer.ID != nil {
			answers[string(answer.ID)] = answer.Result
		}
		if answers[last] != nil {
			return answers
		}
	}
	finish()
	m.t.Fatalf("%s: no answer to %s\n%s", strings.Join(argv, " "), last, noise.String())
	return nil
}
