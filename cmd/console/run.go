package console

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/problem"
)

func Run(ctx context.Context, args []string, streams Streams, deps Deps, newRoot func(*App) *cobra.Command) int {
	closeMemory()
	app := &App{Streams: streams, Deps: deps}
	output := &checkedWriter{w: streams.Out}
	app.Out = output
	root := newRoot(app)
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(app.Out)
	root.SetErr(streams.Err)
	ran, err := root.ExecuteContextC(ctx)
	if readerGone(output.err) && (app.Exit == problem.ExitOK && err == nil || errors.Is(err, output.err)) {
		return problem.ExitError // `| head` has what it wanted
	}
	if err == nil && app.Exit == problem.ExitOK && output.err != nil {
		err = &problem.Problem{Msg: "the output cannot be written: " + output.err.Error(), Code: problem.ExitError, Err: output.err}
		app.JSON = false
	}
	if err == nil && app.badQuery != nil {
		err = Usage(app.badQuery.Error())
	}
	if ctx.Err() != nil && err != nil && app.Exit == 0 {
		err = stopped(err)
	}
	if err == nil {
		return app.Exit
	}
	problem := problem.Of(err)
	if !app.began { // cobra's own words about commands and arguments
		problem = app.Misused(ran, err)
	}
	app.Complain(problem)
	return problem.Code
}

// stopped is the error of a command that was interrupted. Hints of one that knew so
// are kept.
func stopped(err error) error {
	var known *problem.Problem
	if errors.As(err, &known) && known.Code == problem.ExitInterrupted {
		return known
	}
	return &problem.Problem{Msg: "stopped", Code: problem.ExitInterrupted, Err: err}
}

// checkedWriter remembers that something could not be written: a script that
// reads half an answer must not take it for the whole.
type checkedWriter struct {
	w   io.Writer
	err error
}

// newBareRoot is the root without its commands.
func NewRoot(a *App) *cobra.Command {
	root := &cobra.Command{
		Use:   "mcpauth",
		Short: "Give MCP servers a user they can trust",
		Long: "mcpauth signs you in once and puts your verified identity into every call\n" +
			"that an AI client makes to an MCP server.",
		Example: "  mcpauth init                            set up a provider, a server and a first sign-in\n" +
			"  mcpauth demo                            see it work, without any set-up\n" +
			"  mcpauth tools call whoami               call a tool as the signed-in user",
		SilenceErrors:    true,
		SilenceUsage:     true,
		PersistentPreRun: func(*cobra.Command, []string) { a.began = true },
		RunE:             func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(FlagError)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.Profile, "profile", "p", "", "profile to use (default: the current one)")
	flags.StringVar(&a.Config, "config", "", "configuration file")
	flags.BoolVar(&a.JSON, "json", false, "print one JSON object")
	flags.IntVar(&a.passphraseFD, "passphrase-fd", -1, "descriptor to read the age file's passphrase from, where that is the store")
	return root
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}
