package text

import (
	"path/filepath"
	"strings"
)

// ServerName is what a server is called: the program and, for an
// interpreter, its script. Other arguments may hold secrets.
func ServerName(command []string) string {
	name := filepath.Base(command[0])
	if len(command) > 1 && interprets(name) && !strings.HasPrefix(command[1], "-") {
		name += " " + filepath.Base(command[1])
	}
	return name
}

// interprets reports whether a program runs what its first argument names.
func interprets(name string) bool {
	switch name = strings.TrimSuffix(name, ".exe"); name {
	case "node", "bun", "deno", "ruby", "perl", "php", "sh", "bash", "npx", "uvx", "uv", "java", "dotnet":
		return true
	}
	version, python := strings.CutPrefix(name, "python")
	return python && strings.Trim(version, "0123456789.") == ""
}
