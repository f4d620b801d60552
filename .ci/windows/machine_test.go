package windows

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// patience bounds what one program may take, on a machine that has much to do.
const patience = 90 * time.Second

// machine is one user's machine. The Credential Manager is that of all, in which
// every issuer has its own entries.
type machine struct {
	t    *testing.T
	home string
}

func newMachine(t *testing.T) *machine { return &machine{t, t.TempDir()} }

func program(name string) string { return filepath.Join(os.Getenv(programsVariable), name) }

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// command has the environment of a new user, and a browser that clicks by itself.
func (m *machine) command(args ...string) *exec.Cmd {
	command := exec.CommandContext(m.t.Context(), program("mcpauth.exe"), args...)
	command.Dir = m.home
	command.Env = []string{
		"USERPROFILE=" + m.home, "APPDATA=" + m.home + `\AppData\Roaming`, "LOCALAPPDATA=" + m.home + `\AppData\Local`,
		"TEMP=" + os.Getenv("TEMP"), "PATH=" + os.Getenv("PATH"), "PATHEXT=" + os.Getenv("PATHEXT"),
		"BROWSER=" + self(m.t) + " browser",
	}
	return command
}

// run wants an exit code, and returns what was printed on both streams.
func (m *machine) run(code int, args ...string) (stdout, stderr string) {
	m.t.Helper()
	command := m.command(args...)
	var out, talk bytes.Buffer
	command.Stdout, command.Stderr = &out, &talk
	kill := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	err := command.Run()
	kill.Stop()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || command.ProcessState.ExitCode() != code {
		m.t.Fatalf("mcpauth %v: %v, want exit %d\n%s%s", args, err, code, out.Bytes(), talk.Bytes())
	}
	return out.String(), talk.String()
}

func wantText(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(got, text) {
			t.Errorf("%q is missing in:\n%s", text, got)
		}
	}
}

// serve is an MCP server that answers a tool call with the user that it was given
// and the ids of its processes: it has a child.
func serve() {
	path, err := os.Executable()
	exitOn(err)
	child := exec.Command(path, "sleeper")
	exitOn(child.Start())
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var request struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Meta struct {
					User struct {
						Sub     string `json:"sub"`
						Expires int64  `json:"expires_at"`
					} `json:"io.github.mcpauth/user"`
				} `json:"_meta"`
			} `json:"params"`
		}
		if json.Unmarshal(lines.Bytes(), &request) != nil || request.ID == nil {
			continue
		}
		result := `{"tools":[{"name":"whoami","inputSchema":{"type":"object"}}]}`
		switch request.Method {
		case "initialize":
			result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"windows","version":"1"}}`
		case "tools/call":
			user := request.Params.Meta.User
			text := fmt.Sprintf("%s %d %d %d", user.Sub, user.Expires, os.Getpid(), child.Process.Pid)
			result = fmt.Sprintf(`{"content":[{"type":"text","text":%q}]}`, text)
		}
		fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", request.ID, result)
	}
}

// proxy is a running `mcpauth proxy` with its AI client.
type proxy struct {
	m       *machine
	command *exec.Cmd
	stdin   io.WriteCloser
	lines   chan string
	talk    suite.Output
	id      int
}

func (m *machine) proxy() *proxy {
	m.t.Helper()
	p := &proxy{m: m, command: m.command("proxy", "--", self(m.t), "server"), lines: make(chan string, 100)}
	p.command.Stderr = &p.talk
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		m.t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	p.request("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}`)
	p.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return p
}

// end closes the proxy's input, as a client does that has done.
func (p *proxy) end() {
	p.m.t.Helper()
	_ = p.stdin.Close()
	if err := p.command.Wait(); err != nil {
		p.m.t.Errorf("the proxy ended with %v\n%s", err, p.talk.String())
	}
}

func (p *proxy) send(line string) {
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.m.t.Errorf("the proxy does not read: %v", err)
	}
}

func (p *proxy) request(method, params string) json.RawMessage {
	p.m.t.Helper()
	p.id++
	p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, p.id, method, params))
	deadline := time.After(patience)
	for {
		select {
		case line, more := <-p.lines:
			var message struct {
				ID     int             `json:"id"`
				Method string          `json:"method"`
				Result json.RawMessage `json:"result"`
			}
			if !more || json.Unmarshal([]byte(line), &message) != nil {
				p.m.t.Fatalf("%s: the proxy says %q\n%s", method, line, p.talk.String())
			}
			if message.Method == "" && message.ID == p.id {
				return message.Result
			}
		case <-deadline:
			p.m.t.Fatalf("%s: no answer\n%s", method, p.talk.String())
		}
	}
}

// call asks the server who the user is; failed is what the answer says itself.
func (p *proxy) call() (text string, failed bool) {
	p.m.t.Helper()
	var result struct {
		Content []struct{ Text string }
		IsError bool
	}
	raw := p.request("tools/call", `{"name":"whoami","arguments":{}}`)
	if err := json.Unmarshal(raw, &result); err != nil || len(result.Content) != 1 {
		p.m.t.Fatalf("the call was answered by %s", raw)
	}
	return result.Content[0].Text, result.IsError
}

// user is what the server answers to a call that works.
type user struct {
	sub           string
	expires       int64
	server, child int // ids of processes
}

func (p *proxy) user() (u user) {
	p.m.t.Helper()
	text, failed := p.call()
	if _, err := fmt.Sscan(text, &u.sub, &u.expires, &u.server, &u.child); err != nil || failed || u.sub != "ada" {
		p.m.t.Fatalf("the call was answered by %q\n%s", text, p.talk.String())
	}
	return u
}
