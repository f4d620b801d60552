package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/mcpauth/mcpauth/broker/clients"
)

// ClientChange is a change of one file of an AI client that can be shown before
// it is made by [Broker.ApplyClient].
type ClientChange struct {
	Client, ClientName string
	Op                 string // add, wrap, renew, unwrap, remove or undo
	Server             string
	Scope, File        string
	Diff               string // unified; may hold what else is in the file. Empty when there is nothing to do
	Note               string // what the person should know first; may be empty
	After              string // what to do afterwards, as a sentence

	client clients.Client
	place  clients.Place
	was    string // the entry when it was planned
	edit   clientEdit
}

// clientEdit gives the text of a file after a change, or errFileGoes.
type clientEdit func(data []byte) ([]byte, error)

// errFileGoes is the answer of an edit that undoes the making of the file.
var errFileGoes = errors.New("the file goes")

// run makes the edit. An empty file is one that stays.
func (edit clientEdit) run(data []byte) (after []byte, stays bool, err error) {
	after, err = edit(data)
	if errors.Is(err, errFileGoes) {
		return nil, false, nil
	}
	return after, err == nil, err
}

// clientFile is one place of a client as it is now.
type clientFile struct {
	client clients.Client
	place  clients.Place
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

func (f clientFile) server(name string) (clients.Server, bool) {
	for _, s := range f.client.Servers(f.tree, f.place) {
		if s.Name == name {
			return s, true
		}
	}
	return clients.Server{}, false
}

func knownClient(id string) (clients.Client, error) {
	c, ok := clients.ByID(id)
	if !ok {
		hint := "known are " + strings.Join(clients.IDs(), ", ")
		if near := nearest(id, clients.IDs()); near != "" {
			hint = "did you mean " + near + "?"
		}
		return c, &Problem{Msg: fmt.Sprintf("there is no AI client %q", id),
			Hints: []string{hint}, Code: ExitUsage}
	}
	return c, nil
}

// clientFiles reads the files of a client that are of a scope; "" means all.
func (b *Broker) clientFiles(c clients.Client, scope string) ([]clientFile, error) {
	env, err := b.clientEnv()
	if err != nil {
		return nil, err
	}
	var files []clientFile
	for _, p := range c.Places(env) {
		if scope != "" && p.Scope != scope {
			continue
		}
		f, err := readClientFile(c, p)
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

func noSuchScope(c clients.Client, scope string) *Problem {
	return &Problem{Msg: fmt.Sprintf("%s keeps no servers for a %s", c.Name, scope), Hints: []string{"leave out --scope " + scope}, Code: ExitUsage}
}

func readClientFile(c clients.Client, p clients.Place) (clientFile, error) {
	f := clientFile{client: c, place: p, file: placeFile(p)}
	data, err := os.ReadFile(f.file)
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
		return f, clientFileProblem(c, f.file, err)
	}
	return f, nil
}

// holding finds the file of a client that has a server of this name. No scope
// means any.
func (b *Broker) holding(c clients.Client, scope, name string) (clientFile, clients.Server, error) {
	files, err := b.clientFiles(c, scope)
	if err != nil {
		return clientFile{}, clients.Server{}, err
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
	return clientFile{}, clients.Server{}, &Problem{Msg: fmt.Sprintf("%s has no server %q", c.Name, name), Hints: []string{hint, "mcpauth client list"}, Code: ExitUsage}
}

// planned makes a change of a file and shows it.
func (b *Broker) planned(f clientFile, op, server string, edit clientEdit) (ClientChange, error) {
	c := ClientChange{
		Client: f.client.ID, ClientName: f.client.Name, Op: op, Server: server, Scope: f.place.Scope, File: f.file,
		After: f.client.After, client: f.client, place: f.place, edit: edit,
	}
	after, stays, err := edit.run(f.data)
	if err != nil {
		return c, oddFile(f, server, err)
	}
	c.was = f.entry(server)
	c.Diff = unified(f, after, stays)
	return c, nil
}

func oddFile(f clientFile, server string, err error) error {
	var problem *Problem
	if errors.As(err, &problem) {
		return err
	}
	return &Problem{
		Msg:   fmt.Sprintf("%s: %v, so nothing was changed", f.file, err),
		Hints: []string{"change " + server + " by hand in that file"},
		Code:  ExitError, Err: err,
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
	bom := []byte(clients.BOM) // stays, and would only be in the way
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

// ApplyClient makes a change. The file is read again: what has changed in other
// parts of it since it was planned stays. Errors are *Problem.
func (b *Broker) ApplyClient(ctx context.Context, c ClientChange) error {
	return asError(b.applyClient(ctx, c))
}
