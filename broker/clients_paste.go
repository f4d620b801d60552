package broker

import (
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/clients"
)

// CommandLine is a command to paste into a shell; words that need it are quoted.
func CommandLine(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quoteWord(word)
	}
	return strings.Join(quoted, " ")
}

// ShowCommand is the command that prints this entry for a client.
func (e ClientEntry) ShowCommand(client string) string {
	words := []string{"mcpauth", "client", "show", client, "--name", e.Name}
	if e.Scope != "" && e.Scope != clients.ScopeUser {
		words = append(words, "--scope", e.Scope)
	}
	for _, flag := range [][2]string{{"--config", e.Config}, {"--profile", e.Profile}, {"--cwd", e.Cwd}} {
		if flag[1] != "" {
			words = append(words, flag[0], flag[1])
		}
	}
	for _, variable := range e.Env {
		words = append(words, "--env", variable)
	}
	if len(e.Command) > 0 {
		words = append(append(words, "--"), e.Command...)
	}
	return CommandLine(words...)
}

// byHand adds to an error the command that prints what to paste.
func (e ClientEntry) byHand(err error, client string) error {
	if err == nil {
		return nil
	}
	problem := *AsProblem(err)
	problem.Hints = append(slices.Clone(problem.Hints), "or put the entry in by hand: "+e.ShowCommand(client))
	return &problem
}

// ClientCommand is the command that does something to one entry of a client, of
// the scope that it is in: wrap, unwrap or remove.
func ClientCommand(verb, client, scope, server string) string {
	words := []string{"mcpauth", "client", verb, client}
	if verb == "remove" { // from several clients at once
		words = append(words, "--name")
	}
	words = append(words, server)
	if scope != clients.ScopeUser {
		words = append(words, "--scope", scope)
	}
	return CommandLine(words...)
}
