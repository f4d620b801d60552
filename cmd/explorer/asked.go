package explorer

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpauth/mcpauth/broker"
)

// asked answers a request of the server, in a goroutine of its own. Sampling and
// roots were not offered: both are about models, and deprecated (SEP-2577).
func (c *Client) asked(id json.RawMessage, method string, text json.RawMessage) {
	if c.ctx.Err() != nil {
		return
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": id}
	switch method {
	case string(mcp.MethodPing):
		answer["result"] = struct{}{}
	case string(mcp.MethodElicitationCreate):
		call := c.asker(text)
		if call == nil {
			answer["result"] = declined()
			break
		}
		ctx, cancel := context.WithCancel(call.ctx)
		c.asking(string(id), cancel)
		c.start(func() {
			defer c.asking(string(id), nil)
			defer cancel()
			answer["result"] = elicit(ctx, call.Ask, text, c.x.Own(string(id)))
			_ = c.wire.send(answer) // a server that has ended hears nothing
		})
		return
	default:
		answer["error"] = map[string]any{"code": methodNotFound, "message": "this client does not offer " + method}
	}
	_ = c.wire.send(answer)
}

// asking notes how to take a question back; nil that it is over.
func (c *Client) asking(id string, cancel context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel == nil {
		delete(c.asks, id)
		return
	}
	c.asks[id] = cancel
}

func declined() map[string]any { return map[string]any{"action": "decline"} }

// elicit has a person answer an elicitation/create.
func elicit(ctx context.Context, ask func(context.Context, broker.Elicitation) broker.ElicitationAnswer, text json.RawMessage, own bool) map[string]any {
	var d struct {
		Message, URL    loose
		RequestedSchema json.RawMessage
	}
	_ = json.Unmarshal(text, &d) // what cannot be read is not there
	if ask == nil {
		return declined()
	}
	e := broker.Elicitation{Message: string(d.Message), URL: string(d.URL), Schema: d.RequestedSchema, Own: own}
	answer := ask(ctx, e)
	switch {
	case answer.Action == "accept" && answer.Content != nil:
		return map[string]any{"action": "accept", "content": answer.Content}
	case answer.Action == "accept" && e.URL == "":
		return map[string]any{"action": "accept", "content": struct{}{}}
	case answer.Action == "accept", answer.Action == "cancel":
		return map[string]any{"action": answer.Action}
	}
	return declined()
}
