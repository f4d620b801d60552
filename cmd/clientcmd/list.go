package clientcmd

import (
	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// clientStates are the words for a person.
var clientStates = map[string]string{
	clients.NotInstalled:   "not installed",
	clients.Unreadable:     "a file of it cannot be read",
	clients.MissingProgram: "an entry names a mcpauth that is not there",
	clients.MissingCommand: "an entry names a server that is not there",
	clients.LostSeparator:  `set up; an entry lost its "--", which does no harm`,
	clients.SetUp:          "set up",
	clients.NotSetUp:       "not set up",
}

// The objects of `client list --json`.
type (
	listedClient struct {
		Client string        `json:"client"`
		Name   string        `json:"name"`
		State  string        `json:"state"`
		Files  []listedPlace `json:"files"`
	}
	listedPlace struct {
		Scope   string         `json:"scope"`
		File    string         `json:"file"`
		Exists  bool           `json:"exists"`
		Error   string         `json:"error,omitempty"`
		Servers []listedServer `json:"servers"`
	}
	listedServer struct {
		Name      string `json:"name"`
		Runs      string `json:"runs"`
		Mcpauth   bool   `json:"mcpauth"`
		Wrappable bool   `json:"wrappable"`
		Disabled  bool   `json:"disabled,omitempty"`
		Trouble   string `json:"trouble,omitempty"`
	}
)

func newClientList(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "The AI clients on this machine and the servers they run",
		Example: "  mcpauth client list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			all, err := b.Clients().States()
			if err != nil {
				return err
			}
			if a.JSON {
				a.PrintJSON(map[string]any{"clients": listed(all)})
				return nil
			}
			for _, c := range all {
				printClient(a, c)
			}
			return nil
		},
	}
}

func printClient(a *console.App, c clients.State) {
	a.Fact("%-15s %s", c.ID, clientStates[c.State])
	for _, p := range c.Places {
		if p.Err != nil {
			a.Fact("  %s", console.Printable(p.Err.Error()))
		}
		for _, s := range p.Servers {
			how := ""
			switch {
			case s.Trouble != "":
				how = "behind mcpauth: " + clientStates[s.Trouble]
			case s.Ours():
				how = "behind mcpauth"
			case s.Wrappable():
				how = clients.Command("wrap", c.ID, p.Scope, s.Name)
			}
			a.Fact("  %-20s %-25s %-8s %s", console.Printable(s.Name), console.Printable(s.Runs), p.Scope, console.Printable(how))
		}
	}
}

func listed(all []clients.State) []listedClient {
	list := []listedClient{}
	for _, c := range all {
		one := listedClient{Client: c.ID, Name: c.Name, State: c.State, Files: []listedPlace{}}
		for _, p := range c.Places {
			place := listedPlace{Scope: p.Scope, File: p.File, Exists: p.Exists, Servers: []listedServer{}}
			if p.Err != nil {
				place.Error = p.Err.Error()
			}
			for _, s := range p.Servers {
				place.Servers = append(place.Servers, listedServer{s.Name, s.Runs, s.Ours(), s.Wrappable(), s.Disabled, s.Trouble})
			}
			one.Files = append(one.Files, place)
		}
		list = append(list, one)
	}
	return list
}
