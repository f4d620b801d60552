package mcpclient_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
)

var notes = regexp.MustCompile(`note://\d`)

// shop is mcp-go's server, with what a client is told or asked unasked.
func shop() *server.MCPServer {
	hooks := &server.Hooks{}
	hooks.AddBeforeAny(func(_ context.Context, _ any, method mcp.MCPMethod, request any) {
		if text, err := json.Marshal(request); err == nil && strings.Contains(string(method), "subscri") {
			fmt.Fprintln(os.Stderr, strings.Join(append([]string{string(method)}, notes.FindAllString(string(text), -1)...), " "))
		}
	})
	s := server.NewMCPServer("shop", "1", server.WithHooks(hooks), server.WithToolCapabilities(true), server.WithResourceCapabilities(true, true),
		server.WithPromptCapabilities(true), server.WithElicitation(), server.WithCompletions(),
		server.WithPromptCompletionProvider(&cities{}), server.WithResourceCompletionProvider(&cities{}))
	add := func(name string, run server.ToolHandlerFunc) { s.AddTool(mcp.NewTool(name), run) }
	add("touch", func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("touched"), s.SendNotificationToClient(ctx, "notifications/resources/updated", map[string]any{"uri": r.GetString("uri", "")})
	})
	add("grow", func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		add("new", nil)
		s.AddPrompt(mcp.NewPrompt("new"), nil)
		s.AddResource(mcp.NewResource("new://1", "new"), nil)
		return mcp.NewToolResultText("grown"), nil
	})
	add("page", showPage)
	paid := false
	add("pay", func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if !paid {
			paid = true
			return nil, mcp.URLElicitationRequiredError{Elicitations: []mcp.ElicitationParams{
				{Mode: mcp.ElicitationModeURL, ElicitationID: "e1", URL: "https://pay.example.com/1", Message: "Pay first."},
			}}
		}
		return mcp.NewToolResultText("paid"), nil
	})
	s.AddResource(mcp.NewResource("note://1", "note"), nil)
	s.AddResourceTemplate(mcp.NewResourceTemplate("trip://{from}/{to}", "trip"), nil)
	s.AddPrompt(mcp.NewPrompt("visit", mcp.WithArgument("country"), mcp.WithArgument("city")), nil)
	return s
}

// showPage asks for a page to be opened, in the way of each protocol.
func showPage(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	const address = "https://example.com/a?b=c"
	if !mcp.IsModernProtocol(server.RequestProtocolVersion(ctx)) {
		answer, err := server.ServerFromContext(ctx).RequestURLElicitation(ctx, server.ClientSessionFromContext(ctx), "e7", address, "Look here.")
		if err != nil {
			return nil, err
		}
		return mcp.NewToolResultText(string(answer.Action)), nil
	}
	for _, response := range r.Params.InputResponses {
		text, err := json.Marshal(response)
		if err != nil {
			return nil, err
		}
		return mcp.NewToolResultText(string(text)), nil
	}
	asked := mcp.NewElicitationInputRequest(mcp.ElicitationParams{Mode: mcp.ElicitationModeURL, URL: address, Message: "Look here."})
	return &mcp.CallToolResult{
		Result:               mcp.Result{ResultType: mcp.ResultTypeInputRequired},
		MultiRoundTripResult: mcp.MultiRoundTripResult{InputRequests: mcp.InputRequests{"q": asked}}, Content: []mcp.Content{},
	}, nil
}

// cities completes with what it was asked, as a city.
type cities struct{}

func (cities) CompletePromptArgument(_ context.Context, prompt string, a mcp.CompleteArgument, c mcp.CompleteContext) (*mcp.Completion, error) {
	return &mcp.Completion{Values: []string{fmt.Sprint(prompt, " ", a.Name, " ", a.Value, " ", c.Arguments["country"])}, Total: 5, HasMore: true}, nil
}

func (cities) CompleteResourceArgument(_ context.Context, uri string, a mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	return &mcp.Completion{Values: []string{fmt.Sprint(uri, " ", a.Name, " ", a.Value)}}, nil
}

// serveOlder serves without the modern protocol: server/discover is not known.
func serveOlder(s *server.MCPServer) error {
	in, out := io.Pipe()
	go func() {
		defer func() { _ = out.Close() }()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			var m struct{ ID json.RawMessage }
			if bytes.Contains(lines.Bytes(), []byte(`"server/discover"`)) && json.Unmarshal(lines.Bytes(), &m) == nil {
				fmt.Printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32601,\"message\":\"no\"}}\n", m.ID)
				continue
			}
			fmt.Fprintf(out, "%s\n", lines.Bytes())
		}
	}()
	if err := server.NewStdioServer(s).Listen(context.Background(), in, os.Stdout); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// inBothProtocols explores a shop of each.
func inBothProtocols(t *testing.T, try func(t *testing.T, w *world, c *broker.Explorer)) {
	for kind, version := range map[string]string{"shop": "2026-07-28", "older shop": "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t)
			c := w.open(kind)
			if got := c.Info().ProtocolVersion; got != version {
				t.Fatalf("it speaks %s", got)
			}
			try(t, w, c)
		})
	}
}

