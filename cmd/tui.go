package cmd

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mcpauth/mcpauth/broker"
)

// TUI is the full-screen interface, which this package gets handed: the
// libraries behind it cost every start of a program that has them.
type TUI struct {
	Tabs []string // names for --tab
	Run  func(ctx context.Context, b *broker.Broker, o TUIOptions) error
}

// TUIOptions are the choices of `mcpauth tui`, and what it needs of this machine.
type TUIOptions struct {
	Overrides  broker.Overrides
	Environ    []string
	Tab        string // empty for the first
	ReadOnly   bool
	In         io.Reader
	Out        io.Writer
	Browser    func(ctx context.Context, address string) error
	Executable string   // path of this program; empty when it is not known
	Editor     []string // the command that edits a file, which is put behind it; empty for none
}

func newTUI(a *app) *cobra.Command {
	o := TUIOptions{}
	c := &cobra.Command{
		Use:   "tui [flags] [--] [COMMAND [ARG...]]",
		Short: "See the state, explore a server, watch what AI clients do",
		Long: "A full-screen interface: who is signed in, the tools, resources and prompts of the\n" +
			"server, and what all AI clients of this machine call, as it happens. It starts\n" +
			"COMMAND, or the command of the profile, behind the same policy as for an AI client.\n" +
			"? shows the keys. Everything in it has a command, too: see mcpauth --help.",
		Example: "  mcpauth tui\n" +
			"  mcpauth tui -- npx -y @modelcontextprotocol/server-everything\n" +
			"  mcpauth tui --tab activity",
		RunE: func(c *cobra.Command, argv []string) error { return a.tui(c.Context(), &o, argv) },
	}
	flags := c.Flags()
	flags.SetInterspersed(false) // as in proxy
	flags.StringVar(&o.Overrides.Cwd, "cwd", "", "folder in which COMMAND is started")
	flags.StringVar(&o.Tab, "tab", "", "tab to begin with: "+strings.Join(a.tabs(), ", "))
	flags.BoolVar(&o.ReadOnly, "read-only", false, "of the tools only those that the policy names under read_tools")
	must(c.RegisterFlagCompletionFunc("tab", cobra.FixedCompletions(a.tabs(), cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (a *app) tabs() []string {
	if a.deps.TUI == nil {
		return nil
	}
	return a.deps.TUI.Tabs
}

func (a *app) tui(ctx context.Context, o *TUIOptions, argv []string) error {
	if a.json {
		return usage("the full-screen interface has no --json", "mcpauth status --json")
	}
	if o.Tab != "" && !slices.Contains(a.tabs(), o.Tab) {
		return usage("there is no tab "+printable(o.Tab)+": there are "+strings.Join(a.tabs(), ", "), "mcpauth tui --tab "+a.tabs()[0])
	}
	in, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || !a.onTerminal() {
		return usage("mcpauth tui needs a terminal", "in scripts: mcpauth status --json, mcpauth tools list --json, mcpauth audit tail --json")
	}
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	o.Overrides.Profile, o.Overrides.Command = a.profile, argv
	if o.Overrides.Cwd != "" {
		if o.Overrides.Cwd, err = filepath.Abs(o.Overrides.Cwd); err != nil {
			return err
		}
	}
	a.askPassphrase(ctx, b, o.Overrides)
	a.silent = true // from here on
	o.Environ, o.In, o.Out = a.deps.Environ, a.In, a.protocol()
	o.Browser = browser{env: a.deps.Env, talk: io.Discard}.open
	o.Editor = strings.Fields(cmp.Or(a.deps.Env("VISUAL"), a.deps.Env("EDITOR")))
	o.Executable, _ = a.deps.Executable() // the doctor goes without
	return a.deps.TUI.Run(ctx, b, *o)
}

// askPassphrase reads the sign-in once while the terminal is still an ordinary
// one: the age file may have to ask for its passphrase.
func (a *app) askPassphrase(ctx context.Context, b *broker.Broker, o broker.Overrides) {
	config, err := b.Config()
	if err != nil {
		return // the interface tells of it, as of what else goes wrong here
	}
	if store, _ := config.StoreName(); store != broker.StoreAge {
		return
	}
	if resolved, err := b.Resolve(o); err == nil {
		_, _ = b.Status(ctx, resolved)
	}
}

// onTerminal reports whether standard output is a terminal.
func (a *app) onTerminal() bool {
	out, ok := a.protocol().(*os.File)
	return ok && term.IsTerminal(int(out.Fd()))
}
