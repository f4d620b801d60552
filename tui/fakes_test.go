package tui

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/identity"
)

// fakeNow is when the tests take place.
var fakeNow = time.Date(2026, 11, 23, 9, 41, 10, 0, time.UTC)

// fakeHome is a broker of which a test says what it knows.
type fakeHome struct {
	mu       sync.Mutex
	config   broker.Config
	resolved map[string]broker.Resolved // by name
	problem  error                      // of Resolve
	status   broker.SignInStatus
	changed  chan struct{} // closed when status has changed
	shown    broker.ShownPolicy
	audit    broker.AuditFolder
	clients  []broker.ClientState
	findings []broker.Finding // of the doctor
	likes    []string         // favourite tools
	// login is the sign-in: it may call the callbacks, and returns who it is.
	login func(ctx context.Context, o broker.LoginOptions) (broker.User, error)
}

func newFakeHome(t *testing.T) *fakeHome {
	ada := broker.User{
		Sub: "ada-1", Email: "ada@example.com", Name: "Ada Lovelace", Groups: []string{"support"}, Roles: []string{"support"},
		Scopes: []string{"openid", "orders.read", "orders.write"}, Issuer: "https://login.example.com",
	}
	profile := broker.Profile{Issuer: "https://login.example.com", ClientID: "mcpauth-desktop", Command: []string{"python3", "main.py"}}
	h := &fakeHome{
		config: broker.Config{DefaultProfile: "orders-prod", Profiles: map[string]broker.Profile{"orders-prod": profile, "orders-test": profile}},
		resolved: map[string]broker.Resolved{
			"orders-prod": {Name: "orders-prod", Profile: profile, Remembered: true},
			"orders-test": {Name: "orders-test", Profile: profile, Remembered: true},
		},
		shown:   broker.ShownPolicy{Source: "/home/ada/orders.policy.toml", Lines: []string{"allow read tools for group support"}},
		audit:   broker.AuditFolder(t.TempDir()),
		changed: make(chan struct{}),
		findings: []broker.Finding{
			{Severity: broker.Fine, What: "the keychain keeps and gives back"},
			{Severity: broker.Bad, What: "the clock is 7 min late", Cause: "tokens look as if they were from the future", Cure: []string{"timedatectl set-ntp true"}},
		},
		clients: []broker.ClientState{
			{ID: "claude-code", Name: "Claude Code", State: broker.ClientSetUp, After: "Start a new session.", Places: []broker.ClientPlace{
				{File: "/home/ada/.claude.json", Exists: true, Servers: []broker.ClientServer{{Name: "orders", Proxy: &clients.Proxy{}}}}}},
			{ID: "cursor", Name: "Cursor", State: broker.ClientMissingProgram, Places: []broker.ClientPlace{{File: "/home/ada/.cursor/mcp.json", Exists: true}}},
			{ID: "vscode", Name: "VS Code", State: broker.ClientNotSetUp, Places: []broker.ClientPlace{{File: "/home/ada/.config/Code/User/mcp.json"}}},
			{ID: "zed", Name: "Zed", State: broker.ClientNotInstalled},
		},
	}
	h.status.State, h.status.User, h.status.StoredIn, h.status.HasRefreshToken = broker.SignedIn, ada, "the macOS Keychain", true
	h.status.SignedInAt, h.status.ExpiresAt = fakeNow.Add(-13*time.Minute), fakeNow.Add(47*time.Minute)
	h.login = func(context.Context, broker.LoginOptions) (broker.User, error) { return ada, nil }
	return h
}

// signOut makes nobody signed in.
func (h *fakeHome) signOut(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = broker.SignInStatus{StoredIn: "the macOS Keychain"}
	h.status.State, h.status.Err = broker.SignedOut, err
	h.tell()
}

func (h *fakeHome) Config() (broker.Config, error) { return h.config, nil }

func (h *fakeHome) Resolve(o broker.Overrides) (broker.Resolved, error) {
	name := o.Profile
	if name == "" {
		name = h.config.DefaultProfile
	}
	return h.resolved[name], h.problem
}

