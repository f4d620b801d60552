package broker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/policy"
)

// What is proposed allows all that was used and is allowed now, and nothing that
// is not.
func TestLearnNarrowsOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	names := []string{"pay", "pay_all", "get", "get_all", "drop"}
	globs := []string{"pay", "pay*", "*_all", "get*", "*"}
	kinds := map[policy.Kind]string{policy.Tool: "tools", policy.Resource: "resources", policy.Prompt: "prompts"}
	users := []policy.User{{Sub: "a"}, {Sub: "b", Groups: []string{"g"}}}
	proposed := 0
	for range 400 {
		var text strings.Builder
		text.WriteString("# head\nstrict = true\n\n")
		for i := range 1 + random.IntN(4) {
			fmt.Fprintf(&text, "# about rule %d\n[[rules]]\neffect = %q\n", i+1, []string{"allow", "allow", "deny"}[random.IntN(3)])
			for _, what := range kinds {
				if random.IntN(2) == 0 {
					fmt.Fprintf(&text, "%s = [%q]\n", what, globs[random.IntN(len(globs))])
				}
			}
			if random.IntN(2) == 0 {
				text.WriteString("groups = ['g']\n[rules.claims]\n")
			}
		}
		before, err := ParsePolicy("before", []byte(text.String()))
		if err != nil {
			continue // a rule that another one leaves nothing to do
		}
		used := map[string]*usage{"s": {names: map[policy.Kind]map[string]bool{}, domains: map[string]bool{}}}
		for kind := range kinds {
			used["s"].names[kind] = map[string]bool{names[random.IntN(len(names))]: true}
		}
		after, err := learn([]byte(text.String()), before.Set().Rules, used)
		var problem *Problem
		if errors.As(err, &problem) {
			continue // nothing that was used is allowed
		}
		if err != nil {
			t.Fatal(err)
		}
		narrowed, err := ParsePolicy("after", after)
		if err != nil {
			if strings.Contains(err.Error(), "can never matter") {
				continue // told to the person, who reviews it anyway
			}
			t.Fatalf("%v\n%s\nof\n%s", err, after, text.String())
		}
		proposed++
		for _, user := range users {
			old, now := before.For(user, "s"), narrowed.For(user, "s")
			for kind := range kinds {
				for _, name := range names {
					item := policy.Item{Kind: kind, Name: name}
					was, is := old.Decide(item, noon).Effect, now.Decide(item, noon).Effect
					if want := was == policy.Allow && used["s"].names[kind][name]; (is == policy.Allow) != want {
						t.Fatalf("%s %q: was %v, is %v, used %v\n%s\nof\n%s", kinds[kind], name, was, is, used["s"].names[kind][name], after, text.String())
					}
				}
			}
		}
	}
	if proposed < 50 {
		t.Errorf("only %d proposals", proposed)
	}
}
