package policy

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/text"
)

// File is a policy as TOML spells it.
type File struct {
	Rules      []FileRule        `toml:"rules,omitempty"`
	Limits     []FileLimit       `toml:"limits,omitempty"`
	ToolScopes map[string]string `toml:"tool_scopes,omitempty"`
	GroupRoles map[string]string `toml:"group_roles,omitempty"`
	RoleLevels []string          `toml:"role_levels,omitempty"`
	Strict     bool              `toml:"strict,omitempty"`
	ReadOnly   bool              `toml:"read_only,omitempty"`
	ReadTools  []string          `toml:"read_tools,omitempty"`
	Confirm    []string          `toml:"confirm,omitempty"`
	Pin        string            `toml:"pin,omitempty"`
	Tests      []FileTest        `toml:"tests,omitempty"` // see TestPolicy
}

type FileRule struct {
	Name         string         `toml:"name,omitempty"`
	Effect       string         `toml:"effect,omitempty"`
	Groups       []string       `toml:"groups,omitempty"`
	Roles        []string       `toml:"roles,omitempty"`
	Scopes       []string       `toml:"scopes,omitempty"`
	EmailDomains []string       `toml:"email_domains,omitempty"`
	Claims       map[string]any `toml:"claims,omitempty"`
	Methods      []string       `toml:"methods,omitempty"`
	Servers      []string       `toml:"servers,omitempty"`
	Tools        []string       `toml:"tools,omitempty"`
	Resources    []string       `toml:"resources,omitempty"`
	Prompts      []string       `toml:"prompts,omitempty"`
	MaxAuthAge   string         `toml:"max_auth_age,omitempty"`
	ACR          []string       `toml:"acr,omitempty"`
}

type FileLimit struct {
	Tools  []string `toml:"tools,omitempty"`
	Rate   string   `toml:"rate,omitempty"`
	Burst  *int     `toml:"burst,omitempty"`
	Shared bool     `toml:"shared,omitempty"`
}

// Parse reads a policy file from bytes. Unknown keys and values, and rules that can
// never matter, are refused; otherClaim reports whether a rule may ask about a claim
// by its name. Errors are *[edit.LineError].
func Parse(data []byte, otherClaim func(string) bool) (*Policy, File, error) {
	compiled, file, _, err := parse(data, otherClaim)
	return compiled, file, err
}

// parse also returns where the parts of the file stand.
func parse(data []byte, otherClaim func(string) bool) (*Policy, File, linesOf, error) {
	var text File
	data = bytes.TrimPrefix(data, []byte(edit.BOM))
	keys, err := edit.ScanTOML(data)
	if err != nil {
		return nil, text, linesOf{}, err
	}
	for _, k := range keys {
		if err := CheckKey(k, k.Path); err != nil {
			return nil, text, linesOf{}, edit.ErrorAt(k.Line, err)
		}
	}
	if err := toml.Unmarshal(data, &text); err != nil {
		return nil, text, linesOf{}, edit.DecodeError(err)
	}
	lines := policyLines(keys, nil)
	compiled, err := text.compile(lines, otherClaim)
	return compiled, text, lines, err
}

// Inline compiles the rules that stand in the tables of profiles of a configuration
// file, whose keys [edit.ScanTOML] has listed. Errors are as those of [Parse].
func Inline(data []byte, keys []edit.TOMLKey, otherClaim func(string) bool) (map[string]*Policy, error) {
	policies := map[string]*Policy{}
	var file struct {
		Profiles map[string]File `toml:"profiles"`
	}
	for _, k := range keys {
		if len(k.Path) < 3 || k.Path[0] != "profiles" || !IsKey(k.Path[2]) || policies[k.Path[1]] != nil {
			continue
		}
		if file.Profiles == nil {
			if err := toml.Unmarshal(data, &file); err != nil {
				return nil, edit.DecodeError(err)
			}
		}
		compiled, err := file.Profiles[k.Path[1]].compile(policyLines(keys, k.Path[:2]), otherClaim)
		if err != nil {
			return nil, err
		}
		policies[k.Path[1]] = compiled
	}
	return policies, nil
}

// linesOf tells where the parts of a policy stand.
type linesOf struct {
	first  int
	tables map[string][]int // headers of [[rules]], [[limits]] and [[tests]]
	keys   map[string]int   // by path within the policy, with the number of the table: rules, 0, effect
}

