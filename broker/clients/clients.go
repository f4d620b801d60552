// Package clients changes the configuration files of AI clients: where each client keeps
// its MCP servers and how it spells an entry (the table), and how a change is planned,
// shown, made and undone. It touches nothing that does not belong to the entry.
package clients

import (
	"path"
	"strings"

	"github.com/mcpauth/mcpauth/broker/edit"
)

// Env is what the places of the files depend on.
type Env struct {
	Home    string
	GOOS    string
	Getenv  func(string) string
	Project string // the folder of the project; empty for none
}

// Client is an AI client.
type Client struct {
	ID, Name string // "claude-code" and "Claude Code"
	Format   edit.Format
	After    string   // what to do after a change, as a sentence
	Programs []string // names in PATH that show that it is installed

	// Terminal says that it is started in a terminal, and so has the PATH of one.
	Terminal bool

	shape  shape
	newer  *form // a second form that its files may have; nil for most
	places func(e Env) []Place
	// folders show that it is installed; those of the user's files do, too.
	folders func(e Env) []string
}

// The scopes of a place.
const (
	ScopeUser    = "user"    // for all projects
	ScopeProject = "project" // a file in the project, which others may share
	ScopeLocal   = "local"   // for one project, in the user's file
)

// Place is where a client keeps servers.
type Place struct {
	Scope string
	// Files are the possible files, the best first. A part of a path may hold a *.
	Files []string
	Keys  []string // of the object in the file that holds the servers
	// InHome says that the file lies in the home folder itself, so its folder says
	// nothing about the client.
	InHome bool
	// LockDir is a folder, beside the file and named for it with this ending, that
	// the client makes while it changes the file; empty for none.
	LockDir string
}

// Places are where the client keeps servers: the user's first, then those of
// the project, if there is one.
func (c Client) Places(e Env) []Place {
	var places []Place
	for _, p := range c.places(e) {
		if p.Scope == ScopeUser || e.Project != "" {
			places = append(places, p)
		}
	}
	return places
}

// form is how a client keeps its servers in a file.
type form struct {
	keys  []string
	shape shape
}

// As returns the client and one of its places in the form that a file has. A file
// without any server keeps the older form, which all versions of the client read.
func (c Client) As(tree map[string]any, p Place) (Client, Place) {
	if c.newer == nil {
		return c, p
	}
	servers := edit.At(tree, c.newer.keys)
	for _, entry := range servers {
		if _, ok := entry.(map[string]any); !ok {
			return c, p // a server of the older form that has this name
		}
	}
	if servers != nil {
		c.shape, p.Keys = c.newer.shape, c.newer.keys
	}
	return c, p
}

// Folders: one of them exists when the client is installed. A path
// may hold a *.
func (c Client) Folders(e Env) []string {
	var folders []string
	if c.folders != nil {
		folders = c.folders(e)
	}
	for _, p := range c.places(e) {
		if p.Scope != ScopeUser || p.InHome {
			continue
		}
		for _, file := range p.Files {
			folders = append(folders, file[:strings.LastIndexAny(file, `/\`)])
		}
	}
	return folders
}

// ByID finds a client.
func ByID(id string) (Client, bool) {
	for _, c := range All() {
		if c.ID == id {
			return c, true
		}
	}
	return Client{}, false
}

// IDs are the names of all clients.
func IDs() []string {
	var ids []string
	for _, c := range All() {
		ids = append(ids, c.ID)
	}
	return ids
}

// join makes a path of the system that is meant, which need not be this one.
func (e Env) join(parts ...string) string {
	if e.GOOS != "windows" {
		return path.Join(parts...)
	}
	for i, part := range parts {
		part = strings.TrimRight(strings.ReplaceAll(part, "/", `\`), `\`)
		if i > 0 {
			part = strings.TrimLeft(part, `\`)
		}
		parts[i] = part
	}
	return strings.TrimRight(strings.Join(parts, `\`), `\`)
}

// dir is the folder that a variable names, or else one in the home folder.
func (e Env) dir(variable, fallback string) string {
	if dir := e.Getenv(variable); dir != "" {
		return dir
	}
	return e.join(e.Home, fallback)
}

// config is where programs keep their settings: $XDG_CONFIG_HOME or ~/.config,
// on Windows %APPDATA%.
func (e Env) config() string {
	if e.GOOS == "windows" {
		return e.dir("APPDATA", "AppData/Roaming")
	}
	return e.dir("XDG_CONFIG_HOME", ".config")
}

// application is where graphical programs keep theirs: as config, but on macOS
// ~/Library/Application Support.
func (e Env) application() string {
	if e.GOOS == "darwin" {
		return e.join(e.Home, "Library/Application Support")
	}
	return e.config()
}
