package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// ExploreOptions are the choices of one exploration.
type ExploreOptions struct {
	Overrides Overrides
	Environ   []string // as [ProxyOptions.Environ]
	// Face is what the client calls itself in clientInfo, and so what the record
	// calls it: "mcpauth tui" or "mcpauth cli".
	Face string
	// Attended says that a person is there, who can be asked to sign in.
	Attended bool
	ReadOnly bool      // as [ProxyOptions.ReadOnly]
	Log      io.Writer // gets the server's stderr, and words of our own in lines that begin with "mcpauth: "
}

// Exploration is a running MCP server behind the same gate as that of an AI client,
// with a person at the client's end. It is safe for concurrent use.
type Exploration struct {
	// Client is the client's end of the pipe. Whoever holds it must read it to
	// its end, as long as the server runs: what is not read holds up everything.
	Client relay.Endpoint

	attended bool
	nobody   bool   // no profile is configured, so there is no user
	source   string // file of the policy
	close    func()
	ready    chan struct{} // closed when the server runs and gate is set
	ended    chan struct{} // closed when all is over
	err      error         // of starting the server

	gate     *gate
	resolved Resolved
	server   *server

	mu       sync.Mutex
	hidden   map[string][]json.RawMessage // what the last list of a method lost, by method
	refusals map[string]refusedCall       // by the text of the call's id
	own      map[string]bool              // ids of our questions, and of calls that we answered
}

// refusedCall is a call that the gate answered itself, with a no.
type refusedCall struct {
	code  int
	words string
	item  policy.Item
}

// maxNoted bounds what is noted of messages that nobody asks about any more.
const maxNoted = 1000

