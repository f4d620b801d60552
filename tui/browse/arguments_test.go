package browse

import (
	"testing"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// A proposal that cannot be shown as it is never gets into a field.
func TestProposalThatHidesSomething(t *testing.T) {
	f := newArgumentForm(&screen.Session{Terminal: &screen.Terminal{Theme: widget.NewTheme(func(string) string { return "" })}}, mcpclient.CompletionRef{Prompt: "p"}, []mcpclient.PromptArgument{{Name: "a"}})
	f.update(completionRead{name: "a", values: []string{"evil\u200b", "\x1b[8mhidden", "plain"}})
	if f.complete(); f.set()["a"] != "plain" || len(f.offered) != 1 {
		t.Errorf("%q is taken, %q are offered", f.set()["a"], f.offered)
	}
}
