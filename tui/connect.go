package tui

import (
	"context"
	"slices"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/account"
	"github.com/mcpauth/mcpauth/tui/activity"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// The model's own messages and actions: profile, sign-in and server.
type (
	accountRead struct {
		resolved config.Resolved
		account  broker.SignInStatus
		problem  *problem.Problem
	}
	serverOpened struct {
		server screen.Server
		info   screen.ServerInfo
	}
	serverFailed struct{ problem *problem.Problem }
	events       []mcpclient.Event
	toggle       string // the action that switches "mouse" or "theme"
)

// followAccount tells who is signed in to which profile, now and whenever it has
// become otherwise. As long as there is no profile it looks for one.
func (m *model) followAccount() tea.Cmd {
	m.follows.Stop()
	home, overrides := m.options.Home, m.Overrides
	m.follows = &widget.Job{Do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
		resolved, err := home.Resolve(overrides)
		for err != nil {
			send(accountRead{problem: problem.Of(err)})
			select {
			case <-time.After(lookAgain):
			case <-ctx.Done():
				return nil
			}
			resolved, err = home.Resolve(overrides)
		}
		for status := range home.Watch(ctx, resolved) {
			send(accountRead{resolved: resolved, account: status, problem: keychainTrouble(status)})
		}
		return nil
	}}
	return m.start(nil, m.follows)
}

// lookAgain is how often a missing profile is looked for.
const lookAgain = 2 * time.Second

// keychainTrouble is what the keychain says where nothing is known because of it.
func keychainTrouble(s broker.SignInStatus) *problem.Problem {
	if s.State != broker.Degraded || s.User.Sub != "" || s.Err == nil {
		return nil
	}
	return problem.Of(s.Err)
}

// receive takes the messages of the model's own jobs.
func (m *model) receive(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case accountRead:
		return m.takeAccount(msg)
	case serverOpened:
		m.Server, m.Info, m.Starting, m.Down, m.Since = msg.server, msg.info, false, nil, m.Now()
		m.Log.Add(screen.LogLine{At: m.Now(), Level: screen.LevelOurs, Text: "the server was started"})
		return m.broadcast(screen.ServerUp{})
	case serverFailed:
		return m.serverEnded(msg.problem)
	case events:
		var cmds []tea.Cmd
		for _, e := range msg {
			cmds = append(cmds, m.event(e))
		}
		return tea.Batch(cmds...)
	case widget.Notice:
		m.tellUser(msg)
	case account.Done:
		m.tellUser(msg.Notice)
		return m.followAccount()
	}
	return nil
}

func (m *model) takeAccount(read accountRead) tea.Cmd {
	first := !m.began || m.Resolved.Name != read.resolved.Name
	m.began = true
	m.Resolved, m.Account, m.Problem = read.resolved, read.account, read.problem
	m.NoProfile = read.problem != nil && config.NoProfile(read.problem)
	m.Locked, m.Known = broker.IsLocked(read.account.Err), read.problem != nil || read.account.State != broker.Loading
	cmds := []tea.Cmd{m.broadcast(screen.AccountChanged{})}
	if first {
		cmds = append(cmds, m.connect())
	}
	return tea.Batch(cmds...)
}

// performOwn carries out what only the model can do.
func (m *model) performOwn(a widget.Action) tea.Cmd {
	switch a := a.(type) {
	case screen.ShowLog:
		return m.perform(nil, screen.Over(activity.NewLog(m.Terminal, &m.Log)))
	case screen.Reconnect:
		return m.connect()
	case screen.Reread:
		return m.followAccount()
	case screen.UseProfile:
		m.Overrides.Profile, m.Known = string(a), false
		return m.followAccount()
	case screen.BindingChosen:
		return m.perform(m.top(), a.Act())
	case screen.AsModel:
		return m.perform(nil, a.Action)
	case toggle:
		m.toggle(string(a))
		return m.broadcast(screen.ThemeChanged{})
	}
	return nil
}

