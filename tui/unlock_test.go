package tui

import (
	"context"
	"testing"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// A provider that proves no fresh sign-in leaves the decision to the user here.
func TestUnlockAsks(t *testing.T) {
	b := newBench(t, func(_ *Options, h *fakeHome, _ *fakeServer) {
		h.login = func(ctx context.Context, o broker.LoginOptions) (broker.User, error) {
			if !o.UI.Confirm(ctx, "Was it you who signed in?") {
				return broker.User{}, &problem.Problem{Msg: "still locked", Code: problem.ExitSignInNeeded}
			}
			return broker.User{Sub: "ada", Email: "ada@example.com"}, nil
		}
	})
	b.until("ACCOUNT")
	b.press("K", "y")
	b.until("mcpauth is locked.")
	b.press("U")
	b.until("Was it you who signed in?", "yes", "no")
	b.press("n")
	b.until("still locked")
	b.press("enter")
	b.until("Was it you who signed in?")
	b.press("y")
	b.until("Unlocked by ada@example.com")
}
