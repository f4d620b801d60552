package tui

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// find is the cell of the n-th place, counted from 0, where a text is shown.
func (b *bench) find(text string, n int) (x, y int) {
	b.t.Helper()
	for y, line := range strings.Split(b.plain(), "\n") {
		for at := 0; ; n-- {
			i := strings.Index(line[at:], text)
			if i < 0 {
				break
			}
			if at += i; n == 0 {
				return ansi.StringWidth(line[:at]), y
			}
			at += len(text)
		}
	}
	b.t.Fatalf("%q is not shown:\n%s", text, b.plain())
	return 0, 0
}

// click clicks on the first place where a text is shown.
func (b *bench) click(text string) { b.t.Helper(); b.clickNth(text, 0) }

func (b *bench) clickNth(text string, n int) {
	b.t.Helper()
	x, y := b.find(text, n)
	b.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
}

// wheel turns the wheel over the first place where a text is shown.
func (b *bench) wheel(text string, button tea.MouseButton) {
	b.t.Helper()
	x, y := b.find(text, 0)
	b.send(tea.MouseWheelMsg{X: x, Y: y, Button: button})
}

// everySize runs a test in each of the sizes of the golden files.
func everySize(t *testing.T, do func(t *testing.T, size tea.WindowSizeMsg)) {
	for _, s := range sizes {
		size := tea.WindowSizeMsg{Width: s[0], Height: s[1]}
		t.Run(strings.TrimSpace(widget.Plural(size.Width, "column", "columns")), func(t *testing.T) { do(t, size) })
	}
}

func TestClickTabsAndKeys(t *testing.T) {
	everySize(t, func(t *testing.T, size tea.WindowSizeMsg) {
		b := newBench(t)
		b.until("ACCOUNT", "orders-mcp")
		b.send(size)
		for _, tab := range []struct{ number, name string }{{"5", "[5 Act"}, {"3", "[3 Res"}, {"2", "[2 Tools"}} {
			x := strings.Index(strings.Split(b.plain(), "\n")[1], tab.number)
			b.send(tea.MouseClickMsg{X: x, Y: 1, Button: tea.MouseLeft})
			b.until(tab.name)
		}
		b.settle()
		b.click("/ filter") // the field itself is at the top, the key at the bottom
		b.clickNth("filter", strings.Count(b.plain(), "filter")-1)
		b.until("enter done")
		b.click("esc all")
		b.until("filter")
		b.click("? help")
		b.until("THIS SCREEN")
		b.click("close")
		b.untilGone("THIS SCREEN")
	})
}

func TestClickSignedOut(t *testing.T) {
	everySize(t, func(t *testing.T, size tea.WindowSizeMsg) {
		b := newBench(t, func(_ *Options, h *fakeHome, _ *fakeServer) { h.signOut(nil) })
		b.until("You are not signed in")
		b.send(size)
		b.click("Show the link instead")
		b.until("Signed in as ada@example.com")
	})
}

func TestClickExploring(t *testing.T) {
	everySize(t, func(t *testing.T, size tea.WindowSizeMsg) {
		b := newBench(t, exploring)
		b.until("You explore orders-mcp")
		b.send(size)
		b.click("Get its prompts")
		b.until("[4 Prompts")
	})
}

func TestClickBoxes(t *testing.T) {
	b := newBench(t)
	b.until("ACCOUNT")
	b.press("p")
	b.until("orders-test")
	b.click("orders-test")
	b.until("▸ orders-test")
	b.press(":")
	b.text("activity")
	b.until("▸ go to Activity")
	b.click("go to Activity")
	b.until("[5 Activity]")
	b.press("K")
	b.until("Lock mcpauth?")
	b.click("n no")
	b.untilGone("Lock mcpauth?")
	b.press("K")
	b.clickNth("lock", strings.Count(b.plain(), "lock")-1)
	b.until("! locked")
}