// policyLines finds the parts of the policy below a table.
func policyLines(keys []edit.TOMLKey, below []string) linesOf {
	lines := linesOf{tables: map[string][]int{}, keys: map[string]int{}}
	for _, k := range keys {
		if len(k.Path) <= len(below) || !slices.Equal(k.Path[:len(below)], below) {
			continue
		}
		rest := k.Path[len(below):]
		if lines.first == 0 {
			lines.first = k.Line
		}
		table := rest[0]
		switch {
		case keyShapes[table] != tables:
			lines.keys[joinPath(rest...)] = k.Line
		case k.Header && len(rest) == 1:
			lines.tables[table] = append(lines.tables[table], k.Line)
		default:
			number := len(lines.tables[table]) - 1
			lines.keys[joinPath(tablePath(table, number, rest[1:])...)] = k.Line
		}
	}
	return lines
}

func joinPath(path ...string) string { return strings.Join(path, "\x00") }

// tablePath leads to a key of one of the tables [[name]].
func tablePath(name string, number int, rest []string) []string {
	return append([]string{name, strconv.Itoa(number)}, rest...)
}

// of is the line of a key, or of the nearest table around it that has one.
func (l linesOf) of(path ...string) int {
	for ; len(path) > 0; path = path[:len(path)-1] {
		if line := l.keys[joinPath(path...)]; line != 0 {
			return line
		}
	}
	return 0
}

// mistake is an error with the line of what is wrong in one of the tables [[name]]:
// that of the key that it names, or else of the table.
func (l linesOf) mistake(name string, number int, err error) error {
	line := l.tables[name][number]
	var wrong *Error
	if errors.As(err, &wrong) {
		if at := l.of(tablePath(name, number, wrong.Path)...); at != 0 {
			line = at
		}
	}
	return edit.ErrorAt(line, err)
}

// compile checks the values and makes the  Errors are *edit.LineError.
func (t File) compile(lines linesOf, otherClaim func(string) bool) (*Policy, error) {
	set := Set{
		RoleLevels: t.RoleLevels, GroupRoles: t.GroupRoles, Strict: t.Strict,
		ReadOnly: t.ReadOnly, ReadTools: t.ReadTools, Confirm: t.Confirm, Pin: t.Pin,
	}
	switch t.Pin {
	case "", PinOff, PinWarn, PinBlock:
	default:
		return nil, edit.ErrorAt(lines.of("pin"), fmt.Errorf(`pin must be "off", "warn" or "block", not %q`, t.Pin))
	}
	// "rules.effect = …" is TOML, too, and one rule without a header.
	rules, limits := lines.tables["rules"], lines.tables["limits"]
	if len(t.Rules) != len(rules) || len(t.Limits) != len(limits) || len(t.Tests) != len(lines.tables["tests"]) {
		return nil, edit.ErrorAt(lines.first, errors.New("rules, limits and tests are written one by one, each under a [[rules]], [[limits]] or [[tests]]"))
	}
	for i, r := range t.Rules {
		rule, err := r.rule(rules[i], t.RoleLevels, otherClaim)
		if err != nil {
			return nil, lines.mistake("rules", i, err)
		}
		set.Rules = append(set.Rules, rule)
	}
	for key, list := range map[string][]string{"read_tools": t.ReadTools, "confirm": t.Confirm, "role_levels": t.RoleLevels} {
		if err := checkTexts(key, list); err != nil {
			return nil, edit.ErrorAt(lines.of(key), err)
		}
	}
	for i, test := range t.Tests {
		if err := test.check(); err != nil {
			return nil, lines.mistake("tests", i, err)
		}
	}
	for _, tool := range slices.Sorted(maps.Keys(t.ToolScopes)) {
		line := lines.of("tool_scopes", tool)
		if err := CheckScope(t.ToolScopes[tool]); err != nil {
			return nil, edit.ErrorAt(line, fmt.Errorf("tool_scopes %w", err))
		}
		set.ToolScopes = append(set.ToolScopes, ToolScope{Tool: tool, Scope: t.ToolScopes[tool], Line: line})
	}
	for i, l := range t.Limits {
		limit, err := l.limit(limits[i])
		if err != nil {
			return nil, lines.mistake("limits", i, err)
		}
		set.Limits = append(set.Limits, limit)
	}
	compiled, err := Compile(set)
	var at *Error
	if !errors.As(err, &at) {
		return compiled, err
	}
	if number := slices.Index(rules, at.Line); number >= 0 {
		return nil, lines.mistake("rules", number, err)
	}
	return nil, edit.ErrorAt(max(at.Line, lines.of(at.Path...)), at) // of a short form, or of the roles
}

