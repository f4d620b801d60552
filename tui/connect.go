package tui

import (
	"context"
	"slices"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// The model's own messages and actions: profile, sign-in and server.
type (
	accountRead struct {
		resolved broker.Resolved
		account  broker.SignInStatus
		problem  *broker.Problem
	}
	serverOpened struct {
		server Server
		info   serverInfo
	}
	serverFailed struct{ problem *broker.Problem }
	events       []broker.ExplorerEvent

	reconnect  struct{}              // starts the server anew
	useProfile struct{ name string } // goes on with another profile
	rereadHome struct{}              // reads profile and sign-in again
	toggle     struct{ what string } // "mouse" or "theme"
)

// followAccount tells who is signed in to which profile, now and whenever it has
// become otherwise. As long as there is no profile it looks for one.
func (m *model) followAccount() tea.Cmd {
	m.follows.stop()
	home, overrides := m.Home, m.Overrides
	m.follows = &job{do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
		resolved, err := home.Resolve(overrides)
		for err != nil {
			send(accountRead{problem: broker.AsProblem(err)})
			select {
			case <-time.After(lookAgain):
			case <-ctx.Done():
				return nil
			}
			resolved, err = home.Resolve(overrides)
		}
		for status := range home.WatchSignIn(ctx, resolved) {
			send(accountRead{resolved: resolved, account: status, problem: keychainTrouble(status)})
		}
		return nil
	}}
	return m.start(m, m.follows)
}

// lookAgain is how often a missing profile is looked for.
const lookAgain = 2 * time.Second

// keychainTrouble is what the keychain says where nothing is known because of it.
func keychainTrouble(s broker.SignInStatus) *broker.Problem {
	if s.State != broker.Troubled || s.User.Sub != "" || s.Err == nil {
		return nil
	}
	return broker.AsProblem(s.Err)
}

// heard takes what the model's own jobs say.
func (m *model) heard(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case accountRead:
		return m.takeAccount(msg)
	case serverOpened:
		m.server, m.info, m.starts, m.down, m.since = msg.server, msg.info, false, nil, m.now()
		m.log.add(logLine{m.now(), levelOurs, "the server was started"})
		return m.tell(serverUp{})
	case serverFailed:
		return m.serverEnded(msg.problem)
	case events:
		var cmds []tea.Cmd
		for _, e := range msg {
			cmds = append(cmds, m.event(e))
		}
		return tea.Batch(cmds...)
	case notice:
		m.tellUser(msg)
	case recordRead:
		m.record.take(msg)
		return m.tell(recordNew{})
	case accountDone:
		m.tellUser(msg.notice)
		return m.followAccount()
	}
	return nil
}

func (m *model) takeAccount(read accountRead) tea.Cmd {
	first := !m.began || m.resolved.Name != read.resolved.Name
	m.began = true
	m.resolved, m.account, m.problem = read.resolved, read.account, read.problem
	m.nobody = read.problem != nil && broker.NoProfile(read.problem)
	m.locked, m.known = broker.IsLocked(read.account.Err), read.problem != nil || read.account.State != broker.Loading
	cmds := []tea.Cmd{m.tell(accountNew{})}
	if first {
		cmds = append(cmds, m.connect())
	}
	return tea.Batch(cmds...)
}

// performOwn carries out what only the model can do.
func (m *model) performOwn(a action) tea.Cmd {
	switch a := a.(type) {
	case reconnect:
		return m.connect()
	case rereadHome:
		return m.followAccount()
	case useProfile:
		m.Overrides.Profile, m.known = a.name, false
		return m.followAccount()
	case bindingChosen:
		return m.perform(m.top(), a.act())
	case asModel:
		return m.perform(m, a.action)
	case toggle:
		m.toggle(a.what)
		return m.tell(lookNew{})
	}
	return nil
}

func (m *model) toggle(what string) {
	switch what {
	case "mouse":
		m.mouse = !m.mouse
		m.tellUser(notice{info, map[bool]string{true: "the mouse works here", false: "the mouse selects text; m takes it back"}[m.mouse]})
	case "theme":
		m.look.onBackground(m.look.neutral || !m.look.dark)
		m.tellUser(notice{info, map[bool]string{true: "colours for a dark terminal", false: "colours for a light terminal"}[m.look.dark]})
	}
}

// connect starts the server, and ends the one that ran before.
func (m *model) connect() tea.Cmd {
	m.opens.stop()
	old := m.server
	m.server, m.down = nil, nil
	if m.Open == nil || m.resolved.Name == "" && len(m.Overrides.Command) == 0 {
		return m.tell(serverGone{})
	}
	m.starts = true
	open, overrides := m.Open, m.Overrides
	m.opens = &job{do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
		if old != nil {
			_ = old.Close()
		}
		return openServer(ctx, send, open, overrides)
	}}
	return tea.Batch(m.tell(serverGone{}), m.start(m, m.opens))
}

// openServer stays until the server is not wanted any more, and passes on what
// it tells.
func openServer(ctx context.Context, send func(tea.Msg), open func(context.Context, broker.Overrides, func(broker.ExplorerEvent)) (Server, error),
	overrides broker.Overrides) tea.Msg {
	inbox := newInbox()
	server, err := open(ctx, overrides, inbox.put)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return serverFailed{broker.AsProblem(err)}
	}
	said := server.Info()
	send(serverOpened{server, serverInfo{
		name: broker.CleanLine(said.Name), version: broker.CleanLine(said.Version),
		protocol: broker.CleanLine(said.ProtocolVersion), instructions: broker.CleanText(said.Instructions),
		offers: offers(said.Capabilities), lacks: lacks(said.Capabilities),
	}})
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
func (m *model) event(e broker.ExplorerEvent) tea.Cmd {
	e.Message, e.Level = broker.CleanLine(e.Message), broker.CleanLine(e.Level)
	if line, ok := logged(e, m.now()); ok {
		m.log.add(line)
	}
	switch e.Kind {
	case broker.EventToolsChanged:
		return m.tell(toolsNew{})
	case broker.EventPromptsChanged:
		return m.tell(promptsNew{})
	case broker.EventResourcesChanged:
		return m.tell(resourcesNew{})
	case broker.EventClosed:
		return m.serverEnded(&broker.Problem{
			Msg: "the server ended: " + e.Message, Code: broker.ExitUnreachable,
		})
	}
	return m.tell(e)
}

func (m *model) serverEnded(why *broker.Problem) tea.Cmd {
	server, down := m.server, *why
	m.log.add(logLine{m.now(), levelOurs, broker.CleanLine(why.Msg)})
	down.Hints = append(slices.Clone(why.Hints), "r starts it again")
	m.server, m.starts, m.down = nil, false, &down
	closing := func() tea.Msg {
		if server != nil {
			_ = server.Close()
		}
		return nil
	}
	return tea.Batch(m.tell(serverGone{}), closing)
}

// everySecond looks after what nobody tells us of.
func (m *model) everySecond() tea.Cmd {
	if m.note.text != "" && m.now().Sub(m.noted) > noticeStays {
		m.note = notice{}
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

func (i *inbox) put(e broker.ExplorerEvent) {
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
