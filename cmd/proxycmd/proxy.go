// Package proxycmd is the command proxy, which both programs have.
package proxycmd

import (
	"context"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
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
			a.JSON = false // standard output is the protocol
			b, err := a.Broker(console.PatienceProxy)
			if err != nil {
				return err
			}
			o.Profile, o.Command = a.Profile, argv
			if o.Cwd != "" {
				if o.Cwd, err = filepath.Abs(o.Cwd); err != nil {
					return err
				}
			}
			console.IgnoreBrokenPipes()
			makeRoomToWait()
			log, flush := serverLog(a)
			defer flush()
			a.Exit, err = b.Proxy(c.Context(), broker.ProxyOptions{
				Overrides: o, Environ: a.Deps.Environ, In: a.In, Out: a.Protocol(), Log: log,
				CallTimeout: callTimeout, Restart: restart, ReadOnly: readOnly,
			})
			return err
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
