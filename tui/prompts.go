package tui

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// promptsScreen lists the prompts, takes their arguments and shows the messages.
type promptsScreen struct {
	*world
	loading[promptItem]
	list
	filter  field
	filters bool
	found   []int // of all, by the filter
	focus   focus

	form    *argumentForm
	formOf  string
	getting *job
	turn    int    // counts the askings: only the last one counts
	got     string // the prompt whose messages are shown
	result  broker.PromptResult
	problem *broker.Problem
	doc     document
}

// promptItem is a prompt with its texts cleaned.
type promptItem struct {
	broker.Prompt
	name, title, description string
}

type promptGot struct {
	turn    int
	result  broker.PromptResult
	problem *broker.Problem
}

func newPromptsScreen(w *world) *promptsScreen {
	return &promptsScreen{world: w, filter: newField(w.look, "filter")}
}

func (s *promptsScreen) count() (int, bool) { return len(s.all), s.loaded }

func (s *promptsScreen) reload() action {
	server := s.server
	if server == nil || s.info.lacks["prompts"] {
		s.loaded = server != nil
		return nil
	}
	return s.load(func(ctx context.Context) ([]promptItem, error) {
		prompts, err := server.Prompts(ctx)
		items := make([]promptItem, len(prompts))
		for i, p := range prompts {
			items[i] = promptItem{p, broker.CleanLine(p.Name), broker.CleanLine(p.Title), broker.CleanText(p.Description)}
		}
		return items, err
	})
}

func (s *promptsScreen) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case serverUp, accountNew, promptsNew:
		return s.reload()
	case serverGone:
		s.forget()
		s.focus, s.form, s.formOf = onList, nil, "" // what cannot be seen takes no keys
		s.find()
	case listRead[promptItem]:
		s.take(msg)
		s.find()
	case promptGot:
		return s.show(msg)
	case documentSet:
		s.doc.take(msg)
	case completionRead:
		if s.form != nil {
			return s.form.update(msg)
		}
	case tea.WindowSizeMsg:
		return s.retype()
	case lookNew:
		s.filter.dress(s.look)
		if s.form != nil {
			s.form.update(msg)
		}
		return s.retype()
	case tea.KeyPressMsg, tea.PasteMsg:
		switch {
		case s.filters:
			s.filter.update(msg)
			s.find()
		case s.focus == onForm && s.form != nil:
			return s.form.update(msg)
		}
	case tea.MouseWheelMsg, tea.MouseClickMsg:
		return s.pointed(msg)
	}
	return nil
}

func (s *promptsScreen) pointed(msg tea.Msg) action {
	left, right := panes(s.width, 0.4)
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		if right > 0 && msg.X > left || right == 0 && s.focus != onList {
			s.doc.scroll(wheeled(msg))
			return nil
		}
		s.move(wheeled(msg))
		s.chose()
	case tea.MouseClickMsg:
		if i, ok := s.at(msg.Y - 1); ok && msg.X <= left && (right > 0 || s.focus == onList) {
			again := s.cursor == i
			s.cursor, s.focus = i, onList
			s.chose()
			if again {
				return s.enter()
			}
		}
	}
	return nil
}

func (s *promptsScreen) find() {
	s.found = s.found[:0]
	for i := range s.all {
		p := &s.all[i]
		if _, ok := matches(p.name+" "+p.title+" "+p.description, s.filter.Value()); ok {
			s.found = append(s.found, i)
		}
	}
	s.resize(len(s.found))
	s.chose()
}

func (s *promptsScreen) chosen() (promptItem, bool) {
	if s.cursor >= len(s.found) {
		return promptItem{}, false
	}
	return s.all[s.found[s.cursor]], true
}

// chose prepares the form of the prompt that is chosen.
func (s *promptsScreen) chose() {
	p, ok := s.chosen()
	if ok && (s.form == nil || s.formOf != p.Name) {
		s.form, s.formOf = newArgumentForm(s.world, broker.CompletionRef{Prompt: p.Name}, p.Arguments), p.Name
	}
}

// enter goes to the arguments, or gets a prompt that has none.
func (s *promptsScreen) enter() action {
	p, ok := s.chosen()
	if !ok {
		return nil
	}
	s.chose()
	if len(p.Arguments) == 0 {
		return s.get()
	}
	s.focus = onForm
	return s.form.focus(0)
}

