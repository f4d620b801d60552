// Package clientcmd has the commands that set AI clients up: client and init.
package clientcmd

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func New(a *console.App) *cobra.Command {
	c := &cobra.Command{
		Use:     "client",
		Short:   "Set up AI clients: add servers behind mcpauth, or put it in front of theirs",
		Example: "  mcpauth client list\n  mcpauth client add cursor -- python3 main.py",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newClientList(a), newClientAdd(a), newClientWrap(a), newClientUnwrap(a), newClientRemove(a), newClientShow(a), newClientUndo(a))
	return c
}

// clientOptions are the flags of the commands that change a client's file.
type clientOptions struct {
	entry  clients.Entry
	yes    bool
	dryRun bool

	followLinks bool
}

func (o *clientOptions) changeFlags(c *cobra.Command) {
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "write without asking")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show the change and write nothing")
	c.Flags().BoolVar(&o.followLinks, "follow-links", false, "with --yes, write through a project's file that is a link out of the project")
}

func (o *clientOptions) scopeFlag(c *cobra.Command, def, help string) {
	c.Flags().StringVar(&o.entry.Scope, "scope", def, help)
	scopes := []string{clients.ScopeUser, clients.ScopeProject}
	if def == "" { // of an entry that is there; mcpauth adds none for one project in the user's file
		scopes = append(scopes, clients.ScopeLocal)
	}
	console.Must(c.RegisterFlagCompletionFunc("scope", cobra.FixedCompletions(scopes, cobra.ShellCompDirectiveNoFileComp)))
}

func (o *clientOptions) entryFlags(c *cobra.Command) {
	c.Flags().StringVar(&o.entry.Name, "name", "", "name of the server in the client (default: the server's own)")
	c.Flags().StringVar(&o.entry.Cwd, "cwd", "", "folder in which COMMAND is started")
	c.Flags().StringArrayVar(&o.entry.Env, "env", nil, "NAME=value for the server, written into the entry (repeat)")
	o.scopeFlag(c, clients.ScopeUser, "user, or project for a file in this folder")
}

// clientNames takes apart `[CLIENT...] [-- COMMAND...]`.
func clientNames(c *cobra.Command, args []string) (names, command []string) {
	if dash := c.ArgsLenAtDash(); dash >= 0 {
		return args[:dash], args[dash:]
	}
	return args, nil
}

func newClientAdd(a *console.App) *cobra.Command {
	o := &clientOptions{}
	c := &cobra.Command{
		Use:   "add [CLIENT...] [flags] [-- COMMAND [ARG...]]",
		Short: "Add a server to AI clients, behind mcpauth",
		Long: "Adds an entry that runs `mcpauth proxy -- COMMAND` to the files of AI clients:\n" +
			"shows the file and the difference, asks, and writes. Without CLIENT it asks for\n" +
			"each one that is installed. Without COMMAND the entry runs that of the profile.\n" +
			"Clients: " + strings.Join(clients.IDs(), ", "),
		Example: "  mcpauth client add claude-code codex --name orders -- python3 main.py\n" +
			"  mcpauth client add cursor --scope project --dry-run --name orders -- python3 main.py",
		ValidArgsFunction: completeClients,
		RunE: func(c *cobra.Command, args []string) error {
			names, command := clientNames(c, args)
			return clientAdd(c.Context(), a, o, names, command)
		},
	}
	o.entryFlags(c)
	o.changeFlags(c)
	return c
}

func clientAdd(ctx context.Context, a *console.App, o *clientOptions, names, command []string) error {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	if err := fillEntry(a, b, &o.entry, command, tryFor(ctx, a)); err != nil {
		return err
	}
	if len(names) == 0 {
		if names, err = installedClients(a, b, o); err != nil {
			return err
		}
	}
	tellSignInMissing(a, b, o.entry)
	keepVariables(a, b, &o.entry)
	var changes []clients.Change
	for _, name := range names {
		change, err := b.Clients().PlanAdd(name, o.entry)
		if err != nil {
			return err
		}
		changes = append(changes, change)
	}
	return makeChanges(ctx, a, b, o, changes)
}

