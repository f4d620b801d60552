// Package account is the first tab, and all that is about who is signed in: one state
// machine from no profile over signed out, signing in and locked to signed in, with
// the profiles, the policy and the AI clients of this machine.
package account

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/doctor"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// Screen tells who is signed in, where, until when, and what runs.
type Screen struct {
	*screen.Session
	Sources
	widget.Pager
	choice int // of a signed-out user

	choicesAt int // the line in which the choices begin
	outTop    int // the line in which what is shown begins

	policy    policyRead
	installed clientsRead
}

// Sources are what the screen asks.
type Sources struct {
	Broker  Broker
	Clients func() ([]clients.State, error) // looks at the AI clients of this machine
	Doctor  doctor.Options                  // but for the overrides
	Calls   func(n, width int) []string     // the last ones of this machine, each in a line
}

// Broker is what the screen asks the broker for.
type Broker interface {
	Config() (config.File, error)
	Login(context.Context, config.Resolved, broker.LoginOptions) (user broker.User, remembered bool, err error)
	Logout(context.Context, config.Resolved, broker.LogoutOptions) (broker.LogoutResult, error)
	Lock() error
	Unlock(context.Context, config.Resolved, broker.LoginOptions) (broker.User, error)
	ShowPolicy(config.Resolved) (config.ShownPolicy, error)
	Doctor(context.Context, doctor.Options) (doctor.Diagnosis, error)
}

// policyRead is what the policy of the profile says.
type policyRead struct {
	read   bool
	source string
	lines  []string
	err    *problem.Problem
}

func New(w *screen.Session, from Sources) *Screen {
	return &Screen{Session: w, Sources: from}
}

func (s *Screen) Begin() widget.Action { return readClients(s.Clients) }

func (s *Screen) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case screen.AccountChanged:
		s.choice = 0
		return s.readPolicy()
	case policyRead:
		s.policy = msg
	case clientsRead:
		s.installed = msg
	case tea.MouseWheelMsg:
		s.Scroll(widget.Wheeled(msg))
	case tea.MouseClickMsg:
		return s.clicked(msg.Y)
	}
	return nil
}

// clicked does what the choice under the mouse means.
func (s *Screen) clicked(y int) widget.Action {
	if !s.outOf() {
		return nil
	}
	choices := s.choices()
	i := y - s.outTop - s.choicesAt
	if i < 0 || i >= len(choices) {
		return nil
	}
	s.choice = i
	return choices[i].Act()
}

// Whole reports whether all was read that is shown.
func (s *Screen) Whole() bool {
	return s.installed.read && (s.policy.read || s.Resolved.Name == "")
}

// lastCalls is how many calls are shown.
const lastCalls = 5

func (s *Screen) readPolicy() widget.Action {
	home, resolved := s.Broker, s.Resolved
	if resolved.Name == "" {
		return nil
	}
	return widget.Run(func(context.Context) tea.Msg {
		shown, err := home.ShowPolicy(resolved)
		if err != nil {
			return policyRead{read: true, err: problem.Of(err)}
		}
		read := policyRead{read: true, source: text.CleanLine(tilde(shown.Source))}
		for _, line := range shown.Lines {
			read.lines = append(read.lines, text.CleanLine(line))
		}
		return read
	})
}

// outOf reports whether the screen is that of a signed-out user.
func (s *Screen) outOf() bool {
	return s.Known && (s.Locked || s.Resolved.Name == "" || s.Problem != nil || s.Account.State == broker.SignedOut)
}

