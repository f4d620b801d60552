package explorer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpauth/mcpauth/broker"
)

// page is one that a person has to visit before a call can be answered (MCP
// 2025-11-25, "URL Elicitation Required Error").
type page struct{ ElicitationID, URL, Message loose }

// neededPages are those of an error; none if it is another one.
func neededPages(err error) []page {
	var failure *ServerError
	if !errors.As(err, &failure) || failure.Code != mcp.URL_ELICITATION_REQUIRED {
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
	for _, question := range []broker.Elicitation{
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
	if message := strings.TrimSuffix(broker.CleanLine(string(p.Message)), "."); message != "" {
		words += ": " + message
	}
	return &broker.Problem{Msg: words, Hints: []string{"the page: " + broker.CleanLine(string(p.URL)), "then call again"}, Code: broker.ExitToolFailed, Err: err}
}
