package clients_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Claude Code asks its servers for their health; nobody needs to be signed in.
func TestClaudeCode(t *testing.T) {
	m := newMachine(t)
	m.run("claude", "mcp", "add", "-s", "user", "other", "--", "python3", "-c", "pass")
	file := filepath.Join(m.home, ".claude.json")
	m.add("claude-code")
	m.says(m.run("claude", "mcp", "list"), "witness: ", "✔ Connected")
	m.connected("claude-code")
	m.says(m.run("claude", "mcp", "get", "witness"), "Type: stdio", "Scope: User config")

	// What Claude Code adds, mcpauth wraps and unwraps; Claude Code reads both.
	m.run("mcpauth", "client", "wrap", "claude-code", "other", "--yes")
	m.says(m.run("claude", "mcp", "get", "other"), "mcpauth", "proxy -- python3 -c pass")
	m.run("mcpauth", "client", "unwrap", "claude-code", "other", "--yes")
	m.says(m.run("claude", "mcp", "get", "other"), "Command: python3")
	m.run("mcpauth", "client", "remove", "claude-code", "--name", "witness", "--yes")
	data, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(data), "witness") || !strings.Contains(string(data), `"other"`) {
		t.Errorf("%v\n%s", err, data)
	}
}

// Both write the file at the same time, under Claude Code's own lock: nothing of
// either is lost.
func TestClaudeCodeAtTheSameTime(t *testing.T) {
	m := newMachine(t)
	m.write(".claude.json", "{}")
	names := []string{"a", "b", "c", "d"}
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() { m.run("claude", "mcp", "add", "-s", "user", "theirs-"+name, "--", "true") })
		all.Go(func() {
			m.run("mcpauth", "client", "add", "claude-code", "--name", "ours-"+name, "--yes", "--", "true")
		})
	}
	all.Wait()
	data, err := os.ReadFile(filepath.Join(m.home, ".claude.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		m.says(string(data), `"theirs-`+name+`"`, `"ours-`+name+`"`)
	}
}

// Codex lists what is configured, and its app server connects.
func TestCodex(t *testing.T) {
	m := newMachine(t)
	before := "# Codex of Ada\nmodel = \"gpt-5\" # the best\n"
	m.write(".codex/config.toml", before)
	m.add("codex")
	m.says(m.run("codex", "mcp", "list"), "witness", "proxy -- ", "enabled")
	answers := m.rpc("2", []string{
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":{"name":"suite","version":"1"}}}`,
		`{"jsonrpc":"2.0","method":"initialized"}`,
		`{"jsonrpc":"2.0","id":2,"method":"mcpServerStatus/list","params":{}}`,
	}, "codex", "app-server")
	// Signed out, mcpauth stands for the server's tools with one of its own.
	m.says(string(answers["2"]), `"name":"witness"`, `"sign_in"`)
	m.connected("codex")
	m.removed("codex", ".codex/config.toml", []byte(before))
}

// Gemini CLI connects in folders that are trusted.
func TestGemini(t *testing.T) {
	m := newMachine(t)
	before := "{\n  // of Ada\n  \"ui\": {\"theme\": \"Default\"}\n}\n"
	m.write(".gemini/settings.json", before)
	m.write(".gemini/trustedFolders.json", `{"`+m.project+`": "TRUST_FOLDER"}`)
	m.add("gemini")
	m.says(m.run("gemini", "mcp", "list"), "witness", "Connected")
	m.connected("mcp-test-client") // the name that `gemini mcp list` gives itself
	m.removed("gemini", ".gemini/settings.json", []byte(before))
}

// OpenCode connects to list.
func TestOpenCode(t *testing.T) {
	m := newMachine(t)
	before := "{\n  \"$schema\": \"https://opencode.ai/config.json\",\n  // of Ada\n  \"autoupdate\": false,\n}\n"
	m.write(".config/opencode/opencode.jsonc", before)
	m.add("opencode")
	m.says(m.run("opencode", "mcp", "list"), "witness", "connected")
	m.connected("opencode")
	m.removed("opencode", ".config/opencode/opencode.jsonc", []byte(before))
}

// OpenCode 2 keeps servers one level deeper; OpenCode 1 reads that, too. An entry
// that mcpauth adds beside them is of the same form.
func TestOpenCodeNewerForm(t *testing.T) {
	m := newMachine(t)
	before := "{\n  \"$schema\": \"https://opencode.ai/config.json\",\n  \"mcp\": {\n    \"servers\": {\n      // of Ada\n      \"off\": {\"type\": \"local\", \"command\": [\"true\"], \"disabled\": true},\n    },\n  },\n}\n"
	m.write(".config/opencode/opencode.jsonc", before)
	m.add("opencode")
	m.says(m.run("opencode", "mcp", "list"), "witness", "connected")
	m.connected("opencode")
	m.removed("opencode", ".config/opencode/opencode.jsonc", []byte(before))
}

// Goose starts its extensions before it asks a model, which is not there.
func TestGoose(t *testing.T) {
	m := newMachine(t)
	before := "# of Ada\nextensions:\n  developer: # built in\n    enabled: false\n    type: builtin\n    name: developer\n"
	m.write(".config/goose/config.yaml", before)
	m.add("goose")
	m.connects("goose", "env", "GOOSE_DISABLE_KEYRING=1", "GOOSE_PROVIDER=ollama", "GOOSE_MODEL=none", "OLLAMA_HOST=http://127.0.0.1:9",
		"goose", "run", "--no-session", "--text", "hello")
	m.removed("goose", ".config/goose/config.yaml", []byte(before))
}

// Copilot CLI lists what is configured; it starts no server without a sign-in.
func TestCopilot(t *testing.T) {
	m := newMachine(t)
	m.add("copilot")
	m.says(m.run("copilot", "mcp", "list"), "witness (local)")
	m.says(m.run("copilot", "mcp", "get", "witness"), "proxy")
	if methods, _ := m.received(); len(methods) > 0 {
		m.connected("copilot")
	} else {
		t.Log("not connected: Copilot CLI starts no server before somebody signs in to GitHub")
	}
	m.removed("copilot", ".copilot/mcp-config.json", nil)
}
