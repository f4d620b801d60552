package clients

import (
	"slices"
	"strings"
	"testing"
)

// Where the user's files are, on each system and with each variable.
func TestPlaces(t *testing.T) {
	const win = `C:\Users\ada`
	for _, test := range []struct {
		id, goos, env string // env is NAME=value
		want          string // the files, separated by " | "
	}{
		{"claude-desktop", "darwin", "", "/home/ada/Library/Application Support/Claude/claude_desktop_config.json"},
		{"claude-desktop", "linux", "", "/home/ada/.config/Claude/claude_desktop_config.json"},
		{"claude-desktop", "windows", `APPDATA=D:\Roaming`, win + `\AppData\Local\Packages\Claude_*\LocalCache\Roaming\Claude\claude_desktop_config.json | D:\Roaming\Claude\claude_desktop_config.json`},
		{"claude-code", "linux", "", "/home/ada/.claude.json"},
		{"claude-code", "linux", "CLAUDE_CONFIG_DIR=/c", "/c/.claude.json"},
		{"claude-code", "windows", "", win + `\.claude.json`},
		{"cursor", "windows", "", win + `\.cursor\mcp.json`},
		{"vscode", "linux", "XDG_CONFIG_HOME=/x", "/x/Code/User/mcp.json"},
		{"vscode", "darwin", "XDG_CONFIG_HOME=/x", "/home/ada/Library/Application Support/Code/User/mcp.json"},
		{"vscode", "windows", "", win + `\AppData\Roaming\Code\User\mcp.json`},
		{"codex", "linux", "", "/home/ada/.codex/config.toml"},
		{"codex", "linux", "CODEX_HOME=/c", "/c/config.toml"},
		{"gemini", "linux", "", "/home/ada/.gemini/settings.json"},
		{"gemini", "windows", "", win + `\.gemini\settings.json`},
		{"gemini", "linux", "GEMINI_CLI_HOME=/g", "/g/.gemini/settings.json"},
		{"copilot", "linux", "XDG_CONFIG_HOME=/x", "/home/ada/.copilot/mcp-config.json"},
		{"copilot", "linux", "COPILOT_HOME=/c", "/c/mcp-config.json"},
		{"opencode", "darwin", "", "/home/ada/.config/opencode/opencode.jsonc | /home/ada/.config/opencode/opencode.json"},
		{"opencode", "linux", "XDG_CONFIG_HOME=/x", "/x/opencode/opencode.jsonc | /x/opencode/opencode.json"},
		{"zed", "darwin", "", "/home/ada/.config/zed/settings.json"},
		{"zed", "windows", "", win + `\AppData\Roaming\Zed\settings.json`},
		{"goose", "darwin", "", "/home/ada/.config/goose/config.yaml"},
		{"goose", "windows", "", win + `\AppData\Roaming\Block\goose\config\config.yaml`},
		{"windsurf", "linux", "", "/home/ada/.codeium/windsurf/mcp_config.json"},
		{"kiro", "linux", "", "/home/ada/.kiro/settings/mcp.json"},
	} {
		home := "/home/ada"
		if test.goos == "windows" {
			home = win
		}
		name, value, _ := strings.Cut(test.env, "=")
		e := Env{Home: home, GOOS: test.goos, Getenv: func(n string) string {
			if n == name && n != "" {
				return value
			}
			return ""
		}}
		c, ok := ByID(test.id)
		if !ok {
			t.Fatalf("no %s", test.id)
		}
		places := c.Places(e)
		if got := strings.Join(places[0].Files, " | "); len(places) != 1 || got != test.want {
			t.Errorf("%s on %s with %q: %s, %d places", test.id, test.goos, test.env, got, len(places))
		}
	}
}

// In a project there are its files, too, and Claude Code's servers for it.
func TestProjectPlaces(t *testing.T) {
	var with []string
	for _, c := range All() {
		for _, p := range c.Places(Env{Home: "/h", GOOS: "linux", Project: "/p", Getenv: func(string) string { return "" }}) {
			switch {
			case p.Scope == ScopeProject && strings.HasPrefix(p.Files[0], "/p/"):
				with = append(with, c.ID)
			case p.Scope == ScopeLocal && !slices.Equal(p.Keys, []string{"projects", "/p", "mcpServers"}), p.Scope == ScopeProject:
				t.Errorf("%s: %+v", c.ID, p)
			}
		}
	}
	if want := "claude-code cursor vscode codex gemini copilot opencode zed kiro"; strings.Join(with, " ") != want {
		t.Errorf("%v", with)
	}
}
