package main

type object = map[string]any

// manifest says what the bundle is, how it is started, and what Claude Desktop asks
// the person before that.
//
// The profile stands in one word with its flag: Claude Desktop leaves an argument
// that is nothing but an empty value as it is spelled here. A list without entries
// goes away, and mcpauth then runs the command of the profile.
func manifest(version string) object {
	arguments := []string{"proxy", "--profile=${user_config.profile}", "--", "${user_config.command}"}
	command := func(name string) object {
		return object{"command": "${__dirname}/server/" + name, "args": arguments}
	}
	start := command("mcpauth")
	start["platform_overrides"] = object{"win32": command("mcpauth.exe"), "linux": command("mcpauth-linux")}
	return object{
		"manifest_version": "0.3",
		"name":             "mcpauth",
		"display_name":     "mcpauth",
		"version":          version,
		"description":      "Puts your verified identity into every call to an MCP server",
		"long_description": "mcpauth runs an MCP server of yours behind your sign-in: each call reaches it with your verified user, " +
			"inside your policy, and on record. Sign in once in a terminal with `mcpauth login`, or follow the link that Claude shows.",
		"author":            object{"name": "the authors of mcpauth", "url": "https://github.com/mcpauth/mcpauth"},
		"repository":        object{"type": "git", "url": "https://github.com/mcpauth/mcpauth"},
		"license":           "Apache-2.0",
		"keywords":          []string{"authentication", "oidc", "identity", "audit"},
		"server":            object{"type": "binary", "entry_point": "server/mcpauth", "mcp_config": start},
		"tools_generated":   true,
		"prompts_generated": true,
		"compatibility":     object{"platforms": []string{"darwin", "win32", "linux"}},
		"user_config": object{
			"profile": object{
				"type": "string", "title": "Profile", "required": false, "default": "",
				"description": "Profile of mcpauth to use; empty for the default one",
			},
			"command": object{
				"type": "string", "title": "Server command", "multiple": true, "required": false, "default": []string{},
				"description": "Full path of the MCP server's program, then its arguments, one each; empty for the command of the profile",
			},
		},
	}
}
