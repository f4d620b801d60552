package account

import (
	"cmp"
	"context"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/doctor"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
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
	err  *problem.Problem
}

// readClients looks which AI clients are on this machine, and what they run.
func readClients(states func() ([]clients.State, error)) *widget.Job {
	return widget.Run(func(context.Context) tea.Msg {
		all, err := states()
		if err != nil {
			return clientsRead{read: true, err: problem.Of(err)}
		}
		read := clientsRead{read: true}
		for _, s := range all {
			if s.State != clients.NotInstalled {
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

func clientRowOf(s clients.State) clientRow {
	row := clientRow{id: s.ID, name: text.CleanLine(s.Name), state: s.State, after: text.CleanLine(s.After)}
	for _, p := range s.Places {
		file := tilde(p.File)
		ours := false
		for _, server := range p.Servers {
			if server.Ours() {
				ours = true
				row.servers = append(row.servers, text.CleanLine(server.Name))
			}
		}
		if row.file == "" || ours || p.Err != nil {
			row.file = text.CleanLine(file)
		}
	}
	return row
}

// clientWords say what the state of a client means.
var clientStates = map[string]struct{ sign, words string }{
	clients.SetUp:          {"✓", "set up"},
	clients.NotSetUp:       {"·", "not set up"},
	clients.Unreadable:     {"!", "its file cannot be read"},
	clients.MissingProgram: {"!", "points at a mcpauth that is not there"},
	clients.MissingCommand: {"!", "points at a server that is not there"},
	clients.LostSeparator:  {"✓", "set up"},
}

// line is the client in one line.
func (c *clientRow) line(l *widget.Theme, width int) string {
	w := clientStates[c.state]
	style := l.Dim
	switch w.sign {
	case "✓":
		style = l.Good
	case "!":
		style = l.Warn
	}
	words := w.words
	if len(c.servers) > 0 && w.sign == "✓" {
		words += ": " + strings.Join(c.servers, ", ")
	}
	line := style.Render(w.sign) + " " + widget.Fit(c.name, min(20, width/3)) + " "
	if width < 60 {
		return widget.Cut(line+words, width)
	}
	return widget.Fit(line+widget.Fit(words, max(16, (width-24)/2)), width-(width-24)/2) + l.Dim.Render(widget.CutMiddle(c.file, (width-24)/2))
}

func (s *Screen) clientLines(width int) []string {
	switch {
	case s.installed.err != nil:
		return []string{s.Theme.Heading.Render("AI CLIENTS"),
			" " + s.Theme.Bad.Render(widget.Cut("✗ "+text.CleanLine(s.installed.err.Msg), width-1))}
	case len(s.installed.rows) == 0:
		return nil
	}
	lines := []string{s.Theme.Heading.Render("AI CLIENTS ON THIS MACHINE")}
	for i := range s.installed.rows {
		lines = append(lines, " "+s.installed.rows[i].line(s.Theme, width-1))
	}
	return lines
}

// showClients tells of each client what can be done with it.
func (s *Screen) showClients() widget.Action {
	var lines []string
	for i := range s.installed.rows {
		c := &s.installed.rows[i]
		w := clientStates[c.state]
		lines = append(lines, w.sign+" "+c.name+": "+w.words, "  "+c.file)
		for _, name := range c.servers {
			lines = append(lines, "  runs mcpauth as "+name)
		}
		switch w.sign {
		case "·":
			lines = append(lines, "  "+s.addCommand(c.id))
		case "!":
			lines = append(lines, "  to fix it: mcpauth doctor")
		}
		if c.after != "" {
			lines = append(lines, "  after a change: "+c.after)
		}
		lines = append(lines, "")
	}
	return screen.Over(screen.NewReader("AI clients on this machine", lines))
}

// addCommand adds the server of the profile to a client; without one it is for the
// user to say which.
func (s *Screen) addCommand(client string) string {
	words := []string{"mcpauth", "client", "add", client}
	if s.Resolved.Name == "" {
		return text.CommandLine(words...) + " --name NAME -- COMMAND"
	}
	words = append(words, "--profile", s.Resolved.Name)
	switch {
	case len(s.Overrides.Command) > 0:
		words = append(append(words, "--"), s.Overrides.Command...)
	case len(s.Resolved.Command) == 0:
		return text.CommandLine(words...) + " -- COMMAND"
	}
	return text.CommandLine(words...)
}

// Examination shows what the doctor finds.
type Examination struct {
	*screen.Reader
	broker  Broker
	options doctor.Options
	job     *widget.Job
}

// diagnosed is what the doctor found.
type diagnosed struct {
	found doctor.Diagnosis
	err   error
}

func newExamination(s *Screen) *Examination {
	options := s.Doctor
	options.Overrides = s.Overrides
	return &Examination{broker: s.Broker, options: options,
		Reader: screen.NewReader("Doctor", []string{
			"Looking at keychain, clock, provider, server, clients and files. This may take half a minute."})}
}

func (e *Examination) Begin() widget.Action {
	home, options := e.broker, e.options
	e.job = widget.Run(func(ctx context.Context) tea.Msg {
		found, err := home.Doctor(ctx, options)
		return diagnosed{found, err}
	})
	return e.job
}

func (e *Examination) Update(msg tea.Msg) widget.Action {
	d, ok := msg.(diagnosed)
	if !ok {
		return e.Reader.Update(msg)
	}
	e.job = nil
	if d.err != nil {
		e.Text = []string{"The examination was stopped."}
		return nil
	}
	e.Text = findingLines(d.found.Findings)
	return nil
}

// findingLines are what was found: troubles first.
func findingLines(findings []doctor.Finding) []string {
	var bad, fine []string
	for _, f := range findings {
		sign := map[doctor.Severity]string{doctor.Fine: "✓", doctor.Note: "!", doctor.Bad: "✗"}[f.Severity]
		lines := []string{cmp.Or(sign, "·") + " " + text.CleanLine(f.What)}
		if f.Cause != "" {
			lines = append(lines, "  "+text.CleanLine(f.Cause))
		}
		for _, hint := range f.Hints {
			lines = append(lines, "  → "+text.CleanLine(hint))
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

func (e *Examination) Busy() *widget.Job { return e.job }
