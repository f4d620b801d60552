package screen

import (
	"context"
	"encoding/json"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
)

// Server is an MCP server behind the gate. Its methods are safe for concurrent
// use; a context that ends cancels the request. Errors are for people, and a
// *problem.Problem where there is a hint.
type Server interface {
	Info() mcpclient.ServerInfo
	Tools(ctx context.Context) ([]mcpclient.Tool, error)
	Call(ctx context.Context, tool string, arguments json.RawMessage, o mcpclient.CallOptions) (mcpclient.CallResult, error)
	Resources(ctx context.Context) ([]mcpclient.Resource, error)
	Read(ctx context.Context, uri string) (mcpclient.ReadResult, error)
	Subscribe(ctx context.Context, uri string) error
	Unsubscribe(ctx context.Context, uri string) error
	Prompts(ctx context.Context) ([]mcpclient.Prompt, error)
	Prompt(ctx context.Context, name string, arguments map[string]string) (mcpclient.PromptResult, error)
	Complete(ctx context.Context, ref mcpclient.CompletionRef, argument, value string, others map[string]string) (mcpclient.Completion, error)
	Close() error
}