func (r FileRule) rule(line int, levels []string, otherClaim func(string) bool) (Rule, error) {
	rule := Rule{
		Name: r.Name, Line: line, Effect: r.Effect,
		Groups: r.Groups, Roles: r.Roles, Scopes: r.Scopes, EmailDomains: r.EmailDomains,
		Methods: r.Methods, Servers: r.Servers, Tools: r.Tools, Resources: r.Resources, Prompts: r.Prompts, ACR: r.ACR,
	}
	lists := map[string][]string{
		"groups": r.Groups, "roles": r.Roles, "scopes": r.Scopes, "email_domains": r.EmailDomains, "methods": r.Methods,
		"servers": r.Servers, "tools": r.Tools, "resources": r.Resources, "prompts": r.Prompts, "acr": r.ACR,
	}
	for claim, value := range r.Claims {
		list, err := claimTexts(value)
		if err != nil {
			return rule, wrong("claims: "+claim, "claims: %s %w", claim, err)
		}
		if !otherClaim(claim) { // a rule that denies by it would never hold
			return rule, wrong("claims: "+claim, "claims: %s is not among the other claims; rules ask by groups, roles, email_domains, scopes and acr", claim)
		}
		if rule.Claims == nil {
			rule.Claims = map[string][]string{}
		}
		rule.Claims[claim] = list
		lists["claims: "+claim] = list
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		// An empty list would mean "anybody", its writer likely means "nobody".
		if lists[name] != nil && len(lists[name]) == 0 {
			return rule, wrong(name, "%s is an empty list: leave it out, or name something", name)
		}
		if err := checkTexts(name, lists[name]); err != nil {
			return rule, err
		}
	}
	if err := r.checkNames(levels); err != nil {
		return rule, err
	}
	if r.MaxAuthAge == "" {
		return rule, nil
	}
	age, err := text.ParseSpan(r.MaxAuthAge)
	if err != nil {
		return rule, wrong("max_auth_age", `max_auth_age must be a time like "15m", "8h" or "1d", not %q`, r.MaxAuthAge)
	}
	rule.MaxAuthAge = age
	return rule, nil
}

// checkTexts checks the texts of a list.
func checkTexts(key string, list []string) error {
	for _, one := range list {
		if one == "" {
			return wrong(key, "%s has an empty string", key)
		}
		if err := text.CheckPrintable(one); err != nil {
			return wrong(key, "%s: %q %w", key, one, err)
		}
	}
	return nil
}

// ruledMethods are those of MCP that rules are asked about.
var ruledMethods = []string{"tools/call", "resources/read", "prompts/get", "sampling/createMessage", "elicitation/create", "roots/list"}

// checkWords finds values that are a typing error away from the ones that were
// meant. Servers may have methods, and providers roles, that are not known here.
func (r FileRule) checkNames(levels []string) error {
	for _, method := range r.Methods {
		if meant := text.Nearest(method, ruledMethods); meant != "" && meant != method && !strings.Contains(method, "*") && !Unruled(method) {
			return wrong("methods", "methods: there is no %q; did you mean %s?", method, meant)
		}
	}
	for _, role := range r.Roles {
		if meant := text.Nearest(role, levels); meant != "" && !slices.Contains(levels, role) {
			return wrong("roles", "roles: role_levels has no %q; did you mean %s?", role, meant)
		}
	}
	for _, domain := range r.EmailDomains {
		if strings.ContainsAny(domain, "@*/: ") {
			return wrong("email_domains", "email_domains: %q is no domain, as example.com is one", domain)
		}
	}
	return nil
}

// claimTexts are the values of a claim, as texts.
func claimTexts(value any) ([]string, error) {
	switch v := value.(type) {
	case []any:
		list := []string{}
		for _, one := range v {
			texts, err := claimTexts(one)
			if err != nil {
				return nil, err
			}
			list = append(list, texts...)
		}
		return list, nil
	case string, bool, int64:
		return []string{fmt.Sprint(v)}, nil
	}
	return nil, errors.New("must be a string, a number, true, false or a list of strings")
}

// rateUnits are what a rate may be per.
var rateUnits = map[string]time.Duration{
	"s": time.Second, "second": time.Second, "min": time.Minute, "minute": time.Minute, "h": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour,
}

func (l FileLimit) limit(line int) (Limit, error) {
	count, unit, _ := strings.Cut(l.Rate, "/")
	number, err := strconv.Atoi(strings.TrimSpace(count))
	per := rateUnits[strings.TrimSpace(unit)]
	if err != nil || number < 1 || per == 0 {
		return Limit{}, wrong("rate", `rate must be like "10/minute" (second, minute, hour, day), not %q`, l.Rate)
	}
	if l.Tools != nil && len(l.Tools) == 0 {
		return Limit{}, wrong("tools", "tools is an empty list: leave it out for all tools, or name some")
	}
	if err := checkTexts("tools", l.Tools); err != nil {
		return Limit{}, err
	}
	burst := 0
	if l.Burst != nil {
		if burst = *l.Burst; burst < 1 {
			return Limit{}, wrong("burst", "burst must be 1 or more")
		}
	}
	return Limit{Tools: l.Tools, Count: number, Per: per, Burst: burst, Shared: l.Shared, Text: l.Rate, Line: line}, nil
}
