// Package gate is where a message, a user and the policy meet, and the only place: it
// authorizes, asks, logs and filters lists. A [Server] holds what all sessions of one
// profile and server share, a [Session] what one session has.
package gate

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// Config says for which profile and server a gate is.
type Config struct {
	Place
	Server      string // the name of the server in the audit log and in rules
	UserContext string // one of the Context constants
	// Policy reads the policy, and names the files to look at for a change.
	Policy func() (p *policy.Policy, files []string, err error)
	Audit  audit.Options // its Policy is filled in
	// KeepContent says that the audit log gets the values of arguments.
	KeepContent bool
	Log         func(line string) // must not block
	// Limiter counts calls against the limits of the policy; nil means files below
	// StateDir, which all proxies of a profile share.
	Limiter Limiter
}

// Server is what all sessions of one profile and server share: the audit log, the
// policy, the approved tools, the limits and the last known lists.
type Server struct {
	Config
	policy *policyWatch
	pins   *pinStore
	lists  *listCache
	audit  *auditLog
	key    *audit.Key // nil: no hashes of arguments

	opened sync.Once
	stop   context.CancelFunc
	ended  chan struct{} // closed when what Start began has ended

	mu       sync.Mutex
	sessions map[*Session]struct{}
}

// NewServer reads the policy, and opens nothing else yet. Without a policy every
// call is denied, until there is one.
func NewServer(c Config) *Server {
	s := &Server{Config: c, sessions: map[*Session]struct{}{}}
	s.policy = &policyWatch{load: c.Policy, say: c.Log, changed: s.policyChanged}
	s.policy.start()
	s.lists = openLists(c.Place)
	s.pins = &pinStore{
		files: pinFilesOf(c.Place), profile: c.Profile, server: c.Server, mode: s.policy.pin, say: c.Log,
		changed: func() { s.each((*Session).listsChanged) },
	}
	if s.Limiter == nil {
		s.Limiter = &limiter{stateDir: c.StateDir}
	}
	return s
}

// Start opens the audit log, and follows the files of the policy and of the approved
// tools until ctx ends or [Server.Close] is called.
func (s *Server) Start(ctx context.Context) {
	s.open()
	ctx, s.stop = context.WithCancel(ctx)
	s.ended = make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { s.policy.run(ctx) })
	running.Go(func() { s.pins.run(ctx) })
	running.Go(func() { s.lists.run(ctx) })
	go func() { running.Wait(); close(s.ended) }()
}

// open opens what a session needs. It cannot fail: what cannot be recorded is an
// error of each record, so that every call is refused with the reason, and the
// session lives and goes on once the trouble is over.
func (s *Server) open() {
	s.opened.Do(func() {
		options := s.Config.Audit
		options.Policy = policyName(s.policy)
		s.audit = &auditLog{options: options}
		_, _ = s.audit.open()
		var err error
		if s.key, err = audit.OpenKey(filepath.Join(s.StateDir, "audit.key")); err != nil {
			s.Log("arguments are recorded without their hashes: " + err.Error())
		}
		s.pins.load()
	})
}

// Close stops what Start began, keeps what was learned, and closes the audit log. The
// sessions must have been closed.
func (s *Server) Close() {
	if s.stop != nil {
		s.stop()
		<-s.ended // a client that lists and goes must not lose the list
	}
	s.pins.keep()
	if s.audit != nil {
		s.audit.close()
	}
}

// Reload reads the policy if its files changed.
func (s *Server) Reload() { s.policy.look() }

// policyChanged logs that another policy is in force, and has the sessions
// tell their clients.
func (s *Server) policyChanged() {
	_ = s.audit.Append(audit.Record{Event: audit.PolicyChanged, Policy: policyName(s.policy)}) // calls will tell if it fails
	s.each(func(g *Session) {
		g.prompter.policyChanged()
		if g.session.Snapshot().State == identity.SignedIn { // else nobody sees a list of the server's
			g.listsChanged()
		}
	})
}

