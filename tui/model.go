package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/doctor"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/account"
	"github.com/mcpauth/mcpauth/tui/activity"
	"github.com/mcpauth/mcpauth/tui/browse"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/tools"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// model is the only tea.Model. Its files: model.go routes messages, perform.go
// carries out actions, connect.go minds profile and server, frame.go draws.
type model struct {
	*screen.Session
	options Options
	ctx     context.Context
	posts   chan reply // what jobs have to say, one after the other
	tabs    []tab
	status  *account.Screen
	reads   *browse.Resources
	at      int             // the tab that is shown
	over    []screen.Screen // overlays, the topmost last
	opens   *widget.Job     // the connection to the server
	follows *widget.Job     // who is signed in
	began   bool            // it was read once
	waits   []waiting       // for answers of the server, the oldest first

	note     widget.Notice
	noted    time.Time
	leaving  bool     // ctrl+c was the last key
	mouse    bool     // the terminal sends us the mouse
	hitBoxes hitBoxes // where things were drawn
	modeless bool     // no alternate screen, no mouse: a terminal that knows little
}

// tab is a screen with a name of its own in the second line.
type tab struct {
	name, short string
	screen.Screen
}

// counter is a screen that knows how many things it lists.
type counter interface{ Count() (n int, known bool) }

// reply is a message of a job, on its way to the screen that began it; nil is the
// model itself.
type reply struct {
	to  screen.Screen
	msg tea.Msg
}

// posted is what came over model.posts.
type posted reply

// quit is the action that leaves.
type quit struct{}

func newModel(ctx context.Context, o Options) *model {
	term := &screen.Terminal{Theme: widget.NewTheme(o.env), Width: 80, Height: 24, Now: o.Now, Browser: o.Browser}
	if term.Now == nil {
		term.Now = time.Now
	}
	w := &screen.Session{Terminal: term, Overrides: o.Overrides, Explorable: o.Open != nil, ReadOnly: o.ReadOnly}
	m := &model{Session: w, options: o, ctx: ctx, posts: make(chan reply), modeless: o.env("TERM") == "dumb"}
	m.mouse = !m.modeless
	calls := activity.New(term, o.Home.Audit(), w.Explorable)
	m.reads = browse.NewResources(w)
	m.status = account.New(w, account.Sources{Broker: o.Home, Clients: o.Clients, Calls: calls.LastCalls,
		Doctor: doctor.Options{Environ: o.Environ, Executable: o.Executable, Version: o.Version}})
	m.tabs = []tab{
		{"Status", "Status", m.status},
		{"Tools", "Tools", tools.New(w, o.Home.Audit())},
		{"Resources", "Res", m.reads},
		{"Prompts", "Prompts", browse.NewPrompts(w)},
		{"Activity", "Act", calls},
	}
	m.goTo(o.Tab)
	return m
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd {
	cmds := []tea.Cmd{m.listen, ticking(), m.followAccount()}
	if !m.modeless {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	for _, t := range m.tabs {
		cmds = append(cmds, m.begin(t.Screen))
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

func ticking() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return screen.Tick{} })
}

// Update implements tea.Model. It routes.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.Width, m.Height = max(msg.Width, 1), max(msg.Height, 1)
		return m, m.broadcast(msg)
	case tea.BackgroundColorMsg:
		m.Theme.OnBackground(msg.IsDark())
		return m, m.broadcast(screen.ThemeChanged{})
	case screen.Tick:
		return m, tea.Batch(ticking(), m.broadcast(msg), m.everySecond())
	case posted:
		return m, tea.Batch(m.listen, m.deliver(reply(msg)))
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case tea.PasteMsg:
		msg.Content = newlines.Replace(msg.Content)
		top := m.top()
		return m, m.perform(top, top.Update(msg))
	case tea.MouseMsg:
		return m, m.mouseAt(msg)
	}
	return m, nil
}

// newlines are the ends of lines as a terminal pastes them.
var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// deliver gives a job's word to the screen that began it.
func (m *model) deliver(r reply) tea.Cmd {
	if r.to == nil {
		return m.receive(r.msg)
	}
	return m.perform(r.to, r.to.Update(r.msg))
}

// broadcast gives a message to every screen.
func (m *model) broadcast(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, t := range m.tabs {
		cmds = append(cmds, m.perform(t.Screen, t.Screen.Update(msg)))
	}
	for _, s := range m.over {
		cmds = append(cmds, m.perform(s, s.Update(msg)))
	}
	return tea.Batch(cmds...)
}

// top is the screen that has the keys.
func (m *model) top() screen.Screen {
	if len(m.over) > 0 {
		return m.over[len(m.over)-1]
	}
	return m.tabs[m.at].Screen
}

// key does what a key is bound to: of the screen first, then of all.
func (m *model) key(msg tea.KeyPressMsg) tea.Cmd {
	name, top := msg.String(), m.top()
	if name == "ctrl+c" {
		return m.interrupt(top)
	}
	m.leaving, m.note = false, widget.Notice{} // what was said was seen
	if b, ok := widget.Bound(top.Keys(), name); ok {
		return m.perform(top, b.Act())
	}
	if !top.Typing() || slices.Contains(neverText, name) {
		if b, ok := widget.Bound(m.everywhere(), name); ok {
			return m.perform(top, b.Act())
		}
	}
	return m.perform(top, top.Update(msg))
}

// neverText are the keys that do something everywhere, also where letters are text.
var neverText = []string{"f1", "ctrl+p", "ctrl+l"}

// interrupt is ctrl+c: it ends what runs, and leaves when it is pressed again.
func (m *model) interrupt(top screen.Screen) tea.Cmd {
	if m.leaving {
		return tea.Quit
	}
	m.leaving = true
	if j := top.Busy(); j != nil {
		j.Stop()
		m.tellUser(widget.Info("stopped; ctrl+c again leaves"))
		return nil
	}
	m.tellUser(widget.Info("ctrl+c again leaves"))
	return nil
}

func (m *model) tellUser(n widget.Notice) {
	m.note, m.noted = widget.Notice{Level: n.Level, Text: text.CleanLine(n.Text)}, m.Now()
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
	m.opens.Stop()
	if m.Server != nil {
		_ = m.Server.Close() // it is left anyway
	}
}
