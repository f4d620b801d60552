package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// model is the only tea.Model. Its files: model.go routes messages, perform.go
// carries out actions, connect.go minds profile and server, frame.go draws.
type model struct {
	*world
	ctx     context.Context
	posts   chan reply // what jobs have to say, one after the other
	tabs    []tab
	at      int      // the tab that is shown
	over    []screen // overlays, the topmost last
	opens   *job     // the connection to the server
	follows *job     // who is signed in
	began   bool     // it was read once

	note     notice
	noted    time.Time
	leaving  bool // ctrl+c was the last key
	mouse    bool // the terminal sends us the mouse
	hits     hits // where things were drawn
	modeless bool // no alternate screen, no mouse: a terminal that knows little
}

// tab is a screen with a name of its own in the second line.
type tab struct {
	name, short string
	screen
}

// counter is a screen that knows how many things it lists.
type counter interface{ count() (n int, known bool) }

// posted is what came over model.posts.
type posted reply

func newModel(ctx context.Context, o Options) *model {
	w := &world{Options: o, look: newLook(o.env), width: 80, height: 24}
	m := &model{world: w, ctx: ctx, posts: make(chan reply), modeless: o.env("TERM") == "dumb"}
	m.mouse = !m.modeless
	m.tabs = []tab{
		{"Status", "Status", newStatusScreen(w)},
		{"Tools", "Tools", newToolsScreen(w)},
		{"Resources", "Res", newResourcesScreen(w)},
		{"Prompts", "Prompts", newPromptsScreen(w)},
		{"Activity", "Act", newActivityScreen(w)},
	}
	m.goTo(o.Tab)
	return m
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd {
	cmds := []tea.Cmd{m.listen, ticking(), m.followAccount(), m.start(m, followRecord(m.Home.Audit()))}
	if !m.modeless {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	for _, t := range m.tabs {
		if b, ok := t.screen.(interface{ begin() action }); ok {
			cmds = append(cmds, m.perform(t.screen, b.begin()))
		}
	}
	return tea.Batch(cmds...)
}

// listen waits for the next word of a job.
func (m *model) listen() tea.Msg {
	select {
	case r := <-m.posts:
		return posted(r)
	case <-m.ctx.Done():
		return nil
	}
}

func ticking() tea.Cmd { return tea.Tick(time.Second, func(time.Time) tea.Msg { return tick{} }) }

// Update implements tea.Model. It routes.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, 1), max(msg.Height, 1)
		return m, m.tell(msg)
	case tea.BackgroundColorMsg:
		m.look.onBackground(msg.IsDark())
		return m, m.tell(lookNew{})
	case tick:
		return m, tea.Batch(ticking(), m.tell(msg), m.everySecond())
	case posted:
		return m, tea.Batch(m.listen, m.deliver(reply(msg)))
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case tea.PasteMsg:
		msg.Content = newlines.Replace(msg.Content)
		top := m.top()
		return m, m.perform(top, top.update(msg))
	case tea.MouseMsg:
		return m, m.mouseAt(msg)
	}
	return m, nil
}

// newlines are the ends of lines as a terminal pastes them.
var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// deliver gives a job's word to the screen that began it.
func (m *model) deliver(r reply) tea.Cmd {
	if r.to == screen(m) {
		return m.heard(r.msg)
	}
	return m.perform(r.to, r.to.update(r.msg))
}

// tell gives a message to every screen.
func (m *model) tell(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, t := range m.tabs {
		cmds = append(cmds, m.perform(t.screen, t.screen.update(msg)))
	}
	for _, s := range m.over {
		cmds = append(cmds, m.perform(s, s.update(msg)))
	}
	return tea.Batch(cmds...)
}

// top is the screen that has the keys.
func (m *model) top() screen {
	if len(m.over) > 0 {
		return m.over[len(m.over)-1]
	}
	return m.tabs[m.at].screen
}

// key does what a key is bound to: of the screen first, then of all.
func (m *model) key(msg tea.KeyPressMsg) tea.Cmd {
	name, top := msg.String(), m.top()
	if name == "ctrl+c" {
		return m.interrupt(top)
	}
	m.leaving, m.note = false, notice{} // what was said was seen
	if b, ok := bound(top.keys(), name); ok {
		return m.perform(top, b.act())
	}
	if !top.typing() || slices.Contains(neverText, name) {
		if b, ok := bound(m.everywhere(), name); ok {
			return m.perform(top, b.act())
		}
	}
	return m.perform(top, top.update(msg))
}

// neverText are the keys that do something everywhere, also where letters are text.
var neverText = []string{"f1", "ctrl+p", "ctrl+l"}

// interrupt is ctrl+c: it ends what runs, and leaves when it is pressed again.
func (m *model) interrupt(top screen) tea.Cmd {
	if m.leaving {
		return tea.Quit
	}
	m.leaving = true
	if j := top.busy(); j != nil {
		j.stop()
		m.tellUser(notice{info, "stopped; ctrl+c again leaves"})
		return nil
	}
	m.tellUser(notice{info, "ctrl+c again leaves"})
	return nil
}

func (m *model) tellUser(n notice) {
	m.note, m.noted = notice{n.level, broker.CleanLine(n.text)}, m.now()
}

// goTo shows the tab of this name, in any case.
func (m *model) goTo(name string) {
	for i, known := range TabNames() {
		if known == name {
			m.at = i
		}
	}
}

// close ends what still runs.
func (m *model) close() {
	m.opens.stop()
	if m.server != nil {
		_ = m.server.Close() // it is left anyway
	}
}

// The model is a screen of its own where its jobs are concerned.

func (m *model) update(tea.Msg) action { return nil }
func (m *model) keys() []binding       { return nil }
func (m *model) view(int, int) string  { return "" }
func (m *model) typing() bool          { return false }
func (m *model) busy() *job            { return nil }
func (m *model) home() bool            { return true }
