package broker

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/policy"
)

// Learned is the least policy that still allows what was done.
type Learned struct {
	Calls  int      `json:"calls"`  // that were looked at
	Source string   `json:"source"` // policy file that it was made from; empty for none
	Text   string   `json:"text"`   // the proposed policy file
	Diff   []string `json:"diff"`   // from Source, with "+ ", "- " or "  " before each line
}

// usage is what was used of one server, by kind.
type usage struct {
	names   map[policy.Kind]map[string]bool
	domains map[string]bool // of the users' addresses; nil when one has none
}

// LearnPolicy proposes a policy that allows no more than what was allowed and
// done with a profile since then: each rule is narrowed to the names that were
// used, and goes where none was. It never allows what the policy of now denies.
// Errors are *Problem.
func (b *Broker) LearnPolicy(r Resolved, since time.Time) (Learned, error) {
	compiled, source, err := b.Policy(r)
	if err != nil {
		return Learned{}, err
	}
	if source != "" && source != r.Policy {
		return Learned{}, &Problem{
			Msg:   "the rules of " + r.Name + " stand in its own table, and mcpauth proposes policy files only",
			Hints: []string{"move them to a file, and name it: policy = \"/full/path.toml\""},
			Code:  ExitError,
		}
	}
	used, calls := b.used(r.Name, since)
	if calls == 0 {
		return Learned{}, &Problem{
			Msg:   fmt.Sprintf("the record holds no call of %s since %s, so there is nothing to learn from", r.Name, since.Format(time.DateOnly)),
			Hints: []string{"mcpauth audit list --profile " + r.Name}, Code: ExitError,
		}
	}
	var before []byte
	if source != "" {
		if before, err = os.ReadFile(source); err != nil {
			return Learned{}, unreadable(source, err)
		}
	}
	after, err := learn(before, compiled.Set().Rules, used)
	if err != nil {
		return Learned{}, AsProblem(err)
	}
	if _, err := ParsePolicy("the proposed policy", after); err != nil {
		return Learned{}, err
	}
	return Learned{Calls: calls, Source: source, Text: string(after), Diff: diffLines(textLines(before), textLines(after))}, nil
}

func textLines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// used collects, by server, what was called and allowed.
func (b *Broker) used(profile string, since time.Time) (byServer map[string]*usage, calls int) {
	byServer = map[string]*usage{}
	for line, err := range audit.Folder(b.Audit()).Since(since) {
		record := &line.Record
		kind, known := map[string]policy.Kind{"tools/call": policy.Tool, "resources/read": policy.Resource, "prompts/get": policy.Prompt}[record.Method]
		if err != nil || line.Err != nil || !known || record.Event != audit.Call || record.Decision != audit.Allow || record.Profile != profile {
			continue
		}
		// A name that was cut, or that would be a pattern, cannot be written as a rule.
		if record.Cut > 0 || record.Name == "" || strings.Contains(record.Name, "*") || checkPrintable(record.Name) != nil {
			continue
		}
		calls++
		one := byServer[record.Server]
		if one == nil {
			one = &usage{names: map[policy.Kind]map[string]bool{}, domains: map[string]bool{}}
			byServer[record.Server] = one
		}
		if one.names[kind] == nil {
			one.names[kind] = map[string]bool{}
		}
		one.names[kind][record.Name] = true
		if at := strings.LastIndexByte(record.Email, '@'); at < 0 {
			one.domains = nil
		} else if one.domains != nil {
			one.domains[strings.ToLower(record.Email[at+1:])] = true
		}
	}
	return byServer, calls
}

// learn rewrites the text of a policy. What a rule says beyond names stays, with
// its comments.
func learn(before []byte, rules []policy.Rule, used map[string]*usage) ([]byte, error) {
	before = bytes.TrimPrefix(before, []byte(bom))
	if len(rules) == 0 {
		return appendRules(before, firstRules(used)), nil
	}
	keys, err := scanKeys(before)
	if err != nil {
		return nil, err
	}
	blocks := ruleBlocks(before, keys)
	var edits []textEdit
	allows := 0
	for i, rule := range rules {
		if rule.Effect != policy.WordAllow || !rule.NamesThings() {
			continue
		}
		narrowed, some := narrow(rule, used)
		if !some {
			edits = append(edits, textEdit{blocks[i].byteRange, ""})
			continue
		}
		allows++
		edits = append(edits, blocks[i].narrowed(rule, narrowed)...)
	}
	if allows == 0 {
		return nil, &Problem{Msg: "no rule of the policy allows what was done, so nothing is proposed", Code: ExitError}
	}
	return append(bytes.TrimRight(edited(before, edits), "\n"), '\n'), nil
}

// narrow leaves of a rule the names that were used.
func narrow(rule policy.Rule, used map[string]*usage) (policy.Rule, bool) {
	only := rule
	only.Tools, only.Resources, only.Prompts = nil, nil, nil
	for _, server := range slices.Sorted(maps.Keys(used)) {
		if len(rule.Servers) > 0 && !policy.Match(rule.Servers, server) {
			continue
		}
		for kind, list := range map[policy.Kind]*[]string{policy.Tool: &only.Tools, policy.Resource: &only.Resources, policy.Prompt: &only.Prompts} {
			for name := range used[server].names[kind] {
				if rule.Covers(policy.Item{Kind: kind, Name: name}) && !slices.Contains(*list, name) {
					*list = append(*list, name)
				}
			}
		}
	}
	for _, list := range []*[]string{&only.Tools, &only.Resources, &only.Prompts} {
		slices.Sort(*list)
	}
	return only, len(only.Tools)+len(only.Resources)+len(only.Prompts) > 0
}

// firstRules are those of a profile that had none.
func firstRules(used map[string]*usage) []policy.Rule {
	var rules []policy.Rule
	for _, server := range slices.Sorted(maps.Keys(used)) {
		one := used[server]
		rule := policy.Rule{
			EmailDomains: slices.Sorted(maps.Keys(one.domains)),
			Tools:        slices.Sorted(maps.Keys(one.names[policy.Tool])),
			Resources:    slices.Sorted(maps.Keys(one.names[policy.Resource])),
			Prompts:      slices.Sorted(maps.Keys(one.names[policy.Prompt])),
		}
		if server != "" && !strings.Contains(server, "*") && checkPrintable(server) == nil {
			rule.Servers = []string{server}
		}
		rules = append(rules, rule)
	}
	return rules
}

// appendRules writes rules that allow names.
func appendRules(text []byte, rules []policy.Rule) []byte {
	for _, r := range rules {
		if len(bytes.TrimSpace(text)) > 0 {
			text = append(bytes.TrimRight(text, "\n"), "\n\n"...)
		}
		text = append(text, "[[rules]]\neffect = \"allow\"\n"...)
		for _, field := range []struct {
			key  string
			list []string
		}{{"email_domains", r.EmailDomains}, {"servers", r.Servers}, {"tools", r.Tools}, {"resources", r.Resources}, {"prompts", r.Prompts}} {
			if len(field.list) > 0 {
				text = append(text, field.key+" = "+listText(field.list)+"\n"...)
			}
		}
	}
	return text
}