// get asks for the messages.
func (s *promptsScreen) get() action {
	p, ok := s.chosen()
	if !ok || s.server == nil {
		return nil
	}
	if name, at, missing := s.form.missing(); missing {
		s.focus = onForm
		return actions{s.form.focus(at), notice{bad, name + " is needed"}}
	}
	s.getting.stop()
	s.form.blur()
	s.focus, s.got, s.problem, s.doc = onText, p.Name, nil, document{raw: s.doc.raw}
	s.turn++
	server, turn, name, arguments := s.server, s.turn, p.Name, s.form.set()
	s.getting = run(func(ctx context.Context) tea.Msg {
		result, err := server.Prompt(ctx, name, arguments)
		if problem := troubleOf(ctx, err, "it was stopped"); problem != nil {
			return promptGot{turn: turn, problem: problem}
		}
		return promptGot{turn: turn, result: result}
	})
	return s.getting
}

func (s *promptsScreen) show(got promptGot) action {
	if got.turn != s.turn {
		return nil
	}
	s.getting, s.problem, s.result = nil, got.problem, got.result
	s.doc = document{whole: got.result.Raw, raw: s.doc.raw, heads: true, parts: messageParts(got.result.Messages)}
	return s.retype()
}

// messageParts are the messages as parts of a document, headed by who says them.
func messageParts(messages []broker.PromptMessage) []broker.Content {
	parts := make([]broker.Content, len(messages))
	for i, m := range messages {
		parts[i] = m.Content
		parts[i].Name = m.Role
		if parts[i].Type == "text" {
			parts[i].Type = m.Role
			parts[i].Name = ""
		}
	}
	return parts
}

func (s *promptsScreen) retype() action {
	if s.got == "" || s.problem != nil || s.doc.whole == nil && s.doc.parts == nil {
		return nil
	}
	left, right := panes(s.width, 0.4)
	if right == 0 {
		right = left
	}
	return s.doc.typeset(s.look, right-2)
}

func (s *promptsScreen) keys() []binding {
	toList := func() action { s.focus = onList; return nil }
	switch {
	case s.filters:
		done := func() action { s.filters = false; s.filter.Blur(); return nil }
		return []binding{
			{keys: []string{"enter", "down"}, label: "to the list", help: "end the filter", act: done},
			{keys: []string{"esc"}, label: "no filter", help: "take the filter away", act: func() action { s.filter.Reset(); s.find(); return done() }},
		}
	case s.focus == onForm && s.form != nil:
		return s.form.bindings("get", s.get, func() action { s.form.blur(); return toList() })
	}
	var all []binding
	if s.focus == onText {
		all = append(all, binding{keys: []string{"esc"}, label: "back", help: "back to the list", act: toList})
	} else {
		all = append(all, binding{keys: []string{"enter"}, label: "get", help: "fill in the arguments and get the prompt", act: s.enter})
	}
	if s.got != "" {
		all = append(all, s.textKeys()...)
	}
	if p, ok := s.chosen(); ok {
		all = append(all, binding{keys: []string{"c"}, label: "command", help: "copy the command that gets it", act: does(copyText{"the command", s.command(p)})})
	}
	if s.focus == onText {
		return append(all, s.doc.bindings()...)
	}
	all = append(all,
		binding{keys: []string{"/"}, label: "filter", help: "filter the list", act: func() action { s.filters = true; s.filter.Focus(); return nil }},
		s.again("read the list again", s.reload))
	for _, b := range s.list.bindings() {
		act := b.act
		b.act = func() action { act(); s.chose(); return nil }
		all = append(all, b)
	}
	return all
}

// textKeys are those of the messages that were got.
func (s *promptsScreen) textKeys() []binding {
	all := []binding{
		{keys: []string{"y"}, label: "copy", help: "copy the text of the messages", act: func() action { return copyText{"the messages", s.doc.text()} }},
		{keys: []string{"w"}, label: "save", help: "save the messages in a file", act: func() action { return s.doc.saved(s.got) }},
		{keys: []string{"v"}, label: "raw", help: "the message as it came, or what it shows", act: func() action { s.doc.raw = !s.doc.raw; return s.retype() }},
	}
	if s.focus == onText {
		return append(all, binding{keys: []string{"e"}, label: "edit", help: "change the arguments", act: s.enter})
	}
	return append(all, binding{keys: []string{"tab"}, help: "go to the messages", act: func() action { s.focus = onText; return nil }})
}

