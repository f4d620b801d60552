package console

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// Misused puts cobra's words about a command line that it could not use into
// ours, with what was likely meant.
func Misused(c *cobra.Command, err error) *problem.Problem {
	var ours *problem.Problem
	if errors.As(err, &ours) {
		ours.Code = problem.ExitUsage
		if len(ours.Hints) == 0 {
			ours.Hints = []string{c.CommandPath() + " --help"}
		}
		return ours
	}
	words, _, _ := strings.Cut(err.Error(), "\n") // below stand cobra's suggestions
	var surplus string
	if _, scanErr := fmt.Sscanf(words, "unknown command %q", &surplus); scanErr != nil {
		return Usage(words, c.UseLine(), c.CommandPath()+" --help")
	}
	if !c.HasSubCommands() {
		name := strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
		return Usage(fmt.Sprintf("%s takes no argument, but got %q", name, surplus), c.CommandPath()+" --help")
	}
	c.SuggestionsMinimumDistance = 2
	var hints []string
	for _, meant := range c.SuggestionsFor(surplus) {
		hints = append(hints, "did you mean: "+c.CommandPath()+" "+meant)
	}
	return Usage(words, append(hints, c.CommandPath()+" --help")...)
}

// FlagError is the error of a flag that a command does not know or cannot read.
func FlagError(c *cobra.Command, err error) error {
	return Usage(err.Error(), c.CommandPath()+" --help")
}
