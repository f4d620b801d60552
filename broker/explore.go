package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/gate"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
)

// ExploreOptions are the choices of one exploration.
type ExploreOptions struct {
	Overrides config.Overrides
	Environ   []string // as [ProxyOptions.Environ]
	// Face is what the client calls itself in clientInfo, and so its name in the
	// audit log: "mcpauth tui" or "mcpauth cli".
	Face string
	// Attended says that the user is there and can be asked to sign in.
	Attended bool
	ReadOnly bool // as [ProxyOptions.ReadOnly]
	// Silence is how long the server may show no sign of life while it owes an answer:
	// 0 means a minute, and less than 0 for ever.
	Silence time.Duration
}

// Explorer is the client of a user who explores a server, behind the same gate as an
// AI client.
type Explorer struct {
	*mcpclient.Client
	exploration *exploration
}

// Principal is the user in the calls of an explorer.
type Principal struct {
	Profile string // empty where none is configured
	User    User   // of the sign-in; zero while signed out
	// Anonymous says that no profile is configured, so that no sign-in is possible:
	// calls go to the server without a user, and no policy is asked.
	Anonymous bool
	// Problem says why calls are refused now, and how to fix it; nil while they are
	// not.
	Problem *problem.Problem
	// NoPolicy says why there is no policy to go by, so that everything is denied; nil
	// where there is one.
	NoPolicy *problem.Problem
}

// Principal says who the user is in the calls of now.
func (e *Explorer) Principal() Principal { return e.exploration.Principal() }

