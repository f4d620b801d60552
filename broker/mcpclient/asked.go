package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// asked answers a request of the server, in a goroutine of its own. Sampling and
// roots were not offered: both are about models, and deprecated (SEP-2577).
func (c *Client) asked(id json.RawMessage, method string, text json.RawMessage) {
	if c.ctx.Err() != nil {
		return
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": id}
	switch method {
	case "ping":
		answer["result"] = struct{}{}
	case methodElicit:
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
func elicit(ctx context.Context, ask func(context.Context, Elicitation) ElicitationAnswer, text json.RawMessage, own bool) map[string]any {
	var d struct {
		Message, URL    loose
		RequestedSchema json.RawMessage
	}
	_ = json.Unmarshal(text, &d) // what cannot be read is not there
	if ask == nil {
		return declined()
	}
	e := Elicitation{Message: string(d.Message), URL: string(d.URL), Schema: d.RequestedSchema, Own: own}
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

// page is one that a person has to visit before a call can be answered (MCP
// 2025-11-25, "URL Elicitation Required Error").
type page struct{ ElicitationID, URL, Message loose }

// neededPages are those of an error; none if it is another one.
func neededPages(err error) []page {
	var failure *ServerError
	if !errors.As(err, &failure) || failure.Code != codeElicitationRequired {
		return nil
	}
	var data struct{ Elicitations []page }
	_ = json.Unmarshal(failure.Data, &data) // an error that names no page stays one
	return data.Elicitations
}

// visit has the person visit the pages of an error, one after the other. The call can
// be made again when it returns nil.
func (c *Client) visit(call *openCall, pages []page, err error) error {
	for _, p := range pages {
		if !c.visited(call, p) {
			return c.unvisited(call, p, err)
		}
	}
	return nil
}

// visited shows a page, and waits until the server or the person says that it is done.
func (c *Client) visited(call *openCall, p page) bool {
	if call.Ask == nil {
		return false
	}
	waits, done := context.WithCancel(call.ctx)
	defer done()
	defer c.visits.await(string(p.ElicitationID), done)() // the server may be faster than the person
	for _, question := range []Elicitation{
		{Message: string(p.Message), URL: string(p.URL)},
		{Own: true, Waits: true, Message: "The call is made again when you are done on that page."},
	} {
		said := call.Ask(waits, question)
		switch {
		case waits.Err() != nil:
			return call.ctx.Err() == nil
		case said.Action != "accept":
			return false
		}
	}
	return true
}

// completed takes a notifications/elicitation/complete.
func (c *Client) completed(text json.RawMessage) {
	var p page
	_ = json.Unmarshal(text, &p)
	if done := c.visits.of(string(p.ElicitationID)); done != nil {
		done()
	}
}

func (c *Client) unvisited(call *openCall, p page, err error) error {
	if gone := call.ctx.Err(); gone != nil {
		return gone
	}
	words := "the server wants a page to be visited before it answers"
	if message := strings.TrimSuffix(text.CleanLine(string(p.Message)), "."); message != "" {
		words += ": " + message
	}
	return &problem.Problem{Msg: words, Hints: []string{"the page: " + text.CleanLine(string(p.URL)), "then call again"}, Code: problem.ExitToolFailed, Err: err}
}
