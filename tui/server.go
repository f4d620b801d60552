package tui

import (
	"context"
	"encoding/json"

	"github.com/mcpauth/mcpauth/broker"
)

// Server is an MCP server behind the gate. Its methods are safe for concurrent
// use; a context that ends cancels the request. Errors are for people, and a
// *broker.Problem where there is a cure.
type Server interface {
	Info() broker.ServerInfo
	Tools(ctx context.Context) ([]broker.Tool, error)
	Call(ctx context.Context, tool string, arguments json.RawMessage, o broker.CallOptions) (broker.CallResult, error)
	Resources(ctx context.Context) ([]broker.Resource, error)
	Read(ctx context.Context, uri string) (broker.ReadResult, error)
	Subscribe(ctx context.Context, uri string) error
	Unsubscribe(ctx context.Context, uri string) error
	Prompts(ctx context.Context) ([]broker.Prompt, error)
	Prompt(ctx context.Context, name string, arguments map[string]string) (broker.PromptResult, error)
	Complete(ctx context.Context, ref broker.CompletionRef, argument, value string, others map[string]string) (broker.Completion, error)
	Close() error
}

// Home is what the TUI asks the broker for. *broker.Broker is one.
type Home interface {
	Config() (broker.Config, error)
	Resolve(broker.Overrides) (broker.Resolved, error)
	WatchSignIn(context.Context, broker.Resolved) <-chan broker.SignInStatus
	Login(context.Context, broker.Resolved, broker.LoginOptions) (user broker.User, remembered bool, err error)
	Logout(context.Context, broker.Resolved) (broker.LogoutResult, error)
	Lock() error
	Unlock(context.Context, broker.Resolved, broker.LoginOptions) (broker.User, error)
	ShowPolicy(broker.Resolved) (broker.ShownPolicy, error)
	Why(context.Context, broker.Resolved, broker.Question) (broker.Answer, error)
	Audit() broker.AuditFolder
	Favourites(broker.Overrides) ([]string, error)
	SetFavourites(broker.Overrides, []string) error
	Clients() ([]broker.ClientState, error)
	Doctor(context.Context, broker.DoctorOptions) (broker.Diagnosis, error)
}

var _ Home = (*broker.Broker)(nil)
