package broker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// What a server asks of the client, in the middle of a call or at any time: to
// sample its model, to ask the person, to name its folders. The older protocols
// have requests for that; the modern one has results that say what input is
// required, which a client may take in answer to a call of any protocol.

// mayAsk reports whether the server may ask something of the client, and if not
// what denies it.
func (g *gate) mayAsk(method string, now *identity.Snapshot) (rule string, may bool) {
	// A ping asks for nothing, and a task is one of a request that was let through.
	if method == "ping" || strings.HasPrefix(method, "tasks/") {
		return "", true
	}
	decision := g.doors.policy.of(now, g.server).Decide(policy.Item{Kind: policy.Request, Name: method}, time.Now())
	return decision.Rule, decision.Effect == policy.Allow
}

// request judges a request of the server.
func (g *gate) request(out *relay.Output) relay.Verdict {
	now := g.session.Snapshot()
	rule, may := g.mayAsk(out.Method(), now)
	if may {
		return relay.Verdict{Action: relay.Forward}
	}
	g.recordRequest(out.Method(), now.User, rule)
	return answer(relay.AppendError(nil, out.ID(), codeDenied, askedWords(out.Method()), nil))
}

// readsInput reports whether the answer to a call may ask for what the policy
// does not let the server ask for.
func (g *gate) readsInput(m *relay.Message) bool {
	return m.Kind() == relay.Call && !g.asksFreely() && !g.doors.policy.of(g.session.Snapshot(), g.server).AllowsRequests()
}

// asksFreely reports whether the server may ask everything of the client, whoever
// the user is.
func (g *gate) asksFreely() bool { return g.doors.policy.current.Load().AllowsRequests() }

// inputDenied returns the answer to a call that the client gets instead of one
// that asks for what the server may not ask for, or nil.
func (g *gate) inputDenied(out *relay.Output, request *relay.Request) []byte {
	if g.asksFreely() {
		return nil
	}
	now := g.session.Snapshot()
	if g.doors.policy.of(now, g.server).AllowsRequests() {
		return nil
	}
	for _, method := range append(requiredInput(out.Result()), requiredVisit(out.Error())...) {
		rule, may := g.mayAsk(method, now)
		if may {
			continue
		}
		g.recordRequest(method, now.User, rule)
		if request.Method != "tools/call" {
			return relay.AppendError(nil, request.ID, codeDenied, askedWords(method), nil)
		}
		result := map[string]any{"content": []any{map[string]any{"type": "text", "text": askedWords(method)}}, "isError": true}
		if request.Modern {
			result["resultType"] = "complete"
		}
		text, _ := json.Marshal(result) // maps of texts always encode
		return relay.AppendResult(nil, request.ID, text)
	}
	return nil
}

// requiredInput are the methods of what a result asks of the client.
func requiredInput(result []byte) (methods []string) {
	if !bytes.Contains(result, []byte("nput")) && !bytes.Contains(result, []byte(`\u`)) {
		return nil // nearly all results: no spelling of inputRequests is in it
	}
	var asks struct {
		Requests map[string]struct {
			Method string `json:"method"`
		} `json:"inputRequests"`
	}
	if json.Unmarshal(result, &asks) != nil {
		return []string{"inputRequests that cannot be read"}
	}
	for _, one := range asks.Requests {
		methods = append(methods, one.Method)
	}
	slices.Sort(methods)
	return methods
}

// codePages is the error of MCP 2025-11-25 that names pages which the person has to
// visit before the call is made again: an elicitation in another shape.
const codePages = -32042

// requiredVisit is the method of what an error asks of the client.
func requiredVisit(failure []byte) []string {
	var e struct {
		Code float64 `json:"code"`
	}
	if json.Unmarshal(failure, &e) != nil || e.Code != codePages {
		return nil
	}
	return []string{"elicitation/create"}
}

func askedWords(method string) string {
	return fmt.Sprintf("Denied by policy: this server may not ask for %s. Asking again will not help.", CleanLine(method))
}

// recordRequest puts a request of the server that was denied on record.
func (g *gate) recordRequest(method string, user identity.User, rule string) {
	r := audit.Record{
		Time: time.Now(), Event: audit.Call, Profile: g.profile(), Server: g.server, Sub: user.Sub, Email: user.Email,
		Method: method, Decision: audit.Deny, Reason: "the server asked: " + rule,
	}
	_ = g.audit.Append(r) // it is denied whether or not it can be recorded
}
