package broker

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// Error codes of the gate's answers, after the HTTP statuses they resemble.
// They lie outside JSON-RPC's reserved range, so that no client takes one for
// an error of the protocol.
const (
	codeSignIn     = 4401 // nobody is signed in
	codeDenied     = 4403 // denied by policy
	codeTrouble    = 4503 // the user is known, but the sign-in cannot be used now
	codeUnrecorded = 4507 // the audit record could not be written
)

// signInTool stands in for the server's tools while nobody is signed in.
const signInTool = "sign_in"

// signedOutList is the list that stands in for one of the server's, which is not
// known, while there is no user; nil for a method that is no list.
func signedOutList(m *relay.Message, profile string) []byte {
	member := listMembers[m.Method()]
	switch member {
	case "":
		return nil
	case "tools":
		return resultAnswer(m, map[string]any{member: []any{signInToolDefinition(profile)}}, true)
	}
	return resultAnswer(m, map[string]any{member: []any{}}, true)
}

// signedOutCode tells nobody signed in from a sign-in that cannot be used.
func signedOutCode(now *identity.Snapshot) int {
	if now.State == identity.Troubled {
		return codeTrouble
	}
	return codeSignIn
}

func signInToolDefinition(profile string) map[string]any {
	return map[string]any{
		"name":  signInTool,
		"title": "Sign in",
		"description": "The user is not signed in" + to(profile) + ", so this server's tools are not available yet. " +
			"Call this to learn what the user has to do, then tell them.",
		"inputSchema": map[string]any{"type": "object", "additionalProperties": false},
	}
}

// signedInAnswer answers the sign_in tool once there is nothing left to do.
func signedInAnswer(m *relay.Message, user identity.User) []byte {
	words := "The user is signed in as " + cmp.Or(user.Email, user.PreferredUsername, user.Sub) +
		". Ask for the list of tools again: this server's tools are available now."
	return resultAnswer(m, map[string]any{"content": []any{map[string]any{"type": "text", "text": words}}}, false)
}

// signedOutWords tell a model what happened and what the person can do.
func signedOutWords(profile string, now *identity.Snapshot) string {
	if now.State == identity.Troubled {
		return fmt.Sprintf("The sign-in%s cannot be used right now, so nothing was sent: %s\n%s",
			to(profile), stateReason(now), troubleCure(now.Err))
	}
	why := ""
	if now.Err != nil {
		why = " (" + stateReason(now) + ")"
	}
	return fmt.Sprintf("Sign-in needed. The user is not signed in%s%s, so nothing was sent.\n"+
		"Ask them to run this in a terminal:  %s\n"+
		"Then call the tool again. Do not retry before that.", to(profile), why, cureCommand(profile, now.Err))
}

// cureCommand is what a person types to be let in.
func cureCommand(profile string, err error) string {
	if errors.As(err, new(*identity.LockedError)) {
		return "mcpauth unlock"
	}
	return loginCommand(profile)
}

// LoginCommand is what signs in with a profile, with more flags. One that the file
// does not have yet is spelled out.
func (r Resolved) LoginCommand(flags ...string) string {
	words := append([]string{"mcpauth login"}, flags...)
	words = append(words, "--profile", quoteWord(r.Name))
	if !r.Remembered {
		words = append(words, "--issuer", quoteWord(r.Issuer), "--client-id", quoteWord(r.ClientID))
	}
	return strings.Join(words, " ")
}

// to names a profile in a sentence, if there is one.
func to(profile string) string {
	if profile == "" {
		return ""
	}
	return " to " + profile
}

func loginCommand(profile string) string {
	if profile == "" {
		return "mcpauth login"
	}
	return "mcpauth login --profile " + profile
}

// troubleCure says what mends a sign-in that cannot be used.
func troubleCure(err error) string {
	problem := AsProblem(err)
	if len(problem.Hints) == 0 {
		return "Try again in a moment."
	}
	return "What mends it: " + problem.Hints[0]
}

// stateReason says why a session is not usable.
func stateReason(now *identity.Snapshot) string {
	if now.Err == nil || now.Err == identity.ErrSignedOut {
		return "not signed in"
	}
	return AsProblem(now.Err).Msg
}

// words say for a model why something is denied.
func (d *doors) words(r ruling, session *identity.Snapshot, profile string) string {
	why := r.why
	if why == "" {
		why = d.policy.of(session, d.server).Explain(r.item, time.Now()).Why()
	}
	if failure := d.policy.failure.Load(); failure != nil {
		why = "there is no policy to go by, because " + failure.Msg
	}
	words := fmt.Sprintf("Denied by policy: %s. Asking again will not help.", why)
	const most = 200 // a longer name is no help to a person
	if r.why == "" && len(r.item.Name) <= most {
		words += fmt.Sprintf(" The user can see why, and what would change it, with:  mcpauth why%s%s %s",
			profileFlag(profile), kindFlag(r.item.Kind), quoteWord(r.item.Name))
	}
	return words
}

// What a model is told of a call that a person must agree to.
const (
	cannotAskWords = "Not sent: the policy wants the user to agree to each call of this tool, and this AI client cannot ask them " +
		"(it has no form elicitation). Asking again will not help. The user can call the tool in another way."
	didNotAgreeWords = "Not sent: the user was asked and did not agree. Do not ask again unless they want you to."
)

func kindFlag(kind policy.Kind) string {
	return map[policy.Kind]string{
		policy.Resource: " --kind resource", policy.Template: " --kind template", policy.Prompt: " --kind prompt", policy.Method: " --kind method",
		policy.Request: " --kind request",
	}[kind]
}

// refusedAnswer says why a call went nowhere, in the form that its method has.
func refusedAnswer(m question, code int, words string) []byte {
	if m.Method() == "tools/call" {
		return toolErrorAnswer(m, words)
	}
	return relay.AppendError(nil, m.ID(), code, words, nil)
}

// unrecordedWords tell why what cannot be put on record does not happen.
func unrecordedWords(err error) string {
	return fmt.Sprintf("The call was not sent, because it could not be recorded: %v. "+
		"The user can make room or mend the rights of the audit folder, then try again.", err)
}

// question is what an answer needs of a call.
type question interface {
	ID() []byte
	Method() string
	Modern() bool
}

// asked is the question of a call that is in flight.
type asked struct{ *relay.Request }

func (a asked) ID() []byte     { return a.Request.ID }
func (a asked) Method() string { return a.Request.Method }
func (a asked) Modern() bool   { return a.Request.Modern }

// toolErrorAnswer is a tool result that says what went wrong: models read it,
// while JSON-RPC errors often end the turn.
func toolErrorAnswer(m question, words string) []byte {
	return resultAnswer(m, map[string]any{
		"content": []any{map[string]any{"type": "text", "text": words}},
		"isError": true,
	}, false)
}

// resultAnswer builds a result. One for a modern request names its type, and a
// list there says that it may not be kept (MCP 2026-07-28, "Caching").
func resultAnswer(m question, result map[string]any, list bool) []byte {
	if m.Modern() {
		if result["resultType"] == nil {
			result["resultType"] = "complete"
		}
		if list {
			result["ttlMs"] = 0
			result["cacheScope"] = "private"
		}
	}
	text, err := json.Marshal(result)
	if err != nil {
		return relay.AppendError(nil, m.ID(), codeTrouble, "mcpauth: the answer cannot be written", nil)
	}
	return relay.AppendResult(nil, m.ID(), text)
}
