package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/keychain"
)

// fixedSession is a session that a test sets.
type fixedSession struct {
	mu  sync.Mutex
	now *identity.Snapshot

	changed chan struct{}

	used atomic.Int32
}

func (s *fixedSession) Snapshot() *identity.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *fixedSession) Wait(context.Context) *identity.Snapshot { return s.Snapshot() }

func (s *fixedSession) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

func (s *fixedSession) Profile() string { return "orders" }

func (s *fixedSession) Used() { s.used.Add(1) }

func (s *fixedSession) set(now identity.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = &now
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func signedIn(sub string) identity.Snapshot {
	return identity.Snapshot{State: identity.SignedIn, User: identity.User{Sub: sub, Email: sub + "@example.com"}}
}

// notebook is an audit log in memory.
type notebook struct {
	records []audit.Record
	err     error
}

// Queue leaves nothing to commit.
func (n *notebook) Queue(r audit.Record) (relay.Commit, error) { return committed{}, n.Append(r) }

type committed struct{}

func (committed) Commit() error { return nil }

func (n *notebook) Append(r audit.Record) error {
	if n.err == nil {
		n.records = append(n.records, r)
	}
	return n.err
}

func testGate() (*Session, *fixedSession, *notebook) {
	session, record, tools := &fixedSession{}, &notebook{}, &toolCatalog{}
	session.set(signedIn("ada"))
	rules := fixedPolicy(policy.SignedIn())
	pins := &pinStore{mode: rules.pin, say: func(string) {}, changed: func() {}}
	return &Session{
		shared: &Server{}, server: "main.py", userContext: ContextNever,
		session: session, authorizer: &authorizer{server: "main.py", policy: rules, tools: tools, pins: pins}, limiter: &limiter{}, audit: record, tools: tools, calls: &callTracker{later: func(audit.Outcome) {}, open: map[*trackedCall]struct{}{}},
		lists: openLists(Place{StateDir: "/nowhere", Command: []string{"x"}}), pages: newListPages(), notifier: &listNotifier{notify: func([]byte) {}}, prompter: &signInPrompter{}, approver: &approver{},
	}, session, record
}

// fixedPolicy is a policy that a test sets.
func fixedPolicy(p *policy.Policy) *policyWatch {
	w := &policyWatch{}
	w.current.Store(p)
	return w
}

func message(t *testing.T, line string) *relay.Message {
	t.Helper()
	m, refusal := relay.NewParser(reserved).Parse([]byte(line))
	if refusal != nil {
		t.Fatal(refusal)
	}
	return m
}

const whoami = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}`

func TestGateFollowsTheSession(t *testing.T) {
	g, session, record := testGate()
	locked := &keychain.Error{Op: "get", Kind: keychain.Locked}
	tests := []struct {
		name   string
		now    identity.Snapshot
		action relay.Action
		words  string
	}{
		{"signed in", signedIn("ada"), relay.Forward, `"sub":"ada"`},
		{"another user", signedIn("grace"), relay.Forward, `"sub":"grace"`},
		{"signed out", identity.Snapshot{State: identity.SignedOut}, relay.Answer, "mcpauth login --profile orders"},
		{"ended", identity.Snapshot{State: identity.SignedOut, Err: &identity.EndedError{Reason: "the provider ended it"}}, relay.Answer, "the provider ended it"},
		{"keychain locked", identity.Snapshot{State: identity.Degraded, Err: locked}, relay.Answer, "unlock the keychain"},
		{"provider down", identity.Snapshot{State: identity.Degraded, Err: &identity.UnreachableError{Step: "token", Host: "login.example.com", Err: errors.New("no route")}}, relay.Answer, "login.example.com cannot be reached"},
		{"token over", identity.Snapshot{State: identity.Degraded, Err: identity.ErrExpired}, relay.Wait, ""},
		{"loading", identity.Snapshot{State: identity.Loading}, relay.Wait, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			session.set(test.now)
			v := g.FromClient(message(t, whoami))
			if v.Action != test.action || !strings.Contains(string(v.Line)+string(v.Insert.Meta), test.words) {
				t.Errorf("action %v, line %s, inserts %s", v.Action, v.Line, v.Insert.Meta)
			}
			if v := g.FromClient(message(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)); v.Action != relay.Forward {
				t.Error("ping does not pass")
			}
		})
	}
	if len(record.records) != 6 {
		t.Errorf("%d records, want one for each call that was judged", len(record.records))
	}
}

// Every method that reaches into the server needs a user, also those that
// nobody here knows.
func TestNothingPassesWithoutUser(t *testing.T) {
	g, session, _ := testGate()
	session.set(identity.Snapshot{State: identity.SignedOut})
	for _, method := range []string{
		"tools/list", "tools/call", "resources/list", "resources/templates/list", "resources/read", "resources/subscribe",
		"prompts/list", "prompts/get", "completion/complete",
		"tasks/get", "tasks/list", "tasks/result", "tasks/cancel", "tasks/update", "vendor/anything", "Tools/Call", "",
	} {
		v := g.FromClient(message(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"name":"x"}}`, method)))
		if v.Action != relay.Answer {
			t.Errorf("%q: action %v", method, v.Action)
		}
	}
}

