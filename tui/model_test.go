package tui

import (
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
)

func TestToolsList(t *testing.T) {
	b := newBench(t, func(o *Options, _ *fakeHome, _ *fakeServer) { o.Tab = "tools" })
	b.until("[2 Tools 3]", "search_orders", "ada@example.com")
	b.press("/")
	b.text("refund")
	b.until("refund_order")
	b.lacks("export_orders")
}

func TestHelpAndPalette(t *testing.T) {
	b := newBench(t, func(o *Options, _ *fakeHome, _ *fakeServer) { o.Tab = "tools" })
	b.until("search_orders")
	b.press("?")
	b.until("THIS SCREEN", "filter the tools")
	b.golden("help")
	b.press("esc", ":")
	b.text("prompts")
	b.until("go to Prompts")
	b.golden("palette")
	b.press("enter")
	b.until("[4 Prompts")
}

// Where letters are text, help does not say that they do something.
func TestHelpWhileTyping(t *testing.T) {
	b := newBench(t, func(o *Options, _ *fakeHome, _ *fakeServer) { o.Tab = "tools" })
	b.until("search_orders")
	b.press("/", "f1")
	b.until("THIS SCREEN", "f1 ", "ctrl+p ", "ctrl+l ", "ctrl+c ")
	b.lacks("? f1")
	b.lacks("go to Status")
	b.lacks("next tab")
}

// What one key does everywhere and another on this screen is found once.
func TestPaletteNamesAnActionOnce(t *testing.T) {
	b := newBench(t)
	b.until("signed in")
	b.press(":")
	b.text("server logs")
	b.until("what the server logs")
	if n := len(b.m.top().(*commands).found); n != 1 {
		t.Errorf("%d actions of that name", n)
	}
}

func TestHelpInASmallWindow(t *testing.T) {
	b := newBench(t, func(o *Options, _ *fakeHome, _ *fakeServer) { o.Tab = "tools" })
	b.send(tea.WindowSizeMsg{Width: 40, Height: 12})
	b.until("search_orders")
	b.press("?")
	b.until("/       filter the tools")
}

// Without a tool there are no keys for one.
func TestKeysWithoutTools(t *testing.T) {
	b := newBench(t, func(o *Options, _ *fakeHome, s *fakeServer) { o.Tab, s.tools = "tools", []mcpclient.Tool{} })
	b.until("[2 Tools 0]")
	b.lacks("enter call")
	b.lacks("raw JSON")
	b.until("r reload", "The server has no tools for you.")
}

func TestInterrupt(t *testing.T) {
	b := newBench(t)
	b.press("ctrl+c")
	b.until("ctrl+c again leaves")
	b.press("1", "ctrl+c")
	b.untilTrue("nothing", func() bool { return true })
	if b.quit {
		t.Fatal("one ctrl+c left")
	}
	b.press("ctrl+c")
	b.untilTrue("the end", func() bool { return b.quit })
}
