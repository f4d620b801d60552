package gate

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
)

// approver asks the person, through the AI client, to agree to one call: by
// form elicitation (MCP 2025-06-18, "Elicitation"; 2026-07-28 carries it in an
// input_required result). Each yes is good for one call of the very arguments
// that the person saw. Who cannot be asked has not agreed.
type approver struct {
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
type approval int

const (
	unasked approval = iota
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
	if relay.DecodeStrict(capabilities, &declared) != nil || declared.Elicitation == nil {
		return false
	}
	return declared.Elicitation.Form != nil || declared.Elicitation.URL == nil
}

// callKey stands for a user's call with all its arguments.
func callKey(m *relay.Message, sub string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %s", sub, m.Name(), m.Arguments()))
}

// legacy asks a client of the older protocols by a request of our own.
func (c *approver) legacy(m *relay.Message, sub string, params []byte) (approval, relay.Verdict) {
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

func (c *approver) question(ctx context.Context, asked *consent, params []byte) {
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
	asked.yes = err == nil && relay.DecodeStrict(answer, &said) == nil && said.Result.Action == "accept"
}

// modern asks a client of the modern protocol by the answer to its call, which
// comes back as a retry. sent is the call as it came.
func (c *approver) modern(sent, m *relay.Message, sub string, params []byte, keep func(state string, m *relay.Message)) (approval, relay.Verdict) {
	key, state := callKey(m, sub), sent.RequestState()
	c.mu.Lock()
	asked, known := c.retries[state]
	delete(c.retries, state) // a yes is good once
	c.mu.Unlock()
	if known && asked == key {
		var responses map[string]struct {
			Action string `json:"action"`
		}
		if relay.DecodeStrict(sent.InputResponses(), &responses) == nil && responses[confirmKey].Action == "accept" {
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
			"method": "elicitation/create", "params": json.RawMessage(params),
		}},
	}, false))
}

// confirmed reports whether the person agreed to a call, or none need to. If
// not, the verdict asks them, or says that they did not.
func (g *Session) confirmed(sent, m *relay.Message, now *identity.Snapshot) (relay.Verdict, bool) {
	if m.Method() != "tools/call" || !g.authorizer.view(now).Confirms(m.Name()) {
		return relay.Verdict{}, true
	}
	if !canConfirm(g.capabilities(m)) {
		g.record(m, &now.User, audit.Deny, "confirm: this client cannot ask")
		return g.refuse(m, CodeDenied, cannotAskMessage), false
	}
	// Nobody is asked to agree to what is then refused as too often.
	if verdict, limited := g.limited(m, now, false); limited {
		return verdict, false
	}
	params, whole := confirmParams(m, g.tools.argumentsOf(m.Name()))
	if !whole {
		g.record(m, &now.User, audit.Deny, "confirm: the arguments cannot be shown")
		return g.refuse(m, CodeDenied, tooLongToShowMessage), false
	}
	var said approval
	var verdict relay.Verdict
	if m.Modern() {
		said, verdict = g.approver.modern(sent, m, now.User.Sub, params, g.prompter.keep)
	} else {
		said, verdict = g.approver.legacy(m, now.User.Sub, params)
	}
	if said == refused {
		g.record(m, &now.User, audit.Deny, "confirm: the person did not agree")
		return g.refuse(m, CodeDenied, notApprovedMessage), false
	}
	return verdict, said == agreed
}

// confirmParams are those of an elicitation/create with a form without fields. first
// are the arguments that the tool declares. whole is false when there is more than a
// person can be shown: nobody agrees to what they did not see.
func confirmParams(m *relay.Message, first []string) (params []byte, whole bool) {
	words := "May " + text.CleanLine(m.Name()) + " be called"
	switch shown := text.CleanLine(string(m.Arguments())); {
	case shown == "" || shown == "{}":
		words += "?"
	case len(shown) > maxShown:
		list, ok := shortened(m, first)
		if !ok {
			return nil, false
		}
		words += " with these arguments?\n" + list
	default:
		words += " with " + shown + "?"
	}
	params, err := json.Marshal(map[string]any{
		"message":         words,
		"requestedSchema": map[string]any{"type": "object", "properties": map[string]any{}},
	})
	if err != nil {
		panic(err) // strings and maps of strings always encode
	}
	return params, true
}

const (
	// maxShownValue is how much of each value is shown of many, in bytes.
	maxShownValue = 200
	// maxShownName is how long the name of a value may be, in bytes.
	maxShownName = 100
	// maxShownValues is how many values a person is shown. All are named, since one
	// that is not could be the one that matters.
	maxShownValues = 60
)

// shortened shows the beginning of each value, also within objects and lists, since
// one that is long must not hide those behind it, and says how much is not shown.
func shortened(m *relay.Message, first []string) (list string, whole bool) {
	var arguments []shownArgument
	m.EachArgument(func(name string, _ int, value func() []byte) {
		if len(arguments) <= maxShownValues {
			arguments = append(arguments, shownArgument{name, value()})
		}
	})
	place := func(a shownArgument) int {
		if at := slices.Index(first, a.name); at >= 0 {
			return at
		}
		return len(first)
	}
	slices.SortStableFunc(arguments, func(a, b shownArgument) int { return cmp.Compare(place(a), place(b)) })
	var lines argumentLines
	for _, a := range arguments {
		lines.add(text.CleanLine(a.name), a.value)
	}
	return strings.Join(lines.lines, "\n"), !lines.tooMuch
}

type shownArgument struct {
	name  string
	value []byte
}

type argumentLines struct {
	lines   []string
	tooMuch bool
}

func (l *argumentLines) add(name string, value []byte) {
	if l.tooMuch = l.tooMuch || len(name) > maxShownName || len(l.lines) >= maxShownValues; l.tooMuch {
		return
	}
	inside := len(value) > maxShownValue && (value[0] == '{' || value[0] == '[')
	if !inside {
		shown := text.CleanLine(string(value[:min(len(value), maxShownValue)]))
		line := name + ": " + headOf(shown, maxShownValue)
		if len(value) > maxShownValue || len(shown) > maxShownValue {
			line += fmt.Sprintf(" … (%d bytes in all)", len(value))
		}
		l.lines = append(l.lines, line)
		return
	}
	at := 0
	relay.EachMember(value, func(member string, inner []byte) {
		if l.tooMuch {
			return
		}
		if value[0] == '[' {
			member = fmt.Sprintf("[%d]", at)
			at++
		} else {
			member = "." + text.CleanLine(member)
		}
		l.add(name+member, inner)
	})
}

// headOf is the beginning of a text, of so many bytes.
func headOf(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
