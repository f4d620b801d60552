package tui

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

func (s *statusScreen) accountFacts() []fact {
	user := s.account.User
	name := s.user()
	if full := broker.CleanLine(user.Name); full != "" && full != name {
		name += " (" + full + ")"
	}
	facts := []fact{
		{"User", name}, {"Profile", s.profileWords()}, {"Issuer", broker.CleanLine(s.resolved.Issuer)},
		{"Groups", cleanList(user.Groups)}, {"Roles", cleanList(user.Roles)}, {"Scopes", cleanList(user.Scopes)},
		{"Access", s.accessWords()},
	}
	if !s.account.EndsAt.IsZero() {
		facts = append(facts, fact{"Session", "until " + broker.Moment(s.account.EndsAt, s.now())})
	}
	if !s.account.SignedInAt.IsZero() {
		facts = append(facts, fact{"Signed in", broker.Moment(s.account.SignedInAt, s.now())})
	}
	facts = append(facts, fact{"Proof", broker.CleanLine(s.account.ACR)}, fact{"Stored in", broker.CleanLine(s.account.StoredIn)})
	for _, warning := range user.Warnings {
		facts = append(facts, fact{"Note", broker.CleanLine(warning)})
	}
	return facts
}

func (s *statusScreen) profileWords() string {
	words := s.profile()
	if s.resolved.Bound != "" {
		words += " (bound to " + broker.CleanLine(s.resolved.Bound) + ")"
	}
	return words
}

// accessWords tells how long the access token lives and what happens then.
func (s *statusScreen) accessWords() string {
	left := s.account.ExpiresAt.Sub(s.now())
	switch {
	case s.account.ExpiresAt.IsZero():
		return ""
	case s.account.State == broker.Troubled && s.account.Err != nil:
		return "! " + broker.CleanLine(broker.AsProblem(s.account.Err).Msg)
	case left <= 0 && s.account.HasRefreshToken:
		return "over; renewed when it is needed"
	case left <= 0:
		return "over; sign in again"
	case s.account.HasRefreshToken:
		return "for " + broker.TimeSpan(left) + ", renews itself"
	}
	return "for " + broker.TimeSpan(left) + ", then sign in again"
}

func (s *statusScreen) serverFacts() []fact {
	facts := []fact{{"Runs", broker.CleanLine(strings.Join(s.command(), " "))}}
	switch {
	case s.server != nil:
		if s.exploring() { // its name stands above, its protocol in the first line
			facts = append(facts, fact{"Offers", s.info.offers})
			break
		}
		facts = append([]fact{{"Server", strings.TrimSpace(s.info.name + " " + s.info.version)}}, facts...)
		facts = append(facts, fact{"Protocol", s.info.protocol}, fact{"Offers", s.info.offers},
			fact{"Started", broker.Moment(s.since, s.now()) + ", " + broker.TimeSpan(s.now().Sub(s.since)) + " ago"})
	case s.starts:
		facts = append(facts, fact{"State", "it is starting"})
	case s.down != nil:
		facts = append(facts, fact{"State", "✗ " + broker.CleanLine(s.down.Msg)})
		for _, hint := range s.down.Hints {
			facts = append(facts, fact{"", broker.CleanLine(hint)})
		}
	default:
		facts = append(facts, fact{"State", "none: name a command with  mcpauth tui -- COMMAND"})
	}
	facts = append(facts, fact{"Log", s.logWords()})
	if !s.exploring() { // a policy stands in a profile
		facts = append(facts, fact{"Policy", s.policyWords()})
	}
	if s.info.instructions != "" && s.server != nil {
		facts = append(facts, fact{"Says", firstLine(s.info.instructions)})
	}
	return facts
}

// command is what runs as the server.
func (s *statusScreen) command() []string {
	if len(s.Overrides.Command) > 0 {
		return s.Overrides.Command
	}
	return s.resolved.Command
}

// logWords tell whether there is something to be read in the log, and what the
// server said last.
func (s *statusScreen) logWords() string {
	said := 0
	for _, line := range s.log.lines {
		if line.level != levelOurs {
			said++
		}
	}
	if said == 0 {
		return ""
	}
	return plural(said, "line", "lines") + " (l): " + cut(s.log.lines[len(s.log.lines)-1].text, 60)
}

func (s *statusScreen) policyWords() string {
	switch {
	case s.policy.err != nil:
		return "✗ " + broker.CleanLine(s.policy.err.Msg)
	case s.policy.source == "":
		return "no rules: who is signed in may do everything"
	}
	return s.policy.source + ", " + plural(len(s.policy.lines), "line", "lines")
}

// offers names what a server's capabilities say, in a fixed order.
func offers(capabilities json.RawMessage) string {
	var known map[string]json.RawMessage
	if json.Unmarshal(capabilities, &known) != nil {
		return ""
	}
	var words []string
	for _, name := range []string{"tools", "resources", "prompts", "completions", "logging", "tasks"} {
		if _, ok := known[name]; ok {
			words = append(words, name)
			delete(known, name)
		}
	}
	rest := make([]string, 0, len(known))
	for name := range known {
		rest = append(rest, broker.CleanLine(name))
	}
	slices.Sort(rest)
	return strings.Join(append(words, rest...), " · ")
}

// lacks is what a server that tells its capabilities does not offer.
func lacks(capabilities json.RawMessage) map[string]bool {
	var known map[string]json.RawMessage
	if json.Unmarshal(capabilities, &known) != nil || known == nil {
		return nil
	}
	missing := map[string]bool{}
	for _, name := range []string{"tools", "resources", "prompts", "completions"} {
		_, has := known[name]
		missing[name] = !has
	}
	return missing
}
