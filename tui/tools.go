package tui

import (
	"cmp"
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// toolsScreen lists the tools of the server, and holds what is done with them: a
// form, and the calls.
type toolsScreen struct {
	*world
	list
	filter  filter
	reading *job
	loaded  bool
	err     *broker.Problem
	all     []toolItem
	found   []toolItem
	noDeny  bool // what the policy denies is left out
	likes   favourites

	detail   pager
	schema   bool // the detail is the definition as JSON
	drawn    detailKey
	detailed bool // in one pane: the detail is shown

	page    screen // over the list: a form, or a call; nil for none
	calls   []*call
	numbers int64
}

// toolItem is a tool with its texts cleaned.
type toolItem struct {
	broker.Tool
	name, title, description string
	plan                     *spec // of its arguments
	output                   *spec // of its results; nil where it has no schema
}

// toolsRead is the answer of loading.
type toolsRead struct {
	items []toolItem
	err   *broker.Problem
}

func newToolsScreen(w *world) *toolsScreen {
	return &toolsScreen{world: w, filter: newFilter(w.look), likes: favourites{liked: map[string]bool{}}}
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
			items[i] = newToolItem(t)
		}
		return toolsRead{items: items}
	})
	return s.reading
}

func newToolItem(t broker.Tool) toolItem {
	item := toolItem{Tool: t, name: broker.CleanLine(t.Name), title: broker.CleanLine(t.Title), description: broker.CleanText(strings.TrimSpace(t.Description))}
	schema, err := parseServerJSON(t.InputSchema)
	if err != nil {
		schema = nil
	}
	item.plan = planForm(schema)
	if output, err := parseServerJSON(t.OutputSchema); err == nil && len(t.OutputSchema) > 0 {
		item.output = planForm(output)
	}
	return item
}

func (s *toolsScreen) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case serverUp:
		s.likes.read, s.likes.early = false, nil
		return actions{s.readFavourites(), s.load()}
	case toolsNew, accountNew:
		return s.load()
	case favouritesRead:
		a := s.likes.take(s.world, msg.names)
		s.find()
		return a
	case favouritesSaved:
		return s.likes.saved(s.world, msg.err)
	case serverGone:
		s.loaded, s.all, s.err, s.page = false, nil, nil, nil
		s.find()
	case toolsRead:
		s.reading, s.loaded, s.all, s.err = nil, msg.err == nil, msg.items, msg.err
		s.find()
	case lookNew:
		s.filter.dress(s.look)
		s.drawn = detailKey{}
		return s.toPage(msg)
	case broker.ExplorerEvent:
		s.event(msg)
	case callMsg:
		return s.callSaid(msg)
	case tick:
		for _, c := range s.calls {
			c.dropVoid()
		}
		return s.toPage(msg)
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseWheelMsg, tea.MouseClickMsg:
		if s.page != nil {
			return s.page.update(msg)
		}
		return s.typed(msg)
	default:
		return s.toPage(msg)
	}
	return nil
}

func (s *toolsScreen) toPage(msg tea.Msg) action {
	if s.page == nil {
		return nil
	}
	return s.page.update(msg)
}

// typed takes keys and the mouse for the list.
func (s *toolsScreen) typed(msg tea.Msg) action {
	switch msg := msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		s.filter.typed(msg, func() { s.cursor = 0; s.find() })
	case tea.MouseWheelMsg:
		if left, right := panes(s.width, listShare); s.detailed && right == 0 || right > 0 && msg.X > left {
			s.detail.scroll(wheeled(msg))
		} else {
			s.move(wheeled(msg))
		}
	case tea.MouseClickMsg:
		i, ok := s.at(msg.Y - 2)
		switch left, right := panes(s.width, listShare); {
		case !ok || right > 0 && msg.X > left || s.detailed && right == 0:
		case i == s.cursor:
			return s.open()
		default:
			s.cursor = i
		}
	}
	return nil
}

