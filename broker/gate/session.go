package gate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// The members that carry the user to the backend. A client's own copy of
// either, in any spelling, is removed (design, section 4).
const (
	// MetaKey is the key of params._meta on every tools/call, resources/read
	// and prompts/get. "io.github.mcpauth" is a prefix of our own as MCP's
	// _meta key rules ask for (2025-06-18, basic, "_meta").
	MetaKey = "io.github.mcpauth/user"
	// UserArgument is the tool argument that the ancestor of mcpauth injected.
	UserArgument = "_oauth_user"
)

var reserved = relay.Reserved{Meta: MetaKey, Argument: UserArgument}

// Modes of handing the user over as a tool argument.
const (
	ContextAuto   = "auto"   // to tools whose input schema declares it
	ContextAlways = "always" // to every tool, as the ancestor did
	ContextNever  = "never"  // only in _meta
)

// SignIn is what the gate needs of a sign-in.
type SignIn interface {
	// Profile is the name of the profile, empty as long as it is not known.
	Profile() string
	// Snapshot is never changed.
	Snapshot() *identity.Snapshot
	// Wait blocks while the session is loading or being renewed.
	Wait(context.Context) *identity.Snapshot
	// Changed is closed when Snapshot has another value.
	Changed() <-chan struct{}
	// Used tells that a call was let through, which holds off an idle limit.
	Used()
}

// Session is where a message, the user and the policy meet, and the only place.
// It implements [relay.Gate].
type Session struct {
	shared      *Server
	id          string // of the session, in the audit log
	server      string // the wrapped command, for the record
	userContext string
	session     SignIn
	authorizer  *authorizer
	audit       recorder
	calls       *callTracker
	tools       *toolCatalog
	lists       *listCache
	pages       *listPages
	listMemo    listMemo
	notifier    *listNotifier
	changes     chan struct{} // the lists changed, and Run has not told the client yet
	limiter     Limiter
	prompter    *signInPrompter
	approver    *approver
	client      atomic.Pointer[clientInfo]
	abilities   atomic.Pointer[[]byte] // capabilities of a client that has initialized
	user        userText
	level       atomic.Pointer[relay.Message] // a logging/setLevel that waits for a sign-in

	explorer *Explorer // who is at the client's end, unless it is an AI client
}

// clientInfo is who the AI client says it is (MCP, Implementation).
type clientInfo struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// isOpen reports whether a method needs no user: such methods start and keep a
// session, and say nothing of what the server holds. They are not logged.
func isOpen(method string) bool {
	switch method {
	case "initialize", "ping", "server/discover":
		return true
	}
	return false
}

// isUsers reports whether a method is one of those that carry the user.
func isUsers(method string) bool {
	switch method {
	case "tools/call", "resources/read", "prompts/get":
		return true
	}
	return false
}

// FromClient judges a message of the AI client.
func (g *Session) FromClient(m *relay.Message) relay.Verdict {
	g.noteClient(m)
	g.notifier.fromClient(m)
	verdict := g.judge(m)
	if verdict.Action == relay.Answer {
		g.notifier.failed(m.Method(), m.ID())
	}
	return verdict
}

func (g *Session) judge(m *relay.Message) relay.Verdict {
	method := m.Method()
	switch {
	case m.Kind() == relay.Response:
		return g.clientAnswer(m)
	case m.Kind() == relay.Notification:
		return g.clientNotification(m)
	case isNotification(method):
		return g.callOfNotification(m)
	case isOpen(method):
		return g.cleaned(m)
	}
	switch now := g.session.Snapshot(); {
	case now.State == identity.SignedIn:
		g.sendLevel(&now.User)
		return g.forUser(m, now)
	case unsettled(now):
		return relay.Verdict{Action: relay.Wait, Until: g.settled}
	default:
		return g.withoutUser(m, now)
	}
}

// unsettled reports whether the session is about to know more: it is loading,
// or its token is over and can be renewed.
func unsettled(now *identity.Snapshot) bool {
	return now.State == identity.Loading || now.State == identity.Degraded && errors.Is(now.Err, identity.ErrExpired)
}

