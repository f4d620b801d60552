package console

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Misused puts cobra's words about a command line that it could not use into
// ours, with what was likely meant.
func (a *App) Misused(c *cobra.Command, err error) *problem.Problem {
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
		p := Usage(fmt.Sprintf("%s takes no argument, but got %q", name, surplus), c.CommandPath()+" --help")
		if slices.Contains(a.ProfileNames(), surplus) {
			p.Hints = slices.Insert(p.Hints, 0, "did you mean: "+c.CommandPath()+" --profile "+surplus)
		}
		return p
	}
	var hints []string
	for _, meant := range MeantCommands(c, surplus) {
		hints = append(hints, "did you mean: "+c.CommandPath()+" "+meant)
	}
	return Usage(words, append(hints, c.CommandPath()+" --help")...)
}

// otherWords are what other programs call commands of ours.
var otherWords = map[string]string{
	"auth": "login", "signin": "login", "sign-in": "login", "whoami": "status",
	"setup": "init", "set-up": "init", "configure": "init", "call": "tools call", "ui": "tui", "log": "audit", "logs": "audit",
}

// cutsOff are the commands that end sign-ins, or what depends on them. They are never
// suggested: a wrong guess costs too much.
var cutsOff = []string{"mcpauth lock", "mcpauth logout", "mcpauth profile remove"}

// MeantCommands are the commands below c that a word may have been meant for, the
// likeliest first.
func MeantCommands(c *cobra.Command, word string) []string {
	if other := otherWords[strings.ToLower(word)]; other != "" && !c.HasParent() {
		return []string{other}
	}
	var known []string
	for _, child := range c.Commands() {
		if !child.Hidden && !slices.Contains(cutsOff, child.CommandPath()) {
			known = append(known, child.Name())
		}
	}
	var meant []string
	for _, name := range known {
		if strings.HasPrefix(name, word) {
			meant = append(meant, name)
		}
	}
	for _, name := range text.Near(word, known) {
		if !slices.Contains(meant, name) {
			meant = append(meant, name)
		}
	}
	return meant
}

// FlagError is the error of a flag that a command does not know or cannot read.
func FlagError(c *cobra.Command, err error) error {
	p := Usage(err.Error(), c.CommandPath()+" --help")
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return p
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	})
	if meant := text.Nearest(unknown.GetSpecifiedName(), known); meant != "" {
		p.Hints = slices.Insert(p.Hints, 0, "did you mean: --"+meant)
	}
	return p
}

// ProfileNames are the profiles of the configuration file; none if it cannot be read,
// since it only helps here.
func (a *App) ProfileNames() []string {
	paths, err := a.Paths()
	if err != nil {
		return nil
	}
	file, err := config.Load(paths.ConfigFile)
	if err != nil {
		return nil
	}
	return file.ProfileNames()
}
