package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/text"
)

// Usage is what was used, by server.
type Usage map[string]*serverUsage

type serverUsage struct {
	names    map[Kind]map[string]bool
	domains  map[string]bool // of the users' addresses
	noDomain bool            // a user has no address
}

// Add adds a call. It reports whether a rule can name what was called: not what has no
// name, or one that would be a pattern.
func (used Usage) Add(server string, kind Kind, name, email string) bool {
	if name == "" || strings.Contains(name, "*") || text.CheckPrintable(name) != nil {
		return false
	}
	s := used[server]
	if s == nil {
		s = &serverUsage{names: map[Kind]map[string]bool{}, domains: map[string]bool{}}
		used[server] = s
	}
	if s.names[kind] == nil {
		s.names[kind] = map[string]bool{}
	}
	s.names[kind][name] = true
	if at := strings.LastIndexByte(email, '@'); at >= 0 {
		s.domains[strings.ToLower(email[at+1:])] = true
	} else {
		s.noDomain = true
	}
	return true
}

// Narrow narrows the rules of a file that allow to what was used, and makes them where
// there are none. All else in the file stays. It reports whether any rule allows what
// was used.
func (used Usage) Narrow(file File, rules []Rule) (File, bool) {
	if len(rules) == 0 {
		file.Rules = used.firstRules()
		return file, true
	}
	var narrowed []FileRule
	allows := 0
	for i, rule := range rules {
		one := file.Rules[i]
		if rule.Effect == WordAllow && rule.NamesThings() {
			only, some := used.narrow(rule)
			if !some {
				continue
			}
			allows++
			one.Tools, one.Resources, one.Prompts = only.Tools, only.Resources, only.Prompts
		}
		narrowed = append(narrowed, one)
	}
	file.Rules = narrowed
	return file, allows > 0
}

// narrow leaves of a rule the names that were used.
func (used Usage) narrow(rule Rule) (Rule, bool) {
	only := rule
	only.Tools, only.Resources, only.Prompts = nil, nil, nil
	for _, server := range slices.Sorted(maps.Keys(used)) {
		if len(rule.Servers) > 0 && !Match(rule.Servers, server) {
			continue
		}
		for kind, list := range map[Kind]*[]string{Tool: &only.Tools, Resource: &only.Resources, Prompt: &only.Prompts} {
			for name := range used[server].names[kind] {
				if rule.Covers(Item{Kind: kind, Name: name}) && !slices.Contains(*list, name) {
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
func (used Usage) firstRules() []FileRule {
	var rules []FileRule
	for _, server := range slices.Sorted(maps.Keys(used)) {
		one := used[server]
		rule := FileRule{
			Effect:    WordAllow,
			Tools:     slices.Sorted(maps.Keys(one.names[Tool])),
			Resources: slices.Sorted(maps.Keys(one.names[Resource])),
			Prompts:   slices.Sorted(maps.Keys(one.names[Prompt])),
		}
		if !one.noDomain {
			rule.EmailDomains = slices.Sorted(maps.Keys(one.domains))
		}
		if server != "" && !strings.Contains(server, "*") && text.CheckPrintable(server) == nil {
			rule.Servers = []string{server}
		}
		rules = append(rules, rule)
	}
	return rules
}
