package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
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
	contextAuto   = "auto"   // to tools whose input schema declares it
	contextAlways = "always" // to every tool, as the ancestor did
	contextNever  = "never"  // only in _meta
)

// session is what the gate needs of a sign-in.
type session interface {
	// Snapshot is never changed.
	Snapshot() *identity.Snapshot
	// Wait blocks while the session is loading or being renewed.
	Wait(context.Context) *identity.Snapshot
	// Used tells that a call was let through, which holds off an idle limit.
	Used()
}

// gate is where a message, the user and the policy meet, and the only place.
// It implements [relay.Gate].
type gate struct {
	profile     func() string
	server      string // the wrapped command, for the record
	userContext string
	session     session
	doors       *doors
	audit       recorder
	calls       *callBook
	tools       *toolBook
	lists       *lastLists
	listings    listings
	news        *news
	inviter     *inviter
	confirmer   *confirmer
	client      atomic.Pointer[clientInfo]
	abilities   atomic.Pointer[[]byte] // capabilities of a client that has initialized
	user        userText

	explorer *Exploration // who is at the client's end, unless it is an AI client
}

// clientInfo is who the AI client says it is (MCP, Implementation).
type clientInfo struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// isOpen reports whether a method needs no user: such methods start, keep and end a
// session, and say nothing of what the server holds.
func isOpen(method string) bool {
	switch method {
	case "initialize", "ping", "server/discover", "logging/setLevel":
		return true
	}
	return false
}

// isUsers reports whether a method is one of those that carry the user and are
// recorded.
func isUsers(method string) bool {
	switch method {
	case "tools/call", "resources/read", "prompts/get":
		return true
	}
	return false
}

// FromClient judges a message of the AI client.
func (g *gate) FromClient(m *relay.Message) relay.Verdict {
	g.noteClient(m)
	g.news.fromClient(m)
	verdict := g.judge(m)
	if verdict.Action == relay.Answer {
		g.news.failed(m.Method(), m.ID())
	}
	return verdict
}

