package policy

import (
	"errors"
	"time"

	"github.com/mcpauth/mcpauth/broker/text"
)

// FileTest is one case of a policy file: a person, a thing, and what the policy
// is wanted to say.
type FileTest struct {
	Name        string         `toml:"name"`
	Want        string         `toml:"want"`
	Server      string         `toml:"server"`
	Tool        string         `toml:"tool"`
	Resource    string         `toml:"resource"`
	Prompt      string         `toml:"prompt"`
	Method      string         `toml:"method"`
	Request     string         `toml:"request"`
	Email       string         `toml:"email"`
	Groups      []string       `toml:"groups"`
	Roles       []string       `toml:"roles"`
	Scopes      []string       `toml:"scopes"`
	ACR         string         `toml:"acr"`
	Claims      map[string]any `toml:"claims"`
	SignedInAgo string         `toml:"signed_in_ago"`
}

// Case is the outcome of one case of a policy file.
type Case struct {
	Name string `json:"name"`
	Line int    `json:"line"`
	Want string `json:"want"` // allow, deny or step_up
	Got  string `json:"got"`
	Rule string `json:"rule"` // what decided
	Why  string `json:"why"`
}

// Passed reports whether the policy says what was wanted.
func (c Case) Passed() bool { return c.Want == c.Got }

// RunTests runs the [[tests]] of a policy file. Errors are as those of [Parse].
func RunTests(data []byte, otherClaim func(string) bool) ([]Case, error) {
	compiled, file, lines, err := parse(data, otherClaim)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var cases []Case
	for i, test := range file.Tests {
		one, err := test.run(compiled, now)
		if err != nil {
			return nil, lines.mistake("tests", i, err)
		}
		one.Line = lines.tables["tests"][i]
		cases = append(cases, one)
	}
	return cases, nil
}

func (t FileTest) run(p *Policy, now time.Time) (Case, error) {
	item, err := t.item()
	if err != nil {
		return Case{}, err
	}
	user := User{
		Sub: "test", Email: t.Email, Groups: t.Groups, Roles: t.Roles, Scopes: t.Scopes, ACR: t.ACR,
		AuthTime: now, Claims: map[string][]string{},
	}
	for claim, value := range t.Claims {
		if user.Claims[claim], err = claimTexts(value); err != nil {
			return Case{}, wrong("claims: "+claim, "claims: %s %w", claim, err)
		}
	}
	if t.SignedInAgo != "" {
		ago, err := text.ParseSpan(t.SignedInAgo)
		if err != nil {
			return Case{}, wrong("signed_in_ago", "signed_in_ago %w", err)
		}
		user.AuthTime = now.Add(-ago)
	}
	e := p.For(user, t.Server).Explain(item, now)
	name := t.Name
	if name == "" {
		name = item.Name
	}
	return Case{Name: name, Want: t.Want, Got: e.Effect.String(), Rule: e.Rule, Why: e.Why()}, nil
}

// check finds mistakes in a test that is not run.
func (t FileTest) check() error {
	switch t.Want {
	case "allow", "deny", "step_up":
	default:
		return wrong("want", `want must be "allow", "deny" or "step_up", not %q`, t.Want)
	}
	_, err := t.item()
	return err
}

func (t FileTest) item() (Item, error) {
	var item Item
	found := 0
	for kind, name := range map[Kind]string{
		Tool: t.Tool, Resource: t.Resource, Prompt: t.Prompt, Method: t.Method, Request: t.Request,
	} {
		if name != "" {
			item, found = Item{Kind: kind, Name: name}, found+1
		}
	}
	if found != 1 {
		return item, errors.New("a test names one of tool, resource, prompt, method and request")
	}
	return item, nil
}
