package tui

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// statusScreen tells who is signed in, where, until when, and what runs.
type statusScreen struct {
	*world
	pager
	choice int // of somebody who is not signed in

	choicesAt int // the line in which the choices begin
	outTop    int // the line in which what is shown begins

	policy  policyRead
	clients clientsRead
}

// policyRead is what the policy of the profile says.
type policyRead struct {
	read   bool
	source string
	lines  []string
	err    *broker.Problem
}

func newStatusScreen(w *world) *statusScreen { return &statusScreen{world: w} }

func (s *statusScreen) begin() action { return readClients(s.Home) }

func (s *statusScreen) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case accountNew:
		s.choice = 0
		return s.readPolicy()
	case policyRead:
		s.policy = msg
	case clientsRead:
		s.clients = msg
	case tea.MouseWheelMsg:
		s.scroll(wheeled(msg))
	case tea.MouseClickMsg:
		return s.clicked(msg.Y)
	}
	return nil
}

// clicked does what the choice under the mouse means.
func (s *statusScreen) clicked(y int) action {
	if !s.outOf() {
		return nil
	}
	choices := s.choices()
	i := y - s.outTop - s.choicesAt
	if i < 0 || i >= len(choices) {
		return nil
	}
	s.choice = i
	return choices[i].act()
}

// lastCalls is how many calls are shown.
const lastCalls = 5

func (s *statusScreen) readPolicy() action {
	home, resolved := s.Home, s.resolved
	if resolved.Name == "" {
		return nil
	}
	return run(func(context.Context) tea.Msg {
		shown, err := home.ShowPolicy(resolved)
		if err != nil {
			return policyRead{read: true, err: broker.AsProblem(err)}
		}
		read := policyRead{read: true, source: broker.CleanLine(tilde(shown.Source))}
		for _, line := range shown.Lines {
			read.lines = append(read.lines, broker.CleanLine(line))
		}
		return read
	})
}

// outOf reports whether the screen is the one of somebody who is not signed in.
func (s *statusScreen) outOf() bool {
	return s.known && (s.locked || s.resolved.Name == "" || s.problem != nil || s.account.State == broker.SignedOut)
}

func (s *statusScreen) keys() []binding {
	var all []binding
	if s.outOf() {
		choices := s.choices()
		s.choice = min(s.choice, len(choices)-1)
		all = append(all,
			binding{keys: []string{"enter"}, label: "do it", help: "do what is chosen", act: func() action { return choices[s.choice].act() }},
			binding{keys: []string{"up", "k"}, help: "up", act: func() action { s.choice = max(0, s.choice-1); return nil }},
			binding{keys: []string{"down", "j"}, help: "down", act: func() action { s.choice = min(len(choices)-1, s.choice+1); return nil }})
		all = append(all, choices...)
	}
	all = append(all, s.signInActions()...)
	if !s.nobody {
		all = append(all, binding{keys: []string{"p"}, label: "profile", help: "choose another profile", act: func() action { return overlay{newProfiles(s.world)} }})
	}
	all = append(all,
		s.again("read the sign-in, the policy and the AI clients again", func() action { return actions{rereadHome{}, s.readPolicy(), readClients(s.Home)} }))
	if s.Open != nil {
		label := "restart"
		if s.ended() {
			label = "" // r has it
		}
		all = append(all, binding{keys: []string{"S"}, label: label, help: "start the server again", act: does(reconnect{})})
	}
	if s.Open != nil {
		all = append(all, s.openLog("l", "log"))
	}
	all = append(all, binding{keys: []string{"d"}, label: "doctor", help: "examine everything, and say what mends it", act: func() action { return overlay{newExamination(s.world)} }})
	if len(s.clients.rows) > 0 {
		all = append(all, binding{keys: []string{"a"}, label: "clients", help: "the AI clients of this machine", act: s.showClients})
	}
	if len(s.policy.lines) > 0 {
		all = append(all, binding{keys: []string{"o"}, label: "policy", help: "show what the policy says", act: func() action {
			return overlay{newReader(s.world, "Policy", append([]string{s.policy.source, ""}, s.policy.lines...))}
		}})
	}
	if s.outOf() { // up and down are the choices'
		return append(all, s.pager.pages()...)
	}
	return append(all, s.pager.bindings()...)
}

