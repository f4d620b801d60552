package clients

import (
	"bytes"
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
	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// The states of an AI client on this machine, the worst that is true.
const (
	NotInstalled   = "not_installed"
	Unreadable     = "unreadable"      // a file of it does not parse
	MissingProgram = "missing_program" // an entry names a mcpauth that is not there
	MissingCommand = "missing_command" // an entry names a server that is not there
	LostSeparator  = "lost_separator"  // an entry has lost its "--"; it works all the same
	SetUp          = "set_up"          // an entry runs mcpauth
	NotSetUp       = "not_set_up"
)

// Manager reads and changes the files of the AI clients on this machine.
type Manager struct {
	Home     func() (string, error) // the user's home folder
	Getenv   func(string) string
	StateDir string // of mcpauth: what undoes a change is kept there
	Project  string // the folder of the project; empty for none
}

// State is what is known of an AI client on this machine.
type State struct {
	ID, Name string
	State    string // one of the Client constants
	After    string // what to do after a change, as a sentence
	Places   []FileState
}

// FileState is a file in which a client keeps servers, there or not.
type FileState struct {
	Scope   string // user, project or local
	File    string
	Exists  bool
	Err     error // why it cannot be read; a *problem.Problem
	Marked  bool  // it begins with a byte order mark
	Servers []ServerState
}

// ServerState is one entry of a client. Its arguments may hold secrets that the
// user put there: show Runs instead.
type ServerState struct {
	Name     string
	Argv     []string // empty for a server that is called by URL
	Runs     string   // the program without its arguments, or the host of the URL
	Disabled bool
	Proxy    *Proxy // of an entry that runs mcpauth, else nil
	Trouble  string // one of the Client constants, or ""

	Cwd  string   // where it is started; empty where that is not said
	Path string   // the PATH that the entry sets, or ""
	Env  []string // names of the variables that it sets
}

// Ours reports whether the entry runs mcpauth.
func (s ServerState) Ours() bool { return s.Proxy != nil }

// Wrappable reports whether mcpauth could be put in front of it.
func (s ServerState) Wrappable() bool { return s.Proxy == nil && len(s.Argv) > 0 }

// States returns the state of all AI clients that mcpauth can set up. It reads files
// and starts nothing. The error is a *Problem: there is no home folder.
func (m *Manager) States() ([]State, error) {
	env, err := m.env()
	if err != nil {
		return nil, err
	}
	var all []State
	for _, c := range All() {
		all = append(all, m.state(c, env))
	}
	return all, nil
}

func (m *Manager) env() (Env, error) {
	home, err := m.Home()
	env := Env{Home: home, GOOS: runtime.GOOS, Getenv: m.Getenv, Project: m.Project}
	if env.Project == home { // its files are the user's
		env.Project = ""
	}
	return env, err
}

func (m *Manager) state(c Client, env Env) State {
	state := State{ID: c.ID, Name: c.Name, After: c.After, State: NotInstalled}
	if m.installed(c, env) {
		state.State = NotSetUp
	}
	worst := []string{Unreadable, MissingProgram, MissingCommand, LostSeparator, SetUp, NotSetUp}
	found := map[string]bool{state.State: true}
	for _, p := range c.Places(env) {
		place := m.fileState(c, p)
		state.Places = append(state.Places, place)
		found[Unreadable] = found[Unreadable] || place.Err != nil
		for _, s := range place.Servers {
			found[s.Trouble] = true
			found[SetUp] = found[SetUp] || s.Ours()
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

// fileState reads a file of a client.
func (m *Manager) fileState(c Client, p Place) FileState {
	f, err := readPlace(c, p)
	place := FileState{Scope: p.Scope, File: f.file, Exists: f.there, Err: err, Marked: bytes.HasPrefix(f.data, []byte(edit.BOM))}
	for _, s := range f.client.Servers(f.tree, f.place) {
		place.Servers = append(place.Servers, m.serverState(s))
	}
	return place
}

func (m *Manager) serverState(s Server) ServerState {
	server := ServerState{Name: s.Name, Argv: s.Argv, Disabled: s.Disabled, Cwd: s.Cwd, Path: s.Path, Env: s.Env}
	proxy, ours := ParseProxy(s.Argv)
	switch {
	case ours:
		server.Proxy = &proxy
		server.Runs = "mcpauth"
		if len(proxy.Child) > 0 {
			server.Runs = text.ServerName(proxy.Child)
		}
		server.Cwd = cmp.Or(proxy.Flag("--cwd"), s.Cwd) // where mcpauth starts it
		server.Trouble = m.trouble(proxy, server.Cwd)
	case len(s.Argv) > 0:
		server.Runs = text.ServerName(s.Argv)
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
func (m *Manager) trouble(p Proxy, cwd string) string {
	switch {
	case !m.findable(p.Program, ""):
		return MissingProgram
	case len(p.Child) > 0 && !m.findable(p.Child[0], cwd):
		return MissingCommand
	case len(p.Child) > 0 && !p.Separator:
		return LostSeparator
	}
	return ""
}

// findable reports whether a program is there. What a client itself would put
// in the place of a variable is not known, and taken to be there.
func (m *Manager) findable(program, cwd string) bool {
	_, err := m.LookUp(program, cwd)
	return err == nil || strings.Contains(program, "${")
}

// LookUp finds a program in the PATH of this process.
func (m *Manager) LookUp(program, cwd string) (string, error) {
	env := []string{"PATH=" + m.Getenv("PATH"), "PATHEXT=" + m.Getenv("PATHEXT")}
	return backend.LookUp(backend.Command{Argv: []string{program}, Dir: cwd, Env: env})
}

// installed reports whether a client left traces on this machine.
func (m *Manager) installed(c Client, env Env) bool {
	for _, p := range c.Places(env) {
		if p.Scope == ScopeUser && exists(placeFile(p)) {
			return true
		}
	}
	return slices.ContainsFunc(c.Folders(env), func(dir string) bool { return exists(expand(dir)) }) || m.hasProgram(c)
}

func (m *Manager) hasProgram(c Client) bool {
	return slices.ContainsFunc(c.Programs, func(name string) bool { return m.findable(name, "") })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// placeFile chooses among the possible files of a place: the first that is
// there, or else the first whose folder is, or else the last.
func placeFile(p Place) string {
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

// fileProblem says why a file of a client cannot be used, and what to do.
func fileProblem(c Client, file string, err error) *problem.Problem {
	p := &problem.Problem{
		Msg:   fmt.Sprintf("%s: %v", file, err),
		Hints: []string{"correct the file and try again"},
		Code:  problem.ExitError,
		Err:   err,
	}
	var at *edit.LineError
	var path *fs.PathError
	switch {
	case errors.As(err, &at):
		p.Msg = fmt.Sprintf("%s:%d: it is no %s that can be read: %s", file, at.Line, c.Format, at.Error())
	case errors.As(err, &path):
		p.Msg = fmt.Sprintf("%s cannot be read: %v", file, path.Err)
	}
	return p
}