func (s *promptsScreen) command(p promptItem) string {
	words := []string{"prompts", "get", p.Name}
	if s.form != nil && s.formOf == p.Name {
		set := s.form.set()
		for _, name := range slices.Sorted(maps.Keys(set)) {
			words = append(words, name+"="+set[name])
		}
	}
	return s.commandLine(words...)
}

func (s *promptsScreen) view(width, height int) string {
	left, right := panes(width, 0.4)
	switch {
	case right > 0:
		return s.look.beside(s.listLines(left, height), s.detail(right, height), left, right, height)
	case s.focus != onList:
		return strings.Join(s.detail(width, height), "\n")
	}
	return strings.Join(s.listLines(width, height), "\n")
}

func (s *promptsScreen) listLines(width, height int) []string {
	l := s.look
	lines := []string{right(l.accent.Render("/ ")+s.filter.show(width/2), l.dim.Render(fmt.Sprintf("%d of %d", len(s.found), len(s.all))), width)}
	if len(s.found) == 0 {
		return append(lines, l.emptyLines(s.emptyWords("prompts", s.loaded, s.loading.problem, s.filter.Value() != ""), width)...)
	}
	return append(append(lines, ""), s.list.view(height-2, func(i int, chosen bool) []string {
		p := &s.all[s.found[i]]
		end := plural(len(p.Arguments), "argument", "arguments")
		if !p.Mark.Allowed && p.Mark.Effect != "" {
			end = markWords(p.Mark)
		}
		about := cut("    "+orWord(firstLine(p.description), p.title), width)
		if chosen {
			return []string{l.chosen.Render(right("▸ "+p.name, end, width)), l.dim.Render(about)}
		}
		return []string{right("  "+p.name, l.dim.Render(end), width), l.dim.Render(about)}
	})...)
}

func (s *promptsScreen) detail(width, height int) []string {
	p, ok := s.chosen()
	if !ok {
		return nil
	}
	l := s.look
	lines := []string{l.strong.Render(cut(p.name, width))}
	if s.focus != onText {
		if p.title != "" {
			lines = append(lines, cut(p.title, width))
		}
		if p.description != "" {
			about := wrapped(p.description, width)
			lines = append(lines, about[:min(len(about), max(1, height/4))]...)
		}
		lines = append(lines, "")
		if !p.Mark.Allowed && p.Mark.Effect != "" {
			lines = append(append(lines, l.markLines(p.Mark, width)...), "")
		}
	}
	if s.form != nil && s.formOf == p.Name && (s.focus != onText || width >= 40) {
		lines = append(lines, s.form.lines(width, s.focus == onForm)...)
	}
	if s.got != p.Name {
		return lines
	}
	lines = append(lines, "")
	switch {
	case s.getting != nil:
		return append(lines, l.dim.Render("Getting it…  ctrl+c stops it"))
	case s.problem != nil:
		return append(lines, l.problemLines(s.problem, width)...)
	}
	size := 0
	for _, part := range s.doc.parts {
		size += max(len(part.Text), len(part.Data))
	}
	heading := l.heading.Render("MESSAGES")
	if s.focus == onText {
		heading = l.chosen.Render("MESSAGES")
	}
	lines = append(lines, right(heading, l.dim.Render(plural(len(s.doc.parts), "message", "messages")+", "+byteSize(size)), width), "")
	for _, line := range s.doc.view(max(1, height-len(lines))) {
		lines = append(lines, l.accent.Render("┃ ")+line)
	}
	return lines
}

func (s *promptsScreen) typing() bool { return s.filters || s.focus == onForm }
func (s *promptsScreen) busy() *job   { return s.getting }
func (s *promptsScreen) home() bool {
	return !s.filters && (s.focus == onList || s.width >= twoPanes && s.focus == onText)
}
