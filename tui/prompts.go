package tui

import (
	"context"
	"fmt"
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// promptsScreen lists the prompts, takes their arguments and shows the messages.
type promptsScreen struct {
	loading[promptItem]
	beside
	found []int  // of all, by the filter
	got   string // the prompt whose messages are shown
}

// promptItem is a prompt with its texts cleaned.
type promptItem struct {
	broker.Prompt
	name, title, description string
}

func newPromptsScreen(w *world) *promptsScreen {
	return &promptsScreen{beside: newBeside(w, 0.4, 2, 2)}
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
		s.gone()
		s.find()
	case listRead[promptItem]:
		s.take(msg)
		s.find()
	case tea.MouseWheelMsg, tea.MouseClickMsg:
		return s.pointed(msg, s.chose, s.enter)
	default:
		return s.hear(msg, s.find)
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
func (s *promptsScreen) chose() action {
	p, ok := s.chosen()
	if ok && (s.form == nil || s.formOf != p.Name) {
		s.form, s.formOf = newArgumentForm(s.world, broker.CompletionRef{Prompt: p.Name}, p.Arguments), p.Name
	}
	return nil
}

// enter goes to the arguments, or gets a prompt that has none.
func (s *promptsScreen) enter() action {
	p, ok := s.chosen()
	if !ok {
		return nil
	}
	s.chose()
	if len(p.Arguments) == 0 {
		return s.ask()
	}
	s.focus = onForm
	return s.form.focus(0)
}

// ask asks for the messages.
func (s *promptsScreen) ask() action {
	p, ok := s.chosen()
	if !ok || s.server == nil {
		return nil
	}
	if name, at, missing := s.form.missing(); missing {
		s.focus = onForm
		return actions{s.form.focus(at), notice{bad, name + " is needed"}}
	}
	s.form.blur()
	s.got = p.Name
	server, name, arguments := s.server, p.Name, s.form.set()
	return s.get("it was stopped", func(ctx context.Context) (document, error) {
		result, err := server.Prompt(ctx, name, arguments)
		return document{whole: result.Raw, heads: true, parts: messageParts(result.Messages)}, err
	})
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

func (s *promptsScreen) keys() []binding {
	switch {
	case s.filter.on:
		return s.filter.keys(s.find, s.move)
	case s.focus == onForm && s.form != nil:
		return s.form.bindings("get", s.ask, s.toList)
	}
	var all []binding
	if s.focus == onText {
		all = append(all, binding{keys: []string{"esc"}, label: "back", help: "back to the list", act: s.toList})
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
	all = append(all, s.filter.open("filter the list"), s.again("read the list again", s.reload))
	return append(all, s.moves(s.chose)...)
}

// textKeys are those of the messages that were got.
func (s *promptsScreen) textKeys() []binding {
	all := []binding{
		{keys: []string{"y"}, label: "copy", help: "copy the text of the messages", act: func() action { return copyText{"the messages", s.doc.text()} }},
		{keys: []string{"w"}, label: "save", help: "save the messages in a file", act: func() action { return s.doc.saved(s.got) }},
		s.otherForm(),
	}
	if s.focus == onText {
		return append(all, binding{keys: []string{"e"}, label: "edit", help: "change the arguments", act: s.enter})
	}
	return append(all, binding{keys: []string{"tab"}, help: "go to the messages", act: s.toText})
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
	return s.sideBySide(s.listLines, s.detail, width, height)
}

func (s *promptsScreen) listLines(width, height int) []string {
	l := s.look
	lines := []string{s.filter.line(l, fmt.Sprintf("%d of %d", len(s.found), len(s.all)), width)}
	if len(s.found) == 0 {
		return append(lines, l.emptyLines(s.emptyWords("prompts", s.loaded, s.problem, s.filter.Value() != ""), width)...)
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
		s.formFrom = len(lines)
		lines = append(lines, s.form.lines(width, s.focus == onForm)...)
	}
	if s.got != p.Name {
		return lines
	}
	lines = append(lines, "")
	switch {
	case s.getting != nil:
		return append(lines, l.dim.Render("Getting it…  ctrl+c stops it"))
	case s.trouble != nil:
		return append(lines, l.problemLines(s.trouble, width)...)
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
