// Package tools is the tab with the tools of the server: the list, the form of a call,
// the call while it runs, and its result.
package tools

import (
	"cmp"
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// Screen lists the tools of the server, and holds what is done with them: a
// form, and the calls.
type Screen struct {
	*screen.Session
	audit audit.Folder
	widget.List
	filter widget.Filter
	list   screen.Loading[toolItem]
	found  []toolItem
	noDeny bool // what the policy denies is left out

	detail   widget.Pager
	schema   bool // the detail is the definition as JSON
	drawn    detailKey
	detailed bool // in one pane: the detail is shown

	page    screen.Screen // over the list: a form, or a call; nil for none
	calls   []*call
	numbers int64
}

// toolItem is a tool with its texts cleaned.
type toolItem struct {
	mcpclient.Tool
	name, title, description string
	schema                   *toolargs.Schema
	input                    *toolargs.Field // its arguments
	output                   *toolargs.Field // its results; nil where it has no schema
}

func New(w *screen.Session, audit audit.Folder) *Screen {
	return &Screen{Session: w, audit: audit, filter: widget.NewFilter(w.Theme)}
}

func (s *Screen) Count() (int, bool) { return len(s.list.All), s.list.Loaded }

func (s *Screen) load() widget.Action {
	server := s.Server
	if server == nil {
		return nil
	}
	return s.list.Load("tools/list", func(ctx context.Context) ([]toolItem, error) {
		tools, err := server.Tools(ctx)
		items := make([]toolItem, len(tools))
		for i, t := range tools {
			items[i] = newToolItem(t)
		}
		return items, err
	})
}

func newToolItem(t mcpclient.Tool) toolItem {
	item := toolItem{Tool: t, name: text.CleanLine(t.Name), title: text.CleanLine(t.Title),
		description: text.CleanText(strings.TrimSpace(t.Description))}
	item.schema = toolargs.Read(t.InputSchema)
	item.input = item.schema.Root()
	if len(t.OutputSchema) > 0 {
		item.output = toolargs.Read(t.OutputSchema).Root()
	}
	return item
}

func (s *Screen) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case screen.ServerUp:
		return s.load()
	case screen.ToolsChanged, screen.AccountChanged:
		return s.load()
	case screen.ServerGone:
		s.list.Forget()
		s.page = nil
		s.find()
	case screen.ListRead[toolItem]:
		s.list.Take(msg)
		s.find()
	case screen.ThemeChanged:
		s.filter.Dress(s.Theme)
		s.drawn = detailKey{}
		return s.toPage(msg)
	case mcpclient.Event:
		s.event(msg)
	case callMsg:
		return s.callMessage(msg)
	case screen.Tick:
		for _, c := range s.calls {
			c.dropVoid()
		}
		return s.toPage(msg)
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseWheelMsg, tea.MouseClickMsg:
		if s.page != nil {
			return s.page.Update(msg)
		}
		return s.typed(msg)
	default:
		return s.toPage(msg)
	}
	return nil
}

func (s *Screen) toPage(msg tea.Msg) widget.Action {
	if s.page == nil {
		return nil
	}
	return s.page.Update(msg)
}

// typed takes keys and the mouse for the list.
func (s *Screen) typed(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		s.filter.Typed(msg, func() { s.Cursor = 0; s.find() })
	case tea.MouseWheelMsg:
		if left, right := widget.Panes(s.Width, listShare); s.detailed && right == 0 || right > 0 && msg.X > left {
			s.detail.Scroll(widget.Wheeled(msg))
		} else {
			s.Move(widget.Wheeled(msg))
		}
	case tea.MouseClickMsg:
		i, ok := s.At(msg.Y - 2)
		switch left, right := widget.Panes(s.Width, listShare); {
		case !ok || right > 0 && msg.X > left || s.detailed && right == 0:
		case i == s.Cursor:
			return s.open()
		default:
			s.Cursor = i
		}
	}
	return nil
}

// find applies the filter. What fits best comes first. Without a filter the chosen tool
// stays chosen.
func (s *Screen) find() {
	chosen, _ := s.chosen()
	type hit struct {
		toolItem
		score int
	}
	var hits []hit
	for _, t := range s.list.All {
		if s.noDeny && t.denied() {
			continue
		}
		if score, ok := toolMatch(t, s.filter.Value()); ok {
			hits = append(hits, hit{t, score})
		}
	}
	if strings.TrimSpace(s.filter.Value()) != "" {
		slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
	}
	s.found = s.found[:0]
	for _, h := range hits {
		s.found = append(s.found, h.toolItem)
	}
	s.Resize(len(s.found))
	if i := slices.IndexFunc(s.found, func(t toolItem) bool { return t.Name == chosen.Name }); i >= 0 && s.filter.Value() == "" {
		s.Cursor = i
	}
}

// toolMatch finds a filter in a tool: its words in a name, or as a whole in its
// description. Names count more.
func toolMatch(t toolItem, filter string) (score int, ok bool) {
	for i, text := range []string{t.name, t.title} {
		if n, found := widget.Matches(text, filter); found && (!ok || n-2000*i > score) {
			score, ok = n-2000*i, true
		}
	}
	if !ok && strings.Contains(strings.ToLower(t.description), strings.ToLower(strings.TrimSpace(filter))) {
		return -10000, true
	}
	return score, ok
}

// denied reports whether a call of the tool would be refused.
func (t *toolItem) denied() bool { return t.Access.Effect == "deny" }

// chosen is the tool at the cursor.
func (s *Screen) chosen() (toolItem, bool) {
	if s.Cursor >= len(s.found) {
		return toolItem{}, false
	}
	return s.found[s.Cursor], true
}

