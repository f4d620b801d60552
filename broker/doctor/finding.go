package doctor

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Finding is one thing that the doctor found, good or bad. It holds no secret and
// does not name the user.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Area     string   `json:"area"`
	What     string   `json:"what"`
	Cause    string   `json:"cause,omitempty"`
	Hints    []string `json:"hints"` // commands or text; never nil
}

// Diagnosis is what the doctor found, always in the same order.
type Diagnosis struct {
	Profile  string // that was examined; empty when none could be put together
	Findings []Finding
	resolved config.Resolved
}

// Count returns how many findings have a severity.
func (d Diagnosis) Count(s Severity) int {
	n := 0
	for _, f := range d.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// one is the only finding of a check, with the hints of the table.
func one(code, what string) []Finding { return []Finding{found(code, what, "")} }

// found makes a finding. The cause may be empty; without hints it has those of the table.
func found(code, what, cause string, hints ...string) Finding {
	kind := kindOf(code)
	if len(hints) == 0 {
		hints = append([]string{}, kind.Hints...)
	}
	return Finding{
		Code: code, Severity: kind.Severity, Area: Area(code), What: text.CleanLine(what), Cause: text.CleanLine(cause), Hints: hints,
	}
}

// foundError makes a finding of an error, with the message and hints that any other
// command has for it.
func foundError(code string, err error) Finding {
	problem, title := problem.Of(err), kindOf(code).Title
	return found(code, title, strings.TrimPrefix(problem.Msg, title+": "), problem.Hints...)
}
