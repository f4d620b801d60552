package gate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Error codes of the gate's answers, after the HTTP statuses they resemble.
// They lie outside JSON-RPC's reserved range, so that no client takes one for
// an error of the protocol.
const (
	CodeSignIn     = 4401 // nobody is signed in
	CodeDenied     = 4403 // denied by policy
	CodeTrouble    = 4503 // the user is known, but the sign-in cannot be used now
	CodeUnrecorded = 4507 // the audit record could not be written
)

// codeNoMethod is the error of JSON-RPC for a method that is not there.
const codeNoMethod = -32601

// SignInTool stands in for the server's tools while nobody is signed in.
const SignInTool = "sign_in"

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
	if now.State == identity.Degraded {
		return CodeTrouble
	}
	return CodeSignIn
}

func signInToolDefinition(profile string) map[string]any {
	return map[string]any{
		"name":  SignInTool,
		"title": "Sign in",
		"description": "The user is not signed in" + to(profile) + ", so this server's tools are not available yet. " +
			"Call this to learn what the user has to do, then tell them.",
		"inputSchema": map[string]any{"type": "object", "additionalProperties": false},
	}
}

// signedInAnswer answers the sign_in tool once there is nothing left to do.
func signedInAnswer(m *relay.Message, user identity.User) []byte {
	words := "The user is signed in as " + cmp.Or(user.Email, user.PreferredUsername, user.Sub) +
		". Ask for the list of tools again: this server's tools are available now. If they do not appear, start a new session."
	return resultAnswer(m, map[string]any{"content": []any{map[string]any{"type": "text", "text": words}}}, false)
}

// signedOutMessage tell a model what happened and what the person can do.
func signedOutMessage(profile string, now *identity.Snapshot) string {
	if now.State == identity.Degraded {
		return fmt.Sprintf("The sign-in%s cannot be used right now, so nothing was sent: %s\n%s",
			to(profile), StateReason(now), troubleHint(now.Err))
	}
	why := ""
	if now.Err != nil {
		why = " (" + StateReason(now) + ")"
	}
	return fmt.Sprintf("Sign-in needed. The user is not signed in%s%s, so nothing was sent.\n"+
		"Ask them to run this in a terminal:  %s\n"+
		"Then call the tool again. Do not retry before that.", to(profile), why, FixCommand(profile, now.Err))
}

// FixCommand is what a person types to be let in.
func FixCommand(profile string, err error) string {
	if errors.As(err, new(*identity.LockedError)) {
		return "mcpauth unlock"
	}
	return problem.LoginCommand(profile)
}

// to names a profile in a sentence, if there is one.
func to(profile string) string {
	if profile == "" {
		return ""
	}
	return " to " + profile
}

// troubleCure says how to fix a sign-in that cannot be used.
func troubleHint(err error) string {
	hints := problem.Of(err).Hints
	if len(hints) == 0 {
		return "Try again in a moment."
	}
	return "To fix it: " + hints[0]
}

// StateReason says why a session is not usable.
func StateReason(now *identity.Snapshot) string {
	if now.Err == nil || now.Err == identity.ErrSignedOut {
		return "not signed in"
	}
	return problem.Of(now.Err).Msg
}

// words say for a model why something is denied.
func (d *authorizer) words(r decision, session *identity.Snapshot, profile string) string {
	why := r.why
	if why == "" {
		why = d.view(session).Explain(r.item, time.Now()).Why()
	}
	if failure := d.policy.failure.Load(); failure != nil {
		why = "there is no policy to go by, because " + failure.Msg
	}
	words := fmt.Sprintf("Denied by policy: %s. Asking again will not help.", why)
	const most = 200 // a longer name is no help to a person
	if r.why == "" && len(r.item.Name) <= most {
		words += fmt.Sprintf(" The user can see why, and what would change it, with:  mcpauth why%s%s %s",
			problem.ProfileFlag(profile), kindFlag(r.item.Kind), text.QuoteWord(r.item.Name))
	}
	return words
}

// What a model gets for a call that the user must approve.
const (
	cannotAskMessage = "Not sent: the policy wants the user to agree to each call of this tool, and this AI client cannot ask them " +
		"(it has no form elicitation). Asking again will not help. The user can call the tool in another way."
	tooLongToShowMessage = "Not sent: the policy wants the user to agree to each call of this tool, and these are more arguments than " +
		"they can be shown. Asking again will not help. Call it with fewer or shorter arguments."
	notApprovedMessage = "Not sent: the user was asked and did not agree. Do not ask again unless they want you to."
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

// unrecordedWords say why a call that cannot be logged does not happen.
func unrecordedMessage(err error) string {
	return fmt.Sprintf("The call was not sent, because it could not be recorded: %v. "+
		"The user can make room or correct the permissions of the audit folder, then try again.", err)
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
		return relay.AppendError(nil, m.ID(), CodeTrouble, "mcpauth: the answer cannot be written", nil)
	}
	return relay.AppendResult(nil, m.ID(), text)
}
