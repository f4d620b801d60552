package cmd

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// runOrders is an MCP server with one of everything, for the scripts of the commands
// that explore one. With "hostile" all its texts try to get at the terminal.
func runOrders() {
	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	var s *server.MCPServer
	switch mode {
	case "hostile":
		s = hostileServer()
	case "many":
		s = server.NewMCPServer("many", "1", server.WithPaginationLimit(50))
		for i := range 320 {
			s.AddTool(mcp.NewTool(fmt.Sprintf("tool_%03d", i)), says(fmt.Sprint(i)))
		}
	case "nested":
		s = server.NewMCPServer("nested", "1")
		s.AddTool(mcp.NewToolWithRawSchema("create_order", "", []byte(createSchema)), received)
	case "desk":
		s = deskServer()
	default:
		s = ordersServer()
	}
	fmt.Fprintln(os.Stderr, "orders server is up")
	if err := server.NewStdioServer(s).Listen(context.Background(), heard(os.Stdin), os.Stdout); err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// plain is a tool that claims nothing: mcp-go says of each that it destroys.
func plain(name string) mcp.Tool {
	t := mcp.NewTool(name)
	t.Annotations = mcp.ToolAnnotation{}
	return t
}

type toolFunc = server.ToolHandlerFunc

func says(text string) toolFunc {
	return func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(text), nil
	}
}

// received answers with the arguments as the server got them.
func received(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return mcp.NewToolResultText(console.CompactJSON(r.Params.Arguments)), nil
}

const searchSchema = `{"type":"object","properties":{
	"query":{"type":"string","description":"What to look for"},
	"limit":{"type":"integer","minimum":1,"maximum":100,"default":10},
	"status":{"enum":["open","late",7],"description":"Only these"},
	"tags":{"type":"array","items":{"type":"string"}},
	"sizes":{"type":"array","items":{"type":"integer"}},
	"exact":{"anyOf":[{"type":"boolean"},{"type":"null"}]},
	"where":{"$ref":"#/$defs/Place"}},
	"required":["query"],
	"$defs":{"Place":{"type":"object","properties":{"city":{"type":"string"},"zip":{"type":"integer"}},"required":["city"]}}}`

const createSchema = `{"type":"object","required":["customer","items"],"properties":{
	"customer":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}},
	"items":{"type":"array","minItems":1,"items":{"type":"object","required":["sku","qty"],"properties":{
		"sku":{"type":"string"},"qty":{"type":"integer","minimum":1}}}}}}`

func ordersServer() *server.MCPServer {
	s := server.NewMCPServer("orders", "1.2.3", server.WithToolCapabilities(true), server.WithResourceCapabilities(true, true),
		server.WithPromptCapabilities(true), server.WithElicitation(), server.WithInstructions("Orders of a shop.\nAsk before you delete."))
	search := mcp.NewToolWithRawSchema("search_orders", "Search the orders\nBy text and more.", []byte(searchSchema))
	search.Annotations = mcp.ToolAnnotation{ReadOnlyHint: mcp.ToBoolPtr(true)}
	s.AddTool(search, received)
	s.AddTool(mcp.NewTool("delete_order", mcp.WithTitleAnnotation("Delete an order"), mcp.WithString("id", mcp.Required()), mcp.WithDestructiveHintAnnotation(true)), received)
	s.AddTool(plain("whoami"), whoami)
	s.AddTool(plain("fail"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultError("the shop is closed\ntoday"), nil
	})
	s.AddTool(plain("logo"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultImage("the logo", base64.StdEncoding.EncodeToString([]byte("PNG\x00\x01")), "image/png"), nil
	})
	s.AddTool(plain("never"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	s.AddTool(plain("die"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		fmt.Fprintln(os.Stderr, "Error: out of orders")
		os.Exit(9)
		return nil, nil
	})
	s.AddTool(plain("book"), book)
	s.AddResource(mcp.NewResource("note://1", "note", mcp.WithMIMEType("text/plain")),
		func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{mcp.TextResourceContents{URI: "note://1", MIMEType: "text/plain", Text: "buy milk\x1b[31m\n"}}, nil
		})
	s.AddResource(mcp.NewResource("img://logo", "logo", mcp.WithMIMEType("image/png")),
		func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{mcp.BlobResourceContents{URI: "img://logo", MIMEType: "image/png", Blob: base64.StdEncoding.EncodeToString([]byte("PNG\x00\x01"))}}, nil
		})
	s.AddResourceTemplate(mcp.NewResourceTemplate("order://{id}", "order"), nil)
	s.AddPrompt(mcp.NewPrompt("review", mcp.WithPromptDescription("Review code"), mcp.WithArgument("language", mcp.RequiredArgument()), mcp.WithArgument("tone")),
		func(_ context.Context, r mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return mcp.NewGetPromptResult("", []mcp.PromptMessage{
				mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent("Review this "+r.Params.Arguments["language"]+" code")),
				mcp.NewPromptMessage(mcp.RoleAssistant, mcp.NewTextContent("Gladly")),
			}), nil
		})
	return s
}

