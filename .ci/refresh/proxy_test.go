package refresh

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// serve is an MCP server that answers a tool call with the user that it was
// told of.
func serve() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var request struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Meta struct {
					User json.RawMessage `json:"io.github.mcpauth/user"`
				} `json:"_meta"`
			} `json:"params"`
		}
		if json.Unmarshal(lines.Bytes(), &request) != nil || request.ID == nil {
			continue
		}
		result := `{"tools":[{"name":"whoami","inputSchema":{"type":"object"}}]}`
		switch request.Method {
		case "initialize":
			result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"refresh","version":"1"}}`
		case "tools/call":
			text, _ := json.Marshal(string(request.Params.Meta.User))
			result = fmt.Sprintf(`{"content":[{"type":"text","text":%s}]}`, text)
		}
		fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", request.ID, result)
	}
}

// proxy is a running `mcpauth proxy` with its AI client.
type proxy struct {
	m       *machine
	command *exec.Cmd
	stdin   io.WriteCloser
	lines   *bufio.Scanner
	id      int
}

func (m *machine) proxy() *proxy {
	m.t.Helper()
	self, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	p := &proxy{m: m, command: m.mcpauth(context.Background(), "proxy", "--", self, "server")}
	p.command.Stderr = hearing{m}
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
	m.t.Cleanup(func() {
		p.stdin.Close()
		if err := p.command.Wait(); err != nil {
			m.t.Errorf("proxy: %v\n%s", err, m.heard())
		}
	})
	p.lines = bufio.NewScanner(stdout)
	p.lines.Buffer(nil, 1<<20)
	return p
}

type hearing struct{ m *machine }

func (h hearing) Write(p []byte) (int, error) { h.m.hear(string(p)); return len(p), nil }

func (p *proxy) open() {
	p.request("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"refresh","version":"1"}}`)
	p.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
}

func (p *proxy) send(line string) {
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.m.t.Errorf("the proxy does not read: %v", err)
	}
}

// answer is the part of a tool's answer that matters here.
type answer struct {
	text    string
	failed  bool
	took    time.Duration
	user    string
	expires int64
}

func (p *proxy) request(method, params string) (result json.RawMessage) {
	p.id++
	p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, p.id, method, params))
	for p.lines.Scan() {
		var message struct {
			ID     int             `json:"id"`
			Method string          `json:"method"`
			Result json.RawMessage `json:"result"`
		}
		if err := json.Unmarshal(p.lines.Bytes(), &message); err != nil {
			p.m.t.Errorf("the proxy says %q", p.lines.Text())
			return nil
		}
		if message.Method == "" && message.ID == p.id {
			return message.Result
		}
	}
	p.m.t.Errorf("the proxy ended: %v", p.lines.Err())
	return nil
}

// call asks the server who it thinks the user is.
func (p *proxy) call() answer {
	began := time.Now()
	result := p.request("tools/call", `{"name":"whoami","arguments":{}}`)
	a := answer{took: time.Since(began)}
	var said struct {
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
		IsError bool `json:"isError"`
	}
	if err := json.Unmarshal(result, &said); err != nil || len(said.Content) != 1 {
		p.m.t.Errorf("the call was answered by %s", result)
		return answer{failed: true}
	}
	a.text, a.failed = said.Content[0].Text, said.IsError
	var user struct {
		Sub       string `json:"sub"`
		ExpiresAt int64  `json:"expires_at"`
	}
	if !a.failed && json.Unmarshal([]byte(a.text), &user) == nil {
		a.user, a.expires = user.Sub, user.ExpiresAt
	}
	return a
}

// wantUser fails when a call did not reach the server with the user.
func (a answer) wantUser(t *testing.T) {
	t.Helper()
	if a.failed || a.user == "" {
		t.Errorf("the call failed: %s", a.text)
	}
}

func (a answer) wantWords(t *testing.T, words string) {
	t.Helper()
	if !a.failed || !strings.Contains(a.text, words) {
		t.Errorf("the call was answered by %q, want %q", a.text, words)
	}
}
