package cmd

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// flagWords are the words that a flag of any command may take. They are offered
// when a shell completes the flag.
var flagValues = map[string][]string{
	"provider":     config.KindNames(),
	"store":        {config.StoreKeychain, config.StoreAge},
	"user-context": {"auto", "always", "never"},
	"grant":        {"authorization_code", "client_credentials"},
}

// folderFlags take the name of a folder.
var folderFlags = []string{"cwd"}

// profileCommands take the name of a profile as their one argument.
var profileCommands = []string{"mcpauth profile show", "mcpauth profile use", "mcpauth profile secret", "mcpauth profile remove"}

// completeWords tells the shells what may stand in the commands of root: names of
// profiles, words of flags, folders. Whatever a command already offers stays.
func completeValues(a *console.App, root *cobra.Command) {
	profiles := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.ProfileNames(), cobra.ShellCompDirectiveNoFileComp
	}
	console.Must(root.RegisterFlagCompletionFunc("profile", profiles))
	everyCommand(root, func(c *cobra.Command) {
		if slices.Contains(profileCommands, c.CommandPath()) {
			c.ValidArgsFunction = console.FirstOnly(profiles)
		}
		for name, words := range flagValues {
			if _, taken := c.GetFlagCompletionFunc(name); c.Flags().Lookup(name) != nil && !taken {
				console.Must(c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
			}
		}
		for _, name := range folderFlags {
			if c.Flags().Lookup(name) != nil {
				console.Must(c.MarkFlagDirname(name))
			}
		}
	})
}

func everyCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, child := range c.Commands() {
		everyCommand(child, do)
	}
}
