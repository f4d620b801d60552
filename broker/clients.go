package broker

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/clients"
)

// The states of an AI client on this machine, the worst that is true.
const (
	ClientNotInstalled   = "not_installed"
	ClientUnreadable     = "unreadable"      // a file of it does not parse
	ClientMissingProgram = "missing_program" // an entry names a mcpauth that is not there
	ClientMissingCommand = "missing_command" // an entry names a server that is not there
	ClientLostSeparator  = "lost_separator"  // an entry has lost its "--"; it works all the same
	ClientSetUp          = "set_up"          // an entry runs mcpauth
	ClientNotSetUp       = "not_set_up"
)

// The scopes of an entry: for all projects, in a file of the project, or for one
// project in the user's file (Claude Code).
const (
	ClientScopeUser    = clients.ScopeUser
	ClientScopeProject = clients.ScopeProject
	ClientScopeLocal   = clients.ScopeLocal
)

// ClientIDs are the names of the AI clients that mcpauth can set up.
func ClientIDs() []string { return clients.IDs() }

// ClientState is what is known of an AI client on this machine.
type ClientState struct {
	ID, Name string
	State    string // one of the Client constants
	After    string // what to do after a change, as a sentence
	Places   []ClientPlace
}

// ClientPlace is a file in which a client keeps servers, there or not.
type ClientPlace struct {
	Scope   string // user, project or local
	File    string
	Exists  bool
	Err     error // why it cannot be read; a *Problem
	Servers []ClientServer
}

// ClientServer is one entry of a client. Its arguments may hold secrets that the
// user put there: show Runs instead.
type ClientServer struct {
	Name     string
	Argv     []string // empty for a server that is called by URL
	Runs     string   // the program without its arguments, or the host of the URL
	Disabled bool
	Proxy    *clients.Proxy // of an entry that runs mcpauth, else nil
	Trouble  string         // one of the Client constants, or ""

	cwd  string // where it is started; empty where that is not said
	path string // the PATH that the entry sets, or ""
}

// Ours reports whether the entry runs mcpauth.
func (s ClientServer) Ours() bool { return s.Proxy != nil }

// Wrappable reports whether mcpauth could be put in front of it.
func (s ClientServer) Wrappable() bool { return s.Proxy == nil && len(s.Argv) > 0 }

// Clients tells of all AI clients that mcpauth can set up. It looks at files and
// starts nothing. The error is a *Problem: there is no home folder.
func (b *Broker) Clients() ([]ClientState, error) {
	env, err := b.clientEnv()
	if err != nil {
		return nil, err
	}
	var all []ClientState
	for _, c := range clients.All() {
		all = append(all, b.clientState(c, env))
	}
	return all, nil
}

func (b *Broker) clientEnv() (clients.Env, error) {
	home, err := Home()
	env := clients.Env{Home: home, GOOS: runtime.GOOS, Getenv: b.Env, Project: b.Dir}
	if env.Project == home { // its files are the user's
		env.Project = ""
	}
	return env, err
}

func (b *Broker) clientState(c clients.Client, env clients.Env) ClientState {
	state := ClientState{ID: c.ID, Name: c.Name, After: c.After, State: ClientNotInstalled}
	if b.installed(c, env) {
		state.State = ClientNotSetUp
	}
	worst := []string{ClientUnreadable, ClientMissingProgram, ClientMissingCommand, ClientLostSeparator, ClientSetUp, ClientNotSetUp}
	found := map[string]bool{state.State: true}
	for _, p := range c.Places(env) {
		place := b.clientPlace(c, p)
		state.Places = append(state.Places, place)
		found[ClientUnreadable] = found[ClientUnreadable] || place.Err != nil
		for _, s := range place.Servers {
			found[s.Trouble] = true
			found[ClientSetUp] = found[ClientSetUp] || s.Ours()
		}
	}
	for _, one := range worst {
		if found[one] {
			state.State = one
			break
		}
	}
	return state
}

// clientPlace reads a file of a client.
func (b *Broker) clientPlace(c clients.Client, p clients.Place) ClientPlace {
	f, err := readClientFile(c, p)
	place := ClientPlace{Scope: p.Scope, File: f.file, Exists: f.there, Err: err}
	for _, s := range f.client.Servers(f.tree, f.place) {
		place.Servers = append(place.Servers, b.clientServer(s))
	}
	return place
}

