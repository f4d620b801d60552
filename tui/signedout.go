package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// choices are what somebody can do who is not signed in, the most likely first.
func (s *statusScreen) choices() []binding {
	signIn := func(way loginWay) func() action { return func() action { return overlay{newLoginFlow(s.world, way)} } }
	profile := binding{keys: []string{"p"}, help: "Choose another profile", act: func() action { return overlay{newProfiles(s.world)} }}
	reload := binding{keys: []string{"r"}, help: "Look again", act: func() action {
		if s.ended() {
			return actions{rereadHome{}, reconnect{}}
		}
		return rereadHome{}
	}}
	switch {
	case s.exploring():
		return s.exploreChoices(reload)
	case s.nobody:
		return []binding{reload}
	case s.resolved.Name == "":
		return []binding{reload, profile}
	case s.locked:
		return []binding{
			{keys: []string{"U"}, help: "Sign in anew and unlock", act: signIn(loginWay{unlock: true})},
			{help: "Show the link instead (SSH, no browser)", act: signIn(loginWay{unlock: true, link: true})},
			profile,
		}
	case s.problem != nil:
		return []binding{reload, {keys: []string{"L"}, help: "Sign in with the browser", act: signIn(loginWay{})}, profile}
	}
	return []binding{
		{keys: []string{"L"}, help: "Sign in with the browser", act: signIn(loginWay{})},
		{keys: []string{"u"}, help: "Show the link instead (SSH, no browser)", act: signIn(loginWay{link: true})},
		{keys: []string{"D"}, help: "Sign in on another device with a code", act: signIn(loginWay{device: true})},
		profile,
	}
}

// outLines is the screen of somebody who is not signed in.
func (s *statusScreen) outLines(width int) []string {
	lines := append(s.outWords(width), "")
	s.choicesAt = len(lines)
	lines = append(lines, s.choiceLines(width)...)
	if s.resolved.Name != "" && s.problem == nil {
		lines = append(lines, "")
		for _, line := range wrapped(s.meanwhile(), width) {
			lines = append(lines, s.look.dim.Render(line))
		}
	}
	return lines
}

// choiceLines are the choices, each with its key.
func (s *statusScreen) choiceLines(width int) []string {
	var lines []string
	for i, c := range s.choices() {
		mark, style := "  ", s.look.plain
		if i == s.choice {
			mark, style = "▸ ", s.look.chosen
		}
		key := ""
		if len(c.keys) > 0 {
			key = c.keys[0]
		}
		if i == s.choice {
			key = "enter"
		}
		lines = append(lines, style.Render(right(mark+c.help, key, min(width, 52))))
	}
	return lines
}

// outWords says how things are.
func (s *statusScreen) outWords(width int) []string {
	l := s.look
	switch {
	case s.locked:
		return append([]string{l.warn.Render("! ") + l.strong.Render("mcpauth is locked."), ""},
			wrapped("All sign-ins are kept, and nobody can use them: every AI client is refused until you sign in anew and unlock.", width)...)
	case s.nobody:
		return s.firstDay(width)
	case s.problem != nil && s.resolved.Name == "":
		return append([]string{l.strong.Render("There is no profile that can be used."), ""}, l.problemLines(s.problem, width)...)
	case s.problem != nil:
		return append([]string{l.strong.Render("The sign-in cannot be read."), ""}, l.problemLines(s.problem, width)...)
	}
	lines := []string{l.warn.Render("○ ") + l.strong.Render(cut("You are not signed in to "+s.profile()+".", width-2)), ""}
	facts := []fact{{"Provider", broker.CleanLine(s.resolved.Issuer)}}
	if s.account.Err != nil {
		facts = append(facts, fact{"Why", broker.CleanLine(broker.AsProblem(s.account.Err).Msg)})
	}
	return append(lines, s.factLines(facts, width)...)
}

func (s *statusScreen) meanwhile() string {
	if s.locked {
		return "Your AI clients stay connected; each call they make is refused."
	}
	return "Your AI clients stay connected. Until you sign in, every tool call they make is answered: sign-in needed, run mcpauth login."
}

// reader shows lines of text in a box.
type reader struct {
	*help
	name string
	text []string
}

func newReader(w *world, name string, text []string) *reader {
	return &reader{help: &help{world: w}, name: name, text: text}
}

func (r *reader) title() string { return r.name }

func (r *reader) view(width, height int) string {
	var lines []string
	for _, line := range r.text {
		indent := ansi.StringWidth(line) - ansi.StringWidth(strings.TrimLeft(line, " "))
		for i, part := range wrapped(line, width) {
			if i > 0 {
				part = strings.Repeat(" ", min(indent+2, width/3)) + part
			}
			lines = append(lines, cut(part, width))
		}
	}
	r.set(lines)
	return strings.Join(r.pager.view(height), "\n")
}
