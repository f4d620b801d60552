package browse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// Prompts lists the prompts, takes their arguments and shows the messages.
type Prompts struct {
	screen.Loading[promptItem]
	splitPane
	found []int  // of all, by the filter
	got   string // the prompt whose messages are shown
}

// promptItem is a prompt with its texts cleaned.
type promptItem struct {
	mcpclient.Prompt
	name, title, description string
}

func NewPrompts(w *screen.Session) *Prompts {
	return &Prompts{splitPane: newSplitPane(w, 0.4, 2, 2)}
}

func (s *Prompts) Count() (int, bool) { return len(s.All), s.Loaded }

func (s *Prompts) reload() widget.Action {
	server := s.Server
	if server == nil || s.Info.Lacks["prompts"] {
		s.Loaded = server != nil
		return nil
	}
	return s.Load("prompts/list", func(ctx context.Context) ([]promptItem, error) {
		prompts, err := server.Prompts(ctx)
		items := make([]promptItem, len(prompts))
		for i, p := range prompts {
			items[i] = promptItem{p, text.CleanLine(p.Name), text.CleanLine(p.Title), text.CleanText(p.Description)}
		}
		return items, err
	})
}

func (s *Prompts) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case screen.ServerUp, screen.AccountChanged, screen.PromptsChanged:
		return s.reload()
	case screen.ServerGone:
		s.Forget()
		s.gone()
		s.find()
	case screen.ListRead[promptItem]:
		s.Take(msg)
		s.find()
	case tea.MouseWheelMsg, tea.MouseClickMsg:
		return s.pointed(msg, s.chose, s.enter)
	default:
		return s.receive(msg, s.find)
	}
	return nil
}

// find applies the filter. Without one the chosen prompt stays chosen.
func (s *Prompts) find() {
	chosen := -1
	if s.Cursor < len(s.found) {
		chosen = s.found[s.Cursor]
	}
	s.found = s.found[:0]
	for i := range s.All {
		p := &s.All[i]
		if _, ok := widget.Matches(p.name+" "+p.title+" "+p.description, s.filter.Value()); ok {
			s.found = append(s.found, i)
		}
	}
	s.Resize(len(s.found))
	if i := slices.Index(s.found, chosen); i >= 0 && s.filter.Value() == "" {
		s.Cursor = i
	}
	s.chose()
}

func (s *Prompts) chosen() (promptItem, bool) {
	if s.Cursor >= len(s.found) {
		return promptItem{}, false
	}
	return s.All[s.found[s.Cursor]], true
}

// chose prepares the form of the prompt that is chosen.
func (s *Prompts) chose() widget.Action {
	p, ok := s.chosen()
	if ok && (s.form == nil || s.formOf != p.Name) {
		s.form, s.formOf = newArgumentForm(s.Session, mcpclient.CompletionRef{Prompt: p.Name}, p.Arguments), p.Name
	}
	return nil
}

// enter goes to the arguments, or gets a prompt that has none.
func (s *Prompts) enter() widget.Action {
	p, ok := s.chosen()
	if !ok {
		return nil
	}
	s.chose()
	if len(p.Arguments) == 0 {
		return s.ask()
	}
	s.focus = onForm
	return s.form.focus()
}

// ask asks for the messages.
func (s *Prompts) ask() widget.Action {
	p, ok := s.chosen()
	if !ok || s.Server == nil {
		return nil
	}
	if name := s.form.GoToMissing(); name != "" {
		s.focus = onForm
		return widget.Actions{s.form.focus(), widget.Bad(name + " is needed")}
	}
	s.form.blur()
	s.got = p.Name
	server, name, arguments := s.Server, p.Name, s.form.set()
	return s.get("prompts/get", "it was stopped", func(ctx context.Context) (widget.Viewer, error) {
		result, err := server.Prompt(ctx, name, arguments)
		return widget.Viewer{Whole: result.Raw, Heads: true, Parts: messageParts(result.Messages)}, err
	})
}