// absent are the states of a session in which there is no user.
var absent = map[string]identity.Snapshot{
	"signed out": {State: identity.SignedOut}, "locked": {State: identity.SignedOut, Err: &identity.LockedError{}},
	"keychain locked": {State: identity.Degraded, Err: &keychain.Error{Op: "get", Kind: keychain.Locked}},
}

// While there is no user, nothing reaches the server but what starts and keeps a
// session: no notification that may be a command, no answer, no setting.
func TestAttackWhileNobodyIsSignedIn(t *testing.T) {
	for name, now := range absent {
		for _, text := range []string{"", noDeleting} {
			g, session, record := gateWith(t, text)
			session.set(now)
			for _, line := range []string{
				`{"jsonrpc":"2.0","method":"notifications/vendor/wipe"}`, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}`,
				`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`, `{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"x"}}`,
				`{"jsonrpc":"2.0","method":"notifications/Initialized"}`, `{"jsonrpc":"2.0","id":7,"result":{"roots":[]}}`, `{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"m"}}`,
				`{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}`, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{}}`,
				callOf("subscriptions/listen", eras["modern"], `,"notifications":{"toolsListChanged":true}`), callOf("subscriptions/listen", eras["modern"], ``),
				callOf("subscriptions/listen", eras["modern"], `,"notifications":{"resourceSubscriptions":["x"]}`), callOf("completion/complete", `{}`, ``),
				callOf("notifications/cancelled", `{}`, `,"requestId":1`), callOf("vendor/x", `{}`, ``), callOf("tasks/cancel", `{}`, `,"taskId":"t"`),
			} {
				if v := g.FromClient(message(t, line)); v.Action == relay.Forward {
					t.Errorf("%s: %s passes", name, line)
				}
			}
			for _, r := range record.records {
				if r.Decision == audit.Allow {
					t.Errorf("%s: logged as allowed: %+v", name, r)
				}
			}
			for _, method := range []string{"notifications/initialized", "notifications/cancelled"} {
				if v := g.FromClient(message(t, `{"jsonrpc":"2.0","method":"`+method+`","params":{"requestId":1}}`)); v.Action != relay.Forward {
					t.Errorf("%s: %s: %v", name, method, v.Action)
				}
			}
		}
	}
}