// open goes on with the tool at the cursor: to its detail where there is one
// pane, and to its form.
func (s *Screen) open() widget.Action {
	if s.Width < widget.TwoPanes && !s.detailed {
		s.detailed = true
		s.detail.Top = 0
		return nil
	}
	return s.form(false)
}

// form opens the form of the tool at the cursor.
func (s *Screen) form(raw bool) widget.Action {
	t, ok := s.chosen()
	if !ok {
		return nil
	}
	if refusal := s.refusal(t); refusal != "" {
		return widget.Bad(refusal)
	}
	page := newCallForm(s, t)
	if raw {
		page.form.ToggleJSON()
	}
	s.page = page
	return nil
}

// refusal says why a tool is not called at all, or nothing. What the policy denies is
// called: the gate denies and logs it.
func (s *Screen) refusal(t toolItem) string {
	if s.ReadOnly && !t.ReadOnly && !t.denied() {
		return t.name + " does not claim to be read-only, and mcpauth was started to look only"
	}
	return ""
}

func (s *Screen) back() widget.Action { s.page = nil; return nil }

func (s *Screen) Keys() []widget.Binding {
	if s.page != nil {
		return s.page.Keys()
	}
	if s.filter.On {
		return s.filter.Keys(s.find, s.Move)
	}
	keys := append(s.listKeys(), s.List.Bindings()...)
	if s.asking() > 0 { // first, so that it is seen
		keys = append([]widget.Binding{widget.Bind("a", "answer", "answer what a call asks", s.answer)}, keys...)
	}
	return keys
}

func (s *Screen) listKeys() []widget.Binding {
	enter := "call"
	if s.Width < widget.TwoPanes && !s.detailed {
		enter = "open"
	}
	var all []widget.Binding
	if _, any := s.chosen(); any {
		all = append(all, s.toolKeys(enter)...)
	} else if len(s.list.All) > 0 {
		all = append(all, s.filter.Open("filter the tools"))
	}
	all = append(all,
		widget.Bind("h", "hidden", "show or leave out what the policy denies", widget.Do(func() { s.noDeny = !s.noDeny; s.find() })),
		s.Again("read the tools again", s.load))
	all = append(all, s.detail.SideBindings([]string{"J", "shift+down"}, []string{"K", "shift+up"})...)
	switch {
	case s.detailed && s.Width < widget.TwoPanes:
		scroll := func(key string) func() widget.Action { return widget.Do(func() { s.detail.Key(key) }) }
		return append([]widget.Binding{
			widget.Bind("esc backspace", "list", "back to the list", widget.Do(func() { s.detailed = false })),
			widget.Bind("down j", "", "down", scroll("down")),
			widget.Bind("up k", "", "up", scroll("up")),
			widget.Bind("pgdown space", "", "a page down", scroll("pgdown")),
			widget.Bind("pgup", "", "a page up", scroll("pgup")),
		}, all...)
	case s.filter.Value() != "":
		return append(all, widget.Bind("esc", "", "end the filter", widget.Do(func() { s.filter.End(s.find) })))
	}
	return all
}

// toolKeys are the bindings that need a tool at the cursor.
func (s *Screen) toolKeys(enter string) []widget.Binding {
	return []widget.Binding{
		widget.Bind("enter", enter, "fill in the form of this tool", s.open),
		s.filter.Open("filter the tools"),
		widget.Bind("e", "raw JSON", "call this tool with raw JSON", func() widget.Action { return s.form(true) }),
		widget.Bind("s", "schema", "the tool's definition as JSON, or as a table", widget.Do(func() { s.schema, s.detail.Top = !s.schema, 0 })),
		widget.Bind("y", "copy", "copy the tool's name", s.copyName),
		widget.Bind("Y", "", "copy the tool's definition", s.copyDefinition),
		widget.Bind("l", "last call", "the last call of this tool", s.lastCall),
	}
}

func (s *Screen) copyName() widget.Action {
	if t, ok := s.chosen(); ok {
		return widget.CopyText{What: "the name", Text: t.Name}
	}
	return nil
}

func (s *Screen) copyDefinition() widget.Action {
	if t, ok := s.chosen(); ok {
		return widget.CopyText{What: "the definition", Text: string(t.Raw)}
	}
	return nil
}

// answer shows the call that has asked: one of the tool at the cursor, or the oldest.
func (s *Screen) answer() widget.Action {
	t, _ := s.chosen()
	for _, any := range []bool{false, true} {
		for _, c := range slices.Backward(s.calls) {
			if c.waits() && (any || c.tool.Name == t.Name) {
				return s.show(c)
			}
		}
	}
	return nil
}

func (s *Screen) lastCall() widget.Action {
	t, _ := s.chosen()
	for _, c := range s.calls {
		if c.tool.Name == t.Name {
			return s.show(c)
		}
	}
	return widget.Info("there was no call yet")
}

func (s *Screen) Typing() bool { return s.filter.On || s.page != nil && s.page.Typing() }

func (s *Screen) Busy() *widget.Job {
	if s.page != nil {
		return s.page.Busy()
	}
	return s.list.Reading
}

// Whole tells that what is shown was drawn for the size that it has.
func (s *Screen) Whole() bool {
	page, ok := s.page.(*callPage)
	if !ok {
		return true
	}
	one := page.part()
	return one == nil || one.Draw == nil || one.AsTree() != nil || one.Have == one.Wanted && one.Have.Width == page.partWidth()
}

func (s *Screen) AtHome() bool { return !s.filter.On && !s.detailed && s.page == nil }