// messageParts are the messages as parts of a document, headed by who says them.
func messageParts(messages []mcpclient.PromptMessage) []mcpclient.Content {
	parts := make([]mcpclient.Content, len(messages))
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

func (s *Prompts) Keys() []widget.Binding {
	switch {
	case s.filter.On:
		return s.filter.Keys(s.find, s.Move)
	case s.focus == onForm && s.form != nil:
		return s.form.bindings("get", s.ask, s.toList)
	}
	var all []widget.Binding
	if s.focus == onText {
		all = append(all, widget.Bind("esc", "back", "back to the list", s.toList))
	} else {
		all = append(all, widget.Bind("enter", "get", "fill in the arguments and get the prompt", s.enter))
	}
	if s.got != "" {
		all = append(all, s.textKeys()...)
	}
	if p, ok := s.chosen(); ok {
		all = append(all, widget.Bind("c", "command", "copy the command that gets it",
			widget.Does(widget.CopyText{What: "the command", Text: s.command(p)})))
	}
	if s.focus == onText {
		return append(all, s.doc.Bindings()...)
	}
	all = append(all, s.filter.Open("filter the list"), s.Again("read the list again", s.reload))
	return append(all, s.moves(s.chose)...)
}

// textKeys are those of the messages that were got.
func (s *Prompts) textKeys() []widget.Binding {
	all := []widget.Binding{
		widget.Bind("y", "copy", "copy the text of the messages", widget.Copies("the messages", s.doc.Text)),
		widget.Bind("w", "save", "save the messages in a file", func() widget.Action { return s.doc.Saved(s.got) }),
		s.otherForm(),
	}
	if s.focus == onText {
		return append(all, widget.Bind("e", "edit", "change the arguments", s.enter))
	}
	return append(all, widget.Bind("tab", "", "go to the messages", s.toText))
}

func (s *Prompts) command(p promptItem) string {
	words := []string{"prompts", "get", p.Name}
	if s.form != nil && s.formOf == p.Name {
		set := s.form.set()
		for _, name := range slices.Sorted(maps.Keys(set)) {
			words = append(words, name+"="+set[name])
		}
	}
	return s.commandLine(words...)
}

func (s *Prompts) View(width, height int) string {
	return s.sideBySide(s.listLines, s.detail, width, height)
}

func (s *Prompts) listLines(width, height int) []string {
	l := s.Theme
	lines := []string{s.filter.Line(l, fmt.Sprintf("%d of %d", len(s.found), len(s.All)), width)}
	if len(s.found) == 0 {
		return append(lines, screen.EmptyLines(l, s.EmptyText("prompts", s.Loaded, s.Problem, s.filter.Value() != ""), width)...)
	}
	return append(append(lines, ""), s.List.View(height-2, func(i int, chosen bool) []string {
		p := &s.All[s.found[i]]
		end := text.Count(len(p.Arguments), "argument")
		if !p.Access.Allowed && p.Access.Effect != "" {
			end = accessLabels(p.Access)
		}
		about := widget.Cut("    "+cmp.Or(widget.FirstLine(p.description), p.title), width)
		if chosen {
			return []string{l.Chosen.Render(widget.Right("▸ "+p.name, end, width)), l.Dim.Render(about)}
		}
		return []string{widget.Right("  "+p.name, l.Dim.Render(end), width), l.Dim.Render(about)}
	})...)
}

func (s *Prompts) detail(width, height int) []string {
	p, ok := s.chosen()
	if !ok {
		return nil
	}
	lines := []string{s.Theme.Strong.Render(widget.Cut(p.name, width))}
	if s.focus != onText {
		lines = append(lines, s.aboutLines(p, width, height)...)
	}
	if s.form != nil && !s.form.Empty() && s.formOf == p.Name && (s.focus != onText || width >= 40) {
		s.formFrom = len(lines)
		lines = append(lines, s.form.View(width, max(height-len(lines)-1, 4))...)
	}
	if s.got != p.Name {
		return lines
	}
	return append(append(lines, ""), s.messageLines(width, height-len(lines)-1)...)
}

// aboutLines says what the prompt is for, and what the policy says against it.
func (s *Prompts) aboutLines(p promptItem, width, height int) (lines []string) {
	if p.title != "" {
		lines = append(lines, widget.Cut(p.title, width))
	}
	if p.description != "" {
		about := widget.Wrapped(p.description, width)
		lines = append(lines, about[:min(len(about), max(1, height/4))]...)
	}
	lines = append(lines, "")
	if !p.Access.Allowed && p.Access.Effect != "" {
		lines = append(append(lines, markLines(s.Theme, p.Access, width)...), "")
	}
	return lines
}

// messageLines are the messages that were got, or why there are none yet.
func (s *Prompts) messageLines(width, height int) []string {
	l := s.Theme
	switch {
	case s.getting != nil:
		return []string{l.Dim.Render("Getting it…  ctrl+c stops it")}
	case s.failure != nil:
		return l.ProblemLines(s.failure, width)
	}
	heading := l.Heading.Render("MESSAGES")
	if s.focus == onText {
		heading = l.Chosen.Render("MESSAGES")
	}
	count := text.Count(len(s.doc.Parts), "message") + ", " + widget.ByteSize(s.doc.Size())
	lines := []string{widget.Right(heading, l.Dim.Render(count), width), ""}
	for _, line := range s.doc.View(max(1, height-2)) {
		lines = append(lines, l.Accent.Render("┃ ")+line)
	}
	return lines
}
