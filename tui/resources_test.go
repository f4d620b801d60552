package tui

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/tui/widget"
)

var allow = mcpclient.Access{Allowed: true, Effect: "allow", Rule: "rule 3 (role support)"}

func withResources(o *Options, _ *fakeHome, f *fakeServer) {
	o.Tab = "resources"
	f.resources = []mcpclient.Resource{
		{URI: "orders://today", Name: "Today", MIMEType: "text/markdown", Size: 4100, Access: allow, Description: "The orders of today."},
		{URI: "orders://open", MIMEType: "application/json", Size: 88000, Access: allow},
		{URI: "orders://export.csv", MIMEType: "text/csv", Size: 1200000, Access: mcpclient.Access{Effect: "deny", Rule: "rule 9", Why: "export.csv needs the role finance"}},
		{URI: "file:///srv/reports/q3.pdf", MIMEType: "application/pdf", Size: -1, Access: allow},
		{URITemplate: "customers://{region}/{id}", Name: "One customer", Size: -1, Access: allow},
	}
	f.read = func(_ context.Context, uri string) (mcpclient.ReadResult, error) {
		c := mcpclient.Content{Type: "resource", URI: uri}
		switch uri {
		case "orders://today":
			c.MIMEType, c.Text = "text/markdown", "# Orders on 23 November\n\n* 128 new, 12 late\n* 3 need a **refund** decision\n\n| Region | New | Late |\n|---|---|---|\n| North | 61 | 4 |\n| South | 67 | 8 |\n"
		case "orders://open":
			c.MIMEType, c.Text = "application/json", `{"orders":[{"id":"O-1","total":42.00}],"next":null}`
		case "file:///srv/reports/q3.pdf":
			c.MIMEType, c.Data = "application/pdf", []byte("%PDF-1.7\x00\x01\x02 and so on")
		case "customers://north/C-1":
			c.MIMEType, c.Text = "text/plain", "Ada Lovelace"
		default:
			return mcpclient.ReadResult{}, errors.New("there is no such resource")
		}
		raw, _ := json.Marshal(map[string]any{"contents": []any{map[string]any{"uri": uri, "text": c.Text}}})
		return mcpclient.ReadResult{Contents: []mcpclient.Content{c}, Raw: raw}, nil
	}
	f.complete = func(ref mcpclient.CompletionRef, argument, value string) (mcpclient.Completion, error) {
		all := map[string][]string{"region": {"north", "south"}, "id": {"C-1", "C-1009"}}[argument]
		return mcpclient.Completion{Values: slices.DeleteFunc(slices.Clone(all), func(v string) bool { return !strings.HasPrefix(v, value) })}, nil
	}
}

func TestResources(t *testing.T) {
	b := newBench(t, withResources)
	b.until("[3 Resources 5]", "today", "Templates")
	b.golden("resources")
	b.press("g", "down", "down", "down", "enter") // two names of groups are on the way
	b.until("128 new, 12 late", "Region")
	b.golden("resources_markdown")
	b.press("v")
	b.until("raw", `"contents"`)
	b.press("v", "esc", "down", "enter")
	b.until(`"total": 42.00`)
	b.golden("resources_json")
	b.press("esc", "down", "enter")
	b.until("there is no such resource")
	b.press("esc", "g", "down", "enter")
	b.until("application/pdf, 21 bytes", "0000  25 50 44 46")
}

func TestResourceDenied(t *testing.T) {
	b := newBench(t, withResources)
	b.until("export.csv", "✗ policy")
	b.press("/")
	b.text("export")
	b.press("enter")
	b.until("✗ denied", "rule 9", "needs the role finance")
	b.golden("resources_denied")
}

func TestTemplate(t *testing.T) {
	b := newBench(t, withResources)
	b.until("Templates")
	b.press("G", "t")
	b.until("north · south")
	b.text("so")
	b.until("→ customers://so/")
	b.until(" south")
	b.lacks("north")
	b.press("tab") // takes south
	b.until("→ customers://south/")
	b.press("ctrl+u")
	b.until("north · south")
	b.press("tab", "tab")
	b.until("C-1 · C-1009")
	b.press("tab")
	b.until("→ customers://north/C-1")
	b.golden("template")
	b.press("enter")
	b.until("Ada Lovelace")
}

func TestSubscription(t *testing.T) {
	b := newBench(t, withResources)
	b.until("today")
	b.press("G", "up", "up", "up", "u") // Templates and its entry are below
	b.until("✓ subscribed to orders://open")
	b.untilTrue("the server to know", func() bool { b.serv.mu.Lock(); defer b.serv.mu.Unlock(); return len(b.serv.subs) == 1 })
	uri := "orders://open"
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventResourceUpdated, URI: uri})
	b.m.note = widget.Notice{} // what was said before stays for a while
	b.until("◉ subscribed to 1, updated 09:41:10")
	b.press("u")
	b.until("no longer subscribed")
	b.lacks("◉")
}

func TestListChanged(t *testing.T) {
	b := newBench(t, withResources)
	b.until("today")
	b.serv.mu.Lock()
	b.serv.resources = append(b.serv.resources, mcpclient.Resource{URI: "orders://fresh", Access: allow})
	b.serv.mu.Unlock()
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventResourcesChanged})
	b.until("[3 Resources 6]", "fresh")
}

func TestServerDies(t *testing.T) {
	b := newBench(t, withResources)
	b.until("today")
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventClosed, Message: "exit status 1"})
	b.until("the server ended: exit status 1", "r starts it again", "r restart")
	b.golden("resources_dead")
	b.press("r")
	b.until("today", "r reload")
}

// The key that reads a list again starts the server that the list is of.
func TestRestartEverywhere(t *testing.T) {
	b := newBench(t, withResources)
	for _, tab := range []string{"1", "2", "4"} {
		b.press(tab)
		b.until("● connected")
		b.serv.on(mcpclient.Event{Kind: mcpclient.EventClosed, Message: "exit status 1"})
		b.until("the server ended: exit status 1", "r starts it again")
		b.press("r")
		b.untilGone("the server ended")
		b.untilTrue("a server", func() bool { return b.m.Server != nil })
	}
}
