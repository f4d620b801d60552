package tui

import (
	"context"
	"encoding/json"
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
