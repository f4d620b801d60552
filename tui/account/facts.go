package account

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

func (s *Screen) accountFacts() []widget.Fact {
	user := s.Account.User
	name := s.User()
	if full := text.CleanLine(user.Name); full != "" && full != name {
		name += " (" + full + ")"
	}
	facts := []widget.Fact{
		{"User", name}, {"Profile", s.Profile()}, {"Issuer", text.CleanLine(s.Resolved.Issuer)},
		{"Groups", cleanList(user.Groups)}, {"Roles", cleanList(user.Roles)}, {"Scopes", cleanList(user.Scopes)},
		{"Access", s.accessText()},
	}
	if !s.Account.EndsAt.IsZero() {
		facts = append(facts, widget.Fact{"Session", "until " + text.Moment(s.Account.EndsAt, s.Now())})
	}
	if !s.Account.SignedInAt.IsZero() {
		facts = append(facts, widget.Fact{"Signed in", text.Moment(s.Account.SignedInAt, s.Now())})
	}
	facts = append(facts, widget.Fact{"Proof", text.CleanLine(s.Account.ACR)}, widget.Fact{"Stored in", text.CleanLine(s.Account.StoredIn)})
	for _, warning := range user.Warnings {
		facts = append(facts, widget.Fact{"Note", text.CleanLine(warning)})
	}
	return facts
}

// accessWords tells how long the access token lives and what happens then.
func (s *Screen) accessText() string {
	left := s.Account.ExpiresAt.Sub(s.Now())
	switch {
	case s.Account.ExpiresAt.IsZero():
		return ""
	case s.Account.State == broker.Degraded && s.Account.Err != nil:
		return "! " + text.CleanLine(problem.Of(s.Account.Err).Msg)
	case left <= 0 && s.Account.HasRefreshToken:
		return "over; renewed when it is needed"
	case left <= 0:
		return "over; sign in again"
	case s.Account.HasRefreshToken:
		return "for " + text.Span(left) + ", renews itself"
	}
	return "for " + text.Span(left) + ", then sign in again"
}

func (s *Screen) serverFacts() []widget.Fact {
	facts := []widget.Fact{{"Runs", text.CleanLine(strings.Join(s.command(), " "))}}
	switch {
	case s.Server != nil:
		if s.Exploring() { // its name stands above, its protocol in the first line
			facts = append(facts, widget.Fact{"Offers", s.Info.Offers})
			break
		}
		facts = append([]widget.Fact{{"Server", strings.TrimSpace(s.Info.Name + " " + s.Info.Version)}}, facts...)
		facts = append(facts, widget.Fact{"Protocol", s.Info.Protocol}, widget.Fact{"Offers", s.Info.Offers},
			widget.Fact{"Started", text.Moment(s.Since, s.Now()) + ", " + text.Span(s.Now().Sub(s.Since)) + " ago"})
	case s.Starting:
		facts = append(facts, widget.Fact{"State", "it is starting"})
	case s.Down != nil:
		facts = append(facts, widget.Fact{"State", "✗ " + text.CleanLine(s.Down.Msg)})
		for _, hint := range s.Down.Hints {
			facts = append(facts, widget.Fact{"", text.CleanLine(hint)})
		}
	default:
		facts = append(facts, widget.Fact{"State", "none: name a command with  mcpauth tui -- COMMAND"})
	}
	facts = append(facts, widget.Fact{"Log", s.logText()})
	if !s.Exploring() { // a policy stands in a profile
		facts = append(facts, widget.Fact{"Policy", s.policyText()})
	}
	if s.Info.Instructions != "" && s.Server != nil {
		facts = append(facts, widget.Fact{"Says", widget.FirstLine(s.Info.Instructions)})
	}
	return facts
}

// command is what runs as the server.
func (s *Screen) command() []string {
	if len(s.Overrides.Command) > 0 {
		return s.Overrides.Command
	}
	return s.Resolved.Command
}

// logWords tell whether there is something to be read in the log, and what the
// server said last.
func (s *Screen) logText() string {
	said := 0
	for _, line := range s.Log.Lines {
		if line.Level != screen.LevelOurs {
			said++
		}
	}
	if said == 0 {
		return ""
	}
	return text.Count(said, "line") + " (l): " + widget.Cut(s.Log.Lines[len(s.Log.Lines)-1].Text, 60)
}

func (s *Screen) policyText() string {
	switch {
	case s.policy.err != nil:
		return "✗ " + text.CleanLine(s.policy.err.Msg)
	case s.policy.source == "":
		return "no rules: who is signed in may do everything"
	}
	return s.policy.source + ", " + text.Count(len(s.policy.lines), "line")
}
