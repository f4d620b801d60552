package mcpclient

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// openCall is a call that has no answer yet.
type openCall struct {
	CallOptions
	ctx             context.Context // ends with the call
	meta            map[string]any  // as [Client.meta]
	progress, total float64         // as the server told them last
}

// maxRounds bounds how often the server may ask before it answers a call.
const maxRounds = 20

// inputRequired is a result of the modern protocol that is none yet: the server
// asks, and wants the call again with the answers (MCP 2026-07-28, "Multi
// round-trip requests").
type inputRequired struct {
	ResultType string
	inputs
	RequestState json.RawMessage
}

// inputs are questions of the server, by name.
type inputs struct {
	InputRequests map[string]struct {
		Method string
		Params json.RawMessage
	}
}

// converse makes a call and answers what the server asks before it answers.
func (c *Client) converse(ctx context.Context, method string, p params, o CallOptions) (json.RawMessage, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	call := &openCall{CallOptions: o, ctx: ctx, meta: c.meta}
	for range maxRounds {
		result, own, err := c.round(call, method, p)
		if pages := neededPages(err); len(pages) > 0 {
			if err := c.visit(call, pages, err); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		var asked inputRequired
		if call.meta == nil || json.Unmarshal(result, &asked) != nil || asked.ResultType != "input_required" {
			return result, nil
		}
		delete(p, "inputResponses")
		responses, err := respond(call, asked.inputs, own)
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
	return nil, &problem.Problem{Msg: fmt.Sprintf("the server asked %d times and gave no answer", maxRounds), Code: problem.ExitToolFailed}
}

// round sends a call once, and follows the task that becomes of it.
func (c *Client) round(call *openCall, method string, p params) (result json.RawMessage, own bool, err error) {
	id, ctx, asTask := c.newID(), call.ctx, p["task"] != nil
	if asTask { // it is taken back by the id of the task, which has to be known first
		var cancel context.CancelFunc
		ctx, cancel = afterwards(ctx, taskPatience)
		defer cancel()
	}
	p["_meta"] = map[string]any{"progressToken": json.RawMessage(id)}
	c.open(id, call)
	defer c.done(id)
	result, own, err = c.requestAs(ctx, id, method, call.meta, p)
	if err == nil && method == "tools/call" {
		if t, ok := createdTask(result, asTask, call.meta != nil); ok {
			result, err = c.finish(call, t)
		}
	}
	if gone := call.ctx.Err(); gone != nil {
		return nil, false, gone
	}
	return result, own, err
}

// respond answers the questions of a result or a task, one after the other: a person
// reads them.
func respond(call *openCall, asked inputs, own bool) (map[string]any, error) {
	responses := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(asked.InputRequests)) {
		request := asked.InputRequests[name]
		if request.Method != methodElicit {
			return nil, &problem.Problem{
				Msg:  "the server asks for " + request.Method + ", which was not offered to it",
				Code: problem.ExitToolFailed,
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

// asker is the call that a question belongs to. Older protocols do not say which,
// but for tasks; then it is the last one that can be asked.
func (c *Client) asker(text json.RawMessage) *openCall {
	var p struct {
		Meta map[string]struct{ TaskID loose } `json:"_meta"`
	}
	_ = json.Unmarshal(text, &p) // members of another type are left out
	c.mu.Lock()
	defer c.mu.Unlock()
	if task := c.followed.of(string(p.Meta[metaRelatedTask].TaskID)); task != nil {
		return task.call
	}
	for _, call := range slices.Backward(c.order) {
		if call.Ask != nil {
			return call
		}
	}
	return nil
}
