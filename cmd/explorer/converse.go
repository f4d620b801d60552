package explorer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpauth/mcpauth/broker"
)

// openCall is a call that has no answer yet.
type openCall struct {
	broker.CallOptions
	ctx context.Context // ends with the call
}

// maxRounds bounds how often the server may ask before it answers a call.
const maxRounds = 20

// inputRequired is a result of the modern protocol that is none yet: the server
// asks, and wants the call again with the answers (MCP 2026-07-28, "Multi
// round-trip requests").
type inputRequired struct {
	ResultType    string
	InputRequests map[string]struct {
		Method string
		Params json.RawMessage
	}
	RequestState json.RawMessage
}

// converse makes a call and answers what the server asks before it answers.
func (c *Client) converse(ctx context.Context, method string, p params, o broker.CallOptions) (json.RawMessage, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	call := &openCall{CallOptions: o, ctx: ctx}
	for range maxRounds {
		id := c.newID()
		p["_meta"] = map[string]any{"progressToken": json.RawMessage(id)}
		c.open(id, call)
		result, own, err := c.requestAs(ctx, id, method, p)
		c.done(id)
		if err != nil {
			return nil, err
		}
		var asked inputRequired
		if c.meta == nil || json.Unmarshal(result, &asked) != nil || asked.ResultType != string(mcp.ResultTypeInputRequired) {
			return result, nil
		}
		delete(p, "inputResponses")
		responses, err := respond(call, asked, own)
		if err != nil {
			return nil, err
		}
		if len(responses) > 0 {
			p["inputResponses"] = responses
		}
		delete(p, "requestState")
		if asked.RequestState != nil {
			p["requestState"] = asked.RequestState
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return nil, &broker.Problem{Msg: fmt.Sprintf("the server asked %d times and gave no answer", maxRounds), Code: broker.ExitToolFailed}
}

// respond answers the questions of an input_required result, one after the other:
// a person reads them.
func respond(call *openCall, asked inputRequired, own bool) (map[string]any, error) {
	responses := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(asked.InputRequests)) {
		request := asked.InputRequests[name]
		if request.Method != string(mcp.MethodElicitationCreate) {
			return nil, &broker.Problem{
				Msg:  "the server asks for " + request.Method + ", which was not offered to it",
				Code: broker.ExitToolFailed,
			}
		}
		responses[name] = elicit(call.ctx, call.Ask, request.Params, own)
	}
	return responses, nil
}

func (c *Client) open(token string, call *openCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[token] = call
	c.order = append(c.order, call)
}

func (c *Client) done(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[token]
	delete(c.calls, token)
	c.order = slices.DeleteFunc(c.order, func(other *openCall) bool { return other == call })
}

// asker is the last call that can be asked: older protocols do not say which call
// a question belongs to.
func (c *Client) asker() *openCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range slices.Backward(c.order) {
		if call.Ask != nil {
			return call
		}
	}
	return nil
}
