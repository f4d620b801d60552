package cmd

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// machine is a person's machine: a home, a keychain and a provider.
type machine struct {
	t       *testing.T
	dir     string
	env     []string
	program string
	issuer  string
	idp     *demoidp.Server
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	idp, err := demoidp.Start(demoidp.Options{AutoApprove: true, ACRs: []string{"phr"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = idp.Close() })
	m := &machine{t: t, dir: t.TempDir(), program: program, issuer: idp.Issuer(), idp: idp}
	bin := filepath.Join(m.dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"testbrowser", "testserver"} {
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	m.env = []string{
		"HOME=" + m.dir, "USERPROFILE=" + m.dir, "BROWSER=testbrowser", "GORACE=atexit_sleep_ms=0",
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"TEST_KEYCHAIN=" + filepath.Join(m.dir, keychainDir),
	}
	m.run("profile", "add", "orders", "--issuer", m.issuer, "--client-id", demoidp.DefaultClientID)
	return m
}

// command is "mcpauth args...": the test binary under the program's name.
func (m *machine) command(args ...string) *exec.Cmd {
	return &exec.Cmd{Path: m.program, Args: append([]string{"mcpauth"}, args...), Env: m.env, Dir: m.dir}
}

func (m *machine) run(args ...string) {
	m.t.Helper()
	if output, err := m.command(args...).CombinedOutput(); err != nil {
		m.t.Fatalf("mcpauth %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// aiClient is an AI client that talks to a running proxy.
type aiClient struct {
	t     *testing.T
	in    io.WriteCloser
	lines chan string
}

// connect starts a proxy. Its client says what is given at once.
func (m *machine) connect(lines ...string) *aiClient {
	m.t.Helper()
	return m.proxy([]string{"--", "testserver"}, lines...)
}

// proxy is connect with arguments of its own.
func (m *machine) proxy(args []string, lines ...string) *aiClient {
	m.t.Helper()
	proxy := m.command(append([]string{"proxy"}, args...)...)
	in, err := proxy.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	out, err := proxy.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := proxy.Start(); err != nil {
		m.t.Fatal(err)
	}
	c := &aiClient{t: m.t, in: in, lines: make(chan string, 1000)}
	go func() {
		defer close(c.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			c.lines <- scanner.Text()
		}
	}()
	m.t.Cleanup(func() {
		_ = in.Close()
		for range c.lines { // until the proxy closes its output
		}
		_ = proxy.Wait()
	})
	c.say(lines...)
	return c
}

func (c *aiClient) say(lines ...string) {
	c.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(c.in, line+"\n"); err != nil {
			c.t.Fatal(err)
		}
	}
}

// hears reads until a line has the text, and returns it.
func (c *aiClient) hears(text string) string {
	c.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				c.t.Fatalf("the proxy ended before it said %q", text)
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			c.t.Fatalf("the proxy does not say %q", text)
		}
	}
}

// tools asks for the list and returns the names.
func (c *aiClient) tools(id string) string {
	c.t.Helper()
	c.say(`{"jsonrpc":"2.0","id":` + id + `,"method":"tools/list"}`)
	var answer struct {
		Result struct {
			Tools []struct {
				Name string `json:"name"`
			} `json:"tools"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(c.hears(`"id":`+id+`,`)), &answer); err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, tool := range answer.Result.Tools {
		names = append(names, tool.Name)
	}
	return strings.Join(names, " ")
}

const (
	hello       = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"live","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
)

// A login and a logout anywhere on the machine reach every running proxy, and
// its client is told that its lists are others now.
func TestRunningProxiesFollowTheSignIn(t *testing.T) {
	m := newMachine(t)
	proxies := []*aiClient{m.connect(hello, initialized), m.connect(hello, initialized)}
	for _, c := range proxies {
		if line := c.hears(`"id":0,`); !strings.Contains(line, `"tools":{"listChanged":true}`) {
			t.Errorf("listChanged is not offered: %s", line)
		}
		if got := c.tools("1"); got != "sign_in" {
			t.Errorf("tools while signed out: %s", got)
		}
	}
	m.run("login")
	for _, c := range proxies {
		c.hears(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		if got := c.tools("2"); got != "plain declares" {
			t.Errorf("tools after the login: %s", got)
		}
	}
	m.run("logout")
	for _, c := range proxies {
		c.hears(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		if got := c.tools("3"); got != "plain declares" {
			t.Errorf("tools after the logout: %s, want the last known ones", got)
		}
		c.say(`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"plain"}}`)
		if line := c.hears(`"id":4,`); !strings.Contains(line, "Sign-in needed") {
			t.Errorf("a call after the logout: %s", line)
		}
	}
	// A proxy that starts while nobody is signed in serves the last known list.
	if got := m.connect(hello, initialized).tools("1"); got != "plain declares" {
		t.Errorf("tools of a new proxy: %s, want the last known ones", got)
	}
}

// The first login of all comes after the AI client has started its servers: that
// is the order in which a new user does things.
func TestProxyFromBeforeTheFirstProfile(t *testing.T) {
	m := newMachine(t)
	m.run("profile", "remove", "orders")
	c := m.connect(hello, initialized, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"plain"}}`)
	if line := c.hears(`"id":1,`); !strings.Contains(line, "there is no profile yet") || strings.Contains(line, "to  ") {
		t.Errorf("a call without a profile: %s", line)
	}
	m.run("login", "--issuer", m.issuer, "--client-id", demoidp.DefaultClientID)
	c.hears(`"method":"notifications/tools/list_changed"`)
	c.say(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"plain"}}`)
	if line := c.hears(`"id":2,`); !strings.Contains(line, `"email":"ada@example.com"`) {
		t.Errorf("a call after the first login: %s", line)
	}
}

// A client of the protocol without a handshake hears of it on the stream that
// it opened, and only of what it asked for.
func TestModernClientHearsOnItsStream(t *testing.T) {
	m := newMachine(t)
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	c := m.connect(
		`{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},`+meta+`}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+meta+`}}`,
	)
	if line := c.hears(`"id":1,`); !strings.Contains(line, `"sign_in"`) || !strings.Contains(line, `"cacheScope":"private"`) {
		t.Errorf("list while signed out: %s", line)
	}
	m.run("login")
	c.hears(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"}}}`)
	c.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"s"}}`, `{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	c.hears(`"id":2,`)
	m.run("logout")
	c.say(`{"jsonrpc":"2.0","id":3,"method":"ping"}`)
	for {
		select {
		case line := <-c.lines:
			if strings.Contains(line, "list_changed") {
				t.Errorf("a stream that was cancelled goes on, or one that nobody asked for: %s", line)
			}
			if strings.Contains(line, `"id":3,`) {
				return
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no answer")
		}
	}
}
