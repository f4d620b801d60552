package tui

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// toolsScreen lists the tools of the server.
type toolsScreen struct {
	*world
	list
	filter  field
	filters bool // the filter has the keys
	reading *job
	loaded  bool
	err     *broker.Problem
	all     []toolItem
	found   []toolItem
}

// toolItem is a tool with its texts cleaned.
type toolItem struct {
	broker.Tool
	name, title, description string
}

// toolsRead is the answer of loading.
type toolsRead struct {
	items []toolItem
	err   *broker.Problem
}

func newToolsScreen(w *world) *toolsScreen {
	return &toolsScreen{world: w, filter: newField(w.look, "filter")}
}

func (s *toolsScreen) count() (int, bool) { return len(s.all), s.loaded }

func (s *toolsScreen) load() action {
	server := s.server
	if server == nil {
		return nil
	}
	s.reading.stop()
	s.reading = run(func(ctx context.Context) tea.Msg {
		tools, err := server.Tools(ctx)
		if ctx.Err() != nil {
			return nil // another one was begun
		}
		if err != nil {
			return toolsRead{err: broker.AsProblem(err)}
		}
		items := make([]toolItem, len(tools))
		for i, t := range tools {
			items[i] = toolItem{t, broker.CleanLine(t.Name), broker.CleanLine(t.Title), broker.CleanText(t.Description)}
		}
		return toolsRead{items: items}
	})
	return s.reading
}

func (s *toolsScreen) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case serverUp, toolsNew, accountNew:
		return s.load()
	case serverGone:
		s.loaded, s.all, s.err = false, nil, nil
		s.find()
	case toolsRead:
		s.loaded, s.all, s.err = msg.err == nil, msg.items, msg.err
		s.find()
	case lookNew:
		s.filter.dress(s.look)
	case tea.KeyPressMsg, tea.PasteMsg:
		if s.filters {
			s.filter.update(msg)
			s.find()
		}
	case tea.MouseWheelMsg:
		s.move(wheeled(msg))
	case tea.MouseClickMsg:
		if i, ok := s.at(msg.Y - 2); ok {
			s.cursor = i
		}
	}
	return nil
}

func (s *toolsScreen) find() {
	s.found = slices.DeleteFunc(slices.Clone(s.all), func(t toolItem) bool {
		_, ok := matches(t.name+" "+t.title+" "+t.description, s.filter.Value())
		return !ok
	})
	s.resize(len(s.found))
}

func (s *toolsScreen) keys() []binding {
	if s.filters {
		return []binding{
			{keys: []string{"enter", "esc"}, label: "done", help: "end the filter", act: func() action { s.filters = false; s.filter.Blur(); return nil }},
		}
	}
	return append([]binding{
		{keys: []string{"/"}, label: "filter", help: "filter the tools", act: func() action { s.filters = true; s.filter.Focus(); return nil }},
		{keys: []string{"r"}, label: "reload", help: "read the tools again", act: s.load},
	}, s.list.bindings()...)
}

func (s *toolsScreen) view(width, height int) string {
	if s.err != nil {
		return strings.Join(s.look.problemLines(s.err, width), "\n")
	}
	lines := []string{s.look.accent.Render("/ ") + s.filter.show(width-2), ""}
	return strings.Join(append(lines, s.list.view(height-2, func(i int, chosen bool) []string {
		t := s.found[i]
		mark, style := "  ", s.look.strong.UnsetBold()
		if chosen {
			mark, style = "▸ ", s.look.chosen
		}
		return []string{style.Render(fit(mark+t.name, width)), s.look.dim.Render(cut("    "+t.description, width))}
	})...), "\n")
}

func (s *toolsScreen) typing() bool { return s.filters }
func (s *toolsScreen) busy() *job   { return s.reading }
func (s *toolsScreen) home() bool   { return !s.filters }
