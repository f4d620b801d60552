package clients

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// PlanWrap puts mcpauth in front of a server that a client has; an entry that
// runs another mcpauth is renewed. The server's
// command stays as the client spells it, and all other members stay. Of e, Name,
// Scope, Program, Config, Profile and Cwd count. Errors are *problem.Problem.
func (m *Manager) PlanWrap(client string, e Entry) (Change, error) {
	c, err := knownClient(client)
	if err != nil {
		return Change{}, err
	}
	f, s, err := m.holding(c, e.Scope, e.Name)
	if err != nil {
		return Change{}, err
	}
	if proxy, ours := ParseProxy(s.Argv); ours {
		return m.plannedRenewal(f, e, s, proxy)
	}
	switch {
	case len(s.Argv) == 0 && s.URL != "":
		return Change{}, &problem.Problem{Msg: fmt.Sprintf("%s is called at %s: mcpauth stands in front of servers that are started", e.Name, host(s.URL)), Code: problem.ExitUsage}
	case len(s.Argv) == 0:
		return Change{}, &problem.Problem{Msg: fmt.Sprintf("how %s is started is not clear from its entry in %s", e.Name, f.file), Hints: []string{"what it should look like: mcpauth client show " + c.ID + " --name NAME -- COMMAND"}, Code: problem.ExitUsage}
	}
	if why := m.needsShell(s); why != "" {
		return Change{}, &problem.Problem{
			Msg:   fmt.Sprintf("the command of %s in %s %s, and mcpauth starts programs without a shell", e.Name, f.file, why),
			Hints: []string{"in that file give the full path of the program in command, and each argument as a text of its own"}, Code: problem.ExitUsage,
		}
	}
	change, err := m.planned(f, "wrap", e.Name, func(data []byte) ([]byte, error) {
		return setCommand(f, data, e.Name, e.argv(s.Argv))
	})
	change.note(SharedNote(e.Name, s.Env))
	e.Command, e.Scope = s.Argv, f.place.Scope
	return change, e.byHand(err, c.ID)
}

// plannedRenewal lets an entry that runs mcpauth start this one, with the "--" that
// it may have lost, and the server where it is now. Its own flags stay.
func (m *Manager) plannedRenewal(f clientFile, e Entry, s Server, p Proxy) (Change, error) {
	child := m.foundAgain(f.client, s, p)
	if p.Program == e.Program && (p.Separator || len(p.Child) == 0) && slices.Equal(child, p.Child) {
		return Change{}, &problem.Problem{
			Msg:   fmt.Sprintf("%s in %s runs mcpauth already", e.Name, f.client.Name),
			Hints: []string{Command("unwrap", f.client.ID, f.place.Scope, e.Name)}, Code: problem.ExitUsage,
		}
	}
	argv := slices.Concat([]string{e.Program, ProxyName}, p.Flags)
	if len(child) > 0 {
		argv = append(append(argv, "--"), child...)
	}
	change, err := m.planned(f, "renew", e.Name, func(data []byte) ([]byte, error) { return setCommand(f, data, e.Name, argv) })
	change.note(e.Name + " ran mcpauth before: its path and -- are renewed, its flags stay as they are")
	return change, err
}

// foundAgain is the command of an entry of ours, with the full path of its program
// where the client could not find that, or not for sure, and the PATH has it.
func (m *Manager) foundAgain(c Client, s Server, p Proxy) []string {
	if len(p.Child) == 0 {
		return nil
	}
	child, cwd := slices.Clone(p.Child), cmp.Or(p.Flag("--cwd"), s.Cwd)
	path := m.Elsewhere(child[0])
	if m.findable(child[0], cwd) {
		path = ""
		if s.Path == "" {
			path = m.OffShortPath(c, child[0], cwd, runtime.GOOS)
		}
	}
	if path != "" {
		child[0] = path
	}
	return child
}

// OffShortPath is the path of a program that is named without one, if a client that
// is started from a desktop may not find it, or may find another; else it is empty.
func (m *Manager) OffShortPath(c Client, program, cwd, goos string) string {
	short := ShortPath(goos)
	if c.Terminal || short == "" || strings.ContainsAny(program, `/\`) {
		return ""
	}
	path, err := m.LookUp(program, cwd)
	if err != nil {
		return ""
	}
	other, _ := backend.LookUp(backend.Command{Argv: []string{program}, Dir: cwd, Env: []string{"PATH=" + short}})
	if other == path {
		return ""
	}
	return path
}

// Elsewhere is where the PATH has a program of this name, which is not where an
// entry says that it is; empty if nowhere.
func (m *Manager) Elsewhere(program string) string {
	path, err := m.LookUp(program[strings.LastIndexAny(program, `/\`)+1:], "")
	if err != nil {
		return ""
	}
	return path
}

// needsShell says what of a command only a shell, or the client itself, can make
// sense of.
func (m *Manager) needsShell(s Server) string {
	program := s.Argv[0]
	switch {
	case strings.HasPrefix(program, "~"):
		return "begins with ~"
	case strings.ContainsAny(program, " \t") && !m.findable(program, s.Cwd):
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

// PlanUnwrap takes mcpauth away from in front of a server: byte for byte
// where mcpauth wrapped it and the entry is as it left it. Errors are *problem.Problem.
func (m *Manager) PlanUnwrap(client, scope, name string) (Change, error) {
	c, err := knownClient(client)
	if err != nil {
		return Change{}, err
	}
	f, s, err := m.holding(c, scope, name)
	if err != nil {
		return Change{}, err
	}
	proxy, ours := ParseProxy(s.Argv)
	switch {
	case !ours:
		return Change{}, &problem.Problem{Msg: fmt.Sprintf("%s in %s does not run mcpauth", name, c.Name), Hints: []string{"mcpauth client list"}, Code: problem.ExitUsage}
	case len(proxy.Child) == 0:
		return Change{}, &problem.Problem{
			Msg:   fmt.Sprintf("%s in %s runs the command of the profile, so there is nothing to leave in its place", name, c.Name),
			Hints: []string{Command("remove", c.ID, f.place.Scope, name)}, Code: problem.ExitUsage,
		}
	}
	last, err := m.lastRecord(f, name)
	if err != nil {
		return Change{}, err
	}
	return m.planned(f, "unwrap", name, func(data []byte) ([]byte, error) {
		if last != nil && last.Op == "wrap" {
			if back, err := undoRecord(f, data, *last); err == nil {
				return back, nil
			}
		}
		return setCommand(f, data, name, proxy.Child)
	})
}
