package tui

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/doctor"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/tui/screen"
)

// fakeNow is when the tests take place.
var fakeNow = time.Date(2026, 11, 23, 9, 41, 10, 0, time.UTC)

// fakeHome is a broker whose knowledge a test sets.
type fakeHome struct {
	mu       sync.Mutex
	config   config.File
	resolved map[string]config.Resolved // by name
	problem  error                      // of Resolve
	status   broker.SignInStatus
	changed  chan struct{} // closed when status has changed
	shown    config.ShownPolicy
	audit    audit.Folder
	clients  []clients.State
	findings []doctor.Finding // of the doctor
	// login is the sign-in: it may call the callbacks, and returns who it is.
	login func(ctx context.Context, o broker.LoginOptions) (broker.User, error)
}

func newFakeHome(t *testing.T) *fakeHome {
	ada := broker.User{
		Sub: "ada-1", Email: "ada@example.com", Name: "Ada Lovelace", Groups: []string{"support"}, Roles: []string{"support"},
		Scopes: []string{"openid", "orders.read", "orders.write"}, Issuer: "https://login.example.com",
	}
	profile := config.Profile{Issuer: "https://login.example.com", ClientID: "mcpauth-desktop", Command: []string{"python3", "main.py"}}
	h := &fakeHome{
		config: config.File{DefaultProfile: "orders-prod", Profiles: map[string]config.Profile{"orders-prod": profile, "orders-test": profile}},
		resolved: map[string]config.Resolved{
			"orders-prod": {Name: "orders-prod", Profile: profile, Remembered: true},
			"orders-test": {Name: "orders-test", Profile: profile, Remembered: true},
		},
		shown:   config.ShownPolicy{Source: "/home/ada/orders.policy.toml", Lines: []string{"allow read tools for group support"}},
		audit:   audit.Folder(t.TempDir()),
		changed: make(chan struct{}),
		findings: []doctor.Finding{
			{Severity: doctor.Fine, What: "the keychain keeps and gives back"},
			{Severity: doctor.Bad, What: "the clock is 7 min late", Cause: "tokens look as if they were from the future", Hints: []string{"timedatectl set-ntp true"}},
		},
		clients: []clients.State{
			{ID: "claude-code", Name: "Claude Code", State: clients.SetUp, After: "Start a new session.", Places: []clients.FileState{
				{File: "/home/ada/.claude.json", Exists: true, Servers: []clients.ServerState{{Name: "orders", Proxy: &clients.Proxy{}}}}}},
			{ID: "cursor", Name: "Cursor", State: clients.MissingProgram, Places: []clients.FileState{{File: "/home/ada/.cursor/mcp.json", Exists: true}}},
			{ID: "vscode", Name: "VS Code", State: clients.NotSetUp, Places: []clients.FileState{{File: "/home/ada/.config/Code/User/mcp.json"}}},
			{ID: "zed", Name: "Zed", State: clients.NotInstalled},
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

func (h *fakeHome) Config() (config.File, error) { return h.config, nil }

func (h *fakeHome) Resolve(o config.Overrides) (config.Resolved, error) {
	name := o.Profile
	if name == "" {
		name = h.config.DefaultProfile
	}
	return h.resolved[name], h.problem
}

// tell wakes the watchers. The lock is held.
func (h *fakeHome) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *fakeHome) Watch(ctx context.Context, _ config.Resolved) <-chan broker.SignInStatus {
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

func (h *fakeHome) Login(ctx context.Context, _ config.Resolved, o broker.LoginOptions) (broker.User, bool, error) {
	user, err := h.login(ctx, o)
	if err == nil {
		h.mu.Lock()
		h.status.State, h.status.Err, h.status.User, h.status.ExpiresAt = broker.SignedIn, nil, user, fakeNow.Add(time.Hour)
		h.tell()
		h.mu.Unlock()
	}
	return user, false, err
}

func (h *fakeHome) Logout(context.Context, config.Resolved, broker.LogoutOptions) (broker.LogoutResult, error) {
	h.mu.Lock()
	was := h.status.User
	h.mu.Unlock()
	h.signOut(nil)
	return broker.LogoutResult{User: was}, nil
}

func (h *fakeHome) Lock() error { h.signOut(&identity.LockedError{}); return nil }

func (h *fakeHome) Unlock(ctx context.Context, r config.Resolved, o broker.LoginOptions) (broker.User, error) {
	user, _, err := h.Login(ctx, r, o)
	return user, err
}

func (h *fakeHome) ShowPolicy(config.Resolved) (config.ShownPolicy, error) { return h.shown, nil }

func (h *fakeHome) Why(_ context.Context, _ config.Resolved, q broker.Question) (broker.Answer, error) {
	return broker.Answer{Effect: "deny", Rule: "rule 7", Source: "orders.policy.toml:41", Why: q.Name + " needs the role finance"}, nil
}

func (h *fakeHome) Clients() ([]clients.State, error) { return h.clients, nil }

func (h *fakeHome) Doctor(context.Context, doctor.Options) (doctor.Diagnosis, error) {
	return doctor.Diagnosis{Findings: h.findings}, nil
}

func (h *fakeHome) Audit() audit.Folder { return h.audit }

// fakeServer is a server whose offers a test sets.
type fakeServer struct {
	mu        sync.Mutex
	fails     error // of starting
	info      mcpclient.ServerInfo
	tools     []mcpclient.Tool
	resources []mcpclient.Resource
	prompts   []mcpclient.Prompt
	read      func(ctx context.Context, uri string) (mcpclient.ReadResult, error)
	call      func(ctx context.Context, tool string, arguments json.RawMessage, o mcpclient.CallOptions) (mcpclient.CallResult, error)
	prompt    func(ctx context.Context, name string, arguments map[string]string) (mcpclient.PromptResult, error)
	complete  func(ref mcpclient.CompletionRef, argument, value string) (mcpclient.Completion, error)
	on        func(mcpclient.Event)
	subs      map[string]bool
	closed    bool
}

func newFakeServer() *fakeServer {
	object := json.RawMessage(`{"type":"object"}`)
	allowed := mcpclient.Access{Allowed: true, Effect: "allow", Rule: "rule 3 (role support)"}
	return &fakeServer{
		info: mcpclient.ServerInfo{Name: "orders-mcp", Version: "3.4.1", ProtocolVersion: "2025-11-25",
			Capabilities: json.RawMessage(`{"tools":{"listChanged":true},"resources":{"subscribe":true},"prompts":{},"completions":{}}`)},
		tools: []mcpclient.Tool{
			{Name: "search_orders", Title: "Search orders", Description: "Search orders by free text, status and date.", InputSchema: object, ReadOnly: true, Idempotent: true, Access: allowed},
			{Name: "refund_order", Description: "Refund one order, in part or in full.", InputSchema: object, Destructive: true,
				Access: mcpclient.Access{Effect: "deny", Rule: "rule 7", Why: "refund_order needs the role finance; you have support", Hints: []string{"ask for the role finance"}}},
			{Name: "export_orders", Description: "Export orders to CSV", InputSchema: object, ReadOnly: true, Access: allowed},
		},
		subs: map[string]bool{},
	}
}

func (f *fakeServer) open(_ context.Context, _ config.Overrides, on func(mcpclient.Event)) (screen.Server, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on = on
	if f.fails != nil {
		return nil, f.fails
	}
	return f, nil
}

func (f *fakeServer) Info() mcpclient.ServerInfo                      { return f.info }
func (f *fakeServer) Tools(context.Context) ([]mcpclient.Tool, error) { return f.tools, nil }
func (f *fakeServer) Resources(context.Context) ([]mcpclient.Resource, error) {
	return f.resources, nil
}
func (f *fakeServer) Prompts(context.Context) ([]mcpclient.Prompt, error) { return f.prompts, nil }
func (f *fakeServer) Subscribe(_ context.Context, uri string) error       { f.set(uri, true); return nil }
func (f *fakeServer) Unsubscribe(_ context.Context, uri string) error     { f.set(uri, false); return nil }
func (f *fakeServer) Close() error                                        { f.mu.Lock(); defer f.mu.Unlock(); f.closed = true; return nil }
func (f *fakeServer) set(uri string, on bool)                             { f.mu.Lock(); defer f.mu.Unlock(); f.subs[uri] = on }

var errUnset = errors.New("the test did not say what this answers")

func (f *fakeServer) Call(ctx context.Context, tool string, arguments json.RawMessage, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
	if f.call == nil {
		return mcpclient.CallResult{}, errUnset
	}
	return f.call(ctx, tool, arguments, o)
}

func (f *fakeServer) Read(ctx context.Context, uri string) (mcpclient.ReadResult, error) {
	if f.read == nil {
		return mcpclient.ReadResult{}, errUnset
	}
	return f.read(ctx, uri)
}

func (f *fakeServer) Prompt(ctx context.Context, name string, arguments map[string]string) (mcpclient.PromptResult, error) {
	if f.prompt == nil {
		return mcpclient.PromptResult{}, errUnset
	}
	return f.prompt(ctx, name, arguments)
}

func (f *fakeServer) Complete(_ context.Context, ref mcpclient.CompletionRef, argument, value string, _ map[string]string) (mcpclient.Completion, error) {
	if f.complete == nil {
		return mcpclient.Completion{}, errUnset
	}
	return f.complete(ref, argument, value)
}
