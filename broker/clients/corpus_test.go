package clients

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker/edit"
)

// corpus are files as people and programs write them.
var corpus = map[edit.Format]map[string]string{
	edit.JSON: {
		"empty":         "",
		"blank":         "\n",
		"braces":        "{}",
		"braces-line":   "{}\n",
		"no-servers":    "{\n  \"theme\": \"dark\"\n}\n",
		"empty-servers": "{\n  \"mcpServers\": {}\n}\n",
		"spread-empty":  "{\n  \"mcpServers\": {\n  }\n}\n",
		"two-spaces": `{
  "mcpServers": {
    "files": {
      "command": "npx",
      "args": [
        "-y",
        "@modelcontextprotocol/server-filesystem",
        "/home/ada"
      ],
      "env": {
        "LOG": "1"
      }
    }
  },
  "globalShortcut": ""
}
`,
		"tabs": "{\n\t\"mcpServers\": {\n\t\t\"files\": {\n\t\t\t\"command\": \"npx\",\n\t\t\t\"args\": [\"-y\", \"x\"]\n\t\t}\n\t}\n}\n",
		"four-spaces": `{
    "mcpServers": {
        "files": {"command": "npx", "args": ["-y", "x"]},
        "remote": {"url": "https://mcp.example.com"}
    }
}`,
		"one-line":       `{"mcpServers":{"files":{"command":"npx","args":["-y","x"]}},"numStartups":12}`,
		"one-line-wide":  `{ "mcpServers": { "files": { "command": "npx", "args": [ "-y" ] } } }` + "\n",
		"one-line-empty": `{"a":1,"mcpServers":{}}`,
		"brace-on-line":  "{\"mcpServers\": {\n  \"files\": {\"command\": \"npx\"}}}\n",
		"mixed":          "{\"mcpServers\": {\"files\": {\"command\": \"npx\",\n  \"args\": []}, \"b\":\n {\"command\": \"b\"}}\n}\n",
		"state": `{
  "numStartups": 184,
  "big": 9007199254740993,
  "float": 1.0,
  "escapes": "caf\u00e9 \/ 😀",
  "projects": {
    "/srv/orders": {
      "allowedTools": [],
      "mcpServers": {
        "local": {
          "type": "stdio",
          "command": "python3",
          "args": [],
          "env": {}
        }
      }
    }
  },
  "mcpServers": {
    "größe 😀": {
      "type": "stdio",
      "command": "/usr/bin/python3",
      "args": [
        "main.py"
      ],
      "env": {}
    }
  },
  "userID": "0fddcf"
}`,
		"no-args":     "{\n  \"mcpServers\": {\n    \"bare\": { \"command\": \"server\" }\n  }\n}\n",
		"blank-lines": "\n\n{\n\n  \"mcpServers\": {\n\n    \"files\": {\n\n      \"command\": \"npx\"\n\n    }\n\n  }\n\n}\n\n\n",
		"two-servers": "{\n  \"mcpServers\": {\n    \"a\": {\"command\": \"a\", \"args\": [\"1\"]},\n    \"b\": {\"args\": [\"2\"], \"command\": \"b\"}\n  }\n}\n",
	},
	edit.JSONC: {
		"comments": `// settings of Ada
{
  // the look
  "theme": "One Dark", // dark
  /* servers */
  "mcpServers": {
    // files
    "files": {
      "command": "npx", // node
      "args": ["-y", "x"], /* y */
    }, // end of files
    // "old": {"command": "old"}
  },
}
`,
		"comment-after-last": "{\n  \"mcpServers\": {\n    \"files\": {\"command\": \"npx\"} // last\n  } // servers\n}\n",
		"block-after-last":   "{\n  \"mcpServers\": {\n    \"files\": {\"command\": \"npx\"} /* last */\n    /* and\n more */\n  }\n}\n",
		"commented-out":      "{\n  \"mcpServers\": {\n    \"files\": {\"command\": \"npx\"}\n    // \"old\": {}\n  }\n}\n",
		"only-comment":       "{\n  \"mcpServers\": {\n    // none yet\n  }\n}\n",
		"only-comment-line":  "{\n  \"mcpServers\": { /* none yet */ }\n}\n",
		"comment-in-front":   "// nothing\n{\n  // here\n}\n",
		"trailing-comma":     "{\n  \"mcpServers\": {\n    \"files\": {\"command\": \"npx\", \"args\": [\"a\", \"b\",],},\n  },\n}\n",
		"trailing-one-line":  `{"mcpServers": {"files": {"command": "npx",},},}`,
		"url-in-text":        "{\n  \"mcpServers\": {\n    \"files\": {\"command\": \"npx\", \"args\": [\"http://x\"]}\n  }\n}\n",
		"comma-first":        "{\n  \"mcpServers\": {\n    \"a\": {\"command\": \"a\"}\n  , \"b\": {\"command\": \"b\"}\n  }\n}\n",
		"comment-then-comma": "{\n  \"mcpServers\": {\n    \"a\": {\"command\": \"a\"} /* a */, // after\n    \"b\": {\"command\": \"b\"} // b\n  }\n}\n",
	},
	edit.TOML: {
		"empty":      "",
		"no-servers": "model = \"gpt-5\" # the best\n\n[tui]\nnotifications = true\n",
		"comments": `# Codex of Ada
model = "gpt-5"

# files
[mcp_servers.files] # a comment behind the header
command = "npx" # node
args = ["-y", "x"] # y

[mcp_servers.files.env]
LOG = "1"

# projects
[projects."/srv/orders"]
trust_level = "trusted"
`,
		"multi-line-args": "[mcp_servers.files]\ncommand = 'npx'\nargs = [\n  \"-y\", # yes\n  \"x\",\n]\nstartup_timeout_sec = 20\n",
		"inline":          "mcp_servers = { files = { command = \"npx\", args = [\"-y\"] } }\n",
		"inline-empty":    "mcp_servers = {}\nmodel = \"x\"\n",
		"inline-entry":    "[mcp_servers]\nfiles = { command = \"npx\", args = [\"-y\"], env = { A = \"1\" } }\nbare = { command = \"b\" }\n",
		"dotted":          "mcp_servers.files.command = \"npx\"\nmcp_servers.files.args = [\"-y\"]\nmcp_servers.bare.command = \"b\"\n",
		"dotted-below":    "[mcp_servers]\nfiles.command = \"npx\"\n\n[other]\nx = 1\n",
		"quoted":          "[mcp_servers.\"größe 😀\"]\n  command = \"npx\"\n  args = [\"it's\", 'C:\\x']\n",
		"no-args":         "[mcp_servers.bare]\ncommand = \"b\"",
		"dates":           "at = 2026-11-27T21:00:00Z\nday = 2026-11-27\nn = nan\ni = inf\nh = 0xff\n",
		"arrays":          "[[hooks]]\nrun = \"a\"\n[[hooks]]\nrun = \"b\"\n\n[mcp_servers.files]\ncommand = \"npx\"\n\n[[hooks]]\nrun = \"c\"\n",
		"strings":         "a = \"\"\"\n[mcp_servers.x]\n\"\"\"\n[mcp_servers.files]\ncommand = \"npx\"\n",
		"blank-end":       "[mcp_servers.files]\ncommand = \"npx\"\n\n\n",
	},
	edit.YAML: {
		"empty":      "",
		"comment":    "# nothing\n",
		"no-servers": "GOOSE_MODEL: gpt-5 # the best\n\n# more\nGOOSE_PROVIDER: openai\n",
		"null":       "extensions: # none\nGOOSE_MODEL: x\n",
		"null-last":  "GOOSE_MODEL: x\nextensions:\n",
		"flow-empty": "extensions: {}\nGOOSE_MODEL: x\n",
		"goose": `# Goose of Ada
GOOSE_PROVIDER: openai

extensions:
  developer: # built in
    enabled: true
    type: builtin
    name: developer

  # files
  files:
    enabled: true
    type: stdio
    name: files
    cmd: npx   # node
    args:
      - -y # yes
      - "@modelcontextprotocol/server-filesystem"
    envs: {}
    timeout: 300

# the end
GOOSE_MODEL: gpt-5
`,
		"no-indent-list": "extensions:\n  files:\n    type: stdio\n    cmd: npx\n    args:\n    - -y\n    - x\n    timeout: 300\n  last:\n    cmd: l\n    args:\n    - a\n",
		"flow":           "extensions: {files: {type: stdio, cmd: npx, args: [-y, 'it''s', \"a\\\"b\"]}, b: {cmd: b}}\n",
		"flow-lines":     "extensions: {\n  files: {cmd: npx, args: []},\n  b: {cmd: b}\n  }\nother: 1\n",
		"flow-entry":     "extensions:\n  files: {cmd: npx, args: [-y]} # files\n  'b': {cmd: \"b\"}\n",
		"anchors":        "defaults: &d\n  timeout: 300\n  enabled: true\nextensions: &ext\n  files:\n    <<: *d\n    cmd: npx\n    args: &a [-y]\n  other:\n    <<: *d\n    cmd: other\n    args: *a\n",
		"block-scalar":   "extensions:\n  files:\n    cmd: npx\n    description: |\n      # not a comment\n\n      text\n    args: []\n  b:\n    cmd: b\n    description: >-\n      folded\n      # text\nlast: x\n",
		"unicode":        "\"größe\": 😀\nextensions:\n  \"größe 😀\": {\"ключ\": 'значение', cmd: npx, args: [\"é\", x]} # é\n",
		"four":           "extensions:\n    files:\n        cmd: npx\n        args:\n            - -y\n    bare:\n        cmd: b\n",
		"markers":        "---\nextensions:\n  files:\n    cmd: npx\n...\n",
		"types":          "a: yes\nb: 1.0\nc: ~\nd: 0x1f\ne: 2026-11-27\nf: .nan\ng: [1, {h: 2}]\nextensions:\n  files:\n    cmd: npx\n    args:\n",
		"comment-inside": "extensions:\n  files:\n    cmd: npx\n    # args below\n    args:\n      # first\n      - -y\n      # second\n      - x\n    # done\n  # b is gone\n",
	},
}

// variants are all files of a format, each also with Windows line ends, with a
// byte order mark and without a last line end.
func variants(f edit.Format) map[string]string {
	files := map[string]string{}
	from := []edit.Format{f}
	if f == edit.JSONC {
		from = append(from, edit.JSON)
	}
	for _, format := range from {
		for name, text := range corpus[format] {
			files[name] = text
			files[name+"/crlf"] = strings.ReplaceAll(text, "\n", "\r\n")
			files[name+"/bom"] = edit.BOM + text
			files[name+"/no-end"] = strings.TrimRight(text, "\n")
		}
	}
	return files
}
