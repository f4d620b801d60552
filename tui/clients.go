package tui

import (
	"context"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// clientRow is an AI client of this machine, with its texts cleaned.
type clientRow struct {
	id, name, state string
	file            string // where it keeps the server that matters, or could
	after           string
	servers         []string // those that run mcpauth
}

// clientsRead is the AI clients of this machine.
type clientsRead struct {
	read bool
	rows []clientRow
	err  *broker.Problem
}

// readClients looks which AI clients are on this machine, and what they run.
func readClients(home Home) *job {
	return run(func(context.Context) tea.Msg {
		states, err := home.Clients()
		if err != nil {
			return clientsRead{read: true, err: broker.AsProblem(err)}
		}
		read := clientsRead{read: true}
		for _, s := range states {
			if s.State != broker.ClientNotInstalled {
				read.rows = append(read.rows, clientRowOf(s))
			}
		}
		return read
	})
}

// tilde shortens a path in the home folder for the screen.
func tilde(path string) string {
	home, err := os.UserHomeDir()
	if rest, inside := strings.CutPrefix(path, home+string(os.PathSeparator)); err == nil && inside {
		return "~" + string(os.PathSeparator) + rest
	}
	return path
}

func clientRowOf(s broker.ClientState) clientRow {
	row := clientRow{id: s.ID, name: broker.CleanLine(s.Name), state: s.State, after: broker.CleanLine(s.After)}
	for _, p := range s.Places {
		file := tilde(p.File)
		ours := false
		for _, server := range p.Servers {
			if server.Ours() {
				ours = true
				row.servers = append(row.servers, broker.CleanLine(server.Name))
			}
		}
		if row.file == "" || ours || p.Err != nil {
			row.file = broker.CleanLine(file)
		}
	}
	return row
}

// clientWords say what the state of a client means.
var clientWords = map[string]struct{ sign, words string }{
	broker.ClientSetUp:          {"✓", "set up"},
	broker.ClientNotSetUp:       {"·", "not set up"},
	broker.ClientUnreadable:     {"!", "its file cannot be read"},
	broker.ClientMissingProgram: {"!", "points at a mcpauth that is not there"},
	broker.ClientMissingCommand: {"!", "points at a server that is not there"},
	broker.ClientLostSeparator:  {"✓", "set up"},
}

// line is the client in one line.
func (c *clientRow) line(l *look, width int) string {
	w := clientWords[c.state]
	style := l.dim
	switch w.sign {
	case "✓":
		style = l.good
	case "!":
		style = l.warn
	}
	words := w.words
	if len(c.servers) > 0 && w.sign == "✓" {
		words += ": " + strings.Join(c.servers, ", ")
	}
	line := style.Render(w.sign) + " " + fit(c.name, min(20, width/3)) + " "
	if width < 60 {
		return cut(line+words, width)
	}
	return fit(line+fit(words, max(16, (width-24)/2)), width-(width-24)/2) + l.dim.Render(cutMiddle(c.file, (width-24)/2))
}

func (s *statusScreen) clientLines(width int) []string {
	switch {
	case s.clients.err != nil:
		return []string{s.look.heading.Render("AI CLIENTS"), " " + s.look.bad.Render(cut("✗ "+broker.CleanLine(s.clients.err.Msg), width-1))}
	case len(s.clients.rows) == 0:
		return nil
	}
	lines := []string{s.look.heading.Render("AI CLIENTS ON THIS MACHINE")}
	for i := range s.clients.rows {
		lines = append(lines, " "+s.clients.rows[i].line(s.look, width-1))
	}
	return lines
}

// showClients tells of each client what can be done with it.
func (s *statusScreen) showClients() action {
	var lines []string
	for i := range s.clients.rows {
		c := &s.clients.rows[i]
		w := clientWords[c.state]
		lines = append(lines, w.sign+" "+c.name+": "+w.words, "  "+c.file)
		for _, name := range c.servers {
			lines = append(lines, "  runs mcpauth as "+name)
		}
		switch w.sign {
		case "·":
			lines = append(lines, "  "+s.addCommand(c.id))
		case "!":
			lines = append(lines, "  what mends it: mcpauth doctor")
		}
		if c.after != "" {
			lines = append(lines, "  after a change: "+c.after)
		}
		lines = append(lines, "")
	}
	return overlay{newReader(s.world, "AI clients on this machine", lines)}
}

// addCommand adds the server of the profile to a client; without one it is for the
// person to say which.
func (s *statusScreen) addCommand(client string) string {
	words := []string{"mcpauth", "client", "add", client}
	if s.resolved.Name == "" {
		return broker.CommandLine(words...) + " --name NAME -- COMMAND"
	}
	words = append(words, "--profile", s.resolved.Name)
	switch {
	case len(s.Overrides.Command) > 0:
		words = append(append(words, "--"), s.Overrides.Command...)
	case len(s.resolved.Command) == 0:
		return broker.CommandLine(words...) + " -- COMMAND"
	}
	return broker.CommandLine(words...)
}

// examination shows what the doctor finds.
type examination struct {
	*reader
	job *job
}

// diagnosed is what the doctor found.
type diagnosed struct {
	found broker.Diagnosis
	err   error
}

func newExamination(w *world) *examination {
	return &examination{reader: newReader(w, "Doctor", []string{"Looking at keychain, clock, provider, server, clients and files. This may take half a minute."})}
}

func (e *examination) begin() action {
	home, options := e.Home, broker.DoctorOptions{Overrides: e.Overrides, Environ: e.Environ, Executable: e.Executable, Version: e.Version}
	e.job = run(func(ctx context.Context) tea.Msg {
		found, err := home.Doctor(ctx, options)
		return diagnosed{found, err}
	})
	return e.job
}

func (e *examination) update(msg tea.Msg) action {
	d, ok := msg.(diagnosed)
	if !ok {
		return e.reader.update(msg)
	}
	e.job = nil
	if d.err != nil {
		e.text = []string{"The examination was stopped."}
		return nil
	}
	e.text = findingLines(d.found.Findings)
	return nil
}

// findingLines are what was found: troubles first.
func findingLines(findings []broker.Finding) []string {
	var bad, fine []string
	for _, f := range findings {
		sign := map[broker.Severity]string{broker.Fine: "✓", broker.Note: "!", broker.Bad: "✗"}[f.Severity]
		lines := []string{orWord(sign, "·") + " " + broker.CleanLine(f.What)}
		if f.Cause != "" {
			lines = append(lines, "  "+broker.CleanLine(f.Cause))
		}
		for _, cure := range f.Cure {
			lines = append(lines, "  → "+broker.CleanLine(cure))
		}
		if sign == "✗" || sign == "!" {
			bad = append(append(bad, lines...), "")
		} else {
			fine = append(fine, lines...)
		}
	}
	if len(bad) == 0 {
		bad = []string{"Nothing is wrong.", ""}
	}
	return append(bad, fine...)
}

func (e *examination) busy() *job { return e.job }