func (g *gate) judge(m *relay.Message) relay.Verdict {
	method := m.Method()
	switch {
	case m.Kind() == relay.Notification && !strings.HasPrefix(cleanMethod(method), "notifications/"):
		// A call without an id would run without an answer and without a trace.
		g.record(m, &identity.User{}, audit.Refused, "a call without an id")
		return relay.Verdict{Action: relay.Drop}
	case m.Kind() == relay.Notification && !knownNotifications[method]:
		return g.unknownNotification(m)
	case m.Kind() != relay.Call || isOpen(method):
		return g.cleaned(m)
	}
	switch now := g.session.Snapshot(); {
	case now.State == identity.SignedIn:
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
	return now.State == identity.Loading || now.State == identity.Troubled && errors.Is(now.Err, identity.ErrExpired)
}

// settled waits until the session knows more.
func (g *gate) settled(ctx context.Context) {
	if !unsettled(g.session.Wait(ctx)) {
		return
	}
	select { // the clock was set while it waited: look again, but do not spin
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
}

// cleaned forwards a message, which loses the members that only we may set.
// A client's attempt to set them is put on record.
func (g *gate) cleaned(m *relay.Message) relay.Verdict {
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
func (g *gate) forUser(m *relay.Message, now *identity.Snapshot) relay.Verdict {
	method := m.Method()
	if isList(method) {
		v := g.cleaned(m)
		v.Tag = m.Cursor() == nil // whether it asks for the first page
		return v
	}
	sent := m
	if isOurs(m) {
		m = g.inviter.original(m)
	}
	if until := g.unknownTool(m); until != nil {
		return relay.Verdict{Action: relay.Wait, Until: until}
	}
	if method == "tools/call" && m.Name() == signInTool && !g.tools.has(signInTool) {
		return answer(signedInAnswer(m, now.User))
	}
	switch ruling := g.doors.judge(m, now); {
	case ruling.Effect == policy.StepUp:
		return g.stepUp(sent, m, now, ruling)
	case ruling.Effect == policy.Deny:
		g.record(m, &now.User, audit.Deny, ruling.Rule)
		return g.refuse(m, codeDenied, g.doors.words(ruling, now, g.profile()))
	case !isUsers(method):
		return g.completion(m, ruling.item)
	default:
		if verdict, agreed := g.confirmed(sent, m, now); !agreed {
			return verdict
		}
		if verdict, limited := g.limited(m, now, g.doors.limits.take); limited {
			return verdict
		}
		return g.allowed(sent, m, &now.User, ruling)
	}
}

// refuse answers a call with why it goes nowhere.
func (g *gate) refuse(m *relay.Message, code int, words string) relay.Verdict {
	if g.explorer != nil {
		g.explorer.noteRefusal(m.ID(), itemOf(m), code, words)
	}
	return answer(refusedAnswer(m, code, words))
}

// mendedBySignIn reports whether a plain sign-in is what is missing. A lock is
// lifted only by the command that says so.
func mendedBySignIn(now *identity.Snapshot) bool {
	return now.State == identity.SignedOut && !errors.As(now.Err, new(*identity.LockedError))
}

// allowed sends a call on, with the user in it and on record.
func (g *gate) allowed(sent, m *relay.Message, user *identity.User, ruling ruling) relay.Verdict {
	written := g.user.of(user)
	add := g.insertion(m, written.text)
	// Arguments that are no object are refused in every mode: a server might
	// decode a text, and find in it the user that the client wrote there.
	if !m.CanHold(relay.Insertion{Meta: add.Meta, Argument: add.Meta}) {
		g.record(m, user, audit.Refused, "the params of the call cannot hold the user")
		return answer(relay.AppendError(nil, m.ID(), relay.CodeInvalidParams,
			"mcpauth: params, _meta and arguments must be objects", nil))
	}
	call, commit, err := g.recordCall(m, written, ruling.Rule)
	if err != nil {
		return g.refuse(m, codeUnrecorded, unrecordedWords(err))
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
func (g *gate) insertion(m *relay.Message, user []byte) relay.Insertion {
	add := relay.Insertion{Meta: user}
	if m.Method() != "tools/call" {
		return add
	}
	if g.userContext == contextAlways || g.userContext == contextAuto && g.tools.takesUser(m.Name()) {
		add.Argument = user
	}
	return add
}

// unknownTool returns what to wait for when it is not known yet whether the
// tool takes the user as an argument.
func (g *gate) unknownTool(m *relay.Message) func(context.Context) {
	if m.Method() != "tools/call" || g.tools.knows(m.Name()) {
		return nil
	}
	if g.userContext != contextAuto && m.Name() != signInTool && !g.doors.pins.blocking() {
		return nil // nothing depends on what the tool declares
	}
	var modernMeta []byte
	if m.Modern() {
		modernMeta = m.ModernMeta()
	}
	return func(ctx context.Context) { g.tools.fetch(ctx, modernMeta) }
}

// withoutUser answers a call that there is no user for.
func (g *gate) withoutUser(m *relay.Message, now *identity.Snapshot) relay.Verdict {
	method := m.Method()
	if method == "subscriptions/listen" && !wantsResources(m) {
		return g.cleaned(m) // how a modern client hears of the sign-in
	}
	if list, known := g.lists.get(method); known {
		return answer(resultAnswer(m, map[string]any{listMembers[method]: list}, true))
	}
	if isUsers(method) {
		if mendedBySignIn(now) && g.canInvite(m) {
			if verdict, invited := g.inviter.invite(m, m, signInErrand()); invited {
				return verdict
			}
		}
		g.record(m, &now.User, audit.SignedOut, stateReason(now))
	}
	if list := signedOutList(m, g.profile()); list != nil && g.explorer == nil {
		return answer(list)
	}
	return g.refuse(m, signedOutCode(now), signedOutWords(g.profile(), now))
}

// canInvite reports whether the person can be shown where to sign in.
func (g *gate) canInvite(m *relay.Message) bool {
	return canAsk(g.capabilities(m)) && (g.explorer == nil || g.explorer.attended)
}

// capabilities are those that the client of a call declared, as JSON.
func (g *gate) capabilities(m *relay.Message) []byte {
	if m.Modern() {
		return m.Capabilities()
	}
	if abilities := g.abilities.Load(); abilities != nil {
		return *abilities
	}
	return nil
}

// wantsResources reports whether a subscriptions/listen asks for updates of
// resources, and not only for news of lists.
func wantsResources(m *relay.Message) bool {
	var wanted struct {
		Resources []json.RawMessage `json:"resourceSubscriptions"`
	}
	return json.Unmarshal(m.Notifications(), &wanted) != nil || len(wanted.Resources) > 0
}

func answer(line []byte) relay.Verdict { return relay.Verdict{Action: relay.Answer, Line: line} }

// Uncommitted answers a call that did not leave, because it could not be recorded.
func (g *gate) Uncommitted(request *relay.Request, err error) []byte {
	if call, ok := request.Tag.(*openCall); ok {
		g.calls.remove(call)
	}
	words := unrecordedWords(err)
	if g.explorer != nil {
		g.explorer.noteRefusal(request.ID, itemAsked(request), codeUnrecorded, words)
		g.explorer.noteOwn(string(request.ID))
	}
	return refusedAnswer(asked{request}, codeUnrecorded, words)
}

// Refused records a line of the client that was not read.
func (g *gate) Refused(r *relay.Refusal) {
	// The line is refused whether or not it can be recorded.
	_ = g.audit.Append(audit.Record{
		Event: "message", Profile: g.profile(), Server: g.server,
		Decision: audit.Refused, Reason: r.Reason,
	})
}

// FromBackend judges a message of the server.
func (g *gate) FromBackend(out *relay.Output, request *relay.Request) relay.Verdict {
	g.calls.answered(out, request)
	switch {
	case out.Kind() == relay.Notification:
		return g.notification(out)
	case out.Kind() == relay.Call:
		return g.request(out)
	case request == nil:
		return relay.Verdict{Action: relay.Forward}
	case out.Failed():
		g.news.failed(request.Method, request.ID)
		return relay.Verdict{Action: relay.Forward, Line: g.inputDenied(out, request)}
	}
	return relay.Verdict{Action: relay.Forward, Line: g.answered(out, request)}
}

// unanswered notes that a call got an error of the relay's.
func (g *gate) unanswered(request *relay.Request, code int) {
	g.calls.unanswered(request, code)
	g.news.failed(request.Method, request.ID)
}

func (g *gate) notification(out *relay.Output) relay.Verdict {
	if out.Method() == "notifications/tools/list_changed" {
		g.tools.forget()
	}
	if !g.doors.hears(out, g.session) {
		return relay.Verdict{Action: relay.Drop}
	}
	return relay.Verdict{Action: relay.Forward}
}

// answered takes note of an answer and returns what the client gets instead of
// it, or nil.
func (g *gate) answered(out *relay.Output, request *relay.Request) (line []byte) {
	g.news.answered(request, out.Result())
	if denied := g.inputDenied(out, request); denied != nil {
		return denied
	}
	if request.Method == "initialize" || request.Method == "server/discover" {
		return out.OfferListChanged()
	}
	if caller, ok := request.Tag.(*openCall); ok && request.Method == "tools/call" {
		g.doors.tasks.note(out.Result(), taskOwner{caller.user.Sub, request.Name})
	}
	if of, ok := request.Tag.(completionOf); ok {
		return g.doors.completed(out, request, of, g.session.Snapshot())
	}
	if isList(request.Method) {
		return g.listed(out, request)
	}
	return nil
}

// readList makes of a list what the client gets, and takes note of it.
func (g *gate) readList(out *relay.Output, request *relay.Request) (line []byte, noted bool) {
	if request.Method == "tools/list" {
		g.doors.pins.note(out)
		var tools []relay.Tool
		line, tools = out.HideArgument(UserArgument)
		g.tools.note(tools)
	}
	if line != nil {
		var scanner relay.Scanner
		out = scanner.Scan(line)
	}
	if filtered := g.doors.filter(out, request, g.session.Snapshot()); filtered != nil {
		line = filtered
	}
	if listMembers[request.Method] != "" {
		noted = g.keepList(out, request, line)
	}
	return line, noted
}

// keepList keeps a list as the client gets it: line, or what the server sent.
func (g *gate) keepList(out *relay.Output, request *relay.Request, line []byte) bool {
	seen := line
	if seen == nil {
		seen = bytes.Clone(out.Bytes())
	}
	first, _ := request.Tag.(bool)
	return g.lists.note(listPage{method: request.Method, first: first, response: seen})
}

// noteClient remembers who the client says it is.
func (g *gate) noteClient(m *relay.Message) {
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
	if json.Unmarshal(m.ClientInfo(), &client) == nil {
		g.client.Store(&client)
	}
}
