package clients

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/edit"
)

// Server is one entry of a client's file, in the words that all clients share.
type Server struct {
	Name     string
	Argv     []string // the program and its arguments; empty for one that is only called by URL
	URL      string
	Cwd      string
	Path     string   // the PATH that the entry sets, or ""
	Env      []string // names of the variables that the entry sets, sorted
	Disabled bool
}

// Launch is what a client is to start.
type Launch struct {
	Argv []string
	Env  edit.Object // texts by name; mostly empty
}

// shape is how a client spells an entry.
type shape struct {
	first   edit.Object // members before the command
	named   bool        // with the name of the server as its own member
	command string
	args    string // empty where the command is one list
	env     string
	last    edit.Object // members after all others
}

var plainShape = shape{command: "command", args: "args", env: "env"}

// Entry spells an entry for a client.
func (c Client) Entry(name string, l Launch) edit.Object {
	s := c.shape
	entry := slices.Clone(s.first)
	if s.named {
		entry = append(entry, edit.Member{Name: "name", Value: name})
	}
	entry = append(entry, c.Command(l.Argv)...)
	if len(l.Env) > 0 {
		entry = append(entry, edit.Member{Name: s.env, Value: l.Env})
	}
	return append(entry, s.last...)
}

// Command spells the members of an entry that say what is started.
func (c Client) Command(argv []string) edit.Object {
	if c.shape.args == "" {
		return edit.Object{{Name: c.shape.command, Value: slices.Clone(argv)}}
	}
	return edit.Object{{Name: c.shape.command, Value: argv[0]}, {Name: c.shape.args, Value: slices.Clone(argv[1:])}}
}

// EnvKey is the member of an entry that holds the variables.
func (c Client) EnvKey() string { return c.shape.env }

// Servers reads the entries of a place, sorted by name.
func (c Client) Servers(tree map[string]any, p Place) []Server {
	all := edit.At(tree, p.Keys)
	var servers []Server
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if entry, ok := all[name].(map[string]any); ok {
			servers = append(servers, c.server(name, entry))
		}
	}
	return servers
}

func (c Client) server(name string, entry map[string]any) Server {
	s := Server{Name: name, Argv: c.argv(entry)}
	for _, key := range []string{"url", "serverUrl", "httpUrl", "uri"} {
		if url, ok := entry[key].(string); ok && s.URL == "" {
			s.URL = url
		}
	}
	s.Cwd, _ = entry["cwd"].(string)
	variables, _ := entry[c.shape.env].(map[string]any)
	s.Path, _ = variables["PATH"].(string)
	s.Env = slices.Sorted(maps.Keys(variables))
	disabled, _ := entry["disabled"].(bool)
	enabled, told := entry["enabled"].(bool)
	s.Disabled = disabled || told && !enabled
	return s
}

// argv is nil where the entry starts nothing, or says so in a way that is not known.
func (c Client) argv(entry map[string]any) []string {
	switch command := entry[c.shape.command].(type) {
	case string:
		args, ok := texts(entry[c.shape.args])
		if command == "" || !ok || c.shape.args == "" {
			return nil
		}
		return append([]string{command}, args...)
	case []any:
		if argv, ok := texts(command); ok && c.shape.args == "" && len(argv) > 0 {
			return argv
		}
	}
	return nil
}

// texts reads a list of strings, or none.
func texts(value any) ([]string, bool) {
	list, ok := value.([]any)
	if !ok {
		return nil, value == nil
	}
	all := make([]string, len(list))
	for i, item := range list {
		if all[i], ok = item.(string); !ok {
			return nil, false
		}
	}
	return all, true
}

// Proxy is a command line that runs `mcpauth proxy`.
type Proxy struct {
	Program   string
	Flags     []string // those of mcpauth
	Separator bool     // "--" stands before the command
	Child     []string // the command; empty for that of the profile
}

// ProxyName is the command of mcpauth that clients run.
const ProxyName = "proxy"

// Switches are the flags of `mcpauth proxy` that take no value. All others do.
var Switches = []string{"--json", "--help", "-h", "--read-only", "--restart"}

// ParseProxy takes apart a command line whose program is mcpauth.
func ParseProxy(argv []string) (Proxy, bool) {
	if len(argv) == 0 || !IsProgram(argv[0]) {
		return Proxy{}, false
	}
	global, rest, _ := flags(argv[1:])
	if len(rest) == 0 || rest[0] != ProxyName {
		return Proxy{}, false
	}
	own, child, separator := flags(rest[1:])
	return Proxy{argv[0], slices.Concat(global, own), separator, child}, true
}

// Flag is the value of a flag of mcpauth under any of its names, the last if there are
// several, or "".
func (p Proxy) Flag(names ...string) (value string) {
	for i, flag := range p.Flags {
		for _, name := range names {
			if flag == name && i+1 < len(p.Flags) {
				value = p.Flags[i+1]
			} else if given, ok := strings.CutPrefix(flag, name+"="); ok {
				value = given
			}
		}
	}
	return value
}

// flags splits a command line before its first word that is no flag.
func flags(args []string) (flags, rest []string, separator bool) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return args[:i], args[i+1:], true
		case !strings.HasPrefix(arg, "-") || arg == "-":
			return args[:i], args[i:], false
		case slices.Contains(Switches, arg), strings.Contains(arg, "="):
		case strings.HasPrefix(arg, "--"), len(arg) == 2: // the value is the next word
			i++
		}
	}
	return args, nil, false
}

// IsProgram reports whether a path, of this or another system, is mcpauth.
func IsProgram(path string) bool {
	name := strings.ToLower(path[strings.LastIndexAny(path, `/\`)+1:])
	name = strings.TrimSuffix(name, ".exe")
	return name == "mcpauth" || name == "mcpauth-proxy"
}

// maxName bounds the name of a server: clients make names of tools of it.
const maxName = 64

// CheckName refuses names that not every client takes.
func CheckName(name string) error {
	odd := func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	switch {
	case name == "":
		return fmt.Errorf("is empty")
	case len(name) > maxName:
		return fmt.Errorf("is longer than %d characters", maxName)
	case strings.ContainsFunc(name, odd):
		return fmt.Errorf("has characters other than letters, digits, - and _, which some clients refuse")
	}
	return nil
}
