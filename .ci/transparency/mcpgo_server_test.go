//lint:file-ignore SA1019 the older revisions are what has to work

package transparency

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// mcpgoServer is a server that uses all of mcp-go, for clients of both eras.
type mcpgoServer struct{ *server.MCPServer }

// playMCPGo serves on stdio. One worker, so that calls are answered in order.
func playMCPGo() {
	s := mcpgoServer{server.NewMCPServer("everything-of-mcp-go", "1",
		server.WithToolCapabilities(true), server.WithPromptCapabilities(true),
		server.WithResourceCapabilities(true, true), server.WithLogging(),
		server.WithElicitation(), server.WithRoots(), server.WithCompletions(),
		server.WithTaskCapabilities(true, true, true),
		server.WithPromptCompletionProvider(completer{}),
		server.WithResourceCompletionProvider(completer{}),
		server.WithExtensions(map[string]any{"com.example/extension": map[string]any{}}),
	)}
	s.EnableSampling()
	s.addTools()
	s.addRest()
	check(server.NewStdioServer(s.MCPServer).Listen(context.Background(), os.Stdin, os.Stdout))
}

func (s mcpgoServer) addTools() {
	text := mcp.WithString("text", mcp.Required())
	for name, handler := range map[string]server.ToolHandlerFunc{
		"echo": s.echo, "progress": s.progress, "log": s.log, "wait": s.wait, "grow": s.grow, "touch": s.touch,
		"sample": s.sample, "roots": s.roots, "elicit": s.elicit, "elicit_url": s.elicitURL, "deploy": s.deploy,
	} {
		options := []mcp.ToolOption{mcp.WithDescription("<" + name + "> & more")}
		if name == "echo" {
			options = append(options, text)
		}
		s.AddTool(mcp.NewTool(name, options...), handler)
	}
	s.AddTaskTool(mcp.NewTool("slow", mcp.WithTaskSupport(mcp.TaskSupportOptional)), s.slow)
	s.AddTaskTool(mcp.NewTool("endless", mcp.WithTaskSupport(mcp.TaskSupportRequired)), s.endless)
}

func (s mcpgoServer) addRest() {
	read := func(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: request.Params.URI, Text: "of " + request.Params.URI}}, nil
	}
	s.AddResource(mcp.NewResource("test://one", "one"), read)
	s.AddResourceTemplate(mcp.NewResourceTemplate("test://many/{id}", "many"), server.ResourceTemplateHandlerFunc(read))
	s.AddPrompt(mcp.NewPrompt("greet", mcp.WithArgument("who", mcp.RequiredArgument())),
		func(_ context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return mcp.NewGetPromptResult("greets", []mcp.PromptMessage{
				mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent("hello "+request.Params.Arguments["who"])),
			}), nil
		})
	s.AddPrompt(mcp.NewPrompt("ask"), func(_ context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		if answer := server.ElicitationResponse(request.Params.InputResponses, "who"); answer != nil {
			return mcp.NewGetPromptResult(fmt.Sprint(answer.Content), nil), nil
		}
		return server.NewInputRequestBuilder("asked").Elicit("who", form("who?")).PromptResult(), nil
	})
}

func (mcpgoServer) echo(_ context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return mcp.NewToolResultText(request.GetString("text", "")), nil
}

// progress tells of it three times.
func (s mcpgoServer) progress(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	for i := range 3 {
		err := s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{
			"progressToken": request.Params.Meta.ProgressToken, "progress": float64(i) / 2, "total": 1, "message": fmt.Sprint("part ", i),
		})
		if err != nil {
			return nil, err
		}
	}
	return mcp.NewToolResultText("done"), nil
}

func (s mcpgoServer) log(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	for _, level := range []mcp.LoggingLevel{mcp.LoggingLevelDebug, mcp.LoggingLevelWarning, mcp.LoggingLevelEmergency} {
		note := mcp.NewLoggingMessageNotification(level, "logger", map[string]any{"words": "<" + level + ">", "n": 1e21})
		if err := s.SendLogMessageToClient(ctx, note); err != nil {
			return nil, err
		}
	}
	return mcp.NewToolResultText("logged"), nil
}

