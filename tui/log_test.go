package tui

import (
	"fmt"
	"testing"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/tui/screen"
)

// What the server says outside of any call is seen, and what it said before it died.
func TestServerLog(t *testing.T) {
	b := newBench(t)
	b.until("ACCOUNT", "orders-mcp 3.4.1")
	b.press("l")
	b.until("SERVER LOG", "the server was started")
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventStderr, Message: "listening\x1b[2J", Time: fakeNow})
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventLog, Level: "warning", Message: "the index of orders is old; run reindex before the end of the month, or searches take a minute", Time: fakeNow})
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventLog, Level: "debug", Message: "cache hit", Time: fakeNow})
	b.until("stderr  listening", "warning the index", "debug   cache hit", "4 lines", "● live")
	b.golden("log")
	b.press("e")
	b.until("warnings and errors", "the index of orders")
	b.lacks("cache hit")
	b.press("e", "/")
	b.text("cache")
	b.until("cache hit")
	b.lacks("listening")
	b.press("esc", "esc")
	b.until("ACCOUNT", "3 lines (l): cache hit")
	b.serv.on(mcpclient.Event{Kind: mcpclient.EventClosed, Message: "exit status 3"})
	b.until("the server ended: exit status 3")
	b.press("5", "l")
	b.until("SERVER LOG", "cache hit", "mcpauth the server ended: exit status 3")
	b.press("x")
	b.until("has logged nothing yet")
}

// The log stays at its end, unless the user scrolled away; and it is bounded.
func TestServerLogFollows(t *testing.T) {
	b := newBench(t)
	b.until("ACCOUNT", "orders-mcp 3.4.1")
	b.press("ctrl+l")
	b.until("SERVER LOG")
	say := func(from, to int) {
		for i := from; i < to; i++ {
			b.serv.on(mcpclient.Event{Kind: mcpclient.EventStderr, Message: fmt.Sprintf("line %d.", i)})
		}
		b.until(fmt.Sprintf("%d lines", min(len(b.m.Log.Lines), screen.MaxLogLines)))
		b.untilTrue("the last line", func() bool { return b.m.Log.Lines[len(b.m.Log.Lines)-1].Text == fmt.Sprintf("line %d.", to-1) })
	}
	say(0, 100)
	b.until("line 99.")
	b.press("up")
	b.until("‖ scrolled")
	say(100, 200)
	b.lacks("line 199.")
	b.press("G")
	b.until("line 199.", "● live")
	for from := 200; from < 2*screen.MaxLogLines; from += 500 {
		say(from, from+500)
	}
	if n := len(b.m.Log.Lines); n > screen.MaxLogLines {
		t.Errorf("%d lines are kept", n)
	}
}
