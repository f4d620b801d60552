package clients

import (
	"slices"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// ShowCommand is the command that prints this entry for a client.
func (e Entry) ShowCommand(client string) string {
	words := []string{"mcpauth", "client", "show", client, "--name", e.Name}
	if e.Scope != "" && e.Scope != ScopeUser {
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
	return text.CommandLine(words...)
}

// byHand adds to an error the command that prints what to paste.
func (e Entry) byHand(err error, client string) error {
	if err == nil {
		return nil
	}
	p := *problem.Of(err)
	p.Hints = append(slices.Clone(p.Hints), "or put the entry in by hand: "+e.ShowCommand(client))
	return &p
}

// Command is the command that does something to one entry of a client, of
// the scope that it is in: wrap, unwrap or remove.
func Command(verb, client, scope, server string) string {
	words := []string{"mcpauth", "client", verb, client}
	if verb == "remove" { // from several clients at once
		words = append(words, "--name")
	}
	words = append(words, server)
	if scope != ScopeUser {
		words = append(words, "--scope", scope)
	}
	return text.CommandLine(words...)
}
