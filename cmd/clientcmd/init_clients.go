package clientcmd

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// chooseClients offers the AI clients that are installed here; each change of a file
// is shown and asked for once more when it is made.
func (s *setup) chooseClients(ctx context.Context) error {
	known := clients.IDs()
	for _, name := range s.o.clients {
		if !slices.Contains(known, name) {
			return console.Usage(fmt.Sprintf("there is no AI client %q", name), "mcpauth client list")
		}
	}
	if len(s.o.clients) > 0 || s.ask == nil || len(s.profile.Command) == 0 {
		return nil
	}
	states, err := s.broker.Clients().States()
	if err != nil {
		return err
	}
	var options []broker.Option
	for _, c := range states {
		if c.State != clients.NotInstalled && c.State != clients.Unreadable {
			options = append(options, broker.Option{Value: c.ID, Label: c.Name, On: true})
		}
	}
	if len(options) == 0 {
		return nil
	}
	s.clients, err = s.ask(ctx, broker.Query{Title: "AI clients to add the server to", Options: options, Several: true})
	return err
}

// planClients prepares what will be written for AI clients, before anything is
// written: a client that cannot be set up is found out while nothing is done yet.
// One that was chosen in the list is left out then, and the person told of it.
func (s *setup) planClients(context.Context) error {
	names := append(append([]string{}, s.o.clients...), s.clients...)
	if len(names) == 0 {
		return nil
	}
	if len(s.profile.Command) == 0 {
		return console.Usage("an AI client needs the server's command, and there is none",
			"mcpauth init --client "+names[0]+" … -- python3 main.py", "or put mcpauth in front of a server that it has: mcpauth client wrap "+names[0]+" NAME")
	}
	s.App.Profile = s.name
	name := cmp.Or(s.o.name, s.serverName, s.name)
	entry := clients.Entry{Name: name, Scope: clients.ScopeUser, Cwd: s.profile.Cwd, Command: s.profile.Command}
	if err := fillProxy(s.App, &entry); err != nil { // the profile is not there yet
		return err
	}
	for _, name := range names {
		change, err := s.broker.Clients().PlanAdd(name, entry)
		switch {
		case err == nil:
			s.changes = append(s.changes, change)
		case len(s.o.clients) > 0:
			return s.clientTrouble(name, err)
		default:
			s.App.Complain(s.clientTrouble(name, err))
		}
	}
	return nil
}

// clientTrouble is why a client cannot be set up, with how to fix it here.
func (s *setup) clientTrouble(client string, err error) *problem.Problem {
	p := *problem.Of(err)
	p.Code = problem.ExitUsage
	p.Hints = append(slices.Clone(p.Hints), "or leave "+client+" out, and later: mcpauth client add "+client+" --profile "+s.name)
	return &p
}

// addClients writes the entries that were planned, and returns whose they are.
func (s *setup) addClients(ctx context.Context) ([]string, error) {
	names := []string{}
	for _, change := range s.changes {
		names = append(names, change.Client)
	}
	if len(names) == 0 {
		return names, nil
	}
	if !s.JSON {
		return names, makeChanges(ctx, s.App, s.broker, &clientOptions{yes: len(s.o.clients) > 0}, s.changes)
	}
	for _, change := range s.changes {
		if err := s.broker.Clients().Apply(ctx, change); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// tellOfClients says what an AI client is to run, where init has set none up.
func (s *setup) tellOfClients() {
	if len(s.profile.Command) == 0 {
		s.Say("  Put it in front of a server that an AI client has (mcpauth client list shows them):")
		s.Say("    mcpauth client wrap CLIENT NAME --profile %s", s.name)
		s.Say("  Or add one:  mcpauth client add CLIENT --profile %s -- COMMAND", s.name)
		return
	}
	s.Say("  For your AI client, the command and its arguments:")
	s.Say("    %s", console.Printable(s.proxyCommand()))
}

// proxyCommand is what an AI client is to run, as `client add` would write it.
func (s *setup) proxyCommand() string {
	s.App.Profile = s.name
	var entry clients.Entry
	if s.kept {
		entry.Cwd, entry.Command = s.profile.Cwd, s.profile.Command
	}
	if err := fillProxy(s.App, &entry); err != nil { // of go run, or unknown
		entry.Program, entry.Profile = "mcpauth", s.name
	}
	return strings.Join(entry.Argv(), " ")
}
