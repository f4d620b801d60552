// Package demo is the MCP side of `mcpauth demo`: a server and an AI client made
// with mcp-go. It is a package of its own because that library costs every
// program that links it milliseconds at its start (docs/decisions/0011).
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcpauth/mcpauth/broker"
)

// Serve serves two tools: whoami reads the user from _meta, my_orders
// declares the argument of mcpauth's ancestor. It knows nothing of mcpauth but the
// user in its calls.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	received := &lastCall{}
	s := server.NewMCPServer("demo-server", "1.0.0", server.WithToolCapabilities(false))
	s.AddTool(mcp.NewTool("whoami", mcp.WithDescription("Who is calling, and the request as the server received it")),
		func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			user, err := metaUser(r)
			if err != nil {
				return mcp.NewToolResultError(err.Error()), nil
			}
			return mcp.NewToolResultText(fmt.Sprintf("You are %s (%s).\n%s", user.Name, user.Email, received.line())), nil
		})
	s.AddTool(mcp.NewTool("my_orders", mcp.WithDescription("The orders of the caller"),
		mcp.WithObject(broker.UserArgument, mcp.Description("set by mcpauth, never by the model"))),
		func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			user, ok := r.GetArguments()[broker.UserArgument].(map[string]any)
			if !ok {
				return mcp.NewToolResultError("nobody is signed in"), nil
			}
			return mcp.NewToolResultText(fmt.Sprintf("2 orders of %v: O-88121, O-88119", user["email"])), nil
		})
	err := server.NewStdioServer(s).Listen(ctx, io.TeeReader(in, received), out)
	if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// metaUser is the user that the proxy put into _meta.
func metaUser(r mcp.CallToolRequest) (broker.User, error) {
	var user broker.User
	if r.Params.Meta == nil || r.Params.Meta.AdditionalFields[broker.MetaKey] == nil {
		return user, errors.New("nobody is signed in")
	}
	text, err := json.Marshal(r.Params.Meta.AdditionalFields[broker.MetaKey])
	if err != nil {
		return user, err
	}
	return user, json.Unmarshal(text, &user)
}

// lastCall keeps the last tools/call as it came over the pipe.
type lastCall struct {
	mu      sync.Mutex
	partial []byte
	call    string
}

func (l *lastCall) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, ok := bytes.Cut(l.partial, []byte{'\n'})
		if !ok {
			return len(p), nil
		}
		if bytes.Contains(line, []byte(`"tools/call"`)) {
			l.call = string(line)
		}
		l.partial = append([]byte(nil), rest...)
	}
}

func (l *lastCall) line() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.call
}
