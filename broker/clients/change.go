package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// Change is a change of one file of an AI client that can be shown before
// it is made by [Manager.Apply].
type Change struct {
	Client, ClientName string
	Op                 string // add, wrap, renew, unwrap, remove or undo
	Server             string
	Scope, File        string
	Diff               string // unified; may hold what else is in the file. Empty when there is nothing to do
	Note               string // what the user should know first; may be empty
	After              string // what to do afterwards, as a sentence
	// Outside is the file that is changed where that of a project is a link out of the
	// project; else empty.
	Outside string

	client Client
	place  Place
	was    string // the entry when it was planned
	edit   editFunc
}

// note adds to what the user should know first.
func (c *Change) note(text string) {
	if c.Note != "" && text != "" {
		c.Note += "\n"
	}
	c.Note += text
}

// editFunc gives the text of a file after a change, or errFileGoes.
type editFunc func(data []byte) ([]byte, error)

// errFileGoes is the answer of an edit that undoes the making of the file.
var errFileGoes = errors.New("the file goes")

// run makes the edit. An empty file is one that stays.
func (f editFunc) run(data []byte) (after []byte, stays bool, err error) {
	after, err = f(data)
	if errors.Is(err, errFileGoes) {
		return nil, false, nil
	}
	return after, err == nil, err
}

// clientFile is one place of a client as it is now.
type clientFile struct {
	client Client
	place  Place
	file   string
	there  bool // the file exists; it may be empty
	data   []byte
	tree   map[string]any
}

func (f clientFile) path(server string) []string {
	return slices.Concat(f.place.Keys, []string{server})
}

// entry is what is under a name, in a form to compare.
func (f clientFile) entry(name string) string {
	tree := f.tree
	for _, key := range f.place.Keys {
		tree, _ = tree[key].(map[string]any)
	}
	return fmt.Sprintf("%#v", tree[name])
}

func (f clientFile) server(name string) (Server, bool) {
	for _, s := range f.client.Servers(f.tree, f.place) {
		if s.Name == name {
			return s, true
		}
	}
	return Server{}, false
}

func knownClient(id string) (Client, error) {
	c, ok := ByID(id)
	if !ok {
		hint := "known are " + strings.Join(IDs(), ", ")
		if near := text.Nearest(id, IDs()); near != "" {
			hint = "did you mean " + near + "?"
		}
		return c, &problem.Problem{Msg: fmt.Sprintf("there is no AI client %q", id),
			Hints: []string{hint}, Code: problem.ExitUsage}
	}
	return c, nil
}

// files reads the files of a client that are of a scope; "" means all.
func (m *Manager) files(c Client, scope string) ([]clientFile, error) {
	env, err := m.env()
	if err != nil {
		return nil, err
	}
	var files []clientFile
	for _, p := range c.Places(env) {
		if scope != "" && p.Scope != scope {
			continue
		}
		f, err := readPlace(c, p)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, noSuchScope(c, scope)
	}
	return files, nil
}

func noSuchScope(c Client, scope string) *problem.Problem {
	return &problem.Problem{Msg: fmt.Sprintf("%s keeps no servers for a %s", c.Name, scope), Hints: []string{"leave out --scope " + scope}, Code: problem.ExitUsage}
}

func readPlace(c Client, p Place) (clientFile, error) {
	f := clientFile{client: c, place: p, file: placeFile(p)}
	data, err := sharedfile.Read(f.file)
	f.there = err == nil
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		f.data = data
		f.tree, err = c.Format.Parse(data)
		f.client, f.place = c.As(f.tree, p)
	}
	if err != nil {
		return f, fileProblem(c, f.file, err)
	}
	return f, nil
}