// each does something, which must not block, with each session that is bound.
func (s *Server) each(do func(*Session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := range s.sessions {
		do(g)
	}
}

// SessionConfig says whose session it is.
type SessionConfig struct {
	SignIn SignIn
	// Login runs a sign-in that the AI client is asked to show: it opens no page, but
	// calls show with its address.
	Login func(ctx context.Context, options identity.LoginOptions, show func(SignInPage)) error
	// Explorer is who is at the client's end; nil for an AI client.
	Explorer *Explorer
}

// Explorer is a person at the client's end, who learns more than an AI client.
type Explorer struct {
	Attended  bool // the person can be asked to sign in
	Anonymous bool // no profile is configured: calls pass without a user
	// Hidden is given each element that a list of the server loses.
	Hidden func(method string, element []byte)
	// Refused is given the call that the gate refuses, and why.
	Refused func(id []byte, item policy.Item, code int, message string)
	// Own is given the id of each question, and of each answer, that is the gate's.
	Own func(id string)
}

// NewSession makes a session, which must be bound before its first message.
func (s *Server) NewSession(c SessionConfig) *Session {
	s.open()
	tools := &toolCatalog{seen: s.pins.note}
	g := &Session{
		id: new(audit.IDs).Next(time.Now()), shared: s, server: s.Server, session: c.SignIn, explorer: c.Explorer,
		authorizer: &authorizer{server: s.Server, policy: s.policy, tools: tools, pins: s.pins},
		limiter:    s.Limiter, userContext: s.UserContext, audit: s.audit, tools: tools, lists: s.lists, pages: newListPages(),
		notifier: &listNotifier{}, changes: make(chan struct{}, 1), approver: &approver{},
		calls:    &callTracker{key: s.key, content: s.KeepContent, later: s.audit.later, open: map[*trackedCall]struct{}{}},
		prompter: &signInPrompter{session: c.SignIn, signIn: c.Login},
	}
	if c.Explorer != nil {
		g.authorizer.hidden = c.Explorer.Hidden
	}
	return g
}

// Configure connects a relay that is about to be made with the session.
func (g *Session) Configure(c *relay.Config) {
	c.Reserved, c.Cancelled, c.Unanswered = reserved, g.calls.cancelled, g.unanswered
	switch {
	case g.explorer == nil:
		c.Gate = g
	case g.explorer.Anonymous:
		c.Gate = anonymousGate{g}
	default:
		c.Gate = explorersGate{g}
	}
}

// Lines are the ways to say something to both sides of a relay.
type Lines interface {
	Ask(ctx context.Context, build func(id []byte) []byte) ([]byte, error)
	AskClient(ctx context.Context, build func(id []byte) []byte) ([]byte, error)
	Notify(line []byte)
}

// Bind gives the session the relay that it is the gate of.
func (g *Session) Bind(lines Lines) {
	ask := lines.AskClient
	if g.explorer != nil {
		ask = g.explorer.asking(ask)
	}
	g.tools.ask, g.notifier.notify = lines.Ask, lines.Notify
	g.prompter.ask, g.prompter.notify, g.approver.ask = ask, lines.Notify, ask
	g.shared.mu.Lock()
	defer g.shared.mu.Unlock()
	g.shared.sessions[g] = struct{}{}
}

// Close ends a sign-in that is under way, and records the calls without an answer.
func (g *Session) Close() {
	g.shared.mu.Lock()
	delete(g.shared.sessions, g)
	g.shared.mu.Unlock()
	g.prompter.stop()
	g.calls.end()
}

// listsChanged has Run tell the client that its lists changed. It does not wait for
// a client that does not read.
func (g *Session) listsChanged() {
	select {
	case g.changes <- struct{}{}:
	default: // it will be told anyway
	}
}

// asking passes on the ids of our own questions to the client.
func (x *Explorer) asking(ask askFunc) askFunc {
	return func(ctx context.Context, build func(id []byte) []byte) ([]byte, error) {
		return ask(ctx, func(id []byte) []byte {
			x.Own(string(id))
			return build(id)
		})
	}
}

// explorersGate is the gate, and tells which calls it answers itself.
type explorersGate struct{ *Session }

// FromClient judges a message of the explorer.
func (g explorersGate) FromClient(m *relay.Message) relay.Verdict {
	v := g.Session.FromClient(m)
	if v.Action == relay.Answer {
		g.explorer.Own(string(m.ID()))
	}
	return v
}
