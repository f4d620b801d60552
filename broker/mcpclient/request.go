package mcpclient

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// params are those of a request.
type params map[string]any

// newID returns the id of the next request, as JSON.
func (c *Client) newID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return strconv.Quote("mcpauth-" + strconv.FormatInt(c.last, 10)) // the greeting has the numbers
}

// request asks the server, and takes the request back when ctx ends. Errors are
// *problem.Problem, or the error of ctx.
func (c *Client) request(ctx context.Context, method string, p params) (json.RawMessage, error) {
	result, _, err := c.requestAs(ctx, c.newID(), method, c.meta, p)
	return result, err
}

// requestAs is request with a given id, in the protocol that meta says. own says that
// mcpauth answered, not the server.
func (c *Client) requestAs(ctx context.Context, id, method string, meta map[string]any, p params) (result json.RawMessage, own bool, err error) {
	name, _ := p["name"].(string)
	waited, end := c.waiting(ctx, method, name)
	defer end()
	m, err := c.wire.call(waited, id, map[string]any{
		"jsonrpc": "2.0", "id": json.RawMessage(id), "method": method, "params": p.with(meta),
	})
	switch {
	case err != nil && waited.Err() != nil:
		_ = c.wire.send(map[string]any{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params{
			"requestId": json.RawMessage(id), "reason": waited.Err().Error(),
		}}) // a server that has ended hears nothing
		if gone := ctx.Err(); gone != nil {
			return nil, false, gone
		}
		return nil, false, context.Cause(waited)
	case err != nil:
		return nil, false, c.gone()
	}
	if refusal := c.x.Refusal(id); refusal != nil {
		return nil, true, refusal
	}
	if m.Error != nil {
		return nil, false, c.serverError(method, m.Error)
	}
	return m.Result, c.x.Own(id), nil
}

// with adds what each request of the modern protocol carries; nil for older ones.
func (p params) with(meta map[string]any) params {
	all := params{}
	maps.Copy(all, p)
	if meta == nil {
		return all
	}
	meta = maps.Clone(meta)
	if own, ok := p["_meta"].(map[string]any); ok {
		maps.Copy(meta, own)
	}
	all["_meta"] = meta
	return all
}

// The relay's own error codes (broker/relay) that mean that there is no answer.
const (
	codeBackendGone = 4502
	codeTimeout     = 4504
	codeTooLong     = 4413
	methodNotFound  = -32601

	codeElicitationRequired = -32042
)

// ServerError is an error that the server answered with.
type ServerError struct {
	Code    int
	Message string
	Data    json.RawMessage // may be nil
}

// Error returns the server's message with its code, which servers of the TypeScript
// SDK write before it, too.
func (e *ServerError) Error() string {
	words := strings.TrimPrefix(e.Message, fmt.Sprintf("MCP error %d: ", e.Code))
	return fmt.Sprintf("%s (code %d)", strings.TrimSuffix(words, "."), e.Code)
}

// readError reads an error. Some servers send a text where an object should be.
func readError(text json.RawMessage) *ServerError {
	e := &ServerError{}
	if json.Unmarshal(text, e) != nil && json.Unmarshal(text, &e.Message) != nil {
		e.Message = string(text)
	}
	return e
}

// serverError is the problem of an answer that is an error.
func (c *Client) serverError(method string, text json.RawMessage) error {
	e := readError(text)
	p := &problem.Problem{Msg: "the server answers " + method + " with an error: " + e.Error(), Code: problem.ExitToolFailed, Err: e}
	switch e.Code {
	case codeBackendGone, codeTimeout:
		p.Msg, p.Hints, p.Code = strings.TrimPrefix(e.Message, "mcpauth: "), c.log.hints(), problem.ExitUnreachable
	case codeTooLong:
		p.Msg, p.Code = strings.TrimPrefix(e.Message, "mcpauth: "), problem.ExitError
	}
	return p
}