// The server asks nothing of a client whose answers do not pass, and is answered.
func TestServerAsksWhileNobodyIsSignedIn(t *testing.T) {
	for name, now := range absent {
		g, session, _ := testGate()
		session.set(now)
		var scanner relay.Scanner
		for method, want := range map[string]string{"ping": `"result":{}`, "roots/list": `"error":{"code":4401,`, "sampling/createMessage": `"error":{"code":4401,`} {
			v := g.FromBackend(scanner.Scan([]byte(`{"jsonrpc":"2.0","id":"s","method":"`+method+`"}`)), nil)
			if v.Action != relay.Answer || !strings.Contains(string(v.Line), want) {
				t.Errorf("%s: %s: %v %s", name, method, v.Action, v.Line)
			}
		}
	}
}

// A level that is set while there is no user reaches the server, logged, once there is one.
func TestLogLevelWaitsForTheSignIn(t *testing.T) {
	g, session, record := testGate()
	sent := make(chan string, 2)
	g.tools.ask = func(_ context.Context, build func([]byte) []byte) ([]byte, error) {
		sent <- string(build([]byte("1")))
		return nil, errors.New("no answer")
	}
	session.set(identity.Snapshot{State: identity.SignedOut})
	v := g.FromClient(message(t, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}`))
	if v.Action != relay.Answer || !strings.Contains(string(v.Line), `"result":{}`) || len(record.records) != 0 {
		t.Errorf("%v %s, logged %+v", v.Action, v.Line, record.records)
	}
	session.set(signedIn("ada"))
	for range 2 {
		g.FromClient(message(t, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`))
	}
	if got := <-sent; got != `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}` {
		t.Error(got)
	}
	if len(sent) != 0 || len(record.records) != 1 || record.records[0].Method != "logging/setLevel" {
		t.Errorf("logged %+v", record.records)
	}
}

// Every request that reaches the server is logged, but those that start and keep a
// session, and lists; and what cannot be logged does not reach it.
func TestEveryRequestIsLogged(t *testing.T) {
	logged := []string{
		"tools/call", "resources/read", "prompts/get", "vendor/delete_everything", "tasks/cancel", "tasks/update", "tasks/get", "resources/subscribe", "resources/unsubscribe",
		"completion/complete", "logging/setLevel", "subscriptions/listen",
	}
	named := map[string]string{"completion/complete": "x://{id}", "tasks/cancel": "t", "resources/subscribe": "x:1", "vendor/delete_everything": "x"}
	call := func(method string) string {
		return callOf(method, `{}`, `,"name":"x","uri":"x:1","taskId":"t","level":"info","ref":{"type":"ref/resource","uri":"x://{id}"},"argument":{"name":"id","value":""}`)
	}
	for _, method := range logged {
		g, _, record := testGate()
		v := g.FromClient(message(t, call(method)))
		if v.Action != relay.Forward || v.Commit == nil {
			t.Errorf("%s: %v %s", method, v.Action, v.Line)
		}
		if len(record.records) != 1 || record.records[0].Method != method || record.records[0].Decision != audit.Allow || record.records[0].Sub != "ada" || named[method] != "" && record.records[0].Name != named[method] {
			t.Errorf("%s is logged as %+v", method, record.records)
		}
		record.err = errors.New("no space left on device")
		if v := g.FromClient(message(t, call(method))); v.Action != relay.Answer {
			t.Errorf("%s passes without a log: %v", method, v.Action)
		}
	}
	g, _, record := testGate()
	for _, method := range []string{"initialize", "ping", "server/discover", "tools/list", "resources/list", "resources/templates/list", "prompts/list", "tasks/list"} {
		if !passes(t, g, callOf(method, `{}`, ``)) || len(record.records) != 0 {
			t.Errorf("%s is logged as %+v", method, record.records)
		}
	}
	if !passes(t, g, `{"jsonrpc":"2.0","method":"notifications/vendor/wipe"}`) || len(record.records) != 1 {
		t.Errorf("a notification that may be a command is logged as %+v", record.records)
	}
	record.err = errors.New("no space left on device")
	if passes(t, g, `{"jsonrpc":"2.0","method":"notifications/vendor/wipe"}`) {
		t.Error("a notification that may be a command passes without a log")
	}
}

