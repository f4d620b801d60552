package tui

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
)

func TestStatus(t *testing.T) {
	b := newBench(t, func(_ *Options, h *fakeHome, _ *fakeServer) { writeAudit(t, h.audit) })
	b.until("ada@example.com (Ada Lovelace)", "orders-mcp 3.4.1", "LAST CALLS", "orders.policy.toml, 1 line")
	b.golden("status")
	b.press("o")
	b.until("allow read tools for group support")
	b.press("esc", "d")
	b.until("✗ the clock is 7 min late", "→ timedatectl set-ntp true")
	b.golden("doctor")
	b.press("esc", "a")
	b.until("runs mcpauth as orders", "after a change: Start a new session.", "Cursor: points at a mcpauth that is not there", "to fix it: mcpauth doctor",
		"mcpauth client add vscode --profile orders-prod")
	b.press("esc", "p")
	b.until("orders-test")
	b.golden("profiles")
	b.press("down", "enter")
	b.until("▸ orders-test")
}

func TestSignedOut(t *testing.T) {
	b := newBench(t, func(_ *Options, h *fakeHome, _ *fakeServer) {
		h.signOut(errors.New("the sign-in ended on 21 Nov 2026 18:03"))
	})
	b.until("You are not signed in to orders-prod.")
	b.golden("signedout")
	b.press("down", "enter")
	b.until("Signed in as ada@example.com")
	b.golden("login_done")
	b.press("enter")
	b.until("ACCOUNT")
}

func TestLogin(t *testing.T) {
	b := newBench(t, func(o *Options, h *fakeHome, _ *fakeServer) {
		h.signOut(nil)
		o.Browser = func(context.Context, string) error { return nil }
		h.login = func(ctx context.Context, o broker.LoginOptions) (broker.User, error) {
			if o.Device {
				o.UI.ShowCode(broker.DeviceCode{UserCode: "WDJB-MJHT", URL: "https://login.example.com/device", ExpiresIn: 10 * time.Minute})
			} else {
				o.UI.ShowURL("https://login.example.com/authorize?client_id=mcpauth-desktop&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&redirect_uri=http%3A%2F%2F127.0.0.1%3A49321%2Fcallback", o.UI.OpenURL != nil)
			}
			<-ctx.Done()
			return broker.User{}, ctx.Err()
		}
	})
	b.until("You are not signed in")
	b.press("L")
	b.until("Your browser should show the sign-in page now", "3 min left")
	b.golden("login_link")
	b.press("D")
	b.until("WDJB-MJHT", "10 min left")
	b.golden("login_code")
	b.press("esc")
	b.until("You are not signed in")
}

// A provider's own error page sends nothing back: what it has to know is on the screen.
func TestLoginShowsWhatTheProviderHasToKnow(t *testing.T) {
	b := newBench(t, func(_ *Options, h *fakeHome, _ *fakeServer) {
		h.signOut(nil)
		h.login = func(ctx context.Context, o broker.LoginOptions) (broker.User, error) {
			o.UI.ShowURL("http://127.0.0.1:8765/callback/x", false)
			o.UI.Expect("http://127.0.0.1:8765/callback", "orders-desktop")
			<-ctx.Done()
			return broker.User{}, ctx.Err()
		}
	})
	b.until("You are not signed in")
	b.press("L")
	b.until("If the provider shows an error: register exactly", "http://127.0.0.1:8765/callback", "client ID orders-desktop")
}

func TestLoginFails(t *testing.T) {
	b := newBench(t, func(_ *Options, h *fakeHome, _ *fakeServer) {
		h.signOut(nil)
		h.login = func(context.Context, broker.LoginOptions) (broker.User, error) {
			return broker.User{}, &problem.Problem{Msg: "the keychain is locked", Hints: []string{"unlock it, or see: mcpauth doctor"}, Code: problem.ExitKeychain}
		}
	})
	b.until("You are not signed in")
	b.press("L")
	b.until("the keychain is locked", "mcpauth doctor")
	b.golden("login_failed")
}

func TestSignOutAndLock(t *testing.T) {
	b := newBench(t)
	b.until("ACCOUNT")
	b.press("K")
	b.until("Lock mcpauth?")
	b.press("n", "O")
	b.until("Sign ada@example.com out of orders-prod?")
	b.golden("signout")
	b.press("y")
	b.until("You are not signed in", "the tokens are deleted")
	b.press("K", "y")
	b.until("mcpauth is locked.")
	b.golden("locked")
	b.press("U")
	b.until("Unlocked by ada@example.com")
}

func TestTroubles(t *testing.T) {
	b := newBench(t, func(_ *Options, h *fakeHome, f *fakeServer) {
		f.fails = &problem.Problem{Msg: "the server did not start: python3 main.py ended with code 1: ModuleNotFoundError: No module named 'mcp'", Hints: []string{"pip install mcp"}}
	})
	b.until("ModuleNotFoundError", "pip install mcp")
	b.golden("noserver")

	b = newBench(t, func(_ *Options, h *fakeHome, _ *fakeServer) {
		h.status = broker.SignInStatus{}
		h.status.State = broker.Degraded
		h.status.Err = &problem.Problem{Msg: "the keychain does not answer (org.freedesktop.secrets)", Hints: []string{"mcpauth doctor"}, Code: problem.ExitKeychain}
	})
	b.until("The sign-in cannot be read.", "mcpauth doctor")
	b.golden("keychain")

	b = newBench(t, func(_ *Options, h *fakeHome, _ *fakeServer) {
		h.problem = &problem.Problem{Msg: "there are 2 profiles and none is the default", Hints: []string{"mcpauth profile use orders-test"}, Code: problem.ExitUsage}
		h.resolved = nil
	})
	b.until("There is no profile that can be used.", "mcpauth profile use")
	b.golden("noprofile")
}

// firstDay is a machine without any sign-in yet.
func firstDay(_ *Options, h *fakeHome, _ *fakeServer) {
	_, err := config.File{}.Resolve(config.Overrides{}, func(string) string { return "" })
	problem := *problem.Of(err)
	problem.Hints = []string{
		"sign in at any OpenID provider: mcpauth login --issuer https://login.example.com --client-id ID",
		"with Okta: set OKTA_ORG_URL and OKTA_CLIENT_ID, then mcpauth login", "to look around without a provider: mcpauth demo",
	}
	h.problem = &problem
	h.resolved, h.config = nil, config.File{}
}

// exploring looks at a server without a profile.
func exploring(o *Options, h *fakeHome, f *fakeServer) {
	firstDay(o, h, f)
	o.Overrides.Command = []string{"node", "everything.js"}
}

// A user without a profile sees what goes on, that the server
// knows of no user, and how to sign in; it does not read like an error.
func TestExploring(t *testing.T) {
	b := newBench(t, exploring)
	b.until("You explore orders-mcp 3.4.1.", "the server gets no user", "mcpauth login --issuer", "○ no user")
	b.lacks("✗")
	b.lacks("no profile that can be used")
	b.golden("exploring")
	b.press("down", "enter")
	b.until("[3 Resources")

	b = newBench(t, exploring, func(_ *Options, _ *fakeHome, f *fakeServer) {
		f.fails = &problem.Problem{Msg: "start nodee: not found in PATH"}
	})
	b.until("not found in PATH", "▸ Start the server again")
	b.serv.fails = nil
	b.press("enter")
	b.until("You explore orders-mcp")
}

func TestFirstDay(t *testing.T) {
	b := newBench(t, firstDay)
	b.until("There is no profile yet.", "--client-id ID", "mcpauth tui -- COMMAND")
	b.lacks("✗")
	b.golden("firstday")
}