// keepVariables adds to an entry what an AI client does not pass on, unless it has it.
func keepVariables(a *console.App, b *broker.Broker, e *clients.Entry) {
	r, err := b.Resolve(config.Overrides{Profile: e.Profile, Command: e.Command, Cwd: e.Cwd})
	if err != nil {
		return
	}
	assignments, secret := r.EntryVariables(b.Env)
	for _, assignment := range assignments {
		name, _, _ := strings.Cut(assignment, "=")
		if !slices.ContainsFunc(e.Env, func(given string) bool { return strings.HasPrefix(given, name+"=") }) {
			e.Env = append(e.Env, assignment)
		}
	}
	for _, name := range secret {
		a.Say("%s holds a password and is not written into the entry; AI clients do not pass it on", name)
	}
}

// installedClients are those on this machine; a user must be there to answer.
func installedClients(a *console.App, b *broker.Broker, o *clientOptions) ([]string, error) {
	if !console.IsTerminal(a.In) && !o.dryRun {
		return nil, console.Usage("--yes needs the names of clients", "mcpauth client list", "mcpauth client add CLIENT... --yes -- COMMAND")
	}
	all, err := b.Clients().States()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range all {
		project := slices.ContainsFunc(c.Places, func(p clients.FileState) bool { return p.Scope == o.entry.Scope })
		if c.State != clients.NotInstalled && c.State != clients.Unreadable && project {
			names = append(names, c.ID)
		}
	}
	if len(names) == 0 {
		return nil, &problem.Problem{Msg: "no AI client that mcpauth knows is installed here", Hints: []string{"for any other client: " + o.entry.ShowCommand("other")}, Code: problem.ExitError}
	}
	return names, nil
}

// tryFor is tryServer for an entry.
func tryFor(ctx context.Context, a *console.App) func(config.Resolved, []string) string {
	return func(r config.Resolved, env []string) string { return tryServer(ctx, a, r.Command, r.Cwd, env) }
}

// fillEntry completes an entry from the flags, the profile, the folder and, where try is
// given, what the server calls itself. All entries name their profile, so that another
// default profile does not change who the user is.
func fillEntry(a *console.App, b *broker.Broker, e *clients.Entry, command []string, try func(config.Resolved, []string) string) error {
	e.Command = command
	if err := fillProxy(a, e); err != nil {
		return err
	}
	resolved, err := b.Resolve(config.Overrides{Profile: e.Profile, Command: e.Command, Cwd: e.Cwd})
	switch {
	case err != nil && (len(command) == 0 || e.Profile != ""):
		return err
	case len(command) == 0 && len(resolved.Command) == 0:
		return console.Usage("there is no command to put into the entry", "mcpauth client add … -- python3 main.py", "or put command under [profiles."+resolved.Name+"]")
	}
	if err != nil { // no profile at all
		resolved.Command, resolved.Cwd = e.Command, e.Cwd
	}
	e.Profile = cmp.Or(e.Profile, resolved.Name)
	if try != nil {
		e.Name = cmp.Or(e.Name, try(resolved, e.Env))
	}
	e.Name = cmp.Or(e.Name, resolved.Name)
	if e.Name == "" {
		return console.Usage("the server needs a name in the client", "--name orders")
	}
	return nil
}

// fillProxy completes what mcpauth itself is started with. A client passes no
// environment on, so what the variables say becomes a flag.
func fillProxy(a *console.App, e *clients.Entry) error {
	var err error
	if e.Program, err = programForClients(a); err != nil {
		return err
	}
	if e.Cwd == "" && namesFileHere(e.Command) {
		e.Cwd, e.Command = console.WorkingDirectory(), absoluteFiles(e.Command)
	}
	e.Profile = a.Profile
	if e.Profile == "" {
		e.Profile = a.Deps.Env("MCPAUTH_PROFILE")
	}
	e.Config = a.Config
	if e.Config == "" {
		e.Config = a.Deps.Env("MCPAUTH_CONFIG")
	}
	for _, path := range []*string{&e.Config, &e.Cwd} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	return nil
}

