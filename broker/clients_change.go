package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/mcpauth/mcpauth/broker/clients"
)

// ClientEntry is a server that an AI client is to start behind mcpauth.
type ClientEntry struct {
	Name    string
	Scope   string   // clients.ScopeUser or ScopeProject
	Program string   // absolute path of mcpauth
	Config  string   // --config; empty for the usual file
	Profile string   // --profile; empty for the default one
	Cwd     string   // --cwd; absolute, or empty
	Command []string // the server; empty for the command of the profile
	Env     []string // NAME=value, written into the entry
}

// Argv is the command line that a client is to run.
func (e ClientEntry) Argv() []string { return e.argv(e.Command) }

// argv is the command line for the client. Everything of ours stands before the
// command, so that a client that loses the "--" does no harm.
func (e ClientEntry) argv(command []string) []string {
	argv := []string{e.Program, clients.ProxyName}
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
		return nil, &Problem{Msg: fmt.Sprintf("%s keeps no servers for a %s", c.Name, scope), Hints: []string{"leave out --scope " + scope}, Code: ExitUsage}
	}
	return files, nil
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
	_, text, _ := strings.Cut(string(diff.Diff(from, f.data, to, after)), "\n")
	var b strings.Builder
	for line := range strings.Lines(text) {
		if len(line) > maxDiffLine {
			line = strings.ToValidUTF8(line[:maxDiffLine], "") + "…\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// PlanClientAdd adds a server to an AI client, or renews an entry of the same
// name that runs mcpauth. Errors are *Problem.
func (b *Broker) PlanClientAdd(client string, e ClientEntry) (ClientChange, error) {
	l, err := b.launch(e)
	if err != nil {
		return ClientChange{}, err
	}
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, e.byHand(err, client)
	}
	f, err := b.fileToAddTo(c, e)
	if err != nil {
		return ClientChange{}, err
	}
	change, err := b.plannedAdd(f, e, l)
	if err != nil && AsProblem(err).Code != ExitUsage {
		err = e.byHand(err, client)
	}
	return change, err
}

// fileToAddTo is the file of a client that an entry belongs in.
func (b *Broker) fileToAddTo(c clients.Client, e ClientEntry) (clientFile, error) {
	files, err := b.clientFiles(c, e.Scope)
	switch {
	case err != nil && AsProblem(err).Code == ExitUsage:
		return clientFile{}, err
	case err == nil:
		err = b.mayCreate(files[0])
	}
	if err != nil {
		return clientFile{}, e.byHand(err, c.ID)
	}
	return files[0], nil
}

func (b *Broker) plannedAdd(f clientFile, e ClientEntry, l clients.Launch) (ClientChange, error) {
	c := f.client
	if s, there := f.server(e.Name); there || lookUpEntry(f, e.Name) {
		if _, ours := clients.ParseProxy(s.Argv); !ours {
			return ClientChange{}, &Problem{
				Msg:   fmt.Sprintf("%s has a server %s already, and it does not run mcpauth", c.Name, e.Name),
				Hints: []string{clientCommand("wrap", c.ID, f.place.Scope, e.Name), "or take another --name"},
				Code:  ExitUsage,
			}
		}
		return b.planned(f, "add", e.Name, func(data []byte) ([]byte, error) { return renew(f, data, e.Name, s, l) })
	}
	return b.planned(f, "add", e.Name, func(data []byte) ([]byte, error) {
		return c.Format.Put(data, f.path(e.Name), c.Entry(e.Name, l))
	})
}

// renew sets what an entry of ours starts and the variables that are asked for.
// What else the user put into it stays.
func renew(f clientFile, data []byte, name string, s clients.Server, l clients.Launch) ([]byte, error) {
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

// lookUpEntry reports whether there is anything under this name.
func lookUpEntry(f clientFile, name string) bool { return f.entry(name) != "<nil>" }

// mayCreate refuses to make the folder of a client: it would look installed.
func (b *Broker) mayCreate(f clientFile) error {
	if f.place.Scope != clients.ScopeUser || f.there || f.place.InHome || exists(filepath.Dir(f.file)) || b.hasProgram(f.client) {
		return nil
	}
	return &Problem{
		Msg: fmt.Sprintf("%s is not installed here: there is no folder %s", f.client.Name, filepath.Dir(f.file)),
		Hints: []string{
			"start " + f.client.Name + " once and try again",
		},
		Code: ExitError,
	}
}

// launch checks an entry and makes its paths absolute.
func (b *Broker) launch(e ClientEntry) (clients.Launch, error) {
	if err := clients.CheckName(e.Name); err != nil {
		return clients.Launch{}, &Problem{Msg: fmt.Sprintf("the name %q %v", e.Name, err), Hints: []string{"--name orders"}, Code: ExitUsage}
	}
	command := slices.Clone(e.Command)
	if len(command) > 0 {
		program, err := b.lookUp(command[0], e.Cwd)
		if err == nil {
			program, err = filepath.Abs(program)
		}
		if err != nil {
			return clients.Launch{}, &Problem{Msg: err.Error(), Hints: []string{"give the path of the program, or --cwd DIR"}, Code: ExitUsage, Err: err}
		}
		command[0] = program
	}
	l := clients.Launch{Argv: e.argv(command)}
	for _, variable := range e.Env {
		name, value, ok := strings.Cut(variable, "=")
		if !ok || name == "" {
			return l, &Problem{Msg: fmt.Sprintf("--env %s is not NAME=value", name), Code: ExitUsage}
		}
		l.Env = append(l.Env, clients.Member{Name: name, Value: value})
	}
	return l, nil
}

// ShowClientEntry is the text of an entry and the file it belongs in. For a
// client that is not known it is the JSON that most clients read, and no file.
func (b *Broker) ShowClientEntry(client string, e ClientEntry) (text, file string, err error) {
	l, err := b.launch(e)
	if err != nil {
		return "", "", err
	}
	c, ok := clients.ByID(client)
	if !ok {
		c, _ = clients.ByID("cursor") // the notation that others copy
		return c.Format.Fragment([]string{"mcpServers", e.Name}, c.Entry(e.Name, l)), "", nil
	}
	env, err := b.clientEnv()
	if err != nil {
		return "", "", err
	}
	for _, p := range c.Places(env) {
		if p.Scope == e.Scope {
			return c.Format.Fragment(slices.Concat(p.Keys, []string{e.Name}), c.Entry(e.Name, l)), placeFile(p), nil
		}
	}
	return "", "", &Problem{Msg: fmt.Sprintf("%s keeps no servers for a %s", c.Name, e.Scope), Hints: []string{"leave out --scope"}, Code: ExitUsage}
}

// PlanClientWrap puts mcpauth in front of a server that a client has; an entry that
// runs another mcpauth is renewed. The server's
// command stays as the client spells it, and all other members stay. Of e, Name,
// Scope, Program, Config, Profile and Cwd count. Errors are *Problem.
func (b *Broker) PlanClientWrap(client string, e ClientEntry) (ClientChange, error) {
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, err
	}
	f, s, err := b.holding(c, e.Scope, e.Name)
	if err != nil {
		return ClientChange{}, err
	}
	if proxy, ours := clients.ParseProxy(s.Argv); ours {
		return b.plannedRenewal(f, e, proxy)
	}
	switch {
	case len(s.Argv) == 0 && s.URL != "":
		return ClientChange{}, &Problem{Msg: fmt.Sprintf("%s is called at %s: mcpauth stands in front of servers that are started", e.Name, host(s.URL)), Code: ExitUsage}
	case len(s.Argv) == 0:
		return ClientChange{}, &Problem{Msg: fmt.Sprintf("how %s is started is not clear from its entry in %s", e.Name, f.file), Hints: []string{"what it should look like: mcpauth client show " + c.ID + " --name NAME -- COMMAND"}, Code: ExitUsage}
	}
	if why := b.needsShell(s); why != "" {
		return ClientChange{}, &Problem{
			Msg:   fmt.Sprintf("the command of %s in %s %s, and mcpauth starts programs without a shell", e.Name, f.file, why),
			Hints: []string{"in that file give the full path of the program in command, and each argument as a text of its own"}, Code: ExitUsage,
		}
	}
	change, err := b.planned(f, "wrap", e.Name, func(data []byte) ([]byte, error) {
		return setCommand(f, data, e.Name, e.argv(s.Argv))
	})
	e.Command, e.Scope = s.Argv, f.place.Scope
	return change, e.byHand(err, c.ID)
}

// plannedRenewal lets an entry that runs mcpauth start this one, with the "--" that
// it may have lost. Its own flags stay.
func (b *Broker) plannedRenewal(f clientFile, e ClientEntry, p clients.Proxy) (ClientChange, error) {
	if p.Program == e.Program && (p.Separator || len(p.Child) == 0) {
		return ClientChange{}, &Problem{
			Msg:   fmt.Sprintf("%s in %s runs mcpauth already", e.Name, f.client.Name),
			Hints: []string{clientCommand("unwrap", f.client.ID, f.place.Scope, e.Name)}, Code: ExitUsage,
		}
	}
	argv := slices.Concat([]string{e.Program, clients.ProxyName}, p.Flags)
	if len(p.Child) > 0 {
		argv = append(append(argv, "--"), p.Child...)
	}
	change, err := b.planned(f, "renew", e.Name, func(data []byte) ([]byte, error) { return setCommand(f, data, e.Name, argv) })
	change.Note = e.Name + " ran mcpauth before: its path and -- are renewed, its flags stay as they are"
	return change, err
}

// needsShell says what of a command only a shell, or the client itself, can make
// sense of.
func (b *Broker) needsShell(s clients.Server) string {
	program := s.Argv[0]
	switch {
	case strings.HasPrefix(program, "~"):
		return "begins with ~"
	case strings.ContainsAny(program, " \t") && !b.findable(program, s.Cwd):
		return "is one text with blanks"
	}
	return ""
}

// setCommand replaces what an entry starts, and no other member.
func setCommand(f clientFile, data []byte, name string, argv []string) ([]byte, error) {
	var err error
	for _, m := range f.client.Command(argv) {
		if data, err = f.client.Format.Put(data, append(f.path(name), m.Name), m.Value); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// PlanClientUnwrap takes mcpauth away from in front of a server: byte for byte
// where mcpauth wrapped it and the entry is as it left it. Errors are *Problem.
func (b *Broker) PlanClientUnwrap(client, scope, name string) (ClientChange, error) {
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, err
	}
	f, s, err := b.holding(c, scope, name)
	if err != nil {
		return ClientChange{}, err
	}
	proxy, ours := clients.ParseProxy(s.Argv)
	switch {
	case !ours:
		return ClientChange{}, &Problem{Msg: fmt.Sprintf("%s in %s does not run mcpauth", name, c.Name), Hints: []string{"mcpauth client list"}, Code: ExitUsage}
	case len(proxy.Child) == 0:
		return ClientChange{}, &Problem{
			Msg:   fmt.Sprintf("%s in %s runs the command of the profile, so there is nothing to leave in its place", name, c.Name),
			Hints: []string{CommandLine("mcpauth", "client", "remove", c.ID, "--name", name)}, Code: ExitUsage,
		}
	}
	records, err := b.clientRecords(f, name)
	if err != nil {
		return ClientChange{}, err
	}
	return b.planned(f, "unwrap", name, func(data []byte) ([]byte, error) {
		if len(records) > 0 && records[len(records)-1].Op == "wrap" {
			if back, _, ok := undoRecord(f, data, records[len(records)-1]); ok {
				return back, nil
			}
		}
		return setCommand(f, data, name, proxy.Child)
	})
}

// PlanClientRemove removes an entry that runs mcpauth. Errors are *Problem.
func (b *Broker) PlanClientRemove(client, scope, name string) (ClientChange, error) {
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, err
	}
	f, s, err := b.holding(c, scope, name)
	if err != nil {
		return ClientChange{}, err
	}
	if _, ours := clients.ParseProxy(s.Argv); !ours {
		return ClientChange{}, &Problem{
			Msg:   fmt.Sprintf("%s in %s does not run mcpauth, so it is left alone", name, c.Name),
			Hints: []string{"remove it by hand in " + f.file}, Code: ExitUsage,
		}
	}
	records, err := b.clientRecords(f, name)
	if err != nil {
		return ClientChange{}, err
	}
	change, err := b.planned(f, "remove", name, func(data []byte) ([]byte, error) { return removeEntry(f, data, name, records) })
	if len(records) > 0 && records[len(records)-1].Op == "wrap" {
		change.Note = fmt.Sprintf("%s was there before mcpauth; to keep it: %s", name, clientCommand("unwrap", c.ID, f.place.Scope, name))
	}
	return change, err
}

// removeEntry takes back what added the entry, so that the file is as it was, or
// else cuts it out.
func removeEntry(f clientFile, data []byte, name string, records []clientRecord) ([]byte, error) {
	back := data
	for _, r := range slices.Backward(records) {
		undone, exact, ok := undoRecord(f, back, r)
		if r.Op != "add" && r.Op != "renew" || !ok {
			break
		}
		if exact && r.Change.Created() {
			return nil, errFileGoes
		}
		back = undone
		tree, err := f.client.Format.Parse(back)
		if err != nil {
			break
		}
		if now := (clientFile{client: f.client, place: f.place, tree: tree}); !lookUpEntry(now, name) {
			return back, nil
		}
	}
	return f.client.Format.Cut(data, f.path(name))
}

// PlanClientUndo takes back the last change that mcpauth made to a client.
// Errors are *Problem.
func (b *Broker) PlanClientUndo(client string) (ClientChange, error) {
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, err
	}
	files, err := b.clientFiles(c, "")
	if err != nil {
		return ClientChange{}, err
	}
	records, err := b.readClientRecords()
	if err != nil {
		return ClientChange{}, err
	}
	for _, r := range slices.Backward(records) {
		for _, f := range files {
			if r.Client != c.ID || r.File != f.file || r.Scope != f.place.Scope {
				continue
			}
			return b.planned(f, "undo", r.Server, func(data []byte) ([]byte, error) {
				back, exact, ok := undoRecord(f, data, r)
				switch {
				case !ok:
					return nil, changedSince(f, r)
				case exact && r.Change.Created():
					return nil, errFileGoes
				}
				return back, nil
			})
		}
	}
	return ClientChange{}, &Problem{Msg: "mcpauth has changed nothing of " + c.Name + " that is not undone yet", Code: ExitUsage}
}

func changedSince(f clientFile, r clientRecord) *Problem {
	p := &Problem{
		Msg:  fmt.Sprintf("%s has changed since, where mcpauth changed %s", f.file, r.Server),
		Code: ExitError,
	}
	if backup := f.file + backupEnding; exists(backup) {
		p.Hints = []string{"the file as it was before mcpauth first changed it: " + backup}
	}
	return p
}

// undoRecord takes a change out of the text, if nothing but its entry changes.
func undoRecord(f clientFile, data []byte, r clientRecord) (back []byte, exact, ok bool) {
	back, exact, ok = r.Change.Undo(data)
	if !ok || exact {
		return back, exact, ok
	}
	return back, false, f.client.Format.DiffersOnlyAt(data, back, f.path(r.Server))
}

// ApplyClient makes a change. The file is read again: what has changed in other
// parts of it since it was planned stays. Errors are *Problem.
func (b *Broker) ApplyClient(ctx context.Context, c ClientChange) error {
	return asError(b.applyClient(ctx, c))
}
