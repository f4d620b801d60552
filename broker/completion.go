package broker

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// completionOf is the tag of a completion/complete about a template of resources.
type completionOf struct {
	template string
	variable string // whose values are asked for; empty where that has two readings
}

// completion sends on a completion/complete that may be asked. Its values name
// resources where it is about a template, so the answer is read.
func (g *gate) completion(m *relay.Message, item policy.Item) relay.Verdict {
	v := g.cleaned(m)
	if item.Kind == policy.Template {
		v.Tag, v.WholeAnswer = completionOf{item.Name, completedVariable(m)}, true
	}
	return v
}

func completedVariable(m *relay.Message) string {
	text, err := relay.CanonicalJSON(m.Bytes()) // none has two members of one name
	var asked struct {
		Params struct {
			Argument struct {
				Name string `json:"name"`
			} `json:"argument"`
		} `json:"params"`
	}
	if err != nil || json.Unmarshal(text, &asked) != nil {
		return ""
	}
	return asked.Params.Argument.Name
}

// completed is the answer to a completion without the values that lead to
// resources which the user may not read; nil if it stays as it is.
func (d *doors) completed(out *relay.Output, request *relay.Request, of completionOf, now *identity.Snapshot) []byte {
	view, moment := d.policy.of(now, d.server), out.Now()
	if view.AllowsAll() {
		return nil
	}
	// Maps, so that what is not looked at stays.
	var result, completion map[string]json.RawMessage
	var values []string
	if json.Unmarshal(out.Result(), &result) != nil || json.Unmarshal(result["completion"], &completion) != nil ||
		json.Unmarshal(completion["values"], &values) != nil {
		return relay.AppendError(nil, request.ID, codeTrouble, "mcpauth: the server's completion cannot be read, so it is not shown", nil)
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
	delete(completion, "total") // it counts those that are gone
	var err error
	if completion["values"], err = json.Marshal(kept); err == nil {
		if result["completion"], err = json.Marshal(completion); err == nil {
			var text []byte
			if text, err = json.Marshal(result); err == nil {
				return relay.AppendResult(nil, request.ID, text)
			}
		}
	}
	return relay.AppendError(nil, request.ID, codeTrouble, "mcpauth: the answer cannot be written", nil)
}

// expanded is the template with a value in the place of its variable; where it is
// not known which one that is, of each in turn.
func (c completionOf) expanded(value string) []policy.Item {
	var mine, all []policy.Item
	for at := 0; ; {
		open := strings.IndexByte(c.template[at:], '{')
		if open < 0 {
			break
		}
		open += at
		length := strings.IndexByte(c.template[open:], '}')
		if length < 0 {
			break
		}
		at = open + length + 1
		item := policy.Item{Kind: policy.Resource, Name: c.template[:open] + value + c.template[at:]}
		if strings.Contains(item.Name, "{") {
			item.Kind = policy.Template
		}
		all = append(all, item)
		if slices.Contains(variables(c.template[open+1:at-1]), c.variable) {
			mine = append(mine, item)
		}
	}
	if len(mine) > 0 {
		return mine
	}
	return all
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
