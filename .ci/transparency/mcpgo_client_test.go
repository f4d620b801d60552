//lint:file-ignore SA1019 the older revisions are what has to work

package transparency

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// playMCPGoClient is an AI client made with mcp-go, with a server of
// playMCPGo: "legacy|modern COMMAND...". It prints the answer to each of its
// calls and then what came unasked meanwhile, because mcp-go itself lets the one
// overtake the other.
func playMCPGoClient(args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p := &mcpgoPerson{modern: args[0] == "modern", unasked: make(chan string, 100)}
	p.connect(ctx, args[1:])
	p.talk(ctx)
	check(p.Close())
}

// mcpgoPerson is whom the client of mcp-go asks for its answers.
type mcpgoPerson struct {
	*client.Client
	modern  bool
	unasked chan string
}

func (p *mcpgoPerson) note(what string, content any) {
	text, err := json.Marshal(content)
	check(err)
	p.unasked <- what + " " + string(text)
}

func (p *mcpgoPerson) CreateMessage(_ context.Context, r mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
	p.note("sampling", r.CreateMessageParams)
	return &mcp.CreateMessageResult{Model: "m", SamplingMessage: mcp.SamplingMessage{
		Role: mcp.RoleAssistant, Content: mcp.NewTextContent("café <&>")}}, nil
}

func (p *mcpgoPerson) Elicit(_ context.Context, r mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	p.note("elicitation", r.Params)
	return &mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{
		Action: mcp.ElicitationResponseActionAccept, Content: map[string]any{"who": "ada"}}}, nil
}

func (p *mcpgoPerson) ListRoots(context.Context, mcp.ListRootsRequest) (*mcp.ListRootsResult, error) {
	p.note("roots", nil)
	return &mcp.ListRootsResult{Roots: []mcp.Root{{URI: "file:///a%20b", Name: "a"}}}, nil
}

func (p *mcpgoPerson) connect(ctx context.Context, server []string) {
	stdio := transport.NewStdioWithOptions(server[0], nil, server[1:], transport.WithCommandFunc(
		func(ctx context.Context, name string, env, args []string) (*exec.Cmd, error) {
			command := exec.CommandContext(ctx, name, args...)
			command.Stderr = os.Stderr
			return command, nil
		}))
	options := []client.ClientOption{
		client.WithSamplingHandler(p), client.WithElicitationHandler(p), client.WithRootsHandler(p),
	}
	if !p.modern {
		options = append(options, client.WithLegacyProtocolOnly())
	}
	p.Client = client.NewClient(stdio, options...)
	p.OnNotification(func(note mcp.JSONRPCNotification) { p.note(note.Method, note.Params) })
	check(p.Start(ctx))
	hello := mcp.InitializeRequest{}
	hello.Params.ClientInfo = mcp.Implementation{Name: "mcpgo", Version: "1"}
	result, err := p.Initialize(ctx, hello)
	p.tell("hello", result, err)
}

func (p *mcpgoPerson) talk(ctx context.Context) {
	tools, err := p.ListTools(ctx, mcp.ListToolsRequest{})
	p.tell("tools", tools, err)
	read := mcp.ReadResourceRequest{}
	read.Params.URI = "test://one"
	content, err := p.ReadResource(ctx, read)
	p.tell("resource", content, err)
	get := mcp.GetPromptRequest{}
	get.Params.Name, get.Params.Arguments = "greet", map[string]string{"who": "ada"}
	prompt, err := p.GetPrompt(ctx, get)
	p.tell("prompt", prompt, err)
	p.call(ctx, "echo", 0)
	p.call(ctx, "progress", 3)
	if p.modern {
		p.stream(ctx)
		return
	}
	check(p.SetLevel(ctx, mcp.SetLevelRequest{Params: mcp.SetLevelParams{Level: mcp.LoggingLevelWarning}}))
	p.call(ctx, "log", 2)
	p.call(ctx, "sample", 1)
	p.call(ctx, "roots", 1)
	p.call(ctx, "elicit", 1)
	p.call(ctx, "elicit_url", 2)
	p.call(ctx, "deploy", 1)
	p.call(ctx, "grow", 3)
}

// stream is what is new in 2026-07-28. deploy would ask for three things in any
// order, so the client is asked for one, by a prompt.
func (p *mcpgoPerson) stream(ctx context.Context) {
	get := mcp.GetPromptRequest{}
	get.Params.Name = "ask"
	asked, err := p.GetPrompt(ctx, get)
	p.tell("asked", asked, err)
	p.expect(ctx, 1)
	stop, err := p.ListenAsync(ctx, mcp.SubscriptionFilter{ToolsListChanged: true}, nil)
	check(err)
	defer stop()
	p.expect(ctx, 1) // that the stream is open
	p.call(ctx, "grow", 1)
}

// call calls a tool, which says a number of things unasked.
func (p *mcpgoPerson) call(ctx context.Context, tool string, unasked int) {
	request := mcp.CallToolRequest{}
	request.Params.Name = tool
	request.Params.Arguments = map[string]any{"text": "café <&>"}
	request.Params.Meta = &mcp.Meta{ProgressToken: "token of " + tool}
	result, err := p.CallTool(ctx, request)
	p.tell(tool, result, err)
	p.expect(ctx, unasked)
}

func (p *mcpgoPerson) expect(ctx context.Context, unasked int) {
	for range unasked {
		select {
		case text := <-p.unasked:
			fmt.Println(text)
		case <-ctx.Done():
			check(ctx.Err())
		}
	}
}

func (p *mcpgoPerson) tell(what string, result any, err error) {
	if err != nil {
		fmt.Println(what, "failed:", err)
		return
	}
	text, err := json.Marshal(result)
	check(err)
	fmt.Println(what, string(text))
}
