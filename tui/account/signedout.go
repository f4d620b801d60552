package account

import (
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// choices are what a signed-out user can do, the most likely first.
func (s *Screen) choices() []widget.Binding {
	signIn := func(way loginWay) func() widget.Action {
		return func() widget.Action { return screen.Over(newLoginFlow(s.Session, s.Broker, way)) }
	}
	profile := widget.Bind("p", "", "Choose another profile", func() widget.Action { return screen.Over(newProfiles(s.Session, s.Broker)) })
	reload := widget.Bind("r", "", "Look again", func() widget.Action {
		if s.Ended() {
			return widget.Actions{screen.Reread{}, screen.Reconnect{}}
		}
		return screen.Reread{}
	})
	switch {
	case s.Exploring():
		return s.exploreChoices(reload)
	case s.NoProfile:
		return []widget.Binding{reload}
	case s.Resolved.Name == "":
		return []widget.Binding{reload, profile}
	case s.Locked:
		return []widget.Binding{
			widget.Bind("U", "", "Sign in again and unlock", signIn(loginWay{unlock: true})),
			widget.Bind("", "", "Show the link instead (SSH, no browser)", signIn(loginWay{unlock: true, link: true})),
			profile,
		}
	case s.Problem != nil:
		return []widget.Binding{reload, widget.Bind("L", "", "Sign in with the browser", signIn(loginWay{})), profile}
	}
	return []widget.Binding{
		widget.Bind("L", "", "Sign in with the browser", signIn(loginWay{})),
		widget.Bind("u", "", "Show the link instead (SSH, no browser)", signIn(loginWay{link: true})),
		widget.Bind("D", "", "Sign in on another device with a code", signIn(loginWay{device: true})),
		profile,
	}
}

// outLines is the screen of a signed-out user.
func (s *Screen) outLines(width int) []string {
	lines := append(s.signedOutText(width), "")
	s.choicesAt = len(lines)
	lines = append(lines, s.choiceLines(width)...)
	if s.Resolved.Name != "" && s.Problem == nil {
		lines = append(lines, "")
		for _, line := range widget.Wrapped(s.meanwhile(), width) {
			lines = append(lines, s.Theme.Dim.Render(line))
		}
	}
	return lines
}

// choiceLines are the choices, each with its key.
func (s *Screen) choiceLines(width int) []string {
	var lines []string
	for i, c := range s.choices() {
		mark, style := "  ", s.Theme.Plain
		if i == s.choice {
			mark, style = "▸ ", s.Theme.Chosen
		}
		key := ""
		if len(c.Keys) > 0 {
			key = c.Keys[0]
		}
		if i == s.choice {
			key = "enter"
		}
		lines = append(lines, style.Render(widget.Right(mark+c.Help, key, min(width, 52))))
	}
	return lines
}

// outWords says how things are.
func (s *Screen) signedOutText(width int) []string {
	l := s.Theme
	switch {
	case s.Locked:
		return append([]string{l.Warn.Render("! ") + l.Strong.Render("mcpauth is locked."), ""},
			widget.Wrapped("All sign-ins are kept, but cannot be used: every AI client is refused until you sign in again and unlock.", width)...)
	case s.NoProfile:
		return s.firstDay(width)
	case s.Problem != nil && s.Resolved.Name == "":
		return append([]string{l.Strong.Render("There is no profile that can be used."), ""}, l.ProblemLines(s.Problem, width)...)
	case s.Problem != nil:
		return append([]string{l.Strong.Render("The sign-in cannot be read."), ""}, l.ProblemLines(s.Problem, width)...)
	}
	lines := []string{l.Warn.Render("○ ") + l.Strong.Render(widget.Cut("You are not signed in to "+s.Profile()+".", width-2)), ""}
	facts := []widget.Fact{{"Provider", text.CleanLine(s.Resolved.Issuer)}}
	if s.Account.Err != nil {
		facts = append(facts, widget.Fact{"Why", text.CleanLine(problem.Of(s.Account.Err).Msg)})
	}
	return append(lines, s.factLines(facts, width)...)
}

func (s *Screen) meanwhile() string {
	if s.Locked {
		return "Your AI clients stay connected; each call they make is refused."
	}
	return "Your AI clients stay connected. Until you sign in, every tool call they make is answered: sign-in needed, run mcpauth login."
}
