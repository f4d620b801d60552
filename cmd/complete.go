package cmd

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

// flagWords are the words that a flag of any command may take. They are offered
// when a shell completes the flag.
var flagWords = map[string][]string{
	"provider":     {"okta-org", "okta-custom", "entra", "google", "auth0", "keycloak", "dex", "generic"},
	"store":        {broker.StoreKeychain, broker.StoreAge},
	"user-context": {"auto", "always", "never"},
	"grant":        {"authorization_code", "client_credentials"},
}

// folderFlags take the name of a folder.
var folderFlags = []string{"cwd"}

// profileCommands take the name of a profile as their one argument.
var profileCommands = []string{"mcpauth profile show", "mcpauth profile use", "mcpauth profile secret", "mcpauth profile remove"}

// completeWords tells the shells what may stand in the commands of root: names of
// profiles, words of flags, folders. Whatever a command already offers stays.
func (a *app) completeWords(root *cobra.Command) {
	profiles := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.profileNames(), cobra.ShellCompDirectiveNoFileComp
	}
	must(root.RegisterFlagCompletionFunc("profile", profiles))
	everyCommand(root, func(c *cobra.Command) {
		if slices.Contains(profileCommands, c.CommandPath()) {
			c.ValidArgsFunction = firstOnly(profiles)
		}
		for name, words := range flagWords {
			if _, taken := c.GetFlagCompletionFunc(name); c.Flags().Lookup(name) != nil && !taken {
				must(c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
			}
		}
		for _, name := range folderFlags {
			if c.Flags().Lookup(name) != nil {
				must(c.MarkFlagDirname(name))
			}
		}
	})
}

// profileNames are the profiles of the configuration file; none if it cannot be
// read: a shell that completes a word has no place for an error.
func (a *app) profileNames() []string {
	paths, err := a.paths()
	if err != nil {
		return nil
	}
	config, err := broker.LoadConfig(paths.ConfigFile)
	if err != nil {
		return nil
	}
	return config.ProfileNames()
}

// firstOnly completes the first argument and no other.
func firstOnly(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(c, args, word)
	}
}

func everyCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, child := range c.Commands() {
		everyCommand(child, do)
	}
}

// must is for what fails only by a mistake in this package, found by any test.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