// find applies the filter. What is liked comes first, then what fits best.
func (s *toolsScreen) find() {
	type hit struct {
		toolItem
		score int
	}
	var hits []hit
	for _, t := range s.all {
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
	slices.SortStableFunc(hits, func(a, b hit) int { return compareBool(s.likes.liked[b.Name], s.likes.liked[a.Name]) })
	s.found = s.found[:0]
	for _, h := range hits {
		s.found = append(s.found, h.toolItem)
	}
	s.resize(len(s.found))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// toolMatch finds a filter in a tool: letter by letter in its names, as a whole in
// its description. Names count more.
func toolMatch(t toolItem, filter string) (score int, ok bool) {
	for i, text := range []string{t.name, t.title} {
		if n, found := matches(text, filter); found && (!ok || n-2000*i > score) {
			score, ok = n-2000*i, true
		}
	}
	if !ok && strings.Contains(strings.ToLower(t.description), strings.ToLower(strings.TrimSpace(filter))) {
		return -10000, true
	}
	return score, ok
}

// denied reports whether a call of the tool would be refused.
func (t *toolItem) denied() bool { return t.Mark.Effect == "deny" }

// chosen is the tool at the cursor.
func (s *toolsScreen) chosen() (toolItem, bool) {
	if s.cursor >= len(s.found) {
		return toolItem{}, false
	}
	return s.found[s.cursor], true
}

// open goes on with the tool at the cursor: to its detail where there is one
// pane, and to its form.
func (s *toolsScreen) open() action {
	if s.width < twoPanes && !s.detailed {
		s.detailed = true
		s.detail.top = 0
		return nil
	}
	return s.form(false)
}

// form opens the form of the tool at the cursor.
func (s *toolsScreen) form(raw bool) action {
	t, ok := s.chosen()
	if !ok {
		return nil
	}
	if refusal := s.refusal(t); refusal != "" {
		return notice{bad, refusal}
	}
	page := newCallForm(s, t)
	if raw {
		page.form.toggleRaw()
	}
	s.page = page
	return nil
}

// refusal says why a tool is not called at all, or nothing. What the policy denies is
// called: the gate says no, and puts it on record.
func (s *toolsScreen) refusal(t toolItem) string {
	if s.ReadOnly && !t.ReadOnly && !t.denied() {
		return t.name + " does not claim to be read-only, and mcpauth was started to look only"
	}
	return ""
}

func (s *toolsScreen) back() action { s.page = nil; return nil }

func (s *toolsScreen) keys() []binding {
	if s.page != nil {
		return s.page.keys()
	}
	if s.filter.on {
		return s.filter.keys(s.find, s.move)
	}
	keys := append(s.listKeys(), s.list.bindings()...)
	if s.asking() > 0 { // first, so that it is seen
		keys = append([]binding{{keys: []string{"a"}, label: "answer", help: "answer what a call asks", act: s.answer}}, keys...)
	}
	return keys
}

func (s *toolsScreen) listKeys() []binding {
	do := func(act func()) func() action { return func() action { act(); return nil } }
	enter := "call"
	if s.width < twoPanes && !s.detailed {
		enter = "open"
	}
	var all []binding
	if _, any := s.chosen(); any {
		all = append(all, s.toolKeys(enter)...)
	} else if len(s.all) > 0 {
		all = append(all, s.filter.open("filter the tools"))
	}
	all = append(all,
		binding{keys: []string{"h"}, label: "hidden", help: "show or leave out what the policy denies", act: do(func() { s.noDeny = !s.noDeny; s.find() })},
		s.again("read the tools again", s.load))
	all = append(all, s.detail.beside([]string{"J", "shift+down"}, []string{"K", "shift+up"})...)
	switch {
	case s.detailed && s.width < twoPanes:
		scroll := func(key string) func() action { return do(func() { s.detail.key(key) }) }
		return append([]binding{
			{keys: []string{"esc", "backspace"}, label: "list", help: "back to the list", act: do(func() { s.detailed = false })},
			{keys: []string{"down", "j"}, help: "down", act: scroll("down")},
			{keys: []string{"up", "k"}, help: "up", act: scroll("up")},
			{keys: []string{"pgdown", "space"}, help: "a page down", act: scroll("pgdown")},
			{keys: []string{"pgup"}, help: "a page up", act: scroll("pgup")},
		}, all...)
	case s.filter.Value() != "":
		return append(all, binding{keys: []string{"esc"}, help: "end the filter", act: func() action { s.filter.end(s.find); return nil }})
	}
	return all
}

// toolKeys are the bindings that need a tool at the cursor.
func (s *toolsScreen) toolKeys(enter string) []binding {
	return []binding{
		{keys: []string{"enter"}, label: enter, help: "fill in the form of this tool", act: s.open},
		s.filter.open("filter the tools"),
		{keys: []string{"e"}, label: "raw JSON", help: "call this tool with raw JSON", act: func() action { return s.form(true) }},
		{keys: []string{"s"}, label: "schema", help: "the tool's definition as JSON, or as a table", act: func() action { s.schema, s.detail.top = !s.schema, 0; return nil }},
		{keys: []string{"y"}, label: "copy", help: "copy the tool's name", act: s.copyName},
		{keys: []string{"Y"}, help: "copy the tool's definition", act: s.copyDefinition},
		{keys: []string{"l"}, label: "last call", help: "the last call of this tool", act: s.lastCall},
		{keys: []string{"f"}, label: "favourite", help: "put this tool first, or not any more", act: s.like},
	}
}

func (s *toolsScreen) copyName() action {
	if t, ok := s.chosen(); ok {
		return copyText{"the name", t.Name}
	}
	return nil
}

func (s *toolsScreen) copyDefinition() action {
	if t, ok := s.chosen(); ok {
		return copyText{"the definition", string(t.Raw)}
	}
	return nil
}

func (s *toolsScreen) like() action {
	t, ok := s.chosen()
	if !ok {
		return nil
	}
	a := s.likes.toggle(s.world, t.Name)
	s.find()
	s.cursor = max(0, slices.IndexFunc(s.found, func(other toolItem) bool { return other.Name == t.Name }))
	return a
}

// answer shows the call that has asked: one of the tool at the cursor, or the oldest.
func (s *toolsScreen) answer() action {
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

func (s *toolsScreen) lastCall() action {
	t, _ := s.chosen()
	for _, c := range s.calls {
		if c.tool.Name == t.Name {
			return s.show(c)
		}
	}
	return notice{info, "there was no call yet"}
}

func (s *toolsScreen) typing() bool { return s.filter.on || s.page != nil && s.page.typing() }

func (s *toolsScreen) busy() *job {
	if s.page != nil {
		return s.page.busy()
	}
	return s.reading
}

// whole tells that what is shown was drawn for the size that it has.
func (s *toolsScreen) whole() bool {
	if page, ok := s.page.(*callForm); ok {
		return page.form.pending() == nil
	}
	page, ok := s.page.(*callPage)
	if !ok {
		return true
	}
	one := page.part()
	return one == nil || one.draw == nil || one.asTree() != nil || one.have == one.wanted && one.have.width == page.partWidth()
}

func (s *toolsScreen) home() bool { return !s.filter.on && !s.detailed && s.page == nil }
