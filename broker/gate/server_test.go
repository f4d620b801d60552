package gate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// end is a client whose session has a server of its own, which answers each call with
// the params that it got.
type end struct {
	t      *testing.T
	signIn *fixedSession
	in     io.Writer
	lines  chan string
	id     int
}

const serversTools = `{"tools":[{"name":"get","inputSchema":{"type":"object"}},{"name":"pay","inputSchema":{"type":"object"}},` +
	`{"name":"wire","inputSchema":{"type":"object"}}]}`

// openEnd starts a session of a server and its relay, which end with the test.
func openEnd(t *testing.T, s *Server, user identity.Snapshot) *end {
	signIn := &fixedSession{}
	signIn.set(user)
	g := s.NewSession(SessionConfig{SignIn: signIn})
	clientR, clientIn := io.Pipe()
	clientOut, clientW := io.Pipe()
	backendR, backendIn := io.Pipe()
	backendOut, backendW := io.Pipe()
	config := relay.Config{
		Client: relay.Endpoint{R: clientR, W: clientW}, Backend: relay.Endpoint{R: backendR, W: backendW},
		Stray: func(relay.Stray, []byte) {}, ClientGone: func() { _ = backendIn.Close() }, ExitReason: func() string { return "over" },
	}
	g.Configure(&config)
	lines := relay.New(config)
	g.Bind(lines)
	e := &end{t: t, signIn: signIn, in: clientIn, lines: make(chan string, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { lines.Run(ctx) })
	running.Go(func() { g.Run(ctx) })
	running.Go(func() { echo(backendOut, backendIn) })
	running.Go(func() {
		for scanner := bufio.NewScanner(clientOut); scanner.Scan(); {
			e.lines <- scanner.Text()
		}
	})
	t.Cleanup(func() {
		_ = clientIn.Close()
		cancel()
		_ = backendOut.Close()
		_ = clientOut.Close()
		running.Wait()
		g.Close()
	})
	return e
}

// echo is a server.
func echo(in io.Reader, out io.Writer) {
	for scanner := bufio.NewScanner(in); scanner.Scan(); {
		var call struct {
			ID     relay.RawValue `json:"id"`
			Method string         `json:"method"`
			Params relay.RawValue `json:"params"`
		}
		if relay.DecodeStrict(scanner.Bytes(), &call) != nil || call.ID == nil {
			continue
		}
		result := string(call.Params)
		switch call.Method {
		case "initialize":
			result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}`
		case "tools/list":
			result = serversTools
		}
		if _, err := fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", call.ID, result); err != nil {
			return
		}
	}
}

// asks sends a call and returns the next line that the client gets.
func (e *end) asks(method, params string) string {
	e.t.Helper()
	e.id++
	e.says(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, e.id, method, params))
	return e.hears()
}

func (e *end) calls(tool string) string {
	e.t.Helper()
	return e.asks("tools/call", fmt.Sprintf(`{"name":%q,"arguments":{}}`, tool))
}

func (e *end) says(line string) {
	e.t.Helper()
	if _, err := io.WriteString(e.in, line+"\n"); err != nil {
		e.t.Fatal(err)
	}
}

func (e *end) hears() string {
	e.t.Helper()
	select {
	case line := <-e.lines:
		return line
	case <-time.After(10 * time.Second):
		e.t.Fatal("no answer")
		return ""
	}
}

// serverWith is a server whose policy stands in a file.
func serverWith(t *testing.T, text string) (s *Server, file string) {
	t.Helper()
	state := t.TempDir()
	file = filepath.Join(state, "policy.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s = NewServer(Config{
		Place: Place{StateDir: state, Profile: "orders", Command: []string{"main.py"}}, Server: "main.py", UserContext: ContextNever,
		Policy: func() (*policy.Policy, []string, error) { p, err := loadClosed(file); return p, []string{file}, err },
		Audit:  audit.Options{Dir: filepath.Join(state, "audit")}, Log: func(string) {},
	})
	s.Start(context.Background())
	t.Cleanup(s.Close) // after the sessions
	return s, file
}

const (
	initializing = `{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{"form":{}}},"clientInfo":{"name":"c","version":"1"}}`
	ready        = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
)

// Sessions of one server share its audit log, limits, approved tools and last known
// lists; each has a user, a view of the policy, and prompts of its own.
func TestSessionsOfOneServer(t *testing.T) {
	const rules = "pin='block'\nconfirm=['wire']\n[[limits]]\ntools=['get']\nrate='2/day'\n" +
		"[[rules]]\neffect='allow'\ntools=['get','wire']\n[[rules]]\neffect='allow'\ntools=['pay']\ngroups=['finance']\n"
	s, file := serverWith(t, rules)
	finance := signedIn("ada")
	finance.User.Groups = []string{"finance"}
	ada, again, grace := openEnd(t, s, finance), openEnd(t, s, finance), openEnd(t, s, signedIn("grace"))
	for _, e := range []*end{ada, again, grace} {
		if offer := e.asks("initialize", initializing); !strings.Contains(offer, `"listChanged":true`) {
			t.Fatal(offer)
		}
		e.says(ready)
	}
	// What one session's list shows is approved for all.
	if refused := ada.calls("pay"); !strings.Contains(refused, "new, or changed") {
		t.Errorf("a tool that is not approved: %s", refused)
	}
	s.pins.keep()
	changes, err := PinChanges(s.StateDir, "orders")
	if err == nil {
		err = Approve(changes)
	}
	if err != nil || len(changes) != 3 {
		t.Fatal(err, changes)
	}
	for _, e := range []*end{ada, again, grace} {
		if line := e.hears(); !strings.Contains(line, "tools/list_changed") {
			t.Errorf("after the approval: %s", line)
		}
	}
	// Users and what the policy says to them stay apart.
	for range 2 {
		if paid := ada.calls("pay"); !strings.Contains(paid, `"sub":"ada"`) || strings.Contains(paid, "grace") {
			t.Errorf("ada: %s", paid)
		}
		if refused := grace.calls("pay"); !strings.Contains(refused, "Denied by policy") {
			t.Errorf("grace: %s", refused)
		}
	}
	// One user's sessions have one allowance.
	for i, test := range []struct {
		by   *end
		want string
	}{{ada, `"sub":"ada"`}, {again, `"sub":"ada"`}, {ada, "that is used up"}, {again, "that is used up"}, {grace, `"sub":"grace"`}} {
		if line := test.by.calls("get"); !strings.Contains(line, test.want) {
			t.Errorf("call %d: %s", i, line)
		}
	}
	// Only the client of the caller is asked.
	question := ada.calls("wire")
	if !strings.Contains(question, "elicitation/create") {
		t.Fatal(question)
	}
	var asked struct {
		ID relay.RawValue `json:"id"`
	}
	if err := relay.DecodeStrict([]byte(question), &asked); err != nil {
		t.Fatal(err)
	}
	grace.says(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"action":"accept","content":{}}}`, asked.ID)) // answers nothing
	if line := again.calls("pay"); !strings.Contains(line, `"sub":"ada"`) {
		t.Errorf("another session: %s", line)
	}
	if line := grace.calls("pay"); !strings.Contains(line, "Denied by policy") {
		t.Errorf("another user: %s", line)
	}
	ada.says(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"action":"decline"}}`, asked.ID))
	if line := ada.hears(); !strings.Contains(line, "did not agree") {
		t.Errorf("after a no: %s", line)
	}
	// What one session listed last stands in for a list of another that has no user.
	if list := ada.asks("tools/list", `{}`); !strings.Contains(list, "pay") {
		t.Errorf("ada's list: %s", list)
	}
	grace.signIn.set(identity.Snapshot{State: identity.SignedOut})
	if line := grace.hears(); !strings.Contains(line, "list_changed") {
		t.Errorf("signed out: %s", line)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		if list := grace.asks("tools/list", `{}`); strings.Contains(list, `"wire"`) {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the list of another session: %s", list)
		}
	}
	// Another policy holds for all at once; who has no user has no list that changes.
	if err := os.WriteFile(file+".new", []byte("[[rules]]\neffect='deny'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*end{ada, again} {
		if line := e.hears(); !strings.Contains(line, "tools/list_changed") {
			t.Errorf("after the policy changed: %s", line)
		}
		if line := e.calls("pay"); !strings.Contains(line, "Denied by policy") {
			t.Errorf("after the policy changed: %s", line)
		}
	}
	if len(grace.lines) > 0 {
		t.Errorf("grace, who is signed out: %s", <-grace.lines)
	}
	// All of it is in one log.
	var subs []string
	for r, err := range audit.Folder(s.Config.Audit.Dir).Newest(audit.Filter{}, 100) {
		if err != nil {
			t.Fatal(err)
		}
		subs = append(subs, r.Record.Sub)
	}
	if !slices.Contains(subs, "ada") || !slices.Contains(subs, "grace") {
		t.Errorf("in the log: %q", subs)
	}
}
