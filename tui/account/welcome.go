package account

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// exploreChoices are what a user without a profile can do.
func (s *Screen) exploreChoices(again widget.Binding) []widget.Binding {
	if s.Ended() {
		again.Help = "Start the server again"
		return []widget.Binding{again}
	}
	var all []widget.Binding
	for _, c := range []struct{ tab, key, words string }{
		{"tools", "2", "See and call its tools"}, {"resources", "3", "Read its resources"}, {"prompts", "4", "Get its prompts"},
	} {
		if !s.Info.Lacks[c.tab] {
			all = append(all, widget.Bind(c.key, "", c.words, widget.Does(screen.ShowTab(c.tab))))
		}
	}
	return append(all, widget.Bind("5", "", "See what was called on this machine", widget.Does(screen.ShowTab("activity"))))
}

// exploreLines is the screen of a user without a profile.
func (s *Screen) exploreLines(width int) []string {
	l := s.Theme
	text := min(width-2, 90)
	lines := s.exploreText(text)
	if s.Terminal.Height >= widget.LowTerminal {
		lines = append([]string{""}, lines...)
	}
	lines = append(lines, "")
	s.choicesAt = len(lines)
	lines = append(lines, s.choiceLines(text)...)
	if s.Server != nil || s.Starting {
		lines = append(lines, "", l.Heading.Render("SERVER"))
		lines = append(lines, s.factLines(s.serverFacts(), text)...)
	}
	lines = append(lines, "", l.Heading.Render("TO SIGN IN"))
	for _, line := range widget.Wrapped("Your first sign-in in a shell makes a profile: then the server gets your user.", text-1) {
		lines = append(lines, " "+line)
	}
	return widget.Indented(append(lines, hintLines(l, s.Problem.Hints, text)...), 1)
}

// exploreWords says what goes on.
func (s *Screen) exploreText(width int) []string {
	l := s.Theme
	name := strings.TrimSpace(s.Info.Name + " " + s.Info.Version)
	switch {
	case s.Down != nil:
		return l.ProblemLines(s.Down, width)
	case s.Server == nil || name == "":
		name = "a server"
	}
	lines := []string{l.Strong.Render(widget.Cut("You explore "+name+".", width))}
	if s.Terminal.Height < widget.LowTerminal {
		return append(lines, widget.Wrapped("The server gets no user.", width)...)
	}
	return append(append(lines, ""), widget.Wrapped("You are not signed in: the server gets no user. Your calls are logged.", width)...)
}

// firstDay says what to do where there is neither a profile nor a server.
func (s *Screen) firstDay(width int) []string {
	l := s.Theme
	lines := []string{l.Strong.Render("There is no profile yet."), ""}
	lines = append(lines, widget.Wrapped("A profile says where you sign in. Your first sign-in in a shell makes one; then look again.",
		width)...)
	lines = append(append(lines, ""), hintLines(l, s.Problem.Hints, width)...)
	return append(append(lines, ""), widget.WrappedText("Any server can be looked at without one: mcpauth tui -- COMMAND", width)...)
}

// hintLines are commands that help, each below the words that lead to it.
func hintLines(l *widget.Theme, hints []string, width int) []string {
	var lines []string
	for _, hint := range hints {
		lead := " • "
		for _, line := range widget.WrappedText(text.CleanLine(hint), width-3) {
			lines = append(lines, l.Dim.Render(lead)+l.Accent.Render(line))
			lead = "   "
		}
	}
	return lines
}