func TestClickTools(t *testing.T) {
	everySize(t, func(t *testing.T, size tea.WindowSizeMsg) {
		b := atTools(t)
		b.send(size)
		b.click("export_orders")
		b.until("▸ export_orders")
		b.wheel("▸ export_orders", tea.MouseWheelUp)
		b.until("▸ search_orders")
		b.click("▸ search_orders") // the chosen one: it is opened
		if size.Width < widget.TwoPanes {
			b.until("INPUT")
			b.click("enter call")
		}
		b.until("ctrl+s send")

		// In the form a click goes to a row, and another one there does what space does.
		b.click("status")
		b.until("▸ status")
		b.send(tea.WindowSizeMsg{Width: 100, Height: 30})
		b.until("( ) open")
		b.click("▸ status")
		b.until(`"status": "open"`)
		b.click("sort")
		b.click("sort")
		b.until("type to filter")
		b.click("( ) total")
		b.until(`"sort": "total"`)
		b.wheel("▸ sort", tea.MouseWheelUp)
		b.until("▸ + customers")
	})
}

func TestClickResult(t *testing.T) {
	everySize(t, func(t *testing.T, size tea.WindowSizeMsg) {
		b := atTools(t, func(s *fakeServer) {
			s.resources = []mcpclient.Resource{{URI: "orders://today", Name: "today", Access: allow}}
		})
		b.press("enter")
		b.until("WILL SEND")
		b.text("late")
		b.press("ctrl+s")
		b.until("O-88121")
		b.send(size)
		b.settle()
		if size.Width >= widget.TwoPanes {
			b.click("Links")
		} else {
			b.press("tab")
			b.until("[All]")
			b.click("Links")
		}
		b.until("▸ orders://today")
		b.click("orders://today") // it is chosen: it is read
		b.until("[3 Res")
		b.press("2")
		b.until("Raw")
		b.press("shift+tab", "shift+tab", "shift+tab")
		b.press("v")
		b.until("▾ orders  3 items")
		b.click("▾ orders")
		b.until("▸ orders  3 items")
		b.click("▸ orders  3")
		b.until("▾ orders  3 items")
		b.wheel("▾ orders", tea.MouseWheelDown)
		copied := make(chan string, 1)
		b.m.options.Copy = func(text string) error { copied <- text; return nil }
		b.press("P")
		b.untilTrue("the clipboard", func() bool { return len(copied) > 0 })
		if path := <-copied; path != "$.orders[0].customer" {
			t.Errorf("the wheel went to %s", path)
		}
	})
}

func TestClickLists(t *testing.T) {
	everySize(t, func(t *testing.T, size tea.WindowSizeMsg) {
		b := newBench(t, withPrompts)
		b.until("[4 Prompts 3]", "summarise_day")
		b.send(size)
		b.click("triage_backlog")
		b.until("▸ triage_backlog")
		b.click("▸ triage_backlog")
		b.until("MESSAGES")
	})
	everySize(t, func(t *testing.T, size tea.WindowSizeMsg) {
		b := newBench(t, withResources)
		b.until("[3 Resources 5]", "today")
		b.send(size)
		b.settle()
		b.click("open")
		b.until("▸ open")
		b.click("▸ open")
		b.until(`"O-1"`)
	})
	everySize(t, func(t *testing.T, size tea.WindowSizeMsg) {
		b := newBench(t, func(o *Options, h *fakeHome, _ *fakeServer) { o.Tab = "activity"; writeAudit(t, h.audit) })
		b.until("refund_order", "export_orders")
		b.send(size)
		b.click("refund")
		b.untilTrue("the entry", func() bool {
			return regexp.MustCompile(`(?m)^▸.* refund`).MatchString(b.plain())
		})
	})
}

func TestClickElicitation(t *testing.T) {
	b, _ := calling(t, `{}`, func(ctx context.Context, o mcpclient.CallOptions) (mcpclient.CallResult, error) {
		a := o.Ask(ctx, mcpclient.Elicitation{Message: "Sure?", Schema: json.RawMessage(`{"properties":{"overwrite":{"type":"boolean"},"reason":{"type":"string"}}}`)})
		return plainText(a.Action + " " + string(a.Content)), nil
	})
	b.press("ctrl+s")
	b.until("The server asks:")
	b.click("reason")
	b.until("▸ reason")
	b.click("overwrite")
	b.click("▸ overwrite")
	b.until("(•) yes")
	b.click("ctrl+s answer")
	b.until(`accept {"overwrite":true}`)
}