// A request that has the name of a notification gets an answer, and does nothing.
func TestAttackNotificationWithAnID(t *testing.T) {
	g, _, record := testGate()
	for _, method := range []string{"notifications/cancelled", "notifications/initialized", "Notifications/Cancelled", "notifications/vendor/x", "x/../notifications/cancelled"} {
		v := g.FromClient(message(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":9,"method":%q,"params":{"requestId":1}}`, method)))
		if v.Action != relay.Answer || !strings.Contains(string(v.Line), `"id":9,"error":{"code":-32600,`) {
			t.Errorf("%s: %v %s", method, v.Action, v.Line)
		}
	}
	if len(record.records) != 5 || record.records[0].Decision != audit.Refused {
		t.Errorf("logged %+v", record.records)
	}
}

// A message that asks for something without an id leaves no answer and no trace.
func TestOnlyNotificationsPassWithoutID(t *testing.T) {
	g, session, record := testGate()
	for _, now := range []identity.Snapshot{signedIn("ada"), {State: identity.SignedOut}} {
		session.set(now)
		for _, method := range []string{"tools/call", "resources/templates/list", "completion/complete", "tasks/cancel", "resources/subscribe", "initialize"} {
			if v := g.FromClient(message(t, `{"jsonrpc":"2.0","method":"`+method+`","params":{"name":"x"}}`)); v.Action != relay.Drop {
				t.Errorf("%s: action %v", method, v.Action)
			}
		}
		if v := g.FromClient(message(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)); v.Action != relay.Forward {
			t.Error("a notification does not pass")
		}
	}
	if len(record.records) != 12 {
		t.Errorf("%d records, want 12", len(record.records))
	}
}

// What passes without a user carries none, and the attempt is on record.
func TestForgeryIsRecordedEverywhere(t *testing.T) {
	g, session, record := testGate()
	session.set(identity.Snapshot{State: identity.SignedOut})
	for _, line := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"_meta":{"io.github.mcpauth/user":{"sub":"mallory"}}}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized","params":{"_oauth_user":{"sub":"mallory"}}}`,
		`{"jsonrpc":"2.0","id":7,"result":{"action":"accept","_meta":{"io.github.mcpauth/user":{"sub":"mallory"}}}}`,
		`{"jsonrpc":"2.0","id":7,"result":{"_oauth_user":{"sub":"mallory"},"action":"accept"}}`,
	} {
		m := message(t, line)
		if m.Kind() == relay.Response {
			session.set(signedIn("ada"))
		}
		v := g.FromClient(m)
		if sent, _ := m.Splice(nil, reserved, v.Insert); v.Action != relay.Forward || v.Line != nil || strings.Contains(string(sent), "mallory") {
			t.Errorf("action %v, sent %s%s", v.Action, v.Line, sent)
		}
	}
	if len(record.records) != 4 || !record.records[0].Spoofed {
		t.Errorf("records %+v", record.records)
	}
}

// A text instead of an object could hold a user that some server decodes.
func TestArgumentsMustBeAnObject(t *testing.T) {
	for _, mode := range []string{ContextAuto, ContextAlways, ContextNever} {
		g, _, _ := testGate()
		g.userContext = mode
		g.tools.note([]relay.Tool{{Name: "whoami"}})
		v := g.FromClient(message(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":"{\"_oauth_user\":1}"}}`))
		if v.Action != relay.Answer || !strings.Contains(string(v.Line), "-32602") {
			t.Errorf("%s: action %v, line %s", mode, v.Action, v.Line)
		}
	}
}

func TestUpdatesEndWithTheSignIn(t *testing.T) {
	g, session, _ := testGate()
	var scanner relay.Scanner
	update := scanner.Scan([]byte(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:1"}}`))
	if v := g.FromBackend(update, nil); v.Action != relay.Forward {
		t.Errorf("signed in: action %v", v.Action)
	}
	session.set(identity.Snapshot{State: identity.SignedOut})
	if v := g.FromBackend(update, nil); v.Action != relay.Drop {
		t.Errorf("signed out: action %v", v.Action)
	}
}

