package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcpauth/mcpauth/cmd/console"
)

const orderForm = `{"type":"object","properties":{
	"day":{"type":"string","description":"Which day"},
	"seats":{"type":"integer","default":2,"minimum":1},
	"size":{"type":"string","enum":["small","large"]},
	"lunch":{"type":"boolean"}},
	"required":["day"]}`

// deskServer is for a person at a terminal: its tools ask, and take their time.
func deskServer() *server.MCPServer {
	hooks := &server.Hooks{}
	s := server.NewMCPServer("desk", "1", server.WithToolCapabilities(true), server.WithResourceCapabilities(true, true), server.WithElicitation(),
		server.WithHooks(hooks))
	hooks.AddBeforeAny(func(_ context.Context, _ any, method mcp.MCPMethod, request any) {
		if method == mcp.MethodSubscriptionsListen && strings.Contains(console.CompactJSON(request), "note://1") {
			go func() {
				for range time.Tick(20 * time.Millisecond) {
					s.SendNotificationToAllClients("notifications/resources/updated", map[string]any{"uri": "note://1"})
				}
			}()
		}
	})
	wipe := plain("wipe")
	wipe.Annotations.DestructiveHint = mcp.ToBoolPtr(true)
	s.AddTool(wipe, says("wiped"))
	s.AddTool(plain("order"), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for _, response := range r.Params.InputResponses {
			return mcp.NewToolResultText("ordered: " + console.CompactJSON(response)), nil
		}
		return asks(mcp.ElicitationParams{Message: "What is it to be?", RequestedSchema: json.RawMessage(orderForm)}), nil
	})
	s.AddTool(plain("pay"), pay())
	s.AddTool(plain("pack"), func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		told := map[string]any{"progressToken": r.Params.Meta.ProgressToken, "progress": 1, "total": 4, "message": "box 1"}
		if err := s.SendNotificationToClient(ctx, "notifications/progress", told); err != nil {
			return nil, err
		}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	return s
}

// asks is a result that asks.
func asks(what mcp.ElicitationParams) *mcp.CallToolResult {
	return &mcp.CallToolResult{
		Result:               mcp.Result{ResultType: mcp.ResultTypeInputRequired},
		MultiRoundTripResult: mcp.MultiRoundTripResult{InputRequests: mcp.InputRequests{"q": mcp.NewElicitationInputRequest(what)}},
		Content:              []mcp.Content{},
	}
}

// pay has the person pay on a page of its own.
func pay() server.ToolHandlerFunc {
	paid := make(chan struct{})
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(paid) }))
	return func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for _, response := range r.Params.InputResponses {
			if response.Elicitation == nil && !bytes.Contains([]byte(console.CompactJSON(response)), []byte("accept")) {
				return mcp.NewToolResultError("not paid"), nil
			}
			select {
			case <-paid:
				return mcp.NewToolResultText("paid"), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return asks(mcp.ElicitationParams{Mode: mcp.ElicitationModeURL, URL: shop.URL + "/pay", Message: "Pay here."}), nil
	}
}

// heard passes the client's messages on, and tells of those that take a call back.
func heard(in io.Reader) io.Reader {
	from, to := io.Pipe()
	go func() {
		defer func() { _ = to.Close() }()
		for lines := bufio.NewScanner(in); lines.Scan(); {
			if bytes.Contains(lines.Bytes(), []byte(`"notifications/cancelled"`)) {
				fmt.Fprintln(os.Stderr, "the call was taken back")
			}
			fmt.Fprintf(to, "%s\n", lines.Bytes())
		}
	}()
	return from
}
