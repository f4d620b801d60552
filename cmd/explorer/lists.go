package explorer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mcpauth/mcpauth/broker"
)

const (
	maxPages    = 1000
	maxElements = 100_000 // of one list
)

// list reads all pages of a list: its elements as the gate lets them through, and
// those that it hides. A server that does not know the method has none.
func (c *Client) list(ctx context.Context, method, member string) (shown, hidden []json.RawMessage, err error) {
	c.listing.Lock()
	defer c.listing.Unlock()
	c.x.TakeHidden(method)
	cursor, seen := "", map[string]bool{}
	for range maxPages {
		p := params{}
		if cursor != "" {
			p["cursor"] = cursor
		}
		result, err := c.request(ctx, method, p)
		var failure *ServerError
		if errors.As(err, &failure) && failure.Code == methodNotFound {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		page, next, err := readPage(result, member)
		if err != nil {
			return nil, nil, c.badList(method, err)
		}
		shown = append(shown, page...)
		switch {
		case next == "":
			return shown, c.x.TakeHidden(method), nil
		case seen[next]:
			return nil, nil, c.badList(method, fmt.Errorf("its pages go in a circle: the cursor %.40q came twice", next))
		case len(shown) > maxElements:
			return nil, nil, c.badList(method, fmt.Errorf("it has more than %d elements", maxElements))
		}
		seen[next], cursor = true, next
	}
	return nil, nil, c.badList(method, fmt.Errorf("it has more than %d pages", maxPages))
}

func readPage(result json.RawMessage, member string) (page []json.RawMessage, next string, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(result, &members); err != nil {
		return nil, "", errors.New("it is no object")
	}
	if err := json.Unmarshal(members[member], &page); err != nil {
		return nil, "", fmt.Errorf("it has no list %s", member)
	}
	if cursor := members["nextCursor"]; cursor != nil && json.Unmarshal(cursor, &next) != nil {
		return nil, "", errors.New("its nextCursor is no text")
	}
	return page, next, nil
}

func (c *Client) badList(method string, err error) error {
	return &broker.Problem{Msg: "the server's answer to " + method + " cannot be used: " + err.Error(), Code: broker.ExitToolFailed, Err: err}
}
