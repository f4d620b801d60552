// Command go is an MCP server that knows its user, with mcp-go.
//
// Run it as `mcpauth proxy -- PROGRAM`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

var orders = map[string][]string{ // by sub
	"ada":   {"a difference engine", "punched cards"},
	"grace": {"a compiler"},
}

func main() {
	if err := server.ServeStdio(newServer()); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func newServer() *server.MCPServer {
	s := server.NewMCPServer("orders", "1.0.0", server.WithToolCapabilities(false), server.WithResourceCapabilities(false, false))
	s.AddTool(mcp.NewTool("whoami", mcp.WithDescription("Tells who is signed in.")), whoami)
	s.AddTool(mcp.NewTool("my_orders",
		mcp.WithDescription("Lists the orders of the signed-in user."),
		mcp.WithNumber("limit", mcp.Min(1), mcp.Max(100), mcp.DefaultNumber(10)),
		// The other way to get the user: mcpauth fills in this argument for a tool
		// whose inputSchema names it, and hides the property from the model.
		mcp.WithObject("_oauth_user", mcp.Description("filled in by mcpauth")),
	), myOrders)
	s.AddResource(mcp.NewResource("user://me", "me", mcp.WithMIMEType("application/json")), me)
	return s
}

func whoami(_ context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	u, err := userOf(request.Params.Meta)
	if err != nil {
		return mcp.NewToolResultError(err.Error()), nil // the model can read it
	}
	return mcp.NewToolResultJSON(u)
}

func myOrders(_ context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	u, err := checked(request.GetArguments()["_oauth_user"])
	if err != nil {
		return mcp.NewToolResultError(err.Error()), nil
	}
	limit := request.GetInt("limit", 10)
	if limit < 1 || limit > 100 { // the model chose it
		return mcp.NewToolResultError("limit must be a whole number from 1 to 100"), nil
	}
	mine := orders[u.Sub]
	return mcp.NewToolResultJSON(map[string]any{"orders": mine[:min(limit, len(mine))]})
}

func me(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	u, err := userOf(request.Params.Meta)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(u)
	if err != nil {
		return nil, err
	}
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: request.Params.URI, MIMEType: "application/json", Text: string(text)}}, nil
}