func (b *Broker) clientServer(s clients.Server) ClientServer {
	server := ClientServer{Name: s.Name, Argv: s.Argv, Disabled: s.Disabled, cwd: s.Cwd, path: s.Path}
	proxy, ours := clients.ParseProxy(s.Argv)
	switch {
	case ours:
		server.Proxy = &proxy
		server.Runs = "mcpauth"
		if len(proxy.Child) > 0 {
			server.Runs = serverName(proxy.Child)
		}
		server.cwd = cmp.Or(proxy.Flag("--cwd"), s.Cwd) // where mcpauth starts it
		server.Trouble = b.trouble(proxy, server.cwd)
	case len(s.Argv) > 0:
		server.Runs = serverName(s.Argv)
	default:
		server.Runs = host(s.URL)
	}
	return server
}

// host is the part of a URL that holds no secret.
func host(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	rest, _, _ = strings.Cut(rest, "/")
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

// trouble is what is wrong with an entry that runs mcpauth.
func (b *Broker) trouble(p clients.Proxy, cwd string) string {
	switch {
	case !b.findable(p.Program, ""):
		return ClientMissingProgram
	case len(p.Child) > 0 && !b.findable(p.Child[0], cwd):
		return ClientMissingCommand
	case len(p.Child) > 0 && !p.Separator:
		return ClientLostSeparator
	}
	return ""
}

// findable reports whether a program is there. What a client itself would put
// in the place of a variable is not known, and taken to be there.
func (b *Broker) findable(program, cwd string) bool {
	_, err := b.lookUp(program, cwd)
	return err == nil || strings.Contains(program, "${")
}

// lookUp finds a program in the PATH of this process.
func (b *Broker) lookUp(program, cwd string) (string, error) {
	env := []string{"PATH=" + b.Env("PATH"), "PATHEXT=" + b.Env("PATHEXT")}
	return backend.LookUp(backend.Command{Argv: []string{program}, Dir: cwd, Env: env})
}

// installed reports whether a client left traces on this machine.
func (b *Broker) installed(c clients.Client, env clients.Env) bool {
	for _, p := range c.Places(env) {
		if p.Scope == clients.ScopeUser && exists(placeFile(p)) {
			return true
		}
	}
	return slices.ContainsFunc(c.Folders(env), func(dir string) bool { return exists(expand(dir)) }) || b.hasProgram(c)
}

func (b *Broker) hasProgram(c clients.Client) bool {
	return slices.ContainsFunc(c.Programs, func(name string) bool { return b.findable(name, "") })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// placeFile chooses among the possible files of a place: the first that is
// there, or else the first whose folder is, or else the last.
func placeFile(p clients.Place) string {
	var files []string
	for _, file := range p.Files {
		files = append(files, expand(file))
	}
	for _, file := range files {
		if _, err := os.Lstat(file); err == nil {
			return file
		}
	}
	for _, file := range files {
		if exists(filepath.Dir(file)) {
			return file
		}
	}
	return files[len(files)-1]
}

// expand replaces the part of a path that has a * by the first name that fits,
// if there is one.
func expand(path string) string {
	before, after, ok := strings.Cut(path, "*")
	if !ok {
		return path
	}
	dir, prefix := filepath.Split(before)
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), prefix) {
			return filepath.Join(dir, entry.Name()) + after
		}
	}
	return path
}

// clientFileProblem says why a file of a client cannot be used, and what to do.
func clientFileProblem(c clients.Client, file string, err error) *Problem {
	p := &Problem{
		Msg:   fmt.Sprintf("%s: %v", file, err),
		Hints: []string{"mend the file and try again"},
		Code:  ExitError,
		Err:   err,
	}
	var at *clients.SyntaxError
	var path *fs.PathError
	switch {
	case errors.As(err, &at):
		p.Msg = fmt.Sprintf("%s:%d: it is no %s that can be read: %s", file, at.Line, c.Format, at.Msg)
	case errors.As(err, &path):
		p.Msg = fmt.Sprintf("%s cannot be read: %v", file, path.Err)
	}
	return p
}
