package broker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// confirmer asks the person, through the AI client, to agree to one call: by
// form elicitation (MCP 2025-06-18, "Elicitation"; 2026-07-28 carries it in an
// input_required result). Each yes is good for one call of the very arguments
// that the person saw. Who cannot be asked has not agreed.
type confirmer struct {
	// ask puts a request to the client.
	ask askFunc

	mu      sync.Mutex
	open    map[[32]byte]*consent // asked of clients of the older protocols, by call
	retries map[string][32]byte   // what was asked of modern clients, by our requestState
}

// consent is one question and its answer.
type consent struct {
	over chan struct{} // closed when yes is set
	yes  bool
}

// answers to the question whether a person agrees.
type agreement int

const (
	unasked agreement = iota
	agreed
	refused
)

const (
	// confirmTime bounds the wait for a person.
	confirmTime = 3 * time.Minute
	// confirmPrefix begins a requestState that stands for a question of ours.
	confirmPrefix = statePrefix + "confirm:"
	confirmKey    = "mcpauth_confirm"
	// maxShown bounds how much of the arguments a person is shown, in bytes.
	maxShown = 1000
)

// canConfirm reports whether the client of a call can show a form. One that
// names no mode means forms (MCP 2025-11-25, "Elicitation").
func canConfirm(capabilities []byte) bool {
	var declared struct {
		Elicitation *struct {
			Form *struct{} `json:"form"`
			URL  *struct{} `json:"url"`
		} `json:"elicitation"`
	}
	if json.Unmarshal(capabilities, &declared) != nil || declared.Elicitation == nil {
		return false
	}
	return declared.Elicitation.Form != nil || declared.Elicitation.URL == nil
}

// callKey stands for a user's call with all its arguments.
func callKey(m *relay.Message, sub string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %s", sub, m.Name(), m.Arguments()))
}

// legacy asks a client of the older protocols by a request of our own.
func (c *confirmer) legacy(m *relay.Message, sub string) (agreement, relay.Verdict) {
	key := callKey(m, sub)
	key = sha256.Sum256(append(key[:], m.ID()...)) // two equal calls are two questions
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.open[key]
	if asked == nil {
		asked = &consent{over: make(chan struct{})}
		if c.open == nil {
			c.open = map[[32]byte]*consent{}
		}
		c.open[key] = asked
		params := confirmParams(m)
		verdict, _ := waitFor(func(ctx context.Context) { c.question(ctx, asked, params) })
		return unasked, verdict
	}
	select {
	case <-asked.over:
		delete(c.open, key)
	default: // the same call with the same id, while the first is open: no second yes
		return refused, relay.Verdict{}
	}
	if asked.yes {
		return agreed, relay.Verdict{}
	}
	return refused, relay.Verdict{}
}

func (c *confirmer) question(ctx context.Context, asked *consent, params []byte) {
	ctx, cancel := context.WithTimeout(ctx, confirmTime)
	defer cancel()
	defer close(asked.over)
	answer, err := c.ask(ctx, func(id []byte) []byte {
		line := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
		line = append(line, `,"method":"elicitation/create","params":`...)
		return append(append(line, params...), '}')
	})
	var said struct {
		Result struct {
			Action string `json:"action"`
		} `json:"result"`
	}
	asked.yes = err == nil && json.Unmarshal(answer, &said) == nil && said.Result.Action == "accept"
}

// modern asks a client of the modern protocol by the answer to its call, which
// comes back as a retry. sent is the call as it came.
func (c *confirmer) modern(sent, m *relay.Message, sub string, keep func(state string, m *relay.Message)) (agreement, relay.Verdict) {
	key, state := callKey(m, sub), sent.RequestState()
	c.mu.Lock()
	asked, known := c.retries[state]
	delete(c.retries, state) // a yes is good once
	c.mu.Unlock()
	if known && asked == key {
		var responses map[string]struct {
			Action string `json:"action"`
		}
		if json.Unmarshal(sent.InputResponses(), &responses) == nil && responses[confirmKey].Action == "accept" {
			return agreed, relay.Verdict{}
		}
		return refused, relay.Verdict{}
	}
	state = confirmPrefix + rand.Text()
	c.mu.Lock()
	if c.retries == nil || len(c.retries) >= maxRetries {
		c.retries = map[string][32]byte{}
	}
	c.retries[state] = key
	c.mu.Unlock()
	keep(state, m)
	return unasked, answer(resultAnswer(m, map[string]any{
		"resultType":   "input_required",
		"requestState": state,
		"inputRequests": map[string]any{confirmKey: map[string]any{
			"method": "elicitation/create", "params": json.RawMessage(confirmParams(m)),
		}},
	}, false))
}

// confirmed reports whether the person agreed to a call, or none need to. If
// not, the verdict asks them, or says that they did not.
func (g *gate) confirmed(sent, m *relay.Message, now *identity.Snapshot) (relay.Verdict, bool) {
	if m.Method() != "tools/call" || !g.doors.policy.of(now, g.server).Confirms(m.Name()) {
		return relay.Verdict{}, true
	}
	if !canConfirm(g.capabilities(m)) {
		g.record(m, &now.User, audit.Deny, "confirm: this client cannot ask")
		return g.refuse(m, codeDenied, cannotAskWords), false
	}
	// Nobody is asked to agree to what is then refused as too often.
	if verdict, limited := g.limited(m, now, g.doors.limits.peek); limited {
		return verdict, false
	}
	var said agreement
	var verdict relay.Verdict
	if m.Modern() {
		said, verdict = g.confirmer.modern(sent, m, now.User.Sub, g.inviter.keep)
	} else {
		said, verdict = g.confirmer.legacy(m, now.User.Sub)
	}
	if said == refused {
		g.record(m, &now.User, audit.Deny, "confirm: the person did not agree")
		return g.refuse(m, codeDenied, didNotAgreeWords), false
	}
	return verdict, said == agreed
}

// confirmParams are those of an elicitation/create with a form without fields.
func confirmParams(m *relay.Message) []byte {
	words := "May " + CleanLine(m.Name()) + " be called"
	switch shown := CleanLine(string(m.Arguments())); {
	case shown == "" || shown == "{}":
		words += "?"
	case len(shown) > maxShown:
		words += " with these arguments?\n" + shortened(m)
	default:
		words += " with " + shown + "?"
	}
	text, err := json.Marshal(map[string]any{
		"message":         words,
		"requestedSchema": map[string]any{"type": "object", "properties": map[string]any{}},
	})
	if err != nil {
		panic(err) // texts and maps of texts always encode
	}
	return text
}

const (
	// maxShownValue is how much of each value is shown of many, in bytes.
	maxShownValue = 200
	// maxShownArguments is how many are shown.
	maxShownArguments = 30
)

// shortened shows the beginning of each argument, since one that is long must not
// hide those behind it, and says how much is not shown.
func shortened(m *relay.Message) string {
	var lines []string
	more := 0
	m.EachArgument(func(name string, size int, value func() []byte) {
		if len(lines) == maxShownArguments {
			more++
			return
		}
		shown := CleanLine(string(value()[:min(size, maxShownValue)]))
		line := headOf(CleanLine(name), maxShownValue) + ": " + headOf(shown, maxShownValue)
		if size > maxShownValue || len(shown) > maxShownValue {
			line += fmt.Sprintf(" … (%d bytes in all)", size)
		}
		lines = append(lines, line)
	})
	if more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more arguments", more))
	}
	return strings.Join(lines, "\n")
}

// headOf is the beginning of a text, of so many bytes.
func headOf(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
