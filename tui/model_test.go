package tui

import "testing"

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