// Only what is let through counts as use: a limit on idleness must not be held off
// by calls that are refused.
func TestCallsHoldOffTheIdleLimit(t *testing.T) {
	g, session, _ := testGate()
	g.FromClient(message(t, whoami))
	if n := session.used.Load(); n != 1 {
		t.Errorf("a call counts as %d uses", n)
	}
	session.set(identity.Snapshot{State: identity.SignedOut})
	g.FromClient(message(t, whoami))
	if n := session.used.Load(); n != 1 {
		t.Errorf("a refused call counts as use")
	}
}

// A lock is no question of signing in: the client is not asked to show a page.
func TestLockIsNotLiftedByAnInvitation(t *testing.T) {
	g, session, _ := testGate()
	g.FromClient(message(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{"elicitation":{"url":{}}},"clientInfo":{"name":"c"}}}`))
	session.set(identity.Snapshot{State: identity.SignedOut, Err: &identity.LockedError{}})
	v := g.FromClient(message(t, whoami))
	if v.Action != relay.Answer || !strings.Contains(string(v.Line), "mcpauth unlock") {
		t.Errorf("action %v, line %s", v.Action, v.Line)
	}
}

func TestGateDeniesByPolicy(t *testing.T) {
	g, _, record := testGate()
	g.authorizer.policy = fixedPolicy(&policy.Policy{})
	v := g.FromClient(message(t, whoami))
	if v.Action != relay.Answer || !strings.Contains(string(v.Line), "Denied by policy: no rule allows it. Asking again will not help.") {
		t.Errorf("action %v, line %s", v.Action, v.Line)
	}
	if r := record.records[0]; r.Decision != audit.Deny || r.Reason != "no rule allows it" || r.Sub != "ada" {
		t.Errorf("record %+v", r)
	}
	v = g.FromClient(message(t, `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"x"}}`))
	if !strings.Contains(string(v.Line), `"error":{"code":4403`) {
		t.Errorf("line %s", v.Line)
	}
}

func TestWhatIsNotRecordedDoesNotHappen(t *testing.T) {
	g, _, record := testGate()
	record.err = errors.New("no space left on device")
	v := g.FromClient(message(t, whoami))
	if v.Action != relay.Answer || !strings.Contains(string(v.Line), "no space left on device") {
		t.Errorf("action %v, line %s", v.Action, v.Line)
	}
	record.err = nil
	if v := g.FromClient(message(t, whoami)); v.Action != relay.Forward {
		t.Error("calls do not pass again when there is room again")
	}
}

// A call may come before any list: the proxy then asks for the list itself,
// page by page, and in the words of the client's protocol.
func TestToolBookAsksTheServer(t *testing.T) {
	g, _, _ := testGate()
	g.userContext = ContextAuto
	var asked []string
	g.tools.ask = func(_ context.Context, build func([]byte) []byte) ([]byte, error) {
		question := string(build([]byte(`"q"`)))
		asked = append(asked, question)
		if strings.Contains(question, `"cursor":"2"`) {
			return []byte(`{"jsonrpc":"2.0","id":"q","result":{"tools":[{"name":"whoami","inputSchema":{"properties":{"_oauth_user":{}}}}]}}`), nil
		}
		return []byte(`{"jsonrpc":"2.0","id":"q","result":{"tools":[{"name":"other","inputSchema":{}}],"nextCursor":"2"}}`), nil
	}
	modern := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","secret":1}}}`
	v := g.FromClient(message(t, modern))
	if v.Action != relay.Wait {
		t.Fatalf("action %v", v.Action)
	}
	v.Until(t.Context())
	v = g.FromClient(message(t, modern))
	if v.Action != relay.Forward || !strings.HasPrefix(string(v.Insert.Argument), `{"sub":"ada"`) {
		t.Errorf("action %v, inserts %s", v.Action, v.Insert.Argument)
	}
	if len(asked) != 2 || !strings.Contains(asked[0], `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`) {
		t.Errorf("asked %q", asked)
	}
	if v := g.FromClient(message(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"unlisted"}}`)); v.Action != relay.Forward {
		t.Error("a tool that no list names waits for ever")
	}

	// the server says that its tools changed: what was learnt counts no more
	var scanner relay.Scanner
	g.FromBackend(scanner.Scan([]byte(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)), nil)
	if v := g.FromClient(message(t, whoami)); v.Action != relay.Wait {
		t.Errorf("action %v", v.Action)
	}
}

func TestToolBookDoesWithoutAList(t *testing.T) {
	book := &toolCatalog{ask: func(context.Context, func([]byte) []byte) ([]byte, error) { return nil, relay.ErrBackendGone }}
	book.fetch(t.Context(), nil)
	if !book.knows("whoami") || book.takesUser("whoami") {
		t.Error("a call waits for a list that cannot be had")
	}
	endless := &toolCatalog{ask: func(context.Context, func([]byte) []byte) ([]byte, error) {
		return []byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"nextCursor":"again"}}`), nil
	}}
	endless.fetch(t.Context(), nil)
}

