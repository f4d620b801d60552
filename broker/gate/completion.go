package gate

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// completionOf is a completion/complete about a template of resources. Its values
// name resources, so the answer is read.
type completionOf struct {
	template string
	variable string            // whose values are asked for
	known    map[string]string // the values of others that the client has chosen
}

func completionOfTemplate(m *relay.Message, template string) *completionOf {
	return &completionOf{template, m.CompletedArgument(), m.CompletionContext()}
}

// completed is the answer to a completion without the values that lead to
// resources which the user may not read; nil if it stays as it is.
func (d *authorizer) completed(out *relay.Output, request *relay.Request, of completionOf, now *identity.Snapshot) []byte {
	view, moment := d.view(now), out.Now()
	if view.AllowsAll() {
		return nil
	}
	result, completion, values, ok := readCompletion(out.Result())
	if !ok {
		return relay.AppendError(nil, request.ID, CodeTrouble, "mcpauth: the server's completion cannot be read, so it is not shown", nil)
	}
	kept := slices.DeleteFunc(slices.Clone(values), func(value string) bool {
		return slices.ContainsFunc(of.expanded(value), func(item policy.Item) bool {
			return view.Decide(item, moment).Effect == policy.Deny
		})
	})
	if len(kept) == len(values) {
		return nil
	}
	if kept == nil {
		kept = []string{}
	}
	delete(completion, "total") // it counts those that were removed
	var err error
	if completion["values"], err = json.Marshal(kept); err == nil {
		if result["completion"], err = json.Marshal(completion); err == nil {
			var text []byte
			if text, err = json.Marshal(result); err == nil {
				return relay.AppendResult(nil, request.ID, text)
			}
		}
	}
	return relay.AppendError(nil, request.ID, CodeTrouble, "mcpauth: the answer cannot be written", nil)
}

// readCompletion reads a completion in maps, so that what is not looked at stays.
func readCompletion(text []byte) (result, completion map[string]relay.RawValue, values []string, ok bool) {
	var outer struct {
		Completion relay.RawValue `json:"completion"`
	}
	var inner struct {
		Values []string       `json:"values"`
		Total  relay.RawValue `json:"total"`
	}
	for _, read := range []error{
		relay.DecodeStrict(text, &outer), relay.DecodeStrict(outer.Completion, &inner),
		relay.DecodeStrict(text, &result), relay.DecodeStrict(outer.Completion, &completion),
	} {
		if read != nil {
			return nil, nil, nil, false
		}
	}
	return result, completion, inner.Values, true
}

// expression is a part of a template in braces, and where it is.
type expression struct {
	from, to  int
	variables []string
}

func expressions(template string) (all []expression) {
	for at := 0; ; {
		open := strings.IndexByte(template[at:], '{')
		if open < 0 {
			return all
		}
		open += at
		length := strings.IndexByte(template[open:], '}')
		if length < 0 {
			return all
		}
		at = open + length + 1
		all = append(all, expression{open, at, variables(template[open+1 : at-1])})
	}
}

// expanded is the template with a value in the place of its variable, and with what
// is known of the others; where it is not known which one that is, of each in turn.
func (c *completionOf) expanded(value string) []policy.Item {
	parts := expressions(c.template)
	if slices.ContainsFunc(parts, func(e expression) bool { return slices.Contains(e.variables, c.variable) }) {
		return []policy.Item{c.expand(parts, func(e expression) bool { return slices.Contains(e.variables, c.variable) }, value)}
	}
	var all []policy.Item
	for _, mine := range parts {
		all = append(all, c.expand(parts, func(e expression) bool { return e.from == mine.from }, value))
	}
	return all
}

func (c *completionOf) expand(parts []expression, mine func(expression) bool, value string) policy.Item {
	var b strings.Builder
	at := 0
	for _, e := range parts {
		text := c.template[e.from:e.to]
		if mine(e) {
			text = value
		} else if known, ok := c.known[e.variables[0]]; ok && len(e.variables) == 1 {
			text = known
		}
		b.WriteString(c.template[at:e.from])
		b.WriteString(text)
		at = e.to
	}
	b.WriteString(c.template[at:])
	item := policy.Item{Kind: policy.Resource, Name: b.String()}
	if strings.Contains(item.Name, "{") {
		item.Kind = policy.Template
	}
	return item
}

// variables are the names in one expression of a template, as "?from,to*"
// (RFC 6570, section 2.3).
func variables(expression string) []string {
	names := strings.Split(strings.TrimLeft(expression, "+#./;?&=,!@|"), ",")
	for i, name := range names {
		name, _, _ = strings.Cut(name, ":")
		names[i] = strings.TrimSuffix(name, "*")
	}
	return names
}
