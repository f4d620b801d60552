// Package cmd is the command line of mcpauth. It is the only package that
// prints, exits or knows a terminal.
//
// The rules of its words: facts go to standard output, talk to standard error;
// with --json, standard output holds one object with "schema": 1. Messages begin
// in lower case and end without a period. An error says what happened, why, and
// on a line of its own what to type next.
package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/cmd/accountcmd"
	"github.com/mcpauth/mcpauth/cmd/auditcmd"
	"github.com/mcpauth/mcpauth/cmd/clientcmd"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/explorecmd"
	"github.com/mcpauth/mcpauth/cmd/policycmd"
	"github.com/mcpauth/mcpauth/cmd/proxycmd"
)

// Main runs one command line and returns the exit code.
func Main(ctx context.Context, args []string, streams console.Streams, deps console.Deps) int {
	return console.Run(ctx, args, streams, deps, newRoot)
}

func newRoot(a *console.App) *cobra.Command {
	root := console.NewRoot(a)
	a.AddVersionFlag(root)
	addJQ(a, root)
	root.AddCommand(
		accountcmd.NewLogin(a), accountcmd.NewLogout(a), accountcmd.NewLock(a), accountcmd.NewUnlock(a), accountcmd.NewStatus(a),
		accountcmd.NewProfile(a), accountcmd.NewToken(a), accountcmd.NewStore(a),
		proxycmd.New(a), clientcmd.New(a), clientcmd.NewInit(a),
		policycmd.New(a), policycmd.NewWhy(a), auditcmd.New(a), auditcmd.NewStats(a),
		explorecmd.NewTools(a), explorecmd.NewResources(a), explorecmd.NewPrompts(a), explorecmd.NewServer(a),
		newTUI(a), newDemo(a), newDoctor(a), newVersion(a), newMan(a),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.RunE == nil && c.Run == nil { // cobra's own: it would print its help for a shell that it does not know, and end well
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	arrangeHelp(a, root)
	completeValues(a, root)
	return root
}

func newVersion(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: "Prints the version. With --json also the commit, its time, the version of Go and the\n" +
			"system that the program was built for.",
		Example: "  mcpauth version\n  mcpauth version --json",
		Args:    cobra.NoArgs,
		Run:     func(*cobra.Command, []string) { a.TellVersion() },
	}
}