func BenchmarkGateCall(b *testing.B) {
	g, session, _ := testGate()
	log, err := audit.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	g.audit = &auditLog{log: log}
	session.set(identity.Snapshot{State: identity.SignedIn, User: identity.User{
		Sub: "ada", UserID: "ada", Email: "ada@example.com", Name: "Ada Lovelace", Groups: []string{"engineering", "admins"},
		Scopes: []string{"openid", "profile", "email"}, Issuer: "https://login.example.com", ClientID: "x", Profile: "orders",
	}})
	line := []byte(`{"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"}},"jsonrpc":"2.0","id":42}`)
	parser := relay.NewParser(reserved)
	b.ReportAllocs()
	for b.Loop() {
		m, refusal := parser.Parse(line)
		if refusal != nil {
			b.Fatal(refusal)
		}
		if g.FromClient(m).Insert.Meta == nil {
			b.Fatal("no user")
		}
	}
}

// The user is an argument in the modes that say so, whatever the list declared.
func TestUserContextAfterAList(t *testing.T) {
	for mode, want := range map[string][2]bool{ContextNever: {false, false}, ContextAuto: {true, false}, ContextAlways: {true, true}} {
		g, _, _ := gateWith(t, "")
		g.userContext = mode
		answerTo(t, g, "tools/list", `{}`, `{"tools":[{"name":"declares","inputSchema":{"properties":{"_oauth_user":{}}}},{"name":"plain"}]}`)
		for i, tool := range []string{"declares", "plain"} {
			v := g.FromClient(message(t, callOf("tools/call", `{}`, `,"name":"`+tool+`"`)))
			if v.Action != relay.Forward || (v.Insert.Argument != nil) != want[i] || v.Insert.Meta == nil {
				t.Errorf("%s: %s gets %s", mode, tool, v.Insert.Argument)
			}
		}
	}
}

// A client at whose end nobody is gets no question.
func TestNobodyAttendsTheSignIn(t *testing.T) {
	for _, attended := range []bool{false, true} {
		g, session, _ := askingGate(t, freshPay, func(identity.LoginOptions) {})
		g.explorer = &Explorer{Attended: attended, Refused: func([]byte, policy.Item, int, string) {}, Own: func(string) {}}
		session.set(identity.Snapshot{State: identity.SignedOut})
		v := g.FromClient(message(t, callOf("tools/call", asks, `,"name":"pay"`)))
		if asked := v.Action == relay.Wait || strings.Contains(string(v.Line), "input_required"); asked != attended {
			t.Errorf("attended %v: %v %s", attended, v.Action, v.Line)
		}
		g.prompter.stop()
	}
}