// holding finds the file of a client that has a server of this name. No scope
// means any.
func (m *Manager) holding(c Client, scope, name string) (clientFile, Server, error) {
	files, err := m.files(c, scope)
	if err != nil {
		return clientFile{}, Server{}, err
	}
	var known []string
	for _, f := range files {
		if s, ok := f.server(name); ok {
			return f, s, nil
		}
		for _, s := range f.client.Servers(f.tree, f.place) {
			known = append(known, s.Name)
		}
	}
	hint := c.Name + " has none"
	if len(known) > 0 {
		hint = "it has " + strings.Join(known, ", ")
	}
	return clientFile{}, Server{}, &problem.Problem{Msg: fmt.Sprintf("%s has no server %q", c.Name, name), Hints: []string{hint, "mcpauth client list"}, Code: problem.ExitUsage}
}

// planned makes a change of a file and shows it.
func (m *Manager) planned(f clientFile, op, server string, change editFunc) (Change, error) {
	c := Change{
		Client: f.client.ID, ClientName: f.client.Name, Op: op, Server: server, Scope: f.place.Scope, File: f.file,
		After: f.client.After, client: f.client, place: f.place, edit: change,
	}
	after, stays, err := change.run(f.data)
	if err != nil {
		return c, oddFile(f, server, err)
	}
	c.Outside = m.outside(f)
	if bytes.HasPrefix(f.data, []byte(edit.BOM)) {
		c.Note = markNote(f)
	}
	c.was = f.entry(server)
	c.Diff = unified(f, after, stays)
	return c, nil
}

// markNote tells of a byte order mark, which stays.
func markNote(f clientFile) string {
	return fmt.Sprintf("%s begins with a byte order mark, which %s may refuse: if the server does not appear there, save the file without it (UTF-8)", f.file, f.client.Name)
}

// outside is what the file of a project leads to, if that is not in the project. A
// repository from elsewhere may hold such a link.
func (m *Manager) outside(f clientFile) string {
	if f.place.Scope != ScopeProject {
		return ""
	}
	project, err := filepath.EvalSymlinks(m.Project)
	if err != nil {
		return ""
	}
	real, rest := "", "" // of the file, or of the folder that will hold it
	for file := f.file; ; file = filepath.Dir(file) {
		if real, err = filepath.EvalSymlinks(file); err == nil || file == filepath.Dir(file) {
			real = filepath.Join(real, rest)
			break
		}
		rest = filepath.Join(filepath.Base(file), rest)
	}
	if inside, err := filepath.Rel(project, real); err == nil && filepath.IsLocal(inside) {
		return ""
	}
	return real
}

func oddFile(f clientFile, server string, err error) error {
	var known *problem.Problem
	if errors.As(err, &known) {
		return err
	}
	return &problem.Problem{
		Msg:   fmt.Sprintf("%s: %v, so nothing was changed", f.file, err),
		Hints: []string{"change " + server + " by hand in that file"},
		Code:  problem.ExitError, Err: err,
	}
}

// maxDiffLine bounds a line of a difference, in bytes: some files are one line.
const maxDiffLine = 400

// unified is the difference of a file and what is to be, without its first line.
func unified(f clientFile, after []byte, stays bool) string {
	if bytes.Equal(f.data, after) && f.there == stays {
		return ""
	}
	from, to := f.file, f.file
	if !f.there {
		from = "/dev/null"
	}
	if !stays {
		to = "/dev/null"
	}
	bom := []byte(edit.BOM) // stays, and would only be in the way
	_, text, _ := strings.Cut(string(diff.Diff(from, bytes.TrimPrefix(f.data, bom), to, bytes.TrimPrefix(after, bom))), "\n")
	var b strings.Builder
	for line := range strings.Lines(text) {
		if len(line) > maxDiffLine {
			line = strings.ToValidUTF8(line[:maxDiffLine], "") + "…\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// lookUpEntry reports whether there is anything under this name.
func lookUpEntry(f clientFile, name string) bool { return f.entry(name) != "<nil>" }

// Apply makes a change. The file is read again: what has changed in other
// parts of it since it was planned stays. Errors are *problem.Problem.
func (m *Manager) Apply(ctx context.Context, c Change) error {
	if err := m.apply(ctx, c); err != nil {
		return problem.Of(err)
	}
	return nil
}
