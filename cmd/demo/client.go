package demo

import (
	"context"
	"io"
	"strings"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// Connect is the AI client: it starts a session over the two ends, tells the names
// of the tools, and returns what calls one of them without arguments. The session
// ends with ctx. That a tool failed is a [problem.Problem] with ExitToolFailed.
func Connect(ctx context.Context, from io.Reader, to io.WriteCloser) (tools []string, call func(tool string) (string, error), err error) {
	c := client.NewClient(transport.NewIO(from, to, io.NopCloser(strings.NewReader(""))))
	if err := c.Start(ctx); err != nil {
		return nil, nil, err
	}
	hello := mcp.InitializeRequest{}
	hello.Params.ClientInfo = mcp.Implementation{Name: "mcpauth-demo", Version: "1"}
	hello.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	if _, err := c.Initialize(ctx, hello); err != nil {
		return nil, nil, err
	}
	list, err := c.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		return nil, nil, err
	}
	tools = make([]string, 0, len(list.Tools))
	for _, tool := range list.Tools {
		tools = append(tools, tool.Name)
	}
	return tools, func(tool string) (string, error) { return callTool(ctx, c, tool) }, nil
}

func callTool(ctx context.Context, c *client.Client, tool string) (string, error) {
	request := mcp.CallToolRequest{}
	request.Params.Name = tool
	result, err := c.CallTool(ctx, request)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, content := range result.Content {
		if t, ok := content.(mcp.TextContent); ok {
			text.WriteString(t.Text)
		}
	}
	if result.IsError {
		return "", &problem.Problem{Msg: tool + " failed: " + text.String(), Code: problem.ExitToolFailed}
	}
	return text.String(), nil
}
