package tui

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

// exploreChoices are what somebody can do who looks at a server without a profile.
func (s *statusScreen) exploreChoices(again binding) []binding {
	if s.ended() {
		again.help = "Start the server again"
		return []binding{again}
	}
	var all []binding
	for _, c := range []struct{ tab, key, words string }{
		{"tools", "2", "See and call its tools"}, {"resources", "3", "Read its resources"}, {"prompts", "4", "Get its prompts"},
	} {
		if !s.info.lacks[c.tab] {
			all = append(all, binding{keys: []string{c.key}, help: c.words, act: does(showTab{c.tab})})
		}
	}
	return append(all, binding{keys: []string{"5"}, help: "See what was called on this machine", act: does(showTab{"activity"})})
}

// exploreLines is the screen of somebody who looks at a server without a profile.
func (s *statusScreen) exploreLines(width int) []string {
	l := s.look
	text := min(width-2, 90)
	lines := s.exploreWords(text)
	if s.world.height >= lowTerminal {
		lines = append([]string{""}, lines...)
	}
	lines = append(lines, "")
	s.choicesAt = len(lines)
	lines = append(lines, s.choiceLines(text)...)
	if s.server != nil || s.starts {
		lines = append(lines, "", l.heading.Render("SERVER"))
		lines = append(lines, s.factLines(s.serverFacts(), text)...)
	}
	lines = append(lines, "", l.heading.Render("TO SIGN IN"))
	for _, line := range wrapped("Your first sign-in in a shell makes a profile: the server is told who you are.", text-1) {
		lines = append(lines, " "+line)
	}
	return indented(append(lines, l.hintLines(s.problem.Hints, text)...), 1)
}

// exploreWords says what goes on.
func (s *statusScreen) exploreWords(width int) []string {
	l := s.look
	name := strings.TrimSpace(s.info.name + " " + s.info.version)
	switch {
	case s.down != nil:
		return l.problemLines(s.down, width)
	case s.server == nil || name == "":
		name = "a server"
	}
	lines := []string{l.strong.Render(cut("You explore "+name+".", width))}
	if s.world.height < lowTerminal {
		return append(lines, wrapped("The server is told of no user.", width)...)
	}
	return append(append(lines, ""), wrapped("Nobody is signed in: the server is told of no user. What you call is put on record.", width)...)
}

// firstDay says what to do where there is neither a profile nor a server.
func (s *statusScreen) firstDay(width int) []string {
	l := s.look
	lines := []string{l.strong.Render("There is no profile yet."), ""}
	lines = append(lines, wrapped("A profile says where you sign in. Your first sign-in in a shell makes one; then look again.", width)...)
	lines = append(append(lines, ""), l.hintLines(s.problem.Hints, width)...)
	return append(append(lines, ""), wrappedWords("Any server can be looked at without one: mcpauth tui -- COMMAND", width)...)
}

// hintLines are commands that help, each below the words that lead to it.
func (l *look) hintLines(hints []string, width int) []string {
	var lines []string
	for _, hint := range hints {
		lead := " • "
		for _, line := range wrappedWords(broker.CleanLine(hint), width-3) {
			lines = append(lines, l.dim.Render(lead)+l.accent.Render(line))
			lead = "   "
		}
	}
	return lines
}