// Explore starts the server that o names, or that of the profile, behind the gate
// of Proxy. Without any profile calls go there without a user; and are put on record as such.
// The server ends with ctx or by Close. Errors are *Problem.
func (b *Broker) Explore(ctx context.Context, o ExploreOptions) (*Exploration, error) {
	resolved, err := b.Resolve(o.Overrides)
	nobody := errors.Is(err, errNoProfile)
	switch {
	case nobody:
		resolved.Command = o.Overrides.Command
	case err != nil:
		return nil, AsProblem(err)
	}
	if len(resolved.Command) == 0 {
		return nil, nothingToExplore(resolved, o.Overrides.Profile)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	ctx, cancel := context.WithCancel(ctx)
	toGate, fromClient := io.Pipe()
	toClient, fromGate := io.Pipe()
	x := &Exploration{
		Client: relay.Endpoint{R: toClient, W: fromClient}, attended: o.Attended, nobody: nobody,
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	x.close = func() {
		_ = fromClient.Close() // as an AI client does it; the server gets its time to end
		<-x.ended
		cancel()
	}
	if !nobody {
		_, x.source, _ = b.Policy(resolved) // what is wrong with it is told at each call
	}
	go func() {
		defer close(x.ended)
		_, x.err = b.serve(ctx, ProxyOptions{
			Overrides: o.Overrides, Environ: o.Environ, In: toGate, Out: fromGate, Log: o.Log, ReadOnly: o.ReadOnly,
		}, x)
		_ = fromGate.Close()
		_ = toGate.Close()
	}()
	select {
	case <-x.ready:
		return x, nil
	case <-x.ended:
		cancel()
		return nil, x.err
	}
}

func nothingToExplore(r Resolved, typed string) *Problem {
	p := &Problem{
		Msg:   "there is no server to start",
		Hints: []string{"name its command behind --, as in: mcpauth tools list" + profileFlag(typed) + " -- python3 main.py"},
		Code:  ExitUsage,
	}
	if r.Name != "" {
		p.Msg = "there is no server to start: profile " + r.Name + " names no command"
		p.Hints = append(p.Hints, `or keep it: put command = ["python3", "main.py"] under [profiles.`+clients.QuoteKey(r.Name)+"] in the configuration file")
	}
	return p
}

func (x *Exploration) anonymous() bool { return x != nil && x.nobody }

// behind is the gate that a client gets.
func (x *Exploration) behind(g *gate) relay.Gate {
	switch {
	case x == nil:
		return g
	case x.nobody:
		return nobodysGate{g}
	}
	return explorersGate{g, x}
}

// explorersGate is the gate, and notes which calls it answers itself.
type explorersGate struct {
	*gate
	x *Exploration
}

// FromClient judges a message of the explorer.
func (g explorersGate) FromClient(m *relay.Message) relay.Verdict {
	v := g.gate.FromClient(m)
	if v.Action == relay.Answer {
		g.x.noteOwn(string(m.ID()))
	}
	return v
}

// attach connects the exploration with what runs now. No message has passed yet.
func (x *Exploration) attach(g *gate, r Resolved, server *server) {
	x.gate, x.resolved, x.server = g, r, server
	g.explorer, g.doors.hidden = x, x.noteHidden
	g.inviter.ask, g.confirmer.ask = x.asking(g.inviter.ask), x.asking(g.confirmer.ask)
	close(x.ready)
}

// Close ends the server, within two seconds, and waits until all is over.
func (x *Exploration) Close() { x.close() }

// Obituary says why the server ended. It is empty while it runs.
func (x *Exploration) Obituary() string {
	child := x.server.current()
	select {
	case <-child.Done():
		return obituary(child, x.resolved.Command)
	default:
		return ""
	}
}

// Server is how the record calls the server.
func (x *Exploration) Server() string { return serverName(x.resolved.Command) }

func (x *Exploration) noteHidden(method string, element []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.hidden == nil {
		x.hidden = map[string][]json.RawMessage{}
	}
	x.hidden[method] = append(x.hidden[method], bytes.Clone(element))
}

// TakeHidden returns the definitions that the gate took out of the answers to a
// list method since it was asked last: what an AI client does not get to see. Each of
// them is there once, also if the answer to a list that was given up came late.
func (x *Exploration) TakeHidden(method string) []json.RawMessage {
	x.mu.Lock()
	defer x.mu.Unlock()
	hidden, seen := x.hidden[method], map[string]bool{}
	delete(x.hidden, method)
	return slices.DeleteFunc(hidden, func(element json.RawMessage) bool {
		again := seen[string(element)]
		seen[string(element)] = true
		return again
	})
}

// asking remembers the ids of our own questions to the client.
func (x *Exploration) asking(ask askFunc) askFunc {
	return func(ctx context.Context, build func(id []byte) []byte) ([]byte, error) {
		return ask(ctx, func(id []byte) []byte {
			x.noteOwn(string(id))
			return build(id)
		})
	}
}

func (x *Exploration) noteOwn(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.own == nil || len(x.own) >= maxNoted {
		x.own = map[string]bool{}
	}
	x.own[id] = true
}

// Own reports, once, whether a request to the client, or an answer, comes from
// mcpauth itself: by the JSON text of its id.
func (x *Exploration) Own(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	own := x.own[id]
	delete(x.own, id)
	return own
}

func (x *Exploration) noteRefusal(id []byte, item policy.Item, code int, words string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.refusals == nil || len(x.refusals) >= maxNoted {
		x.refusals = map[string]refusedCall{}
	}
	x.refusals[string(id)] = refusedCall{code: code, words: words, item: item}
}

// Refusal returns why the gate refused a call, by the JSON text of its id, once;
// nil for a call that was not refused.
func (x *Exploration) Refusal(id string) *Problem {
	x.mu.Lock()
	r, there := x.refusals[id]
	delete(x.refusals, id)
	if there {
		delete(x.own, id)
	}
	x.mu.Unlock()
	if !there {
		return nil
	}
	return x.problemOf(r)
}

// problemOf puts a refusal, which is worded for a model, into words for a person.
func (x *Exploration) problemOf(r refusedCall) *Problem {
	standing := x.Standing()
	switch {
	case (r.code == codeSignIn || r.code == codeTrouble) && standing.Problem != nil:
		return standing.Problem
	case r.code == codeUnrecorded:
		return &Problem{Msg: "the call was not sent, because it could not be recorded", Hints: []string{r.words}, Code: ExitError}
	}
	code := map[int]int{codeSignIn: ExitSignInNeeded, codeTrouble: ExitSignInNeeded}[r.code]
	mark := x.mark(r.item)
	switch {
	case code == 0 && mark.Allowed: // a limit, or a person who did not agree
		return &Problem{Msg: r.words, Code: ExitDenied}
	case code == 0:
		return &Problem{Msg: "denied by policy: " + mark.Why, Hints: mark.Cures, Code: ExitDenied}
	}
	return &Problem{Msg: "another sign-in is needed: " + mark.Why, Hints: mark.Cures, Code: code}
}

// Standing says who the server is told of now.
func (x *Exploration) Standing() Standing {
	if x.nobody {
		return Standing{Anonymous: true}
	}
	s := Standing{Profile: x.resolved.Name}
	now := x.gate.session.Snapshot()
	switch now.State {
	case identity.SignedIn, identity.Loading:
		s.User = now.User
	case identity.SignedOut:
		s.Problem = &Problem{
			Msg: "not signed in to " + s.Profile, Hints: []string{cureCommand(s.Profile, now.Err)}, Code: ExitSignInNeeded, Err: now.Err,
		}
		if now.Err != nil && !errors.Is(now.Err, identity.ErrSignedOut) {
			s.Problem.Msg += ": " + stateReason(now)
		}
	default:
		s.Problem = AsProblem(now.Err)
	}
	return s
}

// Settled waits until it is known who is signed in, or ctx ends.
func (x *Exploration) Settled(ctx context.Context) {
	if !x.nobody {
		x.gate.session.Wait(ctx)
	}
}

// Mark is what the policy says now to an item: kind is "tool", "resource",
// "template", "prompt" or "method".
func (x *Exploration) Mark(kind, name string) Mark {
	return x.mark(policy.Item{Kind: questionKinds[kind], Name: name})
}

func (x *Exploration) mark(item policy.Item) Mark {
	if x.nobody {
		return Mark{Allowed: true, Effect: policy.Allow.String(), Rule: nobodysRule}
	}
	if p := x.Standing().Problem; p != nil {
		return Mark{Effect: policy.StepUp.String(), Rule: "nobody is signed in", Why: p.Msg, Cures: p.Hints}
	}
	now, doors := x.gate.session.Snapshot(), x.gate.doors
	j := &Judge{
		r: x.resolved, compiled: doors.policy.current.Load(), source: x.source, user: policyUser(now), view: doors.policy.of(now, x.gate.server),
	}
	if state := doors.pins.state(item.Name); item.Kind == policy.Tool && state != "" {
		j.pins = map[string]string{item.Name: state}
	}
	return j.Mark(kindWord(item.Kind), item.Name)
}

// kindWord is the reverse of questionKinds.
func kindWord(kind policy.Kind) string {
	for word, k := range questionKinds {
		if k == kind {
			return word
		}
	}
	return ""
}
