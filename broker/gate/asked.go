package gate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
)

// What a server asks of the client, in the middle of a call or at any time: to
// sample its model, to ask the person, to name its folders. The older protocols
// have requests for that; the modern one has results that say what input is
// required, which a client may take in answer to a call of any protocol.

// mayAsk reports whether the server may ask something of the client, and if not
// what denies it.
func (g *Session) mayAsk(method string, now *identity.Snapshot) (rule string, may bool) {
	// A ping asks for nothing, and a task is one of a request that was let through.
	if method == "ping" || strings.HasPrefix(method, "tasks/") {
		return "", true
	}
	decision := g.authorizer.view(now).Decide(policy.Item{Kind: policy.Request, Name: method}, time.Now())
	return decision.Rule, decision.Effect == policy.Allow
}

// request judges a request of the server.
func (g *Session) request(out *relay.Output) relay.Verdict {
	now := g.session.Snapshot()
	if now.State != identity.SignedIn && !unsettled(now) { // no answer of the client would pass
		if out.Method() == "ping" {
			return answer(relay.AppendResult(nil, out.ID(), []byte("{}")))
		}
		return answer(relay.AppendError(nil, out.ID(), CodeSignIn, "mcpauth: nobody is signed in, so the client is not asked", nil))
	}
	rule, may := g.mayAsk(out.Method(), now)
	if may {
		return relay.Verdict{Action: relay.Forward}
	}
	g.recordRequest(out.Method(), now.User, rule)
	return answer(relay.AppendError(nil, out.ID(), CodeDenied, requestTitle(out.Method()), nil))
}

// readsInput reports whether the answer to a call may ask for what the policy
// does not let the server ask for.
func (g *Session) readsInput(m *relay.Message) bool {
	return m.Kind() == relay.Call && !g.asksFreely() && !g.authorizer.view(g.session.Snapshot()).AllowsRequests()
}

// asksFreely reports whether the server may ask everything of the client, whoever
// the user is.
func (g *Session) asksFreely() bool { return g.authorizer.policy.current.Load().AllowsRequests() }

// inputDenied returns the answer to a call that the client gets instead of one
// that asks for what the server may not ask for, or nil.
func (g *Session) inputDenied(out *relay.Output, request *relay.Request) []byte {
	if g.asksFreely() {
		return nil
	}
	now := g.session.Snapshot()
	if g.authorizer.view(now).AllowsRequests() {
		return nil
	}
	method, denied := g.denied(append(requiredInput(out.Result()), requiredVisit(out.Error())...), now)
	switch {
	case !denied:
		return nil
	case request.Method != "tools/call":
		return relay.AppendError(nil, request.ID, CodeDenied, requestTitle(method), nil)
	}
	result := map[string]any{"content": []any{map[string]any{"type": "text", "text": requestTitle(method)}}, "isError": true}
	if request.Modern {
		result["resultType"] = "complete"
	}
	text, _ := json.Marshal(result) // maps of texts always encode
	return relay.AppendResult(nil, request.ID, text)
}

// inputAnnounced reports whether a notification asks for what the server may not ask
// for: that of a task names what input it requires (MCP 2026-07-28, "Tasks").
func (g *Session) inputAnnounced(out *relay.Output) bool {
	now := g.session.Snapshot()
	if !strings.HasPrefix(out.Method(), "notifications/tasks") || g.asksFreely() || g.authorizer.view(now).AllowsRequests() {
		return false
	}
	var message struct {
		Params relay.RawValue `json:"params"`
	}
	if relay.DecodeStrict(out.Bytes(), &message) != nil {
		return true
	}
	_, denied := g.denied(requiredInput(message.Params), now)
	return denied
}

// denied returns the first of these methods that the server may not ask for, which is
// logged.
func (g *Session) denied(methods []string, now *identity.Snapshot) (method string, denied bool) {
	for _, method := range methods {
		rule, may := g.mayAsk(method, now)
		if method == unreadableInput {
			rule, may = "unreadable", false
		}
		if !may {
			g.recordRequest(method, now.User, rule)
			return method, true
		}
	}
	return "", false
}

// requiredInput are the methods of what a result asks of the client.
func requiredInput(result []byte) (methods []string) {
	if !mayName(result, "putreq") {
		return nil // nearly all results
	}
	var asks struct {
		Requests map[string]struct {
			Method string `json:"method"`
		} `json:"inputRequests"`
	}
	if len(result) == 0 {
		return nil
	}
	if relay.DecodeStrict(result, &asks) != nil {
		return []string{unreadableInput}
	}
	for _, one := range asks.Requests {
		methods = append(methods, cmp.Or(one.Method, unreadableInput))
	}
	slices.Sort(methods)
	return methods
}

// unreadableInput stands for the method of what has none, or more than one reading.
const unreadableInput = "inputRequests that cannot be read"

// codePages is the error of MCP 2025-11-25 that names pages which the person has to
// visit before the call is made again: an elicitation in another shape.
const codePages = -32042

// requiredVisit is the method of what an error asks of the client.
func requiredVisit(failure []byte) []string {
	var e struct {
		Code float64 `json:"code"`
	}
	if len(failure) == 0 || relay.DecodeStrict(failure, &e) == nil && e.Code != codePages {
		return nil
	}
	return []string{"elicitation/create"} // also where the code has more than one reading
}

func requestTitle(method string) string {
	return fmt.Sprintf("Denied by policy: this server may not ask for %s. Asking again will not help.", text.CleanLine(method))
}

// recordRequest logs a request of the server that was denied, whether or not that works.
func (g *Session) recordRequest(method string, user identity.User, rule string) {
	r := g.newRecord(audit.Call, &user, audit.Deny, "the server asked: "+rule)
	r.Method = method
	_ = g.audit.Append(r)
}
