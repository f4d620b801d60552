package broker

import (
	"fmt"
	"os"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// Learned is the least policy that still allows what was done.
type Learned struct {
	Calls  int    `json:"calls"`  // that were looked at
	Source string `json:"source"` // policy file that it was made from; empty for none
	Text   string `json:"text"`   // the proposed policy file, whole
}

// LearnPolicy proposes a policy that allows no more than what was allowed and
// done with a profile since then: each rule is narrowed to the names that were
// used, and goes where none was. It never allows what the policy of now denies.
// Errors are *problem.Problem.
func LearnPolicy(file config.File, log audit.Folder, r config.Resolved, since time.Time) (Learned, error) {
	compiled, source, err := file.Policy(r)
	if err != nil {
		return Learned{}, err
	}
	if source != "" && source != r.Policy {
		return Learned{}, &problem.Problem{
			Msg:   "the rules of " + r.Name + " stand in its own table, and mcpauth proposes policy files only",
			Hints: []string{"move them to a file, and name it: policy = \"/full/path.toml\""},
			Code:  problem.ExitError,
		}
	}
	used, calls := usedOf(log, r.Name, since)
	if calls == 0 {
		return Learned{}, &problem.Problem{
			Msg:   fmt.Sprintf("the audit log has no call of %s since %s, so there is nothing to learn from", r.Name, since.Format(time.DateOnly)),
			Hints: []string{"mcpauth audit list --profile " + r.Name}, Code: problem.ExitError,
		}
	}
	var before []byte
	if source != "" {
		if before, err = os.ReadFile(source); err != nil {
			return Learned{}, problem.Unreadable(source, err)
		}
	}
	_, policyFile, err := policy.Parse(before, identity.OtherClaim)
	if err != nil {
		return Learned{}, problem.Of(err)
	}
	proposed, some := used.Narrow(policyFile, compiled.Set().Rules)
	if !some {
		return Learned{}, &problem.Problem{Msg: "no rule of the policy allows what was done, so nothing is proposed", Code: problem.ExitError}
	}
	text, err := toml.Marshal(proposed)
	if err != nil {
		return Learned{}, problem.Of(err)
	}
	if _, err := config.ParsePolicy("the proposed policy", text); err != nil {
		return Learned{}, err
	}
	return Learned{Calls: calls, Source: source, Text: string(text)}, nil
}

// usedOf collects what was called and allowed.
func usedOf(log audit.Folder, profile string, since time.Time) (used policy.Usage, calls int) {
	used = policy.Usage{}
	kinds := map[string]policy.Kind{"tools/call": policy.Tool, "resources/read": policy.Resource, "prompts/get": policy.Prompt}
	for line, err := range log.Since(since) {
		r := &line.Record
		kind, known := kinds[r.Method]
		if err != nil || line.Err != nil || !known || r.Event != audit.Call || r.Decision != audit.Allow || r.Profile != profile {
			continue
		}
		if r.Cut == 0 && used.Add(r.Server, kind, r.Name, r.Email) {
			calls++
		}
	}
	return used, calls
}
