package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mcpauth/mcpauth/broker/problem"
)

const (
	maxPages    = 1000
	maxElements = 100_000 // of one list
)

// elements are those of a list: as the gate lets them through, and those that it hides.
type elements struct{ shown, hidden []json.RawMessage }

// list reads the pages of a list, up to the one that is enough, or all of them where
// enough is nil. A server that does not know the method has none. Pages that go in a
// circle end the list with a warning.
func (c *Client) list(ctx context.Context, method, member string, enough func(elements) bool) (all elements, err error) {
	c.listing.Lock()
	defer c.listing.Unlock()
	c.x.TakeHidden(method)
	p, seen := params{}, map[string]bool{}
	var last []json.RawMessage
	for range maxPages {
		result, err := c.request(ctx, method, p)
		var failure *ServerError
		if errors.As(err, &failure) && failure.Code == methodNotFound {
			return elements{}, nil
		}
		if err != nil {
			return elements{}, err
		}
		page, next, err := readPage(result, member)
		if err != nil {
			return elements{}, c.badList(method, err)
		}
		hidden := c.x.TakeHidden(method)
		if p["cursor"] == "" && samePage(page, last) { // it meant the end by it
			return all, nil
		}
		last = page
		all.shown, all.hidden = append(all.shown, page...), append(all.hidden, hidden...)
		end, odd := ended(next, seen)
		switch {
		case odd != "":
			c.warn(fmt.Sprintf("the list ends here, after %d: the server's answer to %s %s", len(all.shown), method, odd))
			return all, nil
		case end, enough != nil && enough(all):
			return all, nil
		case len(all.shown) > maxElements:
			return elements{}, c.badList(method, fmt.Errorf("it has more than %d elements", maxElements))
		}
		p = params{"cursor": *next}
		seen[*next] = true
	}
	return elements{}, c.badList(method, fmt.Errorf("it has more than %d pages", maxPages))
}

// ended reports whether there is no page behind a cursor, and what is odd about that.
// A cursor that is there is one, also if it is empty (MCP 2026-07-28, "Pagination");
// but many servers end a list so, and an empty one is asked for once only.
func ended(next *string, seen map[string]bool) (end bool, odd string) {
	switch {
	case next == nil:
		return true, ""
	case *next == "" && seen[""]:
		return true, ""
	case seen[*next]:
		return true, fmt.Sprintf("has the same nextCursor again: %.40q", *next)
	}
	return false, ""
}

func samePage(a, b []json.RawMessage) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// readPage reads a page. next is nil on the last one.
func readPage(result json.RawMessage, member string) (page []json.RawMessage, next *string, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(result, &members); err != nil {
		return nil, nil, errors.New("it is no object")
	}
	if err := json.Unmarshal(members[member], &page); err != nil {
		return nil, nil, fmt.Errorf("it has no list %s", member)
	}
	if cursor := members["nextCursor"]; cursor != nil && json.Unmarshal(cursor, &next) != nil {
		return nil, nil, errors.New("its nextCursor is no string")
	}
	return page, next, nil
}

func (c *Client) badList(method string, err error) error {
	return &problem.Problem{Msg: "the server's answer to " + method + " cannot be used: " + err.Error(), Code: problem.ExitToolFailed, Err: err}
}