// tellSignInMissing says that an entry does not work before there is a profile.
func tellSignInMissing(a *console.App, b *broker.Broker, e clients.Entry) {
	_, err := b.Resolve(config.Overrides{Profile: e.Profile, Command: e.Command, Cwd: e.Cwd})
	if err == nil {
		return
	}
	problem := problem.Of(err)
	a.Say("The server will not work before a sign-in is set up: %s", console.Printable(problem.Msg))
	for _, hint := range problem.Hints {
		a.Say("  %s", console.Printable(hint))
	}
}

// namesFileHere reports whether a word of a command is a relative path of a file
// that is there: then the command works in this folder only.
func namesFileHere(command []string) bool {
	return slices.ContainsFunc(command, func(word string) bool {
		_, err := os.Stat(word)
		return word != "" && !filepath.IsAbs(word) && (strings.ContainsAny(word, `./\`)) && err == nil
	})
}

func newClientWrap(a *console.App) *cobra.Command {
	o := &clientOptions{}
	c := &cobra.Command{
		Use:     "wrap CLIENT NAME",
		Short:   "Put mcpauth in front of a server that a client has",
		Example: "  mcpauth client wrap cursor files",
		Long: "Changes what the entry starts from COMMAND to `mcpauth proxy -- COMMAND`, and nothing\n" +
			"else of it. `mcpauth client unwrap` puts it back. An entry that runs a mcpauth of another\n" +
			"path, that lost its --, or whose server has moved to another folder of the PATH, is renewed.",
		Args:              exactly(2, "mcpauth client wrap CLIENT NAME"),
		ValidArgsFunction: completeServer(a, clients.ServerState.Wrappable),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			o.entry.Name = args[1]
			if err := fillProxy(a, &o.entry); err != nil {
				return err
			}
			if o.entry.Profile != "" {
				if _, err := b.Resolve(config.Overrides{Profile: o.entry.Profile}); err != nil {
					return err
				}
			} else if usual, err := b.Resolve(config.Overrides{}); err == nil {
				o.entry.Profile = usual.Name
			}
			change, err := b.Clients().PlanWrap(args[0], o.entry)
			if err != nil {
				return err
			}
			tellSignInMissing(a, b, o.entry)
			return makeChanges(c.Context(), a, b, o, []clients.Change{change})
		},
	}
	c.Flags().StringVar(&o.entry.Cwd, "cwd", "", "folder in which the server is started (default: as the client does)")
	o.scopeFlag(c, "", "user, project or local (default: the first that has it)")
	o.changeFlags(c)
	return c
}

func newClientUnwrap(a *console.App) *cobra.Command {
	o := &clientOptions{}
	c := &cobra.Command{
		Use:               "unwrap CLIENT NAME",
		Short:             "Take mcpauth away from in front of a server; the server stays",
		Example:           "  mcpauth client unwrap cursor files",
		Args:              exactly(2, "mcpauth client unwrap CLIENT NAME"),
		ValidArgsFunction: completeServer(a, clients.ServerState.Ours),
		RunE: func(c *cobra.Command, args []string) error {
			return clientChange(c.Context(), a, o, func(b *broker.Broker) (clients.Change, error) {
				return b.Clients().PlanUnwrap(args[0], o.entry.Scope, args[1])
			})
		},
	}
	o.scopeFlag(c, "", "user, project or local (default: the first that has it)")
	o.changeFlags(c)
	return c
}

func newClientUndo(a *console.App) *cobra.Command {
	o := &clientOptions{}
	c := &cobra.Command{
		Use:               "undo CLIENT",
		Short:             "Take back the last change that mcpauth made to a client",
		Example:           "  mcpauth client undo cursor",
		Args:              exactly(1, "mcpauth client undo CLIENT"),
		ValidArgsFunction: console.FirstOnly(completeClients),
		RunE: func(c *cobra.Command, args []string) error {
			return clientChange(c.Context(), a, o, func(b *broker.Broker) (clients.Change, error) { return b.Clients().PlanUndo(args[0]) })
		},
	}
	o.changeFlags(c)
	return c
}

func clientChange(ctx context.Context, a *console.App, o *clientOptions, plan func(*broker.Broker) (clients.Change, error)) error {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	change, err := plan(b)
	if err != nil {
		return err
	}
	return makeChanges(ctx, a, b, o, []clients.Change{change})
}

func newClientRemove(a *console.App) *cobra.Command {
	o := &clientOptions{}
	c := &cobra.Command{
		Use:     "remove CLIENT NAME",
		Short:   "Remove a server that runs mcpauth from AI clients",
		Example: "  mcpauth client remove cursor orders\n  mcpauth client remove --name orders      from all clients that have it",
		Long: "Removes the entry NAME from a client. With --name NAME instead, from all clients that\n" +
			"are named, or from all that have it. An entry that does not run mcpauth is left alone.",
		ValidArgsFunction: completeClients,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case o.entry.Name == "" && len(args) == 2:
				args, o.entry.Name = args[:1], args[1]
			case o.entry.Name == "":
				return console.Usage("say which server to remove", "mcpauth client list", "mcpauth client remove CLIENT NAME")
			}
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				if args, err = clientsWith(b, o.entry.Scope, o.entry.Name); err != nil {
					return err
				}
			}
			var changes []clients.Change
			for _, id := range args {
				change, err := b.Clients().PlanRemove(id, o.entry.Scope, o.entry.Name)
				if err != nil {
					return err
				}
				changes = append(changes, change)
			}
			return makeChanges(c.Context(), a, b, o, changes)
		},
	}
	c.Flags().StringVar(&o.entry.Name, "name", "", "name of the server in the client")
	o.scopeFlag(c, "", "user, project or local (default: the first that has it)")
	o.changeFlags(c)
	return c
}

// clientsWith are the clients that have an entry of this name that is ours.
func clientsWith(b *broker.Broker, scope, name string) ([]string, error) {
	all, err := b.Clients().States()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range all {
		for _, p := range c.Places {
			for _, s := range p.Servers {
				if s.Name == name && s.Ours() && (scope == "" || scope == p.Scope) && !slices.Contains(ids, c.ID) {
					ids = append(ids, c.ID)
				}
			}
		}
	}
	if len(ids) == 0 {
		return nil, console.Usage(fmt.Sprintf("no client has a server %q that runs mcpauth", name), "mcpauth client list")
	}
	return ids, nil
}

func newClientShow(a *console.App) *cobra.Command {
	o := &clientOptions{}
	c := &cobra.Command{
		Use:     "show CLIENT [flags] [-- COMMAND [ARG...]]",
		Short:   "Print the entry to paste, and the file it belongs in",
		Example: "  mcpauth client show cursor -- python3 main.py",
		Long:    "Prints what `client add` would write. For a client that mcpauth does not know it is\nthe JSON that most clients read.",
		Args: func(c *cobra.Command, args []string) error {
			if names, _ := clientNames(c, args); len(names) != 1 {
				return console.Usage("say for which client", "mcpauth client show CLIENT -- COMMAND")
			}
			return nil
		},
		ValidArgsFunction: console.FirstOnly(completeClients),
		RunE: func(c *cobra.Command, args []string) error {
			names, command := clientNames(c, args)
			return clientShow(a, o, names[0], command)
		},
	}
	o.entryFlags(c)
	return c
}

func clientShow(a *console.App, o *clientOptions, client string, command []string) error {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	if err := fillEntry(a, b, &o.entry, command, nil); err != nil {
		return err
	}
	entry, file, err := b.Clients().ShowEntry(client, o.entry)
	if err != nil {
		return err
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"client": client, "file": file, "entry": entry})
		return nil
	}
	if file == "" {
		a.Say("mcpauth does not know %s. Most clients read this, in a file that their documentation names:", console.Printable(client))
	} else {
		a.Say("It belongs in %s:", console.Printable(file))
	}
	fmt.Fprint(a.Out, text.CleanText(entry))
	return nil
}

// exactly is cobra.ExactArgs with our words.
func exactly(n int, how string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return console.Usage(fmt.Sprintf("client %s needs %s, but got %d", c.Name(), text.Count(n, "argument"), len(args)), how)
		}
		return nil
	}
}