func (s *statusScreen) view(width, height int) string {
	switch {
	case !s.known:
		return s.look.centred([]string{"Reading the sign-in…"}, width, height)
	case s.exploring():
		return s.paged(s.exploreLines(width), height)
	case s.outOf():
		lines := s.outLines(min(width-2, 74))
		if len(lines) > height {
			return s.paged(indented(lines, 1), height)
		}
		s.outTop = s.look.centredTop(lines, height)
		return s.look.centred(lines, width, height)
	}
	s.set(s.inLines(width))
	return strings.Join(s.pager.view(height), "\n")
}

// paged shows lines of somebody who is not signed in, from where they were scrolled to.
func (s *statusScreen) paged(lines []string, height int) string {
	s.set(lines)
	shown := s.pager.view(height)
	s.outTop = -s.pager.top
	return strings.Join(shown, "\n")
}

// fact is a line "name  value".
type fact struct{ name, value string }

// inLines is the screen of somebody who is signed in.
func (s *statusScreen) inLines(width int) []string {
	account, server := s.accountFacts(), s.serverFacts()
	if width < twoPanes {
		return s.narrowLines(account, server, width)
	}
	left := (width - 3) / 2
	a := append([]string{s.look.heading.Render("ACCOUNT")}, s.factLines(account, left-1)...)
	b := append([]string{s.look.heading.Render("SERVER")}, s.factLines(server, width-left-3)...)
	lines := []string{""}
	for i := range max(len(a), len(b)) {
		line := ""
		if i < len(a) {
			line = a[i]
		}
		line = " " + fit(line, left)
		if i < len(b) {
			line += " " + b[i]
		}
		lines = append(lines, line)
	}
	lines = append(lines, "")
	if clients := s.clientLines(width - 1); len(clients) > 0 {
		lines = append(append(lines, indented(clients, 1)...), "")
	}
	return append(lines, indented(s.callLines(width-1), 1)...)
}

// narrowLines puts what matters most first, and the rest behind the last calls.
func (s *statusScreen) narrowLines(account, server []fact, width int) []string {
	first := []string{"User", "Profile", "Access", "Session", "Stored in", "Server", "State", "", "Policy"}
	rest := slices.Concat(account, server)
	var lines []string
	for _, name := range first {
		for i := 0; i < len(rest); i++ {
			if rest[i].name == name {
				lines = append(lines, s.factLines(rest[i:i+1], width)...)
				rest = slices.Delete(rest, i, i+1)
				i--
			}
		}
	}
	for _, part := range [][]string{s.clientLines(width), s.callLines(width), s.factLines(rest, width)} {
		if len(part) > 0 {
			lines = append(append(lines, ""), part...)
		}
	}
	return lines
}

// factLines sets facts below each other, as the screens of the account do.
func (s *statusScreen) factLines(facts []fact, width int) []string {
	return s.look.factLines(facts, 1, 11, width)
}

// factLines sets facts below each other: their names in a column after an indent, and
// what is too long below itself.
func (l *look) factLines(facts []fact, indent, column, width int) []string {
	var lines []string
	for _, f := range facts {
		if f.value == "" {
			continue
		}
		for i, part := range wrapped(f.value, width-indent-column) {
			label := f.name
			if i > 0 {
				label = ""
			}
			lines = append(lines, strings.Repeat(" ", indent)+l.dim.Render(fit(label, column))+part)
		}
	}
	return lines
}

func (s *statusScreen) callLines(width int) []string {
	calls := s.record.rows[:min(len(s.record.rows), lastCalls)]
	if len(calls) == 0 {
		return nil
	}
	lines := []string{s.look.heading.Render("LAST CALLS")}
	for _, call := range calls {
		lines = append(lines, " "+call.line(s.look, width-1, false))
	}
	return lines
}

func (s *statusScreen) typing() bool { return false }
func (s *statusScreen) busy() *job   { return nil }
func (s *statusScreen) home() bool   { return true }

func cleanList(list []string) string { return broker.CleanLine(strings.Join(list, " ")) }

func firstLine(text string) string {
	line, rest, _ := strings.Cut(text, "\n")
	if rest != "" {
		line += " …"
	}
	return line
}
