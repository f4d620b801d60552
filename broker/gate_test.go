package broker

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

	used atomic.Int32
}

func (s *fixedSession) Snapshot() *identity.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *fixedSession) Wait(context.Context) *identity.Snapshot { return s.Snapshot() }

func (s *fixedSession) Used() { s.used.Add(1) }

func (s *fixedSession) set(now identity.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = &now
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

func testGate() (*gate, *fixedSession, *notebook) {
	session, record, tools := &fixedSession{}, &notebook{}, &toolBook{}
	session.set(signedIn("ada"))
	rules := fixedPolicy(policy.SignedIn())
	pins := &pinBook{mode: rules.pin, say: func(string) {}, changed: func() {}}
	return &gate{
		profile: func() string { return "orders" }, server: "main.py", userContext: contextNever,
		session: session, doors: &doors{server: "main.py", policy: rules, tools: tools, pins: pins, limits: &limiter{}}, audit: record, tools: tools,
		lists: openLists("/nowhere", Resolved{Profile: Profile{Command: []string{"x"}}}), news: &news{notify: func([]byte) {}}, inviter: &inviter{}, confirmer: &confirmer{},
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
		{"keychain locked", identity.Snapshot{State: identity.Troubled, Err: locked}, relay.Answer, "unlock the keychain"},
		{"provider down", identity.Snapshot{State: identity.Troubled, Err: &identity.UnreachableError{Step: "token", Host: "login.example.com", Err: errors.New("no route")}}, relay.Answer, "login.example.com cannot be reached"},
		{"token over", identity.Snapshot{State: identity.Troubled, Err: identity.ErrExpired}, relay.Wait, ""},
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
		if v := g.FromClient(message(t, `{"jsonrpc":"2.0","method":"notifications/progress"}`)); v.Action != relay.Forward {
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
		`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{},"_meta":{"io.github.mcpauth/user":{"sub":"mallory"}}}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized","params":{"_oauth_user":{"sub":"mallory"}}}`,
		`{"jsonrpc":"2.0","id":7,"result":{"action":"accept","_meta":{"io.github.mcpauth/user":{"sub":"mallory"}}}}`,
		`{"jsonrpc":"2.0","id":7,"result":{"_oauth_user":{"sub":"mallory"},"action":"accept"}}`,
	} {
		m := message(t, line)
		v := g.FromClient(m)
		if sent, _ := m.Splice(nil, reserved, v.Insert); v.Action != relay.Forward || v.Line != nil || strings.Contains(string(sent), "mallory") {
			t.Errorf("action %v, sent %s%s", v.Action, v.Line, sent)
		}
	}
	if len(record.records) != 5 || !record.records[0].Spoofed {
		t.Errorf("records %+v", record.records)
	}
}

// A text instead of an object could hold a user that some server decodes.
func TestArgumentsMustBeAnObject(t *testing.T) {
	for _, mode := range []string{contextAuto, contextAlways, contextNever} {
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
	g.doors.policy = fixedPolicy(&policy.Policy{})
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
	g.userContext = contextAuto
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
	book := &toolBook{ask: func(context.Context, func([]byte) []byte) ([]byte, error) { return nil, relay.ErrBackendGone }}
	book.fetch(t.Context(), nil)
	if !book.knows("whoami") || book.takesUser("whoami") {
		t.Error("a call waits for a list that cannot be had")
	}
	endless := &toolBook{ask: func(context.Context, func([]byte) []byte) ([]byte, error) {
		return []byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"nextCursor":"again"}}`), nil
	}}
	endless.fetch(t.Context(), nil)
}

func TestServerNameHidesArguments(t *testing.T) {
	for command, want := range map[string]string{
		"/usr/bin/python3 /srv/main.py --key hunter2": "python3 main.py",
		"python3 -m orders":                           "python3",
		"/opt/orders-mcp hunter2":                     "orders-mcp",
		"node.exe server.js":                          "node.exe server.js",
	} {
		if got := serverName(strings.Fields(command)); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}

func BenchmarkGateCall(b *testing.B) {
	g, session, _ := testGate()
	log, err := audit.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	g.audit = &record{log: log}
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
