package cmd

import (
	"cmp"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/atotto/clipboard"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/tui"
)

func newTUI(a *console.App) *cobra.Command {
	o := tui.Options{}
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
		RunE: func(c *cobra.Command, argv []string) error { return runTUI(c.Context(), a, &o, argv) },
	}
	flags := c.Flags()
	flags.SetInterspersed(false) // as in proxy
	flags.StringVar(&o.Overrides.Cwd, "cwd", "", "folder in which COMMAND is started")
	flags.StringVar(&o.Tab, "tab", "", "tab to begin with: "+strings.Join(tui.TabNames(), ", "))
	flags.BoolVar(&o.ReadOnly, "read-only", false, "of the tools only those that the policy names under read_tools")
	console.Must(c.RegisterFlagCompletionFunc("tab", cobra.FixedCompletions(tui.TabNames(), cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func runTUI(ctx context.Context, a *console.App, o *tui.Options, argv []string) error {
	if a.JSON {
		return console.Usage("the full-screen interface has no --json", "mcpauth status --json")
	}
	if o.Tab != "" && !slices.Contains(tui.TabNames(), o.Tab) {
		return console.Usage("there is no tab "+console.Printable(o.Tab)+": there are "+strings.Join(tui.TabNames(), ", "), "mcpauth tui --tab "+tui.TabNames()[0])
	}
	in, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || !a.ToTerminal() {
		return console.Usage("mcpauth tui needs a terminal", "in scripts: mcpauth status --json, mcpauth tools list --json, mcpauth audit tail --json")
	}
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	o.Overrides.Profile, o.Overrides.Command = a.Profile, argv
	if o.Overrides.Cwd != "" {
		if o.Overrides.Cwd, err = filepath.Abs(o.Overrides.Cwd); err != nil {
			return err
		}
	}
	askPassphrase(ctx, a, b, o.Overrides)
	a.Silent = true // from here on
	o.Home, o.Clients, o.Version = home{b}, b.Clients().States, broker.Version()
	o.Environ, o.In, o.Out = a.Deps.Environ, a.In, a.Protocol()
	o.Browser, o.Copy = a.Browser(io.Discard), clipboard.WriteAll
	o.Executable, _ = a.Deps.Executable() // the doctor goes without
	o.Open = func(ctx context.Context, overrides config.Overrides, on func(mcpclient.Event)) (tui.Server, error) {
		server, err := b.Explore(ctx, broker.ExploreOptions{
			Overrides: overrides, Environ: o.Environ, Face: "mcpauth tui", Attended: true, ReadOnly: o.ReadOnly,
		}, on)
		if err != nil {
			return nil, err
		}
		return server, nil
	}
	if command := strings.Fields(cmp.Or(a.Deps.Env("VISUAL"), a.Deps.Env("EDITOR"))); len(command) > 0 {
		o.Editor = func(file string) tui.Command {
			return &editor{exec.Command(command[0], append(command[1:], file)...)}
		}
	}
	return tui.Run(ctx, *o)
}

// home is the broker as the TUI asks for it.
type home struct{ *broker.Broker }

func (h home) Lock() error { return h.Broker.Lock().Set() }

func (h home) Unlock(ctx context.Context, r config.Resolved, o broker.LoginOptions) (broker.User, error) {
	return h.Broker.Lock().Lift(ctx, r, o)
}

func (h home) ShowPolicy(r config.Resolved) (config.ShownPolicy, error) {
	file, err := h.Config()
	if err != nil {
		return config.ShownPolicy{}, err
	}
	return file.ShowPolicy(r)
}

// editor is a command whose streams are given by methods.
type editor struct{ *exec.Cmd }

func (e *editor) SetStdin(r io.Reader)  { e.Stdin = r }
func (e *editor) SetStdout(w io.Writer) { e.Stdout = w }
func (e *editor) SetStderr(w io.Writer) { e.Stderr = w }

// askPassphrase reads the sign-in once while the terminal is still an ordinary
// one: the age file may have to ask for its passphrase.
func askPassphrase(ctx context.Context, a *console.App, b *broker.Broker, o config.Overrides) {
	file, err := b.Config()
	if err != nil {
		return // the interface tells of it, as of what else goes wrong here
	}
	if store, _ := file.StoreName(); store != config.StoreAge {
		return
	}
	if resolved, err := b.Resolve(o); err == nil {
		_, _ = b.Status(ctx, resolved)
	}
}