// must calls a tool that works, and returns the text of its result.
func (w *world) must(c *broker.Explorer, tool, arguments string, ask func(context.Context, mcpclient.Elicitation) mcpclient.ElicitationAnswer) string {
	w.Helper()
	result, err := c.Call(context.Background(), tool, json.RawMessage(arguments), mcpclient.CallOptions{Ask: ask})
	if err != nil || result.IsError || len(result.Content) == 0 {
		w.Fatalf("%s: %+v, %v", tool, result, err)
	}
	return result.Content[0].Text
}

func TestSubscriptions(t *testing.T) {
	inBothProtocols(t, func(t *testing.T, w *world, c *broker.Explorer) {
		for _, step := range []func(context.Context, string) error{c.Subscribe, c.Subscribe, c.Unsubscribe, c.Subscribe} {
			if err := step(context.Background(), "note://1"); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Subscribe(context.Background(), "note://2"); err != nil {
			t.Fatal(err)
		}
		asked := map[string][]string{
			"2025-11-25": {"resources/subscribe note://1", "resources/subscribe note://1", "resources/unsubscribe note://1", "resources/subscribe note://1", "resources/subscribe note://2"},
			"2026-07-28": {"subscriptions/listen note://1", "subscriptions/listen", "subscriptions/listen note://1", "subscriptions/listen note://1 note://2"},
		}[c.Info().ProtocolVersion]
		w.until(func(e mcpclient.Event) bool {
			if e.Kind == mcpclient.EventStderr && e.Message == asked[0] {
				asked = asked[1:]
			}
			return len(asked) == 0
		})
		for _, uri := range []string{"note://1", "note://2"} {
			w.must(c, "touch", fmt.Sprintf(`{"uri":%q}`, uri), nil)
			w.until(func(e mcpclient.Event) bool { return e.Kind == mcpclient.EventResourceUpdated && e.URI == uri })
		}
		w.must(c, "grow", `{}`, nil) // that lists change is told, whatever is subscribed to
		w.until(func(e mcpclient.Event) bool { return e.Kind == mcpclient.EventResourcesChanged })
	})
}

func TestChangedLists(t *testing.T) {
	inBothProtocols(t, func(t *testing.T, w *world, c *broker.Explorer) {
		w.must(c, "grow", `{}`, nil)
		missing := []mcpclient.EventKind{mcpclient.EventToolsChanged, mcpclient.EventPromptsChanged, mcpclient.EventResourcesChanged}
		w.until(func(e mcpclient.Event) bool {
			missing = slices.DeleteFunc(missing, func(kind mcpclient.EventKind) bool { return kind == e.Kind })
			return len(missing) == 0
		})
		tools, err := c.Tools(context.Background())
		if err != nil || !slices.ContainsFunc(tools, func(t mcpclient.Tool) bool { return t.Name == "new" }) {
			t.Errorf("%+v, %v", tools, err)
		}
	})
}

func TestComplete(t *testing.T) {
	inBothProtocols(t, func(t *testing.T, w *world, c *broker.Explorer) {
		got, err := c.Complete(context.Background(), mcpclient.CompletionRef{Prompt: "visit"}, "city", "Ro", map[string]string{"country": "it"})
		if err != nil || !slices.Equal(got.Values, []string{"visit city Ro it"}) || got.Total != 5 || !got.HasMore {
			t.Errorf("of a prompt: %+v, %v", got, err)
		}
		got, err = c.Complete(context.Background(), mcpclient.CompletionRef{URITemplate: "trip://{from}/{to}"}, "to", "", nil)
		if err != nil || !slices.Equal(got.Values, []string{"trip://{from}/{to} to "}) || got.HasMore {
			t.Errorf("of a template: %+v, %v", got, err)
		}
	})
}

func TestURLElicitation(t *testing.T) {
	inBothProtocols(t, func(t *testing.T, w *world, c *broker.Explorer) {
		for _, action := range []string{"accept", "decline", "cancel"} {
			text := w.must(c, "page", `{}`, func(_ context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
				if e.URL != "https://example.com/a?b=c" || e.Message != "Look here." || e.Own {
					t.Errorf("asked: %+v", e)
				}
				return mcpclient.ElicitationAnswer{Action: action}
			})
			if !strings.Contains(text, action) || strings.Contains(text, "content") {
				t.Errorf("%s: the server got %s", action, text)
			}
		}
	})
}

// The older protocol has an error that names the page.
func TestPageToVisitAtARealServer(t *testing.T) {
	w := newWorld(t)
	c := w.open("older shop")
	text := w.must(c, "pay", `{}`, func(_ context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
		return mcpclient.ElicitationAnswer{Action: map[bool]string{true: "accept", false: "decline"}[e.Waits || e.URL == "https://pay.example.com/1"]}
	})
	if text != "paid" {
		t.Error(text)
	}
}