// The whole list is read, also where a cursor is empty; one that comes again ends it.
func TestToolBookFollowsEveryCursor(t *testing.T) {
	for name, pages := range map[string][]string{
		"empty":  {`{"tools":[{"name":"a"}],"nextCursor":""}`, `{"tools":[{"name":"b"}]}`},
		"again":  {`{"tools":[{"name":"a"}],"nextCursor":"2"}`, `{"tools":[{"name":"b"}],"nextCursor":"2"}`},
		"number": {`{"tools":[{"name":"a"},{"name":"b"}],"nextCursor":2}`},
		"null":   {`{"tools":[{"name":"a"},{"name":"b"}],"nextCursor":null}`},
	} {
		asked := 0
		book := &toolCatalog{ask: func(context.Context, func([]byte) []byte) ([]byte, error) {
			asked++
			return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%s}`, pages[min(asked, len(pages))-1]), nil
		}}
		book.fetch(t.Context(), nil)
		if !book.has("a") || !book.has("b") || asked != len(pages) {
			t.Errorf("%s: asked %d times", name, asked)
		}
	}
}

// A sign-in that cannot be used, as of a locked keychain, is no question of signing in.
func TestTroubleIsNotLiftedByAnInvitation(t *testing.T) {
	for name, now := range absent {
		g, session, _ := askingGate(t, freshPay, func(identity.LoginOptions) {})
		session.set(now)
		v := g.FromClient(message(t, callOf("tools/call", asks, `,"name":"pay"`)))
		if asked := v.Action == relay.Wait || strings.Contains(string(v.Line), "input_required"); asked != (name == "signed out") {
			t.Errorf("%s: %v %s", name, v.Action, v.Line)
		}
		g.prompter.stop()
	}
}

// A call that a person must agree to waits until it is known what its tool declares.
func TestConfirmationWaitsForTheList(t *testing.T) {
	g, _, _ := gateWith(t, "confirm=['pay']")
	for tool, want := range map[string]relay.Action{"pay": relay.Wait, "get": relay.Forward} {
		if v := g.FromClient(message(t, callOf("tools/call", asks, `,"name":"`+tool+`"`))); v.Action != want {
			t.Errorf("%s: %v %s", tool, v.Action, v.Line)
		}
	}
}

// While the session is loading, what needs a user waits, also without an id.
func TestNotificationsAndAnswersWaitForTheSession(t *testing.T) {
	g, session, _ := testGate()
	session.set(identity.Snapshot{State: identity.Loading})
	for _, line := range []string{
		`{"jsonrpc":"2.0","method":"notifications/vendor/x"}`, `{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`, `{"jsonrpc":"2.0","id":7,"result":{"roots":[]}}`,
	} {
		if v := g.FromClient(message(t, line)); v.Action != relay.Wait {
			t.Errorf("%s: %v", line, v.Action)
		}
	}
}

// A resource that needs another sign-in is not subscribed to before it.
func TestSubscriptionThatNeedsAnotherSignIn(t *testing.T) {
	g, _, _ := gateWith(t, "[[rules]]\neffect='allow'\nresources=['x:1']\nmax_auth_age='15m'\n")
	if passes(t, g, callOf("subscriptions/listen", eras["modern"], `,"notifications":{"resourceSubscriptions":["x:1"]}`)) {
		t.Error("it passes")
	}
}

// A modern client says in every request who it is. The log names the first that it said.
func TestClientIsTheOneOfTheFirstRequest(t *testing.T) {
	g, _, record := gateWith(t, "")
	for _, name := range []string{"first", "second"} {
		meta := fmt.Sprintf(`{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":%q,"version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`, name)
		g.FromClient(message(t, callOf("prompts/get", meta, `,"name":"p"`)))
		if last := record.records[len(record.records)-1]; last.Client != "first" {
			t.Errorf("after the request of %s the log says %q", name, last.Client)
		}
	}
}
