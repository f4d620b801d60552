package clientcmd

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// completeClients offers the clients that are not named yet.
func completeClients(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if dash := c.ArgsLenAtDash(); dash >= 0 && dash < len(args) { // the words of COMMAND
		return nil, cobra.ShellCompDirectiveDefault
	}
	ids := slices.DeleteFunc(clients.IDs(), func(id string) bool { return slices.Contains(args, id) })
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeServer offers the clients and then the servers of the one that is named.
func completeServer(a *console.App, fits func(clients.ServerState) bool) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			return completeClients(c, args, word)
		case 1:
			return serverNames(a, args[0], fits), cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// serverNames are the servers of a client that fit; none where its files cannot
// be read.
func serverNames(a *console.App, client string, fits func(clients.ServerState) bool) []string {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return nil
	}
	all, err := b.Clients().States()
	if err != nil {
		return nil
	}
	var names []string
	for _, state := range all {
		for _, place := range state.Places {
			for _, s := range place.Servers {
				if state.ID == client && fits(s) && s.Name == console.Printable(s.Name) {
					names = append(names, s.Name)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
