package clients

import "github.com/mcpauth/mcpauth/broker/edit"

// All are the clients that mcpauth can set up.
func All() []Client {
	return []Client{
		claudeDesktop(), claudeCode(), cursor(), vscode(), codex(), gemini(), copilot(), opencode(), zed(), goose(), windsurf(), kiro(),
	}
}

var mcpServers = []string{"mcpServers"}

func user(keys []string, files ...string) Place {
	return Place{Scope: ScopeUser, Files: files, Keys: keys}
}

func (e Env) project(keys []string, file ...string) Place {
	p := Place{Scope: ScopeProject, Keys: keys}
	for _, name := range file {
		p.Files = append(p.Files, e.join(e.Project, name))
	}
	return p
}

func claudeDesktop() Client {
	const file = "claude_desktop_config.json"
	return Client{
		ID: "claude-desktop", Name: "Claude Desktop", Format: edit.JSON, shape: plainShape,
		After: "Quit Claude Desktop fully and open it again.",
		places: func(e Env) []Place {
			plain := e.join(e.application(), "Claude", file)
			if e.GOOS != "windows" {
				return []Place{user(mcpServers, plain)}
			}
			// The package from the Store reads a copy of its own.
			packages := e.join(e.dir("LOCALAPPDATA", "AppData/Local"), "Packages/Claude_*/LocalCache/Roaming/Claude", file)
			return []Place{user(mcpServers, packages, plain)}
		},
	}
}

func claudeCode() Client {
	return Client{
		ID: "claude-code", Name: "Claude Code", Format: edit.JSON, Programs: []string{"claude"}, Terminal: true,
		After: "Start a new session, or type /mcp in a running one.",
		shape: shape{first: edit.Object{{Name: "type", Value: "stdio"}}, command: "command", args: "args", env: "env"},
		places: func(e Env) []Place {
			file := e.join(e.Home, ".claude.json")
			if dir := e.Getenv("CLAUDE_CONFIG_DIR"); dir != "" {
				file = e.join(dir, ".claude.json")
			}
			// Claude Code writes this file all the time; docs/decisions/0013.
			mine := Place{Scope: ScopeUser, Files: []string{file}, Keys: mcpServers, InHome: true, LockDir: ".lock"}
			local := mine
			local.Scope, local.Keys = ScopeLocal, []string{"projects", e.Project, "mcpServers"}
			return []Place{mine, local, e.project(mcpServers, ".mcp.json")}
		},
		folders: func(e Env) []string { return []string{e.dir("CLAUDE_CONFIG_DIR", ".claude")} },
	}
}

func cursor() Client {
	return Client{
		ID: "cursor", Name: "Cursor", Format: edit.JSONC, Programs: []string{"cursor"}, shape: plainShape,
		After: "Cursor reads the file again by itself; else press refresh in Settings, MCP.",
		places: func(e Env) []Place {
			return []Place{user(mcpServers, e.join(e.Home, ".cursor/mcp.json")), e.project(mcpServers, ".cursor/mcp.json")}
		},
	}
}

func vscode() Client {
	servers := []string{"servers"}
	return Client{
		ID: "vscode", Name: "VS Code", Format: edit.JSONC, Programs: []string{"code"},
		After: "In VS Code run \"MCP: List Servers\", choose the server and start it; trust it when asked.",
		shape: shape{first: edit.Object{{Name: "type", Value: "stdio"}}, command: "command", args: "args", env: "env"},
		places: func(e Env) []Place {
			return []Place{user(servers, e.join(e.application(), "Code/User/mcp.json")), e.project(servers, ".vscode/mcp.json")}
		},
	}
}

func codex() Client {
	servers := []string{"mcp_servers"}
	return Client{
		ID: "codex", Name: "Codex", Format: edit.TOML, Programs: []string{"codex"}, shape: plainShape,
		After: "Start a new session of Codex.",
		places: func(e Env) []Place {
			return []Place{user(servers, e.join(e.dir("CODEX_HOME", ".codex"), "config.toml")), e.project(servers, ".codex/config.toml")}
		},
	}
}

func gemini() Client {
	return Client{
		ID: "gemini", Name: "Gemini CLI", Format: edit.JSONC, Programs: []string{"gemini"}, Terminal: true, shape: plainShape,
		After: "Start Gemini CLI again; the folder must be one that you trust.",
		places: func(e Env) []Place {
			home := e.dir("GEMINI_CLI_HOME", "")
			return []Place{user(mcpServers, e.join(home, ".gemini/settings.json")), e.project(mcpServers, ".gemini/settings.json")}
		},
	}
}

