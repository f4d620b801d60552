package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

// misused puts cobra's words about a command line that it could not use into
// ours, with what was likely meant.
func misused(c *cobra.Command, err error) *broker.Problem {
	var ours *broker.Problem
	if errors.As(err, &ours) {
		ours.Code = broker.ExitUsage
		if len(ours.Hints) == 0 {
			ours.Hints = []string{c.CommandPath() + " --help"}
		}
		return ours
	}
	words, _, _ := strings.Cut(err.Error(), "\n") // below stand cobra's suggestions
	var surplus string
	if _, scanErr := fmt.Sscanf(words, "unknown command %q", &surplus); scanErr != nil {
		return usage(words, c.UseLine(), c.CommandPath()+" --help")
	}
	if !c.HasSubCommands() {
		name := strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
		return usage(fmt.Sprintf("%s takes no argument, but got %q", name, surplus), c.CommandPath()+" --help")
	}
	c.SuggestionsMinimumDistance = 2
	var hints []string
	for _, meant := range c.SuggestionsFor(surplus) {
		hints = append(hints, "did you mean: "+c.CommandPath()+" "+meant)
	}
	return usage(words, append(hints, c.CommandPath()+" --help")...)
}

// helpOn is `mcpauth help COMMAND`. Cobra's own ends well where there is no such command.
func helpOn(c *cobra.Command, args []string) error {
	on, rest, err := c.Root().Find(args)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("unknown command %q for %q", rest[0], on.CommandPath())
	}
	if err != nil {
		return misused(on, err)
	}
	on.InitDefaultHelpFlag() // so that it is among the flags
	return on.Help()
}
