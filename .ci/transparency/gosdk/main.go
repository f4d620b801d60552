//lint:file-ignore SA1019 the older revisions are what has to work

// Command gosdk is an AI client made with go-sdk. It talks to the conformance
// server of go-sdk, started by its arguments, and tells what it heard: the
// answer to each of its calls, and then what came unasked meanwhile.
//
//	gosdk REVISION COMMAND [ARG...]
//
// It has a go.mod of its own: the product does not depend on go-sdk.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// patience bounds the whole session.
const patience = 30 * time.Second

// handshakeless is the revision whose servers ask within their answers.
const handshakeless = "2026-07-28"

func main() {
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := &client{unasked: make(chan string, 100)}
	server := exec.Command(os.Args[2], os.Args[3:]...)
	server.Stderr = os.Stderr
	session, err := c.connect(ctx, server, os.Args[1])
	check(err)
	c.talk(ctx, session, os.Args[1])
	check(session.Close())
}

type client struct{ unasked chan string }

func (c *client) note(what string, content any) { c.unasked <- what + " " + text(content) }

func (c *client) connect(ctx context.Context, server *exec.Cmd, revision string) (*mcp.ClientSession, error) {
	return mcp.NewClient(&mcp.Implementation{Name: "gosdk", Version: "1"}, &mcp.ClientOptions{
		CreateMessageHandler: func(_ context.Context, r *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			c.note("sampling", r.Params)
			return &mcp.CreateMessageResult{Role: "assistant", Model: "m", Content: &mcp.TextContent{Text: "café <&>"}}, nil
		},
		ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			c.note("elicitation", r.Params)
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"username": "ada", "name": "ada"}}, nil
		},
		LoggingMessageHandler: func(_ context.Context, r *mcp.LoggingMessageRequest) { c.note("log", r.Params) },
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			c.note("progress", r.Params)
		},
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) {
			c.note("resource updated", r.Params)
		},
		ToolListChangedHandler: func(_ context.Context, r *mcp.ToolListChangedRequest) { c.note("tools changed", r.Params) },
	}).Connect(ctx, &mcp.CommandTransport{Command: server, TerminateDuration: 2 * time.Second},
		&mcp.ClientSessionOptions{ProtocolVersion: revision})
}

func (c *client) talk(ctx context.Context, session *mcp.ClientSession, revision string) {
	fmt.Println("hello", text(session.InitializeResult()))
	tools, err := session.ListTools(ctx, nil)
	tell("tools", tools, err)
	resources, err := session.ListResources(ctx, nil)
	tell("resources", resources, err)
	content, err := session.ReadResource(ctx, &mcp.ReadResourceParams{URI: "test://static-text"})
	tell("resource", content, err)
	prompt, err := session.GetPrompt(ctx, &mcp.GetPromptParams{Name: "test_simple_prompt"})
	tell("prompt", prompt, err)
	completed, err := session.Complete(ctx, &mcp.CompleteParams{
		Ref:      &mcp.CompleteReference{Type: "ref/prompt", Name: "test_prompt_with_arguments"},
		Argument: mcp.CompleteParamsArgument{Name: "arg1", Value: "a"},
	})
	tell("completion", completed, err)
	// A subscriptions/listen since 2026-07-28. This resource changes every 3 s.
	watched := "test://watched-resource"
	check(session.Subscribe(ctx, &mcp.SubscribeParams{URI: watched}))
	c.expect(ctx, 1)
	check(session.Unsubscribe(ctx, &mcp.UnsubscribeParams{URI: watched}))

	c.call(ctx, session, "test_simple_text", nil, 0)
	c.call(ctx, session, "test_tool_with_progress", nil, 3)
	if revision == handshakeless {
		c.call(ctx, session, "test_input_required_result_elicitation", nil, 1)
		c.call(ctx, session, "test_input_required_result_sampling", nil, 1)
		return
	}
	check(session.SetLoggingLevel(ctx, &mcp.SetLoggingLevelParams{Level: "debug"}))
	c.call(ctx, session, "test_tool_with_logging", nil, 3)
	c.call(ctx, session, "test_sampling", map[string]any{"prompt": "2 < 3?"}, 1)
	if revision >= "2025-06-18" {
		c.call(ctx, session, "test_elicitation", map[string]any{"message": "who?"}, 1)
	}
	c.call(ctx, session, "test_trigger_tool_change", nil, 1)
}

// call calls a tool, which says a number of things unasked.
func (c *client) call(ctx context.Context, session *mcp.ClientSession, tool string, arguments map[string]any, unasked int) {
	if arguments == nil {
		arguments = map[string]any{}
	}
	params := &mcp.CallToolParams{Name: tool, Arguments: arguments}
	params.SetProgressToken("token of " + tool)
	result, err := session.CallTool(ctx, params)
	tell(tool, result, err)
	c.expect(ctx, unasked)
}

func (c *client) expect(ctx context.Context, unasked int) {
	for range unasked {
		select {
		case text := <-c.unasked:
			fmt.Println(text)
		case <-ctx.Done():
			check(ctx.Err())
		}
	}
}

func tell(what string, result any, err error) {
	if err != nil {
		fmt.Println(what, "failed:", err)
		return
	}
	fmt.Println(what, text(result))
}

func text(v any) string {
	line, err := json.Marshal(v)
	check(err)
	return string(line)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
