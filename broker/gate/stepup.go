package gate

import (
	"fmt"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
)

// stepUp has the person sign in again for a call that needs more than the
// sign-in has: through the client where it can ask, else in words.
func (g *Session) stepUp(sent, m *relay.Message, now *identity.Snapshot, decision decision) relay.Verdict {
	if g.canPrompt(m) {
		verdict, prompted := g.prompter.prompt(sent, m, g.reason(decision))
		if prompted {
			return verdict
		}
	}
	g.record(m, &now.User, audit.Deny, "needs another sign-in: "+decision.Rule)
	return g.refuse(m, CodeSignIn, stepUpMessage(decision, g.session.Profile()))
}

// reason is the sign-in that a decision needs.
func (g *Session) reason(r decision) reason {
	return reason{
		options: stepUpOptions(r.Needs),
		words:   " again: " + r.item.Name + " needs " + r.Needs.String() + ".",
		done: func(now *identity.Snapshot) bool {
			view := g.authorizer.view(now)
			return now.State == identity.SignedIn && view.Decide(r.item, time.Now()).Effect != policy.StepUp
		},
	}
}

// stepUpOptions are those of the sign-in that brings what is needed.
func stepUpOptions(n policy.Needs) identity.LoginOptions {
	return identity.LoginOptions{Scopes: n.Scopes, Reauth: n.MaxAuthAge > 0, ACR: n.ACR}
}

// stepUpCommand is the sign-in that brings what is needed.
func stepUpCommand(profile string, n policy.Needs) string {
	command := problem.LoginCommand(profile)
	if n.MaxAuthAge > 0 {
		command += " --reauth"
	}
	if len(n.ACR) > 0 {
		command += " --acr " + text.QuoteWord(n.ACR[0])
	}
	for _, scope := range n.Scopes {
		command += " --scope " + text.QuoteWord(scope)
	}
	return command
}

// stepUpMessage tell a model that the person must sign in again for this call.
func stepUpMessage(r decision, profile string) string {
	return fmt.Sprintf("Another sign-in is needed: this needs %s, so nothing was sent.\n"+
		"Ask the user to run this in a terminal:  %s\n"+
		"Then call it again. Do not retry before that.", r.Needs, stepUpCommand(profile, r.Needs))
}
