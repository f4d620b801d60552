package clients

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// Entry is a server that an AI client is to start behind mcpauth.
type Entry struct {
	Name    string
	Scope   string   // ScopeUser or ScopeProject
	Program string   // absolute path of mcpauth
	Config  string   // --config; empty for the usual file
	Profile string   // --profile; empty for the default one
	Cwd     string   // --cwd; absolute, or empty
	Command []string // the server; empty for the command of the profile
	Env     []string // NAME=value, written into the entry
}

// Argv is the command line that a client is to run.
func (e Entry) Argv() []string { return e.argv(e.Command) }

// argv is the command line for the client. Everything of ours stands before the
// command, so that a client that loses the "--" does no harm.
func (e Entry) argv(command []string) []string {
	argv := []string{e.Program, ProxyName}
	for _, flag := range [][2]string{{"--config", e.Config}, {"--profile", e.Profile}, {"--cwd", e.Cwd}} {
		if flag[1] != "" {
			argv = append(argv, flag[0], flag[1])
		}
	}
	if len(command) == 0 {
		return argv
	}
	return append(append(argv, "--"), command...)
}

// PlanAdd adds a server to an AI client, or renews an entry of the same
// name that runs mcpauth. Errors are *problem.Problem.
func (m *Manager) PlanAdd(client string, e Entry) (Change, error) {
	l, err := m.launch(e)
	if err != nil {
		return Change{}, err
	}
	c, err := knownClient(client)
	if err != nil {
		return Change{}, e.byHand(err, client)
	}
	f, err := m.fileToAddTo(c, e)
	if err != nil {
		return Change{}, err
	}
	change, err := m.plannedAdd(f, e, l)
	if err == nil && change.Diff != "" && readOnly(f.file) {
		err = problem.Unwritable(f.file, errReadOnly)
	}
	if err != nil && problem.Of(err).Code != problem.ExitUsage {
		err = e.byHand(err, client)
	}
	return change, err
}

// fileToAddTo is the file of a client that an entry belongs in.
func (m *Manager) fileToAddTo(c Client, e Entry) (clientFile, error) {
	files, err := m.files(c, e.Scope)
	switch {
	case err != nil && problem.Of(err).Code == problem.ExitUsage:
		return clientFile{}, err
	case err == nil:
		err = m.mayCreate(files[0])
	}
	if err != nil {
		return clientFile{}, e.byHand(err, c.ID)
	}
	return files[0], nil
}

func (m *Manager) plannedAdd(f clientFile, e Entry, l Launch) (Change, error) {
	c := f.client
	if s, there := f.server(e.Name); there || lookUpEntry(f, e.Name) {
		if _, ours := ParseProxy(s.Argv); !ours {
			return Change{}, &problem.Problem{
				Msg:   fmt.Sprintf("%s has a server %s already, and it does not run mcpauth", c.Name, e.Name),
				Hints: []string{Command("wrap", c.ID, f.place.Scope, e.Name), "or take another --name"},
				Code:  problem.ExitUsage,
			}
		}
		return m.planned(f, "add", e.Name, func(data []byte) ([]byte, error) { return renew(f, data, e.Name, s, l) })
	}
	return m.planned(f, "add", e.Name, func(data []byte) ([]byte, error) {
		return c.Format.Put(data, f.path(e.Name), c.Entry(e.Name, l))
	})
}

// renew sets what an entry of ours starts and the variables that are asked for.
// What else the user put into it stays.
func renew(f clientFile, data []byte, name string, s Server, l Launch) ([]byte, error) {
	var err error
	if !slices.Equal(s.Argv, l.Argv) {
		if data, err = setCommand(f, data, name, l.Argv); err != nil {
			return nil, err
		}
	}
	for _, variable := range l.Env {
		if data, err = f.client.Format.Put(data, append(f.path(name), f.client.EnvKey(), variable.Name), variable.Value); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// mayCreate refuses to make the folder of a client: it would look installed.
func (m *Manager) mayCreate(f clientFile) error {
	if f.place.Scope != ScopeUser || f.there || f.place.InHome || exists(filepath.Dir(f.file)) || m.hasProgram(f.client) {
		return nil
	}
	return &problem.Problem{
		Msg: fmt.Sprintf("%s is not installed here: there is no folder %s", f.client.Name, filepath.Dir(f.file)),
		Hints: []string{
			"start " + f.client.Name + " once and try again",
		},
		Code: problem.ExitError,
	}
}

// launch checks an entry and makes its paths absolute.
func (m *Manager) launch(e Entry) (Launch, error) {
	if err := CheckName(e.Name); err != nil {
		return Launch{}, &problem.Problem{Msg: fmt.Sprintf("the name %q %v", e.Name, err), Hints: []string{"--name orders"}, Code: problem.ExitUsage}
	}
	command := slices.Clone(e.Command)
	if len(command) > 0 {
		program, err := m.LookUp(command[0], e.Cwd)
		if err == nil {
			program, err = filepath.Abs(program)
		}
		if err != nil {
			return Launch{}, &problem.Problem{Msg: err.Error(), Hints: []string{"give the path of the program, or --cwd DIR"}, Code: problem.ExitUsage, Err: err}
		}
		command[0] = program
	}
	l := Launch{Argv: e.argv(command)}
	for _, variable := range e.Env {
		name, value, ok := strings.Cut(variable, "=")
		if !ok || name == "" {
			return l, &problem.Problem{Msg: fmt.Sprintf("--env %s is not NAME=value", name), Code: problem.ExitUsage}
		}
		l.Env = append(l.Env, edit.Member{Name: name, Value: value})
	}
	return l, nil
}

// ShowEntry is the text of an entry and the file it belongs in. For a
// client that is not known it is the JSON that most clients read, and no file.
func (m *Manager) ShowEntry(client string, e Entry) (text, file string, err error) {
	l, err := m.launch(e)
	if err != nil {
		return "", "", err
	}
	c, ok := ByID(client)
	if !ok {
		c, _ = ByID("cursor") // the notation that others copy
		return c.Format.Fragment([]string{"mcpServers", e.Name}, c.Entry(e.Name, l)), "", nil
	}
	env, err := m.env()
	if err != nil {
		return "", "", err
	}
	for _, p := range c.Places(env) {
		if p.Scope == e.Scope {
			f, _ := readPlace(c, p) // one that cannot be read is why the user must paste the entry
			return c.Format.Fragment(f.path(e.Name), f.client.Entry(e.Name, l)), f.file, nil
		}
	}
	return "", "", noSuchScope(c, e.Scope)
}