// wait ends when it is cancelled, and tells.
func (s mcpgoServer) wait(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	tell := func(ctx context.Context, word string) {
		_ = s.SendNotificationToClient(ctx, "notifications/com.example/"+word, nil)
	}
	tell(ctx, "waiting")
	<-ctx.Done()
	tell(context.WithoutCancel(ctx), "cancelled")
	return nil, ctx.Err()
}

func (s mcpgoServer) grow(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	s.AddTool(mcp.NewTool("grown"), s.echo)
	s.AddPrompt(mcp.NewPrompt("grown"), nil)
	s.AddResource(mcp.NewResource("test://grown", "grown"), nil)
	return mcp.NewToolResultText("grown"), nil
}

func (s mcpgoServer) touch(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return mcp.NewToolResultText("touched"), s.SendNotificationToClient(ctx,
		string(mcp.MethodNotificationResourceUpdated), map[string]any{"uri": "test://one"})
}

func (s mcpgoServer) sample(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	result, err := s.RequestSampling(ctx, mcp.CreateMessageRequest{CreateMessageParams: mcp.CreateMessageParams{
		Messages:  []mcp.SamplingMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent("2 < 3 & 4?")}},
		MaxTokens: 100, Temperature: 0.1,
	}})
	return told(result, err)
}

func (s mcpgoServer) roots(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	result, err := s.RequestRoots(ctx, mcp.ListRootsRequest{})
	return told(result, err)
}

func (s mcpgoServer) elicit(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	result, err := s.RequestElicitation(ctx, mcp.ElicitationRequest{Params: form("who?")})
	return told(result, err)
}

func (s mcpgoServer) elicitURL(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	session := server.ClientSessionFromContext(ctx)
	result, err := s.RequestURLElicitation(ctx, session, "e1", "https://example.com/?a=b&c=d", "go there")
	if err == nil {
		err = s.SendElicitationComplete(ctx, session, "e1")
	}
	return told(result, err)
}

// deploy asks for all there is in one round trip, and an older client for one
// thing only: mcp-go would send it several requests in any order.
func (mcpgoServer) deploy(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if answers := request.Params.InputResponses; len(answers) > 0 {
		return told(map[string]any{"state": request.Params.RequestState, "answers": answers}, nil)
	}
	ask := server.NewInputRequestBuilder(strings.Repeat("state<&>", 20)).Elicit("approve", form("deploy?"))
	if server.IsModernRequest(ctx) {
		ask.Roots("roots").Sample("llm", mcp.CreateMessageParams{MaxTokens: 1, Messages: []mcp.SamplingMessage{}})
	}
	return ask.ToolResult(), nil
}

func (mcpgoServer) slow(context.Context, mcp.CallToolRequest) (*mcp.CreateTaskResult, error) {
	time.Sleep(100 * time.Millisecond)
	return &mcp.CreateTaskResult{}, nil
}

// endless does not heed its context: mcp-go ends that with the call, as a race
// with the cancellation of the task.
func (mcpgoServer) endless(context.Context, mcp.CallToolRequest) (*mcp.CreateTaskResult, error) {
	hang()
	return nil, nil
}

func form(message string) mcp.ElicitationParams {
	return mcp.ElicitationParams{Mode: mcp.ElicitationModeForm, Message: message, RequestedSchema: map[string]any{
		"type": "object", "properties": map[string]any{"who": map[string]any{"type": "string"}},
	}}
}

// told is the answer of a client as text, or why there is none.
func told(result any, err error) (*mcp.CallToolResult, error) {
	if err != nil {
		return mcp.NewToolResultError(err.Error()), nil
	}
	return mcp.NewToolResultJSON(result)
}

type completer struct{}

func (completer) CompletePromptArgument(_ context.Context, name string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	return &mcp.Completion{Values: []string{name, argument.Name, argument.Value}}, nil
}

func (completer) CompleteResourceArgument(_ context.Context, uri string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	return &mcp.Completion{Values: []string{uri, argument.Name, argument.Value}, HasMore: true}, nil
}