// tell lets whoever watches look. The lock is held.
func (h *fakeHome) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *fakeHome) WatchSignIn(ctx context.Context, _ broker.Resolved) <-chan broker.SignInStatus {
	statuses := make(chan broker.SignInStatus)
	go func() {
		defer close(statuses)
		for {
			h.mu.Lock()
			status, changed := h.status, h.changed
			h.mu.Unlock()
			select {
			case statuses <- status:
			case <-ctx.Done():
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return statuses
}

func (h *fakeHome) Login(ctx context.Context, _ broker.Resolved, o broker.LoginOptions) (broker.User, bool, error) {
	user, err := h.login(ctx, o)
	if err == nil {
		h.mu.Lock()
		h.status.State, h.status.Err, h.status.User, h.status.ExpiresAt = broker.SignedIn, nil, user, fakeNow.Add(time.Hour)
		h.tell()
		h.mu.Unlock()
	}
	return user, false, err
}

func (h *fakeHome) Logout(context.Context, broker.Resolved) (broker.LogoutResult, error) {
	h.mu.Lock()
	was := h.status.User
	h.mu.Unlock()
	h.signOut(nil)
	return broker.LogoutResult{User: was}, nil
}

func (h *fakeHome) Lock() error { h.signOut(&identity.LockedError{}); return nil }

func (h *fakeHome) Unlock(ctx context.Context, r broker.Resolved, o broker.LoginOptions) (broker.User, error) {
	user, _, err := h.Login(ctx, r, o)
	return user, err
}

func (h *fakeHome) ShowPolicy(broker.Resolved) (broker.ShownPolicy, error) { return h.shown, nil }

func (h *fakeHome) Why(_ context.Context, _ broker.Resolved, q broker.Question) (broker.Answer, error) {
	return broker.Answer{Effect: "deny", Rule: "rule 7", Source: "orders.policy.toml:41", Why: q.Name + " needs the role finance"}, nil
}

func (h *fakeHome) Clients() ([]broker.ClientState, error) { return h.clients, nil }

func (h *fakeHome) Doctor(context.Context, broker.DoctorOptions) (broker.Diagnosis, error) {
	return broker.Diagnosis{Findings: h.findings}, nil
}

func (h *fakeHome) Favourites(broker.Overrides) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.likes), nil
}

func (h *fakeHome) SetFavourites(_ broker.Overrides, tools []string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.likes = tools
	return nil
}

func (h *fakeHome) Audit() broker.AuditFolder { return h.audit }

// fakeServer is a server of which a test says what it offers.
type fakeServer struct {
	mu        sync.Mutex
	fails     error // of starting
	info      broker.ServerInfo
	tools     []broker.Tool
	resources []broker.Resource
	prompts   []broker.Prompt
	read      func(ctx context.Context, uri string) (broker.ReadResult, error)
	call      func(ctx context.Context, tool string, arguments json.RawMessage, o broker.CallOptions) (broker.CallResult, error)
	prompt    func(ctx context.Context, name string, arguments map[string]string) (broker.PromptResult, error)
	complete  func(ref broker.CompletionRef, argument, value string) (broker.Completion, error)
	on        func(broker.ExplorerEvent)
	subs      map[string]bool
	closed    bool
}

func newFakeServer() *fakeServer {
	object := json.RawMessage(`{"type":"object"}`)
	allowed := broker.Mark{Allowed: true, Effect: "allow", Rule: "rule 3 (role support)"}
	return &fakeServer{
		info: broker.ServerInfo{Name: "orders-mcp", Version: "3.4.1", ProtocolVersion: "2025-11-25",
			Capabilities: json.RawMessage(`{"tools":{"listChanged":true},"resources":{"subscribe":true},"prompts":{},"completions":{}}`)},
		tools: []broker.Tool{
			{Name: "search_orders", Title: "Search orders", Description: "Search orders by free text, status and date.", InputSchema: object, ReadOnly: true, Idempotent: true, Mark: allowed},
			{Name: "refund_order", Description: "Refund one order, in part or in full.", InputSchema: object, Destructive: true,
				Mark: broker.Mark{Effect: "deny", Rule: "rule 7", Why: "refund_order needs the role finance; you have support", Cures: []string{"ask for the role finance"}}},
			{Name: "export_orders", Description: "Export orders to CSV", InputSchema: object, ReadOnly: true, Mark: allowed},
		},
		subs: map[string]bool{},
	}
}

func (f *fakeServer) open(_ context.Context, _ broker.Overrides, on func(broker.ExplorerEvent)) (Server, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on = on
	if f.fails != nil {
		return nil, f.fails
	}
	return f, nil
}

func (f *fakeServer) Info() broker.ServerInfo                              { return f.info }
func (f *fakeServer) Tools(context.Context) ([]broker.Tool, error)         { return f.tools, nil }
func (f *fakeServer) Resources(context.Context) ([]broker.Resource, error) { return f.resources, nil }
func (f *fakeServer) Prompts(context.Context) ([]broker.Prompt, error)     { return f.prompts, nil }
func (f *fakeServer) Subscribe(_ context.Context, uri string) error        { f.set(uri, true); return nil }
func (f *fakeServer) Unsubscribe(_ context.Context, uri string) error      { f.set(uri, false); return nil }
func (f *fakeServer) Close() error                                         { f.mu.Lock(); defer f.mu.Unlock(); f.closed = true; return nil }
func (f *fakeServer) set(uri string, on bool)                              { f.mu.Lock(); defer f.mu.Unlock(); f.subs[uri] = on }

var errUnset = errors.New("the test did not say what this answers")

func (f *fakeServer) Call(ctx context.Context, tool string, arguments json.RawMessage, o broker.CallOptions) (broker.CallResult, error) {
	if f.call == nil {
		return broker.CallResult{}, errUnset
	}
	return f.call(ctx, tool, arguments, o)
}

func (f *fakeServer) Read(ctx context.Context, uri string) (broker.ReadResult, error) {
	if f.read == nil {
		return broker.ReadResult{}, errUnset
	}
	return f.read(ctx, uri)
}

func (f *fakeServer) Prompt(ctx context.Context, name string, arguments map[string]string) (broker.PromptResult, error) {
	if f.prompt == nil {
		return broker.PromptResult{}, errUnset
	}
	return f.prompt(ctx, name, arguments)
}

func (f *fakeServer) Complete(_ context.Context, ref broker.CompletionRef, argument, value string, _ map[string]string) (broker.Completion, error) {
	if f.complete == nil {
		return broker.Completion{}, errUnset
	}
	return f.complete(ref, argument, value)
}