// settled waits until the session knows more.
func (g *Session) settled(ctx context.Context) {
	if !unsettled(g.session.Wait(ctx)) {
		return
	}
	select { // the clock was set while it waited: look again, but do not spin
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
}

// cleaned forwards a message, which loses the members that only we may set.
// A client's attempt to set them is logged.
func (g *Session) cleaned(m *relay.Message) relay.Verdict {
	if m.Spoofed() {
		g.record(m, &g.session.Snapshot().User, audit.Allow, "the user that the client sent was removed")
	}
	return relay.Verdict{Action: relay.Forward, WholeAnswer: readsAnswer(m.Method()) || g.readsInput(m)}
}

// readsAnswer reports whether the answers to a method are read, and changed, by
// answered.
func readsAnswer(method string) bool {
	return isList(method) || method == "initialize" || method == "server/discover"
}

// forUser judges a call of a signed-in user.
func (g *Session) forUser(m *relay.Message, now *identity.Snapshot) relay.Verdict {
	method := m.Method()
	if isList(method) {
		v := g.cleaned(m)
		v.Tag = m.Cursor() == nil // whether it asks for the first page
		return v
	}
	sent := m
	if isOurs(m) {
		m = g.prompter.original(m)
	}
	if until := g.unknownTool(m, now); until != nil {
		return relay.Verdict{Action: relay.Wait, Until: until}
	}
	if method == "tools/call" && m.Name() == SignInTool && !g.tools.has(SignInTool) {
		return answer(signedInAnswer(m, now.User))
	}
	switch decision := g.authorizer.judge(m, now); {
	case decision.Effect == policy.StepUp:
		return g.stepUp(sent, m, now, decision)
	case decision.Effect == policy.Deny:
		g.record(m, &now.User, audit.Deny, decision.Rule)
		return g.refuse(m, cmp.Or(decision.code, CodeDenied), g.authorizer.words(decision, now, g.session.Profile()))
	case !isUsers(method):
		return g.plainCall(m, &now.User, decision)
	default:
		if verdict, agreed := g.confirmed(sent, m, now); !agreed {
			return verdict
		}
		if verdict, limited := g.limited(m, now, true); limited {
			return verdict
		}
		return g.allowed(sent, m, &now.User, decision)
	}
}

// limited asks the limiter about a call, and refuses one that is too many.
func (g *Session) limited(m *relay.Message, now *identity.Snapshot, count bool) (verdict relay.Verdict, limited bool) {
	limits := g.authorizer.policy.current.Load().Limits(m.Name())
	if m.Method() != "tools/call" || len(limits) == 0 {
		return verdict, false
	}
	switch wait, limit, err := g.limiter.Ask(LimitedCall{
		Profile: g.session.Profile(), Server: g.server, Sub: now.User.Sub, Tool: m.Name(), Limits: limits, Time: m.Now(), Count: count,
	}); {
	case err != nil:
		g.record(m, &now.User, audit.Refused, "the policy limits it, and it could not be counted")
		return g.refuse(m, CodeUnrecorded, uncountedMessage(err)), true
	case wait > 0:
		g.record(m, &now.User, audit.Deny, "limit: "+limit)
		return g.refuse(m, CodeDenied, limitMessage(m.Name(), limit, wait)), true
	}
	return verdict, false
}

// plainCall sends on a call that does not carry the user. It is logged all the same.
func (g *Session) plainCall(m *relay.Message, user *identity.User, decision decision) relay.Verdict {
	call, commit, err := g.recordCall(m, &writtenUser{user: user}, decision.Rule)
	if err != nil {
		return g.refuse(m, CodeUnrecorded, unrecordedMessage(err))
	}
	v := relay.Verdict{Action: relay.Forward, Tag: call, Commit: commit, WholeAnswer: g.readsInput(m)}
	if m.Method() == "completion/complete" && decision.item.Kind == policy.Template {
		call.completes, v.WholeAnswer = completionOfTemplate(m, decision.item.Name), true
	}
	return v
}

// refuse answers a call with why it goes nowhere.
func (g *Session) refuse(m *relay.Message, code int, words string) relay.Verdict {
	if g.explorer != nil {
		g.explorer.Refused(m.ID(), itemOf(m), code, words)
	}
	return answer(refusedAnswer(m, code, words))
}

// mendedBySignIn reports whether a plain sign-in is what is missing. A lock is
// lifted only by the command that says so.
func fixedBySignIn(now *identity.Snapshot) bool {
	return now.State == identity.SignedOut && !errors.As(now.Err, new(*identity.LockedError))
}

// allowed sends a call on, with the user in it, and logs it.
func (g *Session) allowed(sent, m *relay.Message, user *identity.User, decision decision) relay.Verdict {
	written := g.user.of(user)
	add := g.insertion(m, written.text)
	// Arguments that are no object are refused in every mode: a server might
	// decode a text, and find in it the user that the client wrote there.
	if !m.CanHold(relay.Insertion{Meta: add.Meta, Argument: add.Meta}) {
		g.record(m, user, audit.Refused, "the params of the call cannot hold the user")
		return answer(relay.AppendError(nil, m.ID(), relay.CodeInvalidParams,
			"mcpauth: params, _meta and arguments must be objects", nil))
	}
	call, commit, err := g.recordCall(m, written, decision.Rule)
	if err != nil {
		return g.refuse(m, CodeUnrecorded, unrecordedMessage(err))
	}
	g.session.Used()
	v := relay.Verdict{Action: relay.Forward, Insert: add, Tag: call, Commit: commit, WholeAnswer: g.readsInput(m)}
	if sent != m { // what the server gets is not what the client sent
		v.Insert = relay.Insertion{}
		v.Line, _ = m.Splice(nil, reserved, add)
	}
	return v
}

// insertion is the user for this call.
func (g *Session) insertion(m *relay.Message, user []byte) relay.Insertion {
	add := relay.Insertion{Meta: user}
	if m.Method() != "tools/call" {
		return add
	}
	if g.userContext == ContextAlways || g.userContext == ContextAuto && g.tools.takesUser(m.Name()) {
		add.Argument = user
	}
	return add
}

// unknownTool returns what to wait for when it is not known yet whether the
// tool takes the user as an argument.
func (g *Session) unknownTool(m *relay.Message, now *identity.Snapshot) func(context.Context) {
	if m.Method() != "tools/call" || g.tools.knows(m.Name()) {
		return nil
	}
	if g.userContext != ContextAuto && m.Name() != SignInTool && !g.authorizer.pins.blocking() && !g.authorizer.view(now).Confirms(m.Name()) {
		return nil // nothing depends on what the tool declares
	}
	var modernMeta []byte
	if m.Modern() {
		modernMeta = m.ModernMeta()
	}
	return func(ctx context.Context) { g.tools.fetch(ctx, modernMeta) }
}

// sendLevel sends on the logging/setLevel that came while there was no user: it was
// answered then, as some clients end a session that refuses it.
func (g *Session) sendLevel(user *identity.User) {
	if g.level.Load() == nil {
		return
	}
	m := g.level.Swap(nil)
	if m == nil || g.record(m, user, audit.Allow, "sent after the sign-in") != nil {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		_, _ = g.tools.ask(ctx, func(id []byte) []byte { // the client has had its answer
			line := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
			line = append(line, `,"method":"logging/setLevel","params":{"level":`...)
			return append(append(line, m.Level()...), '}', '}')
		})
	}()
}

// withoutUser answers a call that there is no user for.
func (g *Session) withoutUser(m *relay.Message, now *identity.Snapshot) relay.Verdict {
	method := m.Method()
	switch {
	case method == "subscriptions/listen" && !wantsResources(m):
		// This is how a modern client hears of the sign-in: it gets no error, and the
		// server gets the call once there is a user.
		return relay.Verdict{Action: relay.Wait, Detached: true, Until: g.untilSignedIn}
	case method == "logging/setLevel" && m.Level() != nil:
		g.level.Store(m.Clone())
		return answer(resultAnswer(m, map[string]any{}, false))
	}
	if list, known := g.lists.get(method); known {
		return answer(resultAnswer(m, map[string]any{listMembers[method]: list}, true))
	}
	if isUsers(method) {
		if fixedBySignIn(now) && g.canPrompt(m) {
			if verdict, prompted := g.prompter.prompt(m, m, signInReason()); prompted {
				return verdict
			}
		}
	}
	if listMembers[method] == "" {
		g.record(m, &now.User, audit.SignedOut, StateReason(now))
	}
	if list := signedOutList(m, g.session.Profile()); list != nil && g.explorer == nil {
		return answer(list)
	}
	return g.refuse(m, signedOutCode(now), signedOutMessage(g.session.Profile(), now))
}

// canInvite reports whether the person can be shown where to sign in.
func (g *Session) canPrompt(m *relay.Message) bool {
	return canAsk(g.capabilities(m)) && (g.explorer == nil || g.explorer.Attended)
}

// capabilities are those that the client of a call declared, as JSON.
func (g *Session) capabilities(m *relay.Message) []byte {
	if m.Modern() {
		return m.Capabilities()
	}
	if abilities := g.abilities.Load(); abilities != nil {
		return *abilities
	}
	return nil
}

// wantsResources reports whether a subscriptions/listen asks for updates of
// resources, and not only for changes of lists.
func wantsResources(m *relay.Message) bool {
	var wanted struct {
		Resources []relay.RawValue `json:"resourceSubscriptions"`
	}
	return relay.DecodeStrict(m.Notifications(), &wanted) != nil || len(wanted.Resources) > 0
}

// untilSignedIn waits for a user.
func (g *Session) untilSignedIn(ctx context.Context) {
	for {
		changed := g.session.Changed()
		if g.session.Snapshot().State == identity.SignedIn {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func answer(line []byte) relay.Verdict { return relay.Verdict{Action: relay.Answer, Line: line} }

// Uncommitted answers a call that did not leave, because it could not be recorded.
func (g *Session) Uncommitted(request *relay.Request, err error) []byte {
	if call, ok := request.Tag.(*trackedCall); ok {
		g.calls.remove(call)
	}
	words := unrecordedMessage(err)
	if g.explorer != nil {
		g.explorer.Refused(request.ID, itemAsked(request), CodeUnrecorded, words)
		g.explorer.Own(string(request.ID))
	}
	return refusedAnswer(asked{request}, CodeUnrecorded, words)
}

// Refused records a line of the client that was not read.
func (g *Session) Refused(r *relay.Refusal) {
	_ = g.audit.Append(g.newRecord(audit.Message, &identity.User{}, audit.Refused, r.Reason)) // it is refused in any case
}

// FromBackend judges a message of the server.
func (g *Session) FromBackend(out *relay.Output, request *relay.Request) relay.Verdict {
	g.calls.answered(out, request)
	switch {
	case out.Kind() == relay.Notification:
		return g.notification(out)
	case out.Kind() == relay.Call:
		return g.request(out)
	case request == nil:
		return relay.Verdict{Action: relay.Forward}
	case out.Failed():
		g.notifier.failed(request.Method, request.ID)
		return relay.Verdict{Action: relay.Forward, Line: g.inputDenied(out, request)}
	}
	return relay.Verdict{Action: relay.Forward, Line: g.answered(out, request)}
}

// unanswered notes that a call got an error of the relay's.
func (g *Session) unanswered(request *relay.Request, code int) {
	g.calls.unanswered(request, code)
	g.notifier.failed(request.Method, request.ID)
}

func (g *Session) notification(out *relay.Output) relay.Verdict {
	if out.Method() == "notifications/tools/list_changed" {
		g.tools.forget()
	}
	if !g.authorizer.hears(out, g.session) || g.inputAnnounced(out) {
		return relay.Verdict{Action: relay.Drop}
	}
	return relay.Verdict{Action: relay.Forward}
}

// answered takes note of an answer and returns what the client gets instead of
// it, or nil.
func (g *Session) answered(out *relay.Output, request *relay.Request) (line []byte) {
	g.notifier.answered(request, out.Result())
	if denied := g.inputDenied(out, request); denied != nil {
		return denied
	}
	if request.Method == "initialize" || request.Method == "server/discover" {
		if !readableOffer(out.Result()) {
			return relay.AppendError(nil, request.ID, CodeTrouble, "mcpauth: what the server says of itself has more than one reading", nil)
		}
		return out.OfferListChanged()
	}
	if call, ok := request.Tag.(*trackedCall); ok {
		switch {
		case request.Method == "tools/call":
			g.authorizer.tasks.note(out.Result(), taskOwner{call.user.Sub, request.Name})
		case call.completes != nil:
			return g.authorizer.completed(out, request, *call.completes, g.session.Snapshot())
		}
	}
	if isList(request.Method) {
		return g.listed(out, request)
	}
	return nil
}

// readList makes of a list what the client gets, and takes note of it.
func (g *Session) readList(out *relay.Output, request *relay.Request) (line []byte, noted bool) {
	if request.Method == "tools/list" {
		g.authorizer.pins.note(out)
		if len(g.authorizer.policy.current.Load().Set().Confirm) > 0 {
			g.tools.noteArguments(out)
		}
		var tools []relay.Tool
		line, tools = out.HideArgument(UserArgument)
		g.tools.note(tools)
	}
	if line != nil {
		var scanner relay.Scanner
		out = scanner.Scan(line)
	}
	if filtered := g.authorizer.filter(out, request, g.session.Snapshot()); filtered != nil {
		line = filtered
	}
	if listMembers[request.Method] != "" {
		noted = g.keepList(out, request, line)
	}
	return line, noted
}

// keepList keeps a list as the client gets it: line, or what the server sent.
func (g *Session) keepList(out *relay.Output, request *relay.Request, line []byte) bool {
	seen := line
	if seen == nil {
		seen = bytes.Clone(out.Bytes())
	}
	first, _ := request.Tag.(bool)
	return g.lists.note(listPage{of: g.pages, method: request.Method, first: first, response: seen})
}

// noteClient remembers who the client says it is.
func (g *Session) noteClient(m *relay.Message) {
	if m.Kind() != relay.Call || m.ClientInfo() == nil {
		return
	}
	if m.Method() == "initialize" {
		abilities := bytes.Clone(m.Capabilities())
		g.abilities.Store(&abilities)
	}
	if m.Modern() && g.client.Load() != nil {
		return // it says so in every request
	}
	var client clientInfo
	if relay.DecodeStrict(m.ClientInfo(), &client) == nil {
		g.client.Store(&client)
	}
}