func (s *Screen) Keys() []widget.Binding {
	var all []widget.Binding
	if s.outOf() {
		choices := s.choices()
		s.choice = min(s.choice, len(choices)-1)
		all = append(all,
			widget.Bind("enter", "do it", "do what is chosen", func() widget.Action { return choices[s.choice].Act() }),
			widget.Bind("up k", "", "up", widget.Do(func() { s.choice = max(0, s.choice-1) })),
			widget.Bind("down j", "", "down", widget.Do(func() { s.choice = min(len(choices)-1, s.choice+1) })))
		all = append(all, choices...)
	}
	all = append(all, s.signInActions()...)
	if !s.NoProfile {
		all = append(all, widget.Bind("p", "profile", "choose another profile",
			func() widget.Action { return screen.Over(newProfiles(s.Session, s.Broker)) }))
	}
	all = append(all,
		s.Again("read the sign-in, the policy and the AI clients again",
			func() widget.Action { return widget.Actions{screen.Reread{}, s.readPolicy(), readClients(s.Clients)} }))
	if s.Explorable {
		label := "restart"
		if s.Ended() {
			label = "" // r has it
		}
		all = append(all, widget.Bind("S", label, "start the server again", widget.Does(screen.Reconnect{})))
	}
	if s.Explorable {
		all = append(all, screen.LogBinding("l", "log"))
	}
	all = append(all, widget.Bind("d", "doctor", "check everything and show how to fix it",
		func() widget.Action { return screen.Over(newExamination(s)) }))
	if len(s.installed.rows) > 0 {
		all = append(all, widget.Bind("a", "clients", "the AI clients of this machine", s.showClients))
	}
	if len(s.policy.lines) > 0 {
		all = append(all, widget.Bind("o", "policy", "show what the policy says", func() widget.Action {
			return screen.Over(screen.NewReader("Policy", append([]string{s.policy.source, ""}, s.policy.lines...)))
		}))
	}
	if s.outOf() { // up and down are the choices'
		return append(all, s.Pager.Pages()...)
	}
	return append(all, s.Pager.Bindings()...)
}

func (s *Screen) View(width, height int) string {
	switch {
	case !s.Known:
		return widget.Centered([]string{"Reading the sign-in…"}, width, height)
	case s.Exploring():
		return s.paged(s.exploreLines(width), height)
	case s.outOf():
		lines := s.outLines(min(width-2, 74))
		if len(lines) > height {
			return s.paged(widget.Indented(lines, 1), height)
		}
		s.outTop = widget.CenteredTop(lines, height)
		return widget.Centered(lines, width, height)
	}
	s.Set(s.inLines(width))
	return strings.Join(s.Pager.View(height), "\n")
}

// paged shows lines to a signed-out user, from where they were scrolled to.
func (s *Screen) paged(lines []string, height int) string {
	s.Set(lines)
	shown := s.Pager.View(height)
	s.outTop = -s.Pager.Top
	return strings.Join(shown, "\n")
}

// inLines is the screen of a signed-in user.
func (s *Screen) inLines(width int) []string {
	account, server := s.accountFacts(), s.serverFacts()
	if width < widget.TwoPanes {
		return s.narrowLines(account, server, width)
	}
	left := (width - 3) / 2
	a := append([]string{s.Theme.Heading.Render("ACCOUNT")}, s.factLines(account, left-1)...)
	b := append([]string{s.Theme.Heading.Render("SERVER")}, s.factLines(server, width-left-3)...)
	lines := []string{""}
	for i := range max(len(a), len(b)) {
		line := ""
		if i < len(a) {
			line = a[i]
		}
		line = " " + widget.Fit(line, left)
		if i < len(b) {
			line += " " + b[i]
		}
		lines = append(lines, line)
	}
	lines = append(lines, "")
	if installed := s.clientLines(width - 1); len(installed) > 0 {
		lines = append(append(lines, widget.Indented(installed, 1)...), "")
	}
	return append(lines, widget.Indented(s.callLines(width-1), 1)...)
}

// narrowLines puts what matters most first, and the rest behind the last calls.
func (s *Screen) narrowLines(account, server []widget.Fact, width int) []string {
	first := []string{"User", "Profile", "Access", "Session", "Stored in", "Server", "State", "", "Policy"}
	rest := slices.Concat(account, server)
	var lines []string
	for _, name := range first {
		for i := 0; i < len(rest); i++ {
			if rest[i][0] == name {
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
func (s *Screen) factLines(facts []widget.Fact, width int) []string {
	return s.Theme.Facts(facts, 1, 11, width)
}

func (s *Screen) callLines(width int) []string {
	calls := s.Calls(lastCalls, width-1)
	if len(calls) == 0 {
		return nil
	}
	return append([]string{s.Theme.Heading.Render("LAST CALLS")}, widget.Indented(calls, 1)...)
}

func (s *Screen) Typing() bool      { return false }
func (s *Screen) Busy() *widget.Job { return nil }
func (s *Screen) AtHome() bool      { return true }

func cleanList(list []string) string { return text.CleanLine(strings.Join(list, " ")) }