func whoami(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if r.Params.Meta == nil || r.Params.Meta.AdditionalFields[broker.MetaKey] == nil {
		return mcp.NewToolResultText("nobody"), nil
	}
	user := r.Params.Meta.AdditionalFields[broker.MetaKey].(map[string]any)
	return mcp.NewToolResultText(fmt.Sprint(user["email"])), nil
}

// book asks for a date in the middle of a call, in the way of the modern protocol.
func book(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	for _, response := range r.Params.InputResponses {
		text := console.CompactJSON(response)
		if strings.Contains(text, `"decline"`) {
			return mcp.NewToolResultError("not booked"), nil
		}
		return mcp.NewToolResultText("booked: " + text), nil
	}
	schema := json.RawMessage(`{"type":"object","properties":{"day":{"type":"string","description":"Which day"},"seats":{"type":"integer","default":2}},"required":["day"]}`)
	result := asks(mcp.ElicitationParams{Message: "When do you want to come?", RequestedSchema: schema})
	result.RequestState = "s1"
	return result, nil
}

// hostileServer has nothing but texts that would do harm if a terminal got them.
func hostileServer() *server.MCPServer {
	s := server.NewMCPServer("shop"+hostile, "1"+hostile, server.WithToolCapabilities(true), server.WithResourceCapabilities(true, true),
		server.WithPromptCapabilities(true), server.WithInstructions("do"+hostile))
	s.AddTool(mcp.NewTool("evil"+hostile), says(""))
	s.AddTool(mcp.NewTool("pay", mcp.WithDescription("pays"+hostile), mcp.WithTitleAnnotation("Pay"+hostile),
		mcp.WithString("to"+hostile, mcp.Description("whom"+hostile), mcp.Enum("a"+hostile))), says("paid"+hostile))
	s.AddTool(mcp.NewTool("refuse"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		fmt.Fprintln(os.Stderr, "log"+hostile)
		return mcp.NewToolResultError("no" + hostile), nil
	})
	s.AddTool(mcp.NewTool("break"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, errors.New("broken" + hostile)
	})
	s.AddTool(mcp.NewTool("die"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		fmt.Fprintln(os.Stderr, "Error: dead"+hostile)
		os.Exit(1)
		return nil, nil
	})
	s.AddTool(mcp.NewTool("link"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewResourceLink("x:"+hostile, "n"+hostile, "d"+hostile, "m"+hostile)}}, nil
	})
	s.AddTool(mcp.NewTool("ask"), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if len(r.Params.InputResponses) > 0 {
			return mcp.NewToolResultText("fine"), nil
		}
		return asks(mcp.ElicitationParams{Message: "who" + hostile, RequestedSchema: map[string]any{
			"type": "object", "properties": map[string]any{"n" + hostile: map[string]any{"type": "string", "description": "d" + hostile, "default": "f" + hostile}},
		}}), nil
	})
	s.AddResource(mcp.NewResource("note://1", "note"+hostile, mcp.WithMIMEType("text/"+hostile)),
		func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{mcp.TextResourceContents{URI: "note://1", Text: "text" + hostile}}, nil
		})
	s.AddPrompt(mcp.NewPrompt("say", mcp.WithPromptDescription("says"+hostile), mcp.WithArgument("what"+hostile)),
		func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return mcp.NewGetPromptResult("", []mcp.PromptMessage{mcp.NewPromptMessage(mcp.Role("user"+hostile), mcp.NewTextContent("hi"+hostile))}), nil
		})
	return s
}

// hostile clears the screen, sets the title and the clipboard, hides and reverses
// text and overwrites the line: in C0, C1, bidi, tags and more.
const hostile = "\x1b[2J\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x1b\\\u009b31m\u0090q\u009c\x7f\r\u202egnp\u2066\u200b\u200d\u2060\ufeff\U000e0041\u3164\u061c\x00\b"
