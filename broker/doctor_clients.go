package broker

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/clients"
)

// clientFindings are the findings for what can be wrong with an entry.
var clientFindings = map[string]string{
	ClientMissingProgram: "MA612", ClientMissingCommand: "MA613", ClientLostSeparator: "MA614",
}

// checkClients looks at what AI clients on this machine run.
func (e *examination) checkClients(context.Context) []Finding {
	states, err := e.b.Clients()
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

func (e *examination) checkEntry(state ClientState, place ClientPlace, server ClientServer) []Finding {
	renew := ClientCommand("wrap", state.ID, place.Scope, server.Name)
	short := e.shortPathFindings(state, place, server)
	where := fmt.Sprintf("%s, entry %s in %s", state.Name, server.Name, place.File)
	switch server.Trouble {
	case "":
		if name := e.lostProfile(server.Proxy); name != "" {
			problem := unknownProfile(name, slices.Sorted(maps.Keys(e.config.Profiles)))
			remove := ClientCommand("remove", state.ID, place.Scope, server.Name)
			return append(short, found("MA618", where+" names a profile that is not there", problem.Msg,
				"name one that is there in that file: mcpauth profile list", "or take the entry away: "+remove))
		}
		if other := e.anotherProgram(server.Proxy.Program); other != "" {
			return append(short, found("MA616", where+" runs "+other, "this is "+e.o.Executable, renew))
		}
		return short
	case ClientMissingProgram:
		return []Finding{found("MA612", where+" names a mcpauth that is not there", server.Proxy.Program, renew)}
	case ClientMissingCommand:
		if server.cwd != "" && !exists(server.cwd) {
			return []Finding{found("MA613", where+" starts its server in a folder that is not there", server.cwd, "make that folder, or name another in that file")}
		}
		return []Finding{found("MA613", where+" names a server that is not there", server.Proxy.Child[0], e.missingCure(state, place, server)...)}
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

// missingCure is what mends an entry whose server is not found: there is nothing to
// put in its place where the PATH has none of that name.
func (e *examination) missingCure(state ClientState, place ClientPlace, server ClientServer) []string {
	if path := e.b.elsewhere(server.Proxy.Child[0]); path != "" {
		return []string{"take the one at " + path + ": " + ClientCommand("wrap", state.ID, place.Scope, server.Name)}
	}
	return []string{
		"install it, or give its full path in that file",
		"or take the entry away: " + ClientCommand("remove", state.ID, place.Scope, server.Name),
	}
}

// shortPathFindings tell of programs of an entry that a graphical client finds only
// when somebody started it in a terminal.
func (e *examination) shortPathFindings(state ClientState, place ClientPlace, server ClientServer) []Finding {
	client, _ := clients.ByID(state.ID)
	if server.path != "" {
		return nil
	}
	programs := []string{server.Proxy.Program}
	if len(server.Proxy.Child) > 0 {
		programs = append(programs, server.Proxy.Child[0])
	}
	var list []Finding
	for _, program := range programs {
		if path := e.b.offShortPath(client, program, server.cwd, e.goos); path != "" {
			list = append(list, found("MA617", fmt.Sprintf("%s may not find %s of entry %s in %s", state.Name, program, server.Name, place.File),
				"its PATH may be as short as "+shortPath(e.goos)+"; the program is "+path, ClientCommand("wrap", state.ID, place.Scope, server.Name)))
		}
	}
	return list
}

// anotherProgram is the program of an entry, if it is neither this one nor one that
// stands beside it, as mcpauth-proxy does.
func (e *examination) anotherProgram(program string) string {
	path, err := e.b.lookUp(program, "")
	own, ownErr := filepath.EvalSymlinks(e.o.Executable)
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
