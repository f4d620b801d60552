// Package proxycmd is the command proxy, which both programs have.
package proxycmd

import (
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

const proxyName = "proxy"

// makeRoomToWait gives Go's scheduler more processors than there are goroutines that
// wait in read(2): each keeps one there. With too few, a goroutine that comes back from a read
// waits, sometimes, until the scheduler's clock takes one from another, which is 20 µs
// or more; and that clock ticks for nothing else.
func makeRoomToWait() {
	const processors = 4
	if runtime.GOMAXPROCS(0) < processors {
		runtime.GOMAXPROCS(processors)
	}
}

func New(a *console.App) *cobra.Command {
	var (
		o           config.Overrides
		callTimeout time.Duration
		restart     bool
		readOnly    bool
	)
	c := &cobra.Command{
		Use:   proxyName + " [flags] [--] COMMAND [ARG...]",
		Short: "Run an MCP server behind the sign-in (stdio); the command for AI clients",
		Long: "Starts COMMAND as a stdio MCP server and stands between it and the AI client:\n" +
			"every tools/call, resources/read and prompts/get carries the signed-in user's\n" +
			"verified context and is put on record. Needs no environment but HOME.\n" +
			"Without COMMAND it runs the command of the profile.",
		Example: "  mcpauth proxy -- python3 main.py\n" +
			"  mcpauth proxy --profile orders --cwd /srv/orders -- uv run server.py",
		RunE: func(c *cobra.Command, argv []string) error {
			o.Profile, o.Command = a.Profile, argv
			return run(c.Context(), a, broker.ProxyOptions{Overrides: o, CallTimeout: callTimeout, Restart: restart, ReadOnly: readOnly})
		},
	}
	// The first word that is no flag of ours is the command, and all after it
	// is the command's own, with and without "--": some clients lose the "--".
	c.Flags().SetInterspersed(false)
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		a.JSON = false // standard output is the protocol
		return console.FlagError(c, err)
	})
	c.Flags().StringVar(&o.Cwd, "cwd", "", "folder in which COMMAND is started")
	c.Flags().BoolVar(&readOnly, "read-only", false, "of the tools only those that the policy names under read_tools")
	c.Flags().StringVar(&o.UserContext, "user-context", "",
		"hand the user over as the argument _oauth_user, too: auto (to tools that declare it), always, never")
	c.Flags().DurationVar(&callTimeout, "call-timeout", 0, "give up on a call after this time (default: never)")
	c.Flags().BoolVar(&restart, "restart", false, "start COMMAND again when it ends before the AI client does; calls are never repeated")
	c.Flags().StringVar(&o.Issuer, "issuer", "", "issuer URL, instead of the profile's")
	c.Flags().StringVar(&o.ClientID, "client-id", "", "client_id, instead of the profile's")
	return c
}

func run(ctx context.Context, a *console.App, o broker.ProxyOptions) error {
	a.JSON = false // standard output is the protocol
	b, err := a.Broker(console.PatienceProxy)
	if err != nil {
		return err
	}
	if o.Overrides.Cwd != "" {
		if o.Overrides.Cwd, err = filepath.Abs(o.Overrides.Cwd); err != nil {
			return err
		}
	}
	if console.IsTerminal(a.In) {
		explain(a, o.Overrides)
	}
	console.IgnoreBrokenPipes()
	makeRoomToWait()
	log, flush := serverLog(a)
	defer flush()
	o.Environ, o.In, o.Out, o.Log = a.Deps.Environ, a.In, a.Protocol(), log
	a.Exit, err = b.Proxy(ctx, o)
	return err
}

// explain tells a user who typed the command what it is for: it waits for an AI client
// without a word.
func explain(a *console.App, o config.Overrides) {
	rest := ""
	if o.Profile != "" {
		rest = " --profile " + text.QuoteWord(o.Profile)
	}
	if len(o.Command) > 0 {
		words := make([]string, len(o.Command))
		for i, word := range o.Command {
			words[i] = text.QuoteWord(word)
		}
		rest += " -- " + strings.Join(words, " ")
	}
	a.Say("This speaks MCP to an AI client, which starts it by itself, and waits for messages now (ctrl+d ends it).")
	a.Say("  To set up an AI client:      mcpauth client add%s", console.Printable(rest))
	a.Say("  To look at the server:       mcpauth tui%s", console.Printable(rest))
	a.Say("  To list and call its tools:  mcpauth tools list%s", console.Printable(rest))
}

// Main is cmd.Main for a program that has only `mcpauth proxy`, whose flags and arguments
// args are. What only other commands need is not even linked into it. The entries of
// AI clients say the word proxy, too, so that they fit both programs.
func Main(ctx context.Context, args []string, streams console.Streams, deps console.Deps) int {
	if len(args) > 0 && args[0] == proxyName {
		args = args[1:]
	}
	return console.Run(ctx, append([]string{proxyName}, args...), streams, deps, newProxyRoot)
}

// newProxyRoot has the one command.
func newProxyRoot(a *console.App) *cobra.Command {
	root := console.NewRoot(a)
	proxy := New(a)
	a.AddVersionFlag(proxy)
	root.AddCommand(proxy)
	root.CompletionOptions.DisableDefaultCmd = true
	return root
}
