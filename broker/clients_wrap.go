package broker

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/clients"
)

// PlanClientWrap puts mcpauth in front of a server that a client has; an entry that
// runs another mcpauth is renewed. The server's
// command stays as the client spells it, and all other members stay. Of e, Name,
// Scope, Program, Config, Profile and Cwd count. Errors are *Problem.
func (b *Broker) PlanClientWrap(client string, e ClientEntry) (ClientChange, error) {
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, err
	}
	f, s, err := b.holding(c, e.Scope, e.Name)
	if err != nil {
		return ClientChange{}, err
	}
	if proxy, ours := clients.ParseProxy(s.Argv); ours {
		return b.plannedRenewal(f, e, s, proxy)
	}
	switch {
	case len(s.Argv) == 0 && s.URL != "":
		return ClientChange{}, &Problem{Msg: fmt.Sprintf("%s is called at %s: mcpauth stands in front of servers that are started", e.Name, host(s.URL)), Code: ExitUsage}
	case len(s.Argv) == 0:
		return ClientChange{}, &Problem{Msg: fmt.Sprintf("how %s is started is not clear from its entry in %s", e.Name, f.file), Hints: []string{"what it should look like: mcpauth client show " + c.ID + " --name NAME -- COMMAND"}, Code: ExitUsage}
	}
	if why := b.needsShell(s); why != "" {
		return ClientChange{}, &Problem{
			Msg:   fmt.Sprintf("the command of %s in %s %s, and mcpauth starts programs without a shell", e.Name, f.file, why),
			Hints: []string{"in that file give the full path of the program in command, and each argument as a text of its own"}, Code: ExitUsage,
		}
	}
	change, err := b.planned(f, "wrap", e.Name, func(data []byte) ([]byte, error) {
		return setCommand(f, data, e.Name, e.argv(s.Argv))
	})
	e.Command, e.Scope = s.Argv, f.place.Scope
	return change, e.byHand(err, c.ID)
}

// plannedRenewal lets an entry that runs mcpauth start this one, with the "--" that
// it may have lost, and the server where it is now. Its own flags stay.
func (b *Broker) plannedRenewal(f clientFile, e ClientEntry, s clients.Server, p clients.Proxy) (ClientChange, error) {
	child := b.foundAgain(f.client, s, p)
	if p.Program == e.Program && (p.Separator || len(p.Child) == 0) && slices.Equal(child, p.Child) {
		return ClientChange{}, &Problem{
			Msg:   fmt.Sprintf("%s in %s runs mcpauth already", e.Name, f.client.Name),
			Hints: []string{ClientCommand("unwrap", f.client.ID, f.place.Scope, e.Name)}, Code: ExitUsage,
		}
	}
	argv := slices.Concat([]string{e.Program, clients.ProxyName}, p.Flags)
	if len(child) > 0 {
		argv = append(append(argv, "--"), child...)
	}
	change, err := b.planned(f, "renew", e.Name, func(data []byte) ([]byte, error) { return setCommand(f, data, e.Name, argv) })
	change.Note = e.Name + " ran mcpauth before: its path and -- are renewed, its flags stay as they are"
	return change, err
}

// foundAgain is the command of an entry of ours, with the full path of its program
// where the client could not find that, or not for sure, and the PATH has it.
func (b *Broker) foundAgain(c clients.Client, s clients.Server, p clients.Proxy) []string {
	if len(p.Child) == 0 {
		return nil
	}
	child, cwd := slices.Clone(p.Child), cmp.Or(p.Flag("--cwd"), s.Cwd)
	path := b.elsewhere(child[0])
	if b.findable(child[0], cwd) {
		path = ""
		if s.Path == "" {
			path = b.offShortPath(c, child[0], cwd, runtime.GOOS)
		}
	}
	if path != "" {
		child[0] = path
	}
	return child
}

// offShortPath is the path of a program that is named without one, if a client that
// is started from a desktop may not find it, or may find another; else it is empty.
func (b *Broker) offShortPath(c clients.Client, program, cwd, goos string) string {
	short := shortPath(goos)
	if c.Terminal || short == "" || strings.ContainsAny(program, `/\`) {
		return ""
	}
	path, err := b.lookUp(program, cwd)
	if err != nil {
		return ""
	}
	other, _ := backend.LookUp(backend.Command{Argv: []string{program}, Dir: cwd, Env: []string{"PATH=" + short}})
	if other == path {
		return ""
	}
	return path
}

// elsewhere is where the PATH has a program of this name, which is not where an
// entry says that it is; empty if nowhere.
func (b *Broker) elsewhere(program string) string {
	path, err := b.lookUp(program[strings.LastIndexAny(program, `/\`)+1:], "")
	if err != nil {
		return ""
	}
	return path
}

// needsShell says what of a command only a shell, or the client itself, can make
// sense of.
func (b *Broker) needsShell(s clients.Server) string {
	program := s.Argv[0]
	switch {
	case strings.HasPrefix(program, "~"):
		return "begins with ~"
	case strings.ContainsAny(program, " \t") && !b.findable(program, s.Cwd):
		return "is one text with blanks"
	}
	return ""
}

// setCommand replaces what an entry starts, and no other member.
func setCommand(f clientFile, data []byte, name string, argv []string) ([]byte, error) {
	var err error
	for _, m := range f.client.Command(argv) {
		if data, err = f.client.Format.Put(data, append(f.path(name), m.Name), m.Value); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// PlanClientUnwrap takes mcpauth away from in front of a server: byte for byte
// where mcpauth wrapped it and the entry is as it left it. Errors are *Problem.
func (b *Broker) PlanClientUnwrap(client, scope, name string) (ClientChange, error) {
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, err
	}
	f, s, err := b.holding(c, scope, name)
	if err != nil {
		return ClientChange{}, err
	}
	proxy, ours := clients.ParseProxy(s.Argv)
	switch {
	case !ours:
		return ClientChange{}, &Problem{Msg: fmt.Sprintf("%s in %s does not run mcpauth", name, c.Name), Hints: []string{"mcpauth client list"}, Code: ExitUsage}
	case len(proxy.Child) == 0:
		return ClientChange{}, &Problem{
			Msg:   fmt.Sprintf("%s in %s runs the command of the profile, so there is nothing to leave in its place", name, c.Name),
			Hints: []string{ClientCommand("remove", c.ID, f.place.Scope, name)}, Code: ExitUsage,
		}
	}
	records, err := b.clientRecords(f, name)
	if err != nil {
		return ClientChange{}, err
	}
	return b.planned(f, "unwrap", name, func(data []byte) ([]byte, error) {
		if len(records) > 0 && records[len(records)-1].Op == "wrap" {
			if back, err := undoRecord(f, data, records[len(records)-1]); err == nil {
				return back, nil
			}
		}
		return setCommand(f, data, name, proxy.Child)
	})
}
