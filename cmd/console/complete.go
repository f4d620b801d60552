package console

import "github.com/spf13/cobra"

// FirstOnly completes the first argument and no other.
func FirstOnly(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(c, args, word)
	}
}

// Must is for what fails only by a mistake in this package, found by any test.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}
