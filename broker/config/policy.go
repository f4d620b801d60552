package config

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// LoadPolicy reads a policy file. Like the configuration it must belong to the
// user and be closed to other writers. Errors are *problem.Problem.
func LoadPolicy(path string) (*policy.Policy, error) {
	data, err := readConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Unreadable(path, errors.New("the policy file is not there"))
	}
	if err != nil {
		return nil, err
	}
	return ParsePolicy(path, data)
}

// ParsePolicy reads a policy from bytes; path is for messages. Unknown keys and
// values, and rules that can never matter, are refused with file and line.
// Errors are *problem.Problem.
func ParsePolicy(path string, data []byte) (*policy.Policy, error) {
	compiled, _, err := policy.Parse(data, identity.OtherClaim)
	if err != nil {
		return nil, configProblem(path, err)
	}
	return compiled, nil
}

// Policy returns the policy of a profile and the file it stands in: the file that
// the profile names, its own table, or, with an empty source, the policy without
// rules. Errors are *problem.Problem.
func (c File) Policy(r Resolved) (compiled *policy.Policy, source string, err error) {
	inline := c.policies[r.Name]
	switch {
	case r.Policy != "" && inline != nil:
		return nil, r.Policy, &problem.Problem{
			Msg:   fmt.Sprintf("profile %s has rules in its own table and a policy file, %s", r.Name, r.Policy),
			Hints: []string{"keep one of the two: rules of [profiles." + r.Name + "] in " + c.path + ", or policy"},
			Code:  problem.ExitError,
		}
	case r.Policy != "":
		compiled, err = LoadPolicy(r.Policy)
		return compiled, r.Policy, err
	case inline != nil:
		return inline, c.path, nil
	}
	return policy.SignedIn(), "", nil
}

// TestPolicy runs the [[tests]] of a policy file. Owner and mode of the file do
// not matter here. Errors are *problem.Problem.
func TestPolicy(path string, data []byte) ([]policy.Case, error) {
	cases, err := policy.RunTests(data, identity.OtherClaim)
	if err != nil {
		return nil, configProblem(path, err)
	}
	return cases, nil
}

// ShownPolicy is a policy for people.
type ShownPolicy struct {
	Source string   `json:"source"` // file; empty when there are no rules
	Lines  []string `json:"lines"`  // what it says, one thing each
}

// ShowPolicy describes the policy of a profile. Errors are *problem.Problem.
func (c File) ShowPolicy(r Resolved) (ShownPolicy, error) {
	compiled, source, err := c.Policy(r)
	if err != nil {
		return ShownPolicy{}, err
	}
	return ShownPolicy{Source: source, Lines: compiled.Describe()}, nil
}
