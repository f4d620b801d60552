package tui

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
)

func withPrompts(o *Options, _ *fakeHome, f *fakeServer) {
	o.Tab = "prompts"
	f.prompts = []mcpclient.Prompt{
		{Name: "summarise_day", Description: "Summary of one day for a manager", Access: allow, Arguments: []mcpclient.PromptArgument{
			{Name: "date", Required: true, Description: "the day, as 2026-11-20"}, {Name: "tone"}}},
		{Name: "draft_apology", Description: "A letter to a customer", Access: allow, Arguments: []mcpclient.PromptArgument{{Name: "customer", Required: true}, {Name: "why"}}},
		{Name: "triage_backlog", Description: "Sort the open tickets", Access: allow},
	}
	f.prompt = func(_ context.Context, name string, arguments map[string]string) (mcpclient.PromptResult, error) {
		raw, _ := json.Marshal(arguments)
		return mcpclient.PromptResult{Raw: raw, Messages: []mcpclient.PromptMessage{
			{Role: "user", Content: mcpclient.Content{Type: "text", Text: "Summarise the orders of " + arguments["date"] + " for a manager. Use at most five bullets."}},
			{Role: "assistant", Content: mcpclient.Content{Type: "resource", URI: "orders://" + arguments["date"], MIMEType: "text/plain", Text: "128 new orders"}},
		}}, nil
	}
	f.complete = func(_ mcpclient.CompletionRef, argument, value string) (mcpclient.Completion, error) {
		all := map[string][]string{"date": {"2026-11-20", "2026-11-21", "2026-11-22"}, "tone": {"short", "formal"}}[argument]
		return mcpclient.Completion{Values: slices.DeleteFunc(slices.Clone(all), func(v string) bool { return !strings.HasPrefix(v, value) })}, nil
	}
}

func TestPrompts(t *testing.T) {
	copies := make(chan string, 8)
	b := newBench(t, withPrompts, func(o *Options, _ *fakeHome, _ *fakeServer) {
		o.Copy = func(text string) error { copies <- text; return nil }
	})
	b.until("[4 Prompts 3]", "summarise_day", "2 arguments")
	b.golden("prompts")
	b.press("enter", "enter")
	b.until("date is needed")
	b.until("2026-11-20 · 2026-11-21")
	b.golden("prompts_form")
	b.press("ctrl+n", "ctrl+n", "enter")
	b.until("Summarise the orders of 2026-11-21", "128 new orders", "2 messages")
	b.golden("prompts_messages")
	b.press("c")
	b.until("copied the command")
	b.untilTrue("the clipboard", func() bool { return len(copies) > 0 })
	if copied := <-copies; copied != "mcpauth prompts get summarise_day date=2026-11-21 --profile orders-prod" {
		t.Errorf("copied %q", copied)
	}
	b.press("esc", "down", "down", "enter")
	b.until("triage_backlog", "MESSAGES")
}

// A server that ends takes the form of its prompt along: keys are not typed into what
// cannot be seen.
func TestServerEndsBelowAForm(t *testing.T) {
	for tab, with := range map[string]func(*Options, *fakeHome, *fakeServer){"prompts": withPrompts, "resources": withResources} {
		b := newBench(t, with)
		b.until("● connected")
		b.settle()
		if tab == "resources" {
			b.press("G")
		}
		b.press("enter")
		b.until("back", "not sent")
		b.serv.on(mcpclient.Event{Kind: mcpclient.EventClosed, Message: "exit status 1"})
		b.until("r starts it again")
		b.press("ctrl+l")
		b.until("SERVER LOG")
		b.press("esc", "r")
		b.until("● connected")
		b.settle()
		if b.m.top().Typing() {
			t.Errorf("%s: keys are text", tab)
		}
	}
}
