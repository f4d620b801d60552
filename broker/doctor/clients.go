package doctor

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
)

// clientFindings are the findings for what can be wrong with an entry.
var clientFindings = map[string]string{
	clients.MissingProgram: "MA612", clients.MissingCommand: "MA613", clients.LostSeparator: "MA614",
}

// checkClients looks at what AI clients on this machine run.
func (e *examination) checkClients(context.Context) []Finding {
	states, err := e.Clients.States()
	if err != nil {
		return nil // there is no home folder, and so no client
	}
	var list []Finding
	var running []string
	for _, state := range states {
		entries := 0
		for _, place := range state.Places {
			if place.Err != nil {
				list = append(list, foundError("MA611", place.Err))
			}
			if place.Marked {
				list = append(list, found("MA621", fmt.Sprintf("%s: %s begins with a byte order mark", state.Name, place.File), ""))
			}
			for _, server := range place.Servers {
				if server.Ours() && !server.Disabled {
					entries++
					list = append(list, e.checkEntry(state, place, server)...)
				}
			}
		}
		if entries > 0 {
			running = append(running, fmt.Sprintf("%s (%d)", state.Name, entries))
		}
	}
	switch {
	case len(list) > 0:
		return list
	case len(running) > 0:
		return one("MA610", "run mcpauth: "+strings.Join(running, ", "))
	case e.resolveErr != nil:
		return nil // there is nothing to run yet
	}
	return one("MA615", "no AI client on this machine has an entry that runs mcpauth")
}

func (e *examination) checkEntry(state clients.State, place clients.FileState, server clients.ServerState) []Finding {
	renew := clients.Command("wrap", state.ID, place.Scope, server.Name)
	short := e.shortPathFindings(state, place, server)
	if note := clients.SharedNote(server.Name, server.Env); note != "" {
		short = append(short, found("MA619", state.Name+": "+note, "they stand in "+place.File))
	}
	where := fmt.Sprintf("%s, entry %s in %s", state.Name, server.Name, place.File)
	switch server.Trouble {
	case "":
		if name := e.lostProfile(server.Proxy); name != "" {
			problem := config.UnknownProfile(name, slices.Sorted(maps.Keys(e.config.Profiles)))
			remove := clients.Command("remove", state.ID, place.Scope, server.Name)
			return append(short, found("MA618", where+" names a profile that is not there", problem.Msg,
				"name one that is there in that file: mcpauth profile list", "or take the entry away: "+remove))
		}
		if other := e.anotherProgram(server.Proxy.Program); other != "" {
			return append(short, found("MA616", where+" runs "+other, "this is "+e.Executable, renew))
		}
		return short
	case clients.MissingProgram:
		return []Finding{found("MA612", where+" names a mcpauth that is not there", server.Proxy.Program, renew)}
	case clients.MissingCommand:
		if _, err := os.Stat(server.Cwd); server.Cwd != "" && err != nil {
			return []Finding{found("MA613", where+" starts its server in a folder that is not there", server.Cwd, "make that folder, or name another in that file")}
		}
		return []Finding{found("MA613", where+" names a server that is not there", server.Proxy.Child[0], e.missingHints(state, place, server)...)}
	}
	code := clientFindings[server.Trouble]
	return append(short, found(code, where+": "+kindOf(code).Title, "", renew))
}

// lostProfile is the profile that an entry names, if it is not there. What an entry
// says besides, of a configuration or a provider of its own, is taken as enough.
func (e *examination) lostProfile(p *clients.Proxy) string {
	name := p.Flag("--profile", "-p")
	if name == "" || e.configErr != nil || p.Flag("--config")+p.Flag("--issuer") != "" {
		return ""
	}
	if _, there := e.config.Profiles[name]; there {
		return ""
	}
	return name
}

// missingHints fix an entry whose server is not found: there is nothing to
// put in its place where the PATH has none of that name.
func (e *examination) missingHints(state clients.State, place clients.FileState, server clients.ServerState) []string {
	if path := e.Clients.Elsewhere(server.Proxy.Child[0]); path != "" {
		return []string{"take the one at " + path + ": " + clients.Command("wrap", state.ID, place.Scope, server.Name)}
	}
	return []string{
		"install it, or give its full path in that file",
		"or take the entry away: " + clients.Command("remove", state.ID, place.Scope, server.Name),
	}
}

// shortPathFindings are about programs of an entry that a graphical client finds only
// when it was started in a terminal.
func (e *examination) shortPathFindings(state clients.State, place clients.FileState, server clients.ServerState) []Finding {
	client, _ := clients.ByID(state.ID)
	if server.Path != "" {
		return nil
	}
	programs := []string{server.Proxy.Program}
	if len(server.Proxy.Child) > 0 {
		programs = append(programs, server.Proxy.Child[0])
	}
	var list []Finding
	for _, program := range programs {
		if path := e.Clients.OffShortPath(client, program, server.Cwd, e.goos); path != "" {
			list = append(list, found("MA617", fmt.Sprintf("%s may not find %s of entry %s in %s", state.Name, program, server.Name, place.File),
				"its PATH may be as short as "+clients.ShortPath(e.goos)+"; the program is "+path, clients.Command("wrap", state.ID, place.Scope, server.Name)))
		}
	}
	return list
}

// anotherProgram is the program of an entry, if it is neither this one nor one that
// stands beside it, as mcpauth-proxy does.
func (e *examination) anotherProgram(program string) string {
	path, err := e.Clients.LookUp(program, "")
	own, ownErr := filepath.EvalSymlinks(e.Executable)
	if err != nil || ownErr != nil {
		return ""
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil || filepath.Dir(real) == filepath.Dir(own) {
		return ""
	}
	if a, err := os.Stat(real); err == nil {
		if b, err := os.Stat(own); err == nil && os.SameFile(a, b) {
			return ""
		}
	}
	return path
}