func copilot() Client {
	return Client{
		ID: "copilot", Name: "Copilot CLI", Format: edit.JSONC, Programs: []string{"copilot"}, Terminal: true,
		After: "Start a new session of Copilot CLI.",
		shape: shape{
			first: edit.Object{{Name: "type", Value: "local"}}, command: "command", args: "args", env: "env",
			last: edit.Object{{Name: "tools", Value: []string{"*"}}},
		},
		places: func(e Env) []Place {
			return []Place{
				user(mcpServers, e.join(e.dir("COPILOT_HOME", ".copilot"), "mcp-config.json")),
				e.project(mcpServers, ".github/mcp.json"),
			}
		},
	}
}

// OpenCode 2 has a form of its own beside that of OpenCode 1, which it reads, too.
func opencode() Client {
	servers := []string{"mcp"}
	older := shape{
		first: edit.Object{{Name: "type", Value: "local"}}, command: "command", env: "environment",
		last: edit.Object{{Name: "enabled", Value: true}},
	}
	newer := older
	newer.last = nil // it has disabled in place of enabled
	return Client{
		ID: "opencode", Name: "OpenCode", Format: edit.JSONC, Programs: []string{"opencode"}, Terminal: true,
		After: "Start OpenCode again.", shape: older, newer: &form{[]string{"mcp", "servers"}, newer},
		places: func(e Env) []Place {
			dir := e.join(e.dir("XDG_CONFIG_HOME", ".config"), "opencode") // on Windows, too
			return []Place{
				user(servers, e.join(dir, "opencode.jsonc"), e.join(dir, "opencode.json")),
				e.project(servers, "opencode.jsonc", "opencode.json"),
			}
		},
	}
}

func zed() Client {
	servers := []string{"context_servers"}
	return Client{
		ID: "zed", Name: "Zed", Format: edit.JSONC, Programs: []string{"zed"},
		After: "Zed reads the file when it is saved; the Agent Panel's settings show the server.",
		shape: shape{first: edit.Object{{Name: "source", Value: "custom"}}, command: "command", args: "args", env: "env"},
		places: func(e Env) []Place {
			dir := e.join(e.config(), "zed")
			switch e.GOOS {
			case "windows":
				dir = e.join(e.config(), "Zed")
			case "darwin":
				dir = e.join(e.Home, ".config/zed")
			}
			return []Place{user(servers, e.join(dir, "settings.json")), e.project(servers, ".zed/settings.json")}
		},
	}
}

func goose() Client {
	return Client{
		ID: "goose", Name: "Goose", Format: edit.YAML, Programs: []string{"goose"},
		After: "Start a new session of Goose.",
		shape: shape{
			first: edit.Object{{Name: "enabled", Value: true}, {Name: "type", Value: "stdio"}}, named: true, command: "cmd", args: "args", env: "envs",
			last: edit.Object{{Name: "timeout", Value: 300}},
		},
		places: func(e Env) []Place {
			file := e.join(e.config(), "goose/config.yaml")
			if e.GOOS == "windows" {
				file = e.join(e.config(), "Block/goose/config/config.yaml")
			}
			return []Place{user([]string{"extensions"}, file)}
		},
	}
}

func windsurf() Client {
	return Client{
		ID: "windsurf", Name: "Windsurf", Format: edit.JSONC, Programs: []string{"windsurf"}, shape: plainShape,
		After: "Press refresh in Windsurf's list of MCP servers.",
		places: func(e Env) []Place {
			return []Place{user(mcpServers, e.join(e.Home, ".codeium/windsurf/mcp_config.json"))}
		},
	}
}

func kiro() Client {
	return Client{
		ID: "kiro", Name: "Kiro", Format: edit.JSONC, Programs: []string{"kiro", "kiro-cli"}, shape: plainShape,
		After: "Kiro connects again by itself when the file is saved.",
		places: func(e Env) []Place {
			return []Place{user(mcpServers, e.join(e.Home, ".kiro/settings/mcp.json")), e.project(mcpServers, ".kiro/settings/mcp.json")}
		},
		folders: func(e Env) []string { return []string{e.join(e.Home, ".kiro")} },
	}
}
