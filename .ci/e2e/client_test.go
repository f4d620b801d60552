package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// patience bounds each answer of the proxy.
const patience = 20 * time.Second

// era is a protocol revision with its way to say so.
type era string

const (
	legacy era = "2025-11-25" // one handshake, then plain requests
	modern era = "2026-07-28" // no handshake, everything in each request's _meta
)

// client is an AI client on stdio.
type client struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string
	said  *suite.Output // standard error
	watch *watch

	era   era
	id    int
	heard map[string]int // notifications by method
}

func startClient(t *testing.T, command *exec.Cmd, w *watch) *client {
	t.Helper()
	c := &client{t: t, cmd: command, lines: make(chan string, 100), said: &suite.Output{}, watch: w, heard: map[string]int{}}
	command.Stderr = c.said
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.lines)
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			c.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() { _ = command.Process.Kill() }) // no effect after stop
	return c
}

// open begins as a client of an era does.
func (c *client) open(e era) {
	c.t.Helper()
	c.era = e
	if e == modern {
		answer := c.request("server/discover", nil)
		if !strings.Contains(fmt.Sprint(answer["supportedVersions"]), string(modern)) {
			c.t.Fatalf("server/discover answered %v", answer)
		}
		return
	}
	answer := c.request("initialize", map[string]any{
		"protocolVersion": e, "capabilities": map[string]any{}, "clientInfo": clientInfo})
	if answer["protocolVersion"] != string(e) {
		c.t.Fatalf("initialize answered %v", answer)
	}
	c.send(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
}

var clientInfo = map[string]any{"name": "e2e", "version": "1"}

// request sends one request and returns its result.
func (c *client) request(method string, params map[string]any) map[string]any {
	c.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	if c.era == modern {
		meta, _ := params["_meta"].(map[string]any)
		if meta == nil {
			meta = map[string]any{}
		}
		meta["io.modelcontextprotocol/protocolVersion"] = modern
		meta["io.modelcontextprotocol/clientCapabilities"] = map[string]any{}
		meta["io.modelcontextprotocol/clientInfo"] = clientInfo
		params["_meta"] = meta
	}
	c.id++
	c.send(map[string]any{"jsonrpc": "2.0", "id": c.id, "method": method, "params": params})
	answer := c.receive()
	for answer["id"] == nil {
		answer = c.receive()
	}
	result, ok := answer["result"].(map[string]any)
	if !ok || answer["id"] != float64(c.id) {
		c.t.Fatalf("%s was answered by %v", method, answer)
	}
	if c.era == modern && result["resultType"] != "complete" {
		c.t.Errorf("%s: a result of 2026-07-28 without resultType: %v", method, result)
	}
	return result
}

func (c *client) send(message map[string]any) {
	c.t.Helper()
	line, err := json.Marshal(message)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.stdin.Write(append(line, '\n')); err != nil {
		c.t.Fatalf("proxy does not read: %v\n%s", err, c.said)
	}
}

func (c *client) receive() map[string]any {
	c.t.Helper()
	select {
	case line, ok := <-c.lines:
		c.watch.heard("standard output of the proxy", line)
		var message map[string]any
		if err := json.Unmarshal([]byte(line), &message); !ok || err != nil {
			c.t.Fatalf("proxy said %q (open: %v)\n%s", line, ok, c.said)
		}
		if message["id"] == nil {
			c.heard[fmt.Sprint(message["method"])]++
		}
		return message
	case <-time.After(patience):
		c.t.Fatalf("no answer within %v\n%s", patience, c.said)
	}
	return nil
}

// await reads until a notification has been heard.
func (c *client) await(method string) {
	c.t.Helper()
	c.t.Logf("waiting for %s", method)
	for c.heard[method] == 0 {
		c.receive()
	}
}

// tools returns the schema of each tool by its name.
func (c *client) tools() map[string]map[string]any {
	c.t.Helper()
	tools := map[string]map[string]any{}
	list, _ := c.request("tools/list", nil)["tools"].([]any)
	for _, entry := range list {
		tool, _ := entry.(map[string]any)
		name, _ := tool["name"].(string)
		tools[name], _ = tool["inputSchema"].(map[string]any)
	}
	return tools
}

// call calls a tool and returns the text of its answer.
func (c *client) call(tool string, params map[string]any) (text string, failed bool) {
	c.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	params["name"] = tool
	if params["arguments"] == nil {
		params["arguments"] = map[string]any{}
	}
	result := c.request("tools/call", params)
	content, _ := result["content"].([]any)
	for _, entry := range content {
		block, _ := entry.(map[string]any)
		text += fmt.Sprint(block["text"])
	}
	failed, _ = result["isError"].(bool)
	return text, failed
}

// stop ends the session as clients do, by closing standard input, and expects
// the proxy and its server to be gone in time (design, section 3.8).
func (c *client) stop() {
	c.t.Helper()
	tree := descendants(c.cmd.Process.Pid)
	began := time.Now()
	c.stdin.Close()
	for line := range c.lines {
		c.watch.heard("standard output of the proxy", line)
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("proxy ended with %v\n%s", err, c.said)
	}
	if took := time.Since(began); took > 1500*time.Millisecond {
		c.t.Errorf("the proxy took %v to end", took)
	}
	for _, pid := range tree {
		if alive(pid) {
			c.t.Errorf("process %d of the proxy outlived it", pid)
		}
	}
	c.watch.heard("standard error of the proxy", c.said.String())
}