func (m *model) toggle(what string) {
	switch what {
	case "mouse":
		m.mouse = !m.mouse
		m.tellUser(widget.Info(map[bool]string{true: "the mouse works here", false: "the mouse selects text; m takes it back"}[m.mouse]))
	case "theme":
		m.Theme.OnBackground(m.Theme.Neutral || !m.Theme.Dark)
		m.tellUser(widget.Info(map[bool]string{true: "colours for a dark terminal", false: "colours for a light terminal"}[m.Theme.Dark]))
	}
}

// connect starts the server, and ends the one that ran before.
func (m *model) connect() tea.Cmd {
	m.opens.Stop()
	old := m.Server
	m.Server, m.Down = nil, nil
	if !m.Explorable || m.Resolved.Name == "" && len(m.Overrides.Command) == 0 {
		return m.broadcast(screen.ServerGone{})
	}
	m.Starting, m.Since = true, m.Now()
	open, overrides := m.options.Open, m.Overrides
	m.opens = &widget.Job{Do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
		if old != nil {
			_ = old.Close()
		}
		return openServer(ctx, send, open, overrides)
	}}
	return tea.Batch(m.broadcast(screen.ServerGone{}), m.start(nil, m.opens))
}

// openServer stays until the server is not wanted any more, and passes on what
// it tells.
func openServer(ctx context.Context, send func(tea.Msg),
	open func(context.Context, config.Overrides, func(mcpclient.Event)) (screen.Server, error),
	overrides config.Overrides) tea.Msg {
	inbox := newInbox()
	server, err := open(ctx, overrides, inbox.put)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return serverFailed{problem.Of(err)}
	}
	send(serverOpened{server, screen.ReadServerInfo(server.Info())})
	for {
		select {
		case <-inbox.filled:
			send(inbox.take())
		case <-ctx.Done():
			return nil
		}
	}
}

// event makes of what happened on its own what screens want to know.
func (m *model) event(e mcpclient.Event) tea.Cmd {
	e.Message, e.Level = text.CleanLine(e.Message), text.CleanLine(e.Level)
	if line, ok := screen.Logged(e, m.Now()); ok {
		m.Log.Add(line)
	}
	switch e.Kind {
	case mcpclient.EventToolsChanged:
		return m.broadcast(screen.ToolsChanged{})
	case mcpclient.EventPromptsChanged:
		return m.broadcast(screen.PromptsChanged{})
	case mcpclient.EventResourcesChanged:
		return m.broadcast(screen.ResourcesChanged{})
	case mcpclient.EventClosed:
		return m.serverEnded(&problem.Problem{
			Msg: "the server ended: " + e.Message, Code: problem.ExitUnreachable,
		})
	}
	return m.broadcast(e)
}

func (m *model) serverEnded(why *problem.Problem) tea.Cmd {
	server, down := m.Server, *why
	m.Log.Add(screen.LogLine{At: m.Now(), Level: screen.LevelOurs, Text: text.CleanLine(why.Msg)})
	down.Hints = append(slices.Clone(why.Hints), "r starts it again")
	m.Server, m.Starting, m.Down = nil, false, &down
	closing := func() tea.Msg {
		if server != nil {
			_ = server.Close()
		}
		return nil
	}
	return tea.Batch(m.broadcast(screen.ServerGone{}), closing)
}

// everySecond does what no message announces.
func (m *model) everySecond() tea.Cmd {
	if m.note.Text != "" && m.Now().Sub(m.noted) > noticeStays {
		m.note = widget.Notice{}
	}
	return nil
}

// noticeStays is how long a line of status can be read.
const noticeStays = 8 * time.Second

// inbox takes what a server tells, without making it wait.
type inbox struct {
	filled chan struct{}
	mu     sync.Mutex
	held   events
}

// inboxSize bounds what waits: a server that floods loses its oldest words.
const inboxSize = 1000

func newInbox() *inbox { return &inbox{filled: make(chan struct{}, 1)} }

func (i *inbox) put(e mcpclient.Event) {
	i.mu.Lock()
	i.held = append(i.held, e)
	if len(i.held) > inboxSize {
		i.held = i.held[1:]
	}
	i.mu.Unlock()
	select {
	case i.filled <- struct{}{}:
	default:
	}
}

func (i *inbox) take() events {
	i.mu.Lock()
	defer i.mu.Unlock()
	held := i.held
	i.held = nil
	return held
}
