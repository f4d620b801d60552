package gate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

const freshPay = "[[rules]]\neffect='allow'\ntools=['pay']\nmax_auth_age='15m'\nacr=['phr']\nscopes=['orders:write']\n"

// proven is Ada after the sign-in that freshPay needs.
func proven() identity.Snapshot {
	now := signedIn("ada")
	now.ACR, now.User.AuthTime, now.User.Scopes = "phr", time.Now().Unix(), []string{"orders:write"}
	return now
}

// askingGate is a gate whose prompter signs Ada in anew as the test says.
func askingGate(t *testing.T, text string, signIn func(identity.LoginOptions)) (*Session, *fixedSession, *notebook) {
	g, session, record := gateWith(t, text)
	g.prompter = &signInPrompter{
		session: session, notify: func([]byte) {},
		signIn: func(_ context.Context, options identity.LoginOptions, show func(SignInPage)) error {
			show(SignInPage{"orders", "login.example.com", "https://login.example.com/authorize"})
			signIn(options)
			return nil
		},
		ask: func(_ context.Context, build func([]byte) []byte) ([]byte, error) {
			if question := string(build([]byte("1"))); !strings.Contains(question, "again: pay needs a sign-in of the last 15m") {
				t.Errorf("asked %s", question)
			}
			return []byte(`{"id":1,"result":{"action":"accept"}}`), nil
		},
	}
	return g, session, record
}

// settle judges a call until it waits no more.
func settle(t *testing.T, g *Session, line string) relay.Verdict {
	t.Helper()
	m := message(t, line).Clone()
	v := g.FromClient(m)
	for range 10 {
		if v.Action != relay.Wait {
			break
		}
		v.Until(t.Context())
		v = g.FromClient(m)
	}
	return v
}

const asks = `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{},"form":{}}}}`

func initialized(t *testing.T, g *Session) {
	g.FromClient(message(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{"url":{},"form":{}}},"clientInfo":{"name":"x","version":"1"}}}`))
}

func TestStepUpInWords(t *testing.T) {
	g, session, record := gateWith(t, freshPay)
	call := callOf("tools/call", `{}`, `,"name":"pay"`)
	if shown := answerTo(t, g, "tools/list", `{}`, `{"tools":[{"name":"pay"},{"name":"get"}]}`); !strings.Contains(shown, `[{"name":"pay"}]`) {
		t.Errorf("what needs another sign-in is listed: %s", shown)
	}
	v := g.FromClient(message(t, call))
	for _, words := range []string{
		"Another sign-in is needed: this needs a sign-in of the last 15m, and a stronger sign-in (acr phr), and the scope orders:write",
		"mcpauth login --profile orders --reauth --acr phr --scope orders:write",
	} {
		if !strings.Contains(string(v.Line), words) {
			t.Errorf("%s", v.Line)
		}
	}
	if len(record.records) != 1 || record.records[0].Reason != "needs another sign-in: rule 1" {
		t.Errorf("%+v", record.records)
	}
	session.set(proven())
	if g.FromClient(message(t, call)).Action != relay.Forward {
		t.Error("the call does not pass after the sign-in")
	}
}

func TestStepUpThroughTheClient(t *testing.T) {
	want := identity.LoginOptions{Scopes: []string{"orders:write"}, Reauth: true, ACR: []string{"phr"}}
	var asked []identity.LoginOptions
	var session *fixedSession
	signIn := func(o identity.LoginOptions) {
		asked = append(asked, identity.LoginOptions{Scopes: o.Scopes, Reauth: o.Reauth, ACR: o.ACR})
		session.set(proven())
	}
	t.Run("legacy", func(t *testing.T) {
		var g *Session
		g, session, _ = askingGate(t, freshPay, signIn)
		initialized(t, g)
		if v := settle(t, g, callOf("tools/call", `{}`, `,"name":"pay"`)); v.Action != relay.Forward {
			t.Errorf("%v %s", v.Action, v.Line)
		}
	})
	t.Run("modern", func(t *testing.T) {
		var g *Session
		hold := make(chan struct{})
		g, session, _ = askingGate(t, freshPay, func(o identity.LoginOptions) { <-hold; signIn(o) })
		v := settle(t, g, callOf("tools/call", asks, `,"name":"pay","requestState":"server's"`))
		if v.Action != relay.Answer || !strings.Contains(string(v.Line), `"resultType":"input_required"`) {
			t.Fatalf("%v %s", v.Action, v.Line)
		}
		close(hold)
		retry := fmt.Sprintf(`,"name":"pay","requestState":%q,"inputResponses":{"mcpauth_sign_in":{"action":"accept"}}`, stateIn(t, v.Line))
		v = settle(t, g, callOf("tools/call", asks, retry))
		if v.Action != relay.Forward || !strings.Contains(string(v.Line), `"requestState":"server's"`) || strings.Contains(string(v.Line), "inputResponses") {
			t.Errorf("%v %s", v.Action, v.Line)
		}
	})
	if diff := cmp.Diff([]identity.LoginOptions{want, want}, asked, cmp.AllowUnexported(identity.LoginOptions{})); diff != "" {
		t.Error(diff)
	}
}

// A provider that ignores what it is asked for is not asked again and again.
func TestStepUpInVain(t *testing.T) {
	asked := 0
	g, session, _ := askingGate(t, "[[rules]]\neffect='allow'\ntools=['pay']\nmax_auth_age='15m'\n", func(identity.LoginOptions) { asked++ })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_ = session
	i := &prompt{reason: g.reason(decision{item: itemOf(message(t, whoami))})}
	i.done = func(*identity.Snapshot) bool { return false }
	if g.prompter.untilDone(ended, i) {
		t.Error("a sign-in that brings nothing counts")
	}
	g.prompter.vain = map[string]time.Time{" again: pay needs a sign-in of the last 15m.": time.Now().Add(time.Minute)}
	initialized(t, g)
	if v := settle(t, g, callOf("tools/call", `{}`, `,"name":"pay"`)); v.Action != relay.Answer || asked != 0 {
		t.Errorf("%v, asked %d times", v.Action, asked)
	}
}

// stateIn is the requestState of an answer.
func stateIn(t *testing.T, line []byte) string {
	t.Helper()
	_, after, _ := strings.Cut(string(line), `"requestState":"`)
	state, _, found := strings.Cut(after, `"`)
	if !found {
		t.Fatalf("no requestState in %s", line)
	}
	return state
}
