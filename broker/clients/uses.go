package clients

import "fmt"

// Use is an entry of an AI client that runs mcpauth for a profile.
type Use struct {
	Client string // its id
	Name   string // of the client, for people
	Server string
	Scope  string
}

// String names the entry for people.
func (u Use) String() string { return fmt.Sprintf("%s (%s)", u.Name, u.Server) }

// RemoveCommand is what takes the entry away.
func (u Use) RemoveCommand() string { return Command("remove", u.Client, u.Scope, u.Server) }

// Uses are the entries that run mcpauth for a profile; fallback says that it is the one
// of entries that name none.
func (m *Manager) Uses(profile string, fallback bool) ([]Use, error) {
	all, err := m.States()
	var uses []Use
	for _, c := range all {
		for _, p := range c.Places {
			for _, s := range p.Servers {
				if !s.Ours() {
					continue
				}
				if named := s.Proxy.Flag("--profile", "-p"); named == profile || named == "" && fallback {
					uses = append(uses, Use{c.ID, c.Name, s.Name, p.Scope})
				}
			}
		}
	}
	return uses, err
}