// Explore starts the server that o names, or that of the profile, behind the gate of
// Proxy, and greets it. Without any profile calls go there without a user, and are
// logged as such. on gets what happens without a request, as
// [mcpclient.Options.On]. The server ends soon after ctx, or by Close, which must be
// called. Errors are *problem.Problem.
func (b *Broker) Explore(ctx context.Context, o ExploreOptions, on func(mcpclient.Event)) (*Explorer, error) {
	e := &Explorer{}
	var err error
	e.Client, err = mcpclient.Open(ctx, mcpclient.Options{
		Name: o.Face, Version: Version(), Silence: o.Silence, StrayPrefix: "mcpauth: " + relay.StrayLine.String(), On: on,
		Start: func(ctx context.Context, log io.Writer) (io.Reader, io.Writer, mcpclient.Gate, error) {
			x, err := b.startExploration(ctx, o, log)
			if err != nil {
				return nil, nil, nil, err
			}
			e.exploration = x
			return x.Client.R, x.Client.W, x, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// exploration is a running MCP server behind the same gate as that of an AI client,
// with a user at the client's end. It is safe for concurrent use.
type exploration struct {
	// Client is the client's end of the pipe. Its holder must read it to
	// its end, as long as the server runs: what is not read holds up everything.
	Client relay.Endpoint

	attended bool
	nobody   bool   // no profile is configured, so there is no user
	source   string // file of the policy
	close    func()
	ready    chan struct{} // closed when the server runs and gate is set
	ended    chan struct{} // closed when all is over
	err      error         // of starting the server

	gate     *gate.Session
	session  *signIn
	resolved config.Resolved
	server   server

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

// maxNoted bounds what is noted of messages whose answer is never read.
const maxNoted = 1000

// startExploration starts the server of Explore. It ends with ctx or by Close. log gets
// its stderr, and lines of our own that begin with "mcpauth: ".
func (b *Broker) startExploration(ctx context.Context, o ExploreOptions, log io.Writer) (*exploration, error) {
	o.Overrides.Serves = true
	resolved, err := b.Resolve(o.Overrides)
	nobody := config.NoProfile(err)
	switch {
	case nobody:
		resolved.Command = o.Overrides.Command
	case err != nil:
		return nil, problem.Of(err)
	}
	if len(resolved.Command) == 0 {
		return nil, nothingToExplore(resolved, o.Overrides.Profile)
	}
	ctx, cancel := context.WithCancel(ctx)
	toGate, fromClient := io.Pipe()
	toClient, fromGate := io.Pipe()
	x := &exploration{
		Client: relay.Endpoint{R: toClient, W: fromClient}, attended: o.Attended, nobody: nobody,
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	x.close = func() {
		_ = fromClient.Close() // as an AI client does it; the server gets its time to end
		<-x.ended
		cancel()
	}
	if !nobody {
		_, x.source, _ = b.policy(resolved) // what is wrong with it is the answer to each call
	}
	go func() {
		defer close(x.ended)
		_, x.err = b.serve(ctx, ProxyOptions{
			Overrides: o.Overrides, Environ: o.Environ, In: toGate, Out: fromGate, Log: log, ReadOnly: o.ReadOnly,
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

func nothingToExplore(r config.Resolved, typed string) *problem.Problem {
	p := &problem.Problem{
		Msg:   "there is no server to start",
		Hints: []string{"name its command behind --, as in: mcpauth tools list" + problem.ProfileFlag(typed) + " -- python3 main.py"},
		Code:  problem.ExitUsage,
	}
	if r.Name != "" {
		p.Msg = "there is no server to start: profile " + r.Name + " names no command"
		p.Hints = append(p.Hints, `or keep it: put command = ["python3", "main.py"] under [profiles.`+edit.QuoteKey(r.Name)+"] in the configuration file")
	}
	return p
}

func (x *exploration) anonymous() bool { return x != nil && x.nobody }

// face is what the gate reports to; nil for an AI client.
func (x *exploration) face() *gate.Explorer {
	if x == nil {
		return nil
	}
	return &gate.Explorer{Attended: x.attended, Anonymous: x.nobody, Hidden: x.noteHidden, Refused: x.noteRefusal, Own: x.noteOwn}
}

// attach connects the exploration with what runs now. No message has passed yet.
func (x *exploration) attach(g *gate.Session, session *signIn, r config.Resolved, server server) {
	x.gate, x.session, x.resolved, x.server = g, session, r, server
	close(x.ready)
}

// exploredGrace is how long a server may save at its end after its stdin was closed,
// where the user waits for the command to end. AI clients give that much.
const exploredGrace = 2 * time.Second

// grace is that of the server, 0 for the usual one.
func (x *exploration) grace() time.Duration {
	if x == nil {
		return 0
	}
	return exploredGrace
}

// Close ends the server, within four seconds, and waits until all is over.
func (x *exploration) Close() { x.close() }

// ExitReason says why the server ended. It is empty while it runs.
func (x *exploration) ExitReason() string {
	if !x.server.ended() {
		return ""
	}
	return x.server.exitReason()
}

// Server is the name of the server in the audit log.
func (x *exploration) Server() string { return text.ServerName(x.resolved.Command) }

func (x *exploration) noteHidden(method string, element []byte) {
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
func (x *exploration) TakeHidden(method string) []json.RawMessage {
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

func (x *exploration) noteOwn(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.own == nil || len(x.own) >= maxNoted {
		x.own = map[string]bool{}
	}
	x.own[id] = true
}

// Own reports, once, whether a request to the client, or an answer, comes from
// mcpauth itself: by the JSON text of its id.
func (x *exploration) Own(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	own := x.own[id]
	delete(x.own, id)
	return own
}

func (x *exploration) noteRefusal(id []byte, item policy.Item, code int, words string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.refusals == nil || len(x.refusals) >= maxNoted {
		x.refusals = map[string]refusedCall{}
	}
	x.refusals[string(id)] = refusedCall{code: code, words: words, item: item}
}

// Refusal returns why the gate refused a call, by the JSON text of its id, once;
// nil for a call that was not refused.
func (x *exploration) Refusal(id string) *problem.Problem {
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

// problemOf makes the error for the user of a refusal, which is worded for a model.
func (x *exploration) problemOf(r refusedCall) *problem.Problem {
	standing := x.Principal()
	switch {
	case (r.code == gate.CodeSignIn || r.code == gate.CodeTrouble) && standing.Problem != nil:
		return standing.Problem
	case r.code == gate.CodeUnrecorded:
		return &problem.Problem{Msg: strings.ToLower(r.words[:1]) + strings.TrimSuffix(r.words[1:], "."), Code: problem.ExitError}
	}
	code := map[int]int{gate.CodeSignIn: problem.ExitSignInNeeded, gate.CodeTrouble: problem.ExitSignInNeeded}[r.code]
	mark := x.mark(r.item)
	switch {
	case code == 0 && mark.Allowed: // a limit, or a user who did not agree
		return &problem.Problem{Msg: r.words, Code: problem.ExitDenied}
	case code == 0:
		return &problem.Problem{Msg: "denied by policy: " + mark.Why, Hints: mark.Hints, Code: problem.ExitDenied}
	}
	return &problem.Problem{Msg: "another sign-in is needed: " + mark.Why, Hints: mark.Hints, Code: code}
}

// Principal says who the user is in the calls of now.
func (x *exploration) Principal() Principal {
	if x.nobody {
		return Principal{Anonymous: true}
	}
	s := Principal{Profile: x.resolved.Name, NoPolicy: x.gate.PolicyProblem()}
	now := x.session.Snapshot()
	switch now.State {
	case identity.SignedIn, identity.Loading:
		s.User = now.User
	case identity.SignedOut:
		s.Problem = &problem.Problem{
			Msg: "not signed in to " + s.Profile, Hints: []string{gate.FixCommand(s.Profile, now.Err)}, Code: problem.ExitSignInNeeded, Err: now.Err,
		}
		if now.Err != nil && !errors.Is(now.Err, identity.ErrSignedOut) {
			s.Problem.Msg += ": " + gate.StateReason(now)
		}
	default:
		s.Problem = problem.Of(now.Err)
	}
	return s
}

// Settled waits until it is known who is signed in, or ctx ends.
func (x *exploration) Settled(ctx context.Context) {
	if !x.nobody {
		x.session.Wait(ctx)
	}
}

// Access is what the policy says now to an item: kind is "tool", "resource",
// "template", "prompt" or "method".
func (x *exploration) Access(kind, name string) policy.Access {
	return x.mark(gate.ItemOf(kind, name))
}

func (x *exploration) mark(item policy.Item) policy.Access {
	if x.nobody {
		return policy.Access{Allowed: true, Effect: policy.Allow.String(), Rule: gate.AnonymousRule}
	}
	if p := x.Principal().Problem; p != nil {
		return policy.Access{Effect: policy.StepUp.String(), Rule: "nobody is signed in", Why: p.Msg, Hints: p.Hints}
	}
	if p := x.gate.PolicyProblem(); p != nil {
		return policy.Access{Effect: policy.Deny.String(), Rule: unreadablePolicy, Why: unreadablePolicy + ": " + p.Msg, Hints: p.Hints}
	}
	return x.gate.Access(item, gate.EvaluatorConfig{Profile: x.resolved.Name, Issuer: x.resolved.Issuer, Source: x.source})
}

// unreadablePolicy stands for the rule where there are none to go by.
const unreadablePolicy = "the policy cannot be used"
