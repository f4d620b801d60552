package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// anyClaim is for rules that may ask for all claims.
func anyClaim(string) bool { return true }

// What is proposed allows all that was used and is allowed now, and nothing that
// is not.
func TestLearnNarrowsOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	names := []string{"pay", "pay_all", "get", "get_all", "drop"}
	globs := []string{"pay", "pay*", "*_all", "get*", "*"}
	kinds := map[Kind]string{Tool: "tools", Resource: "resources", Prompt: "prompts"}
	users := []User{{Sub: "a"}, {Sub: "b", Groups: []string{"g"}}}
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
		before, file, err := Parse([]byte(text.String()), anyClaim)
		if err != nil {
			continue // a rule that another one leaves nothing to do
		}
		used := Usage{}
		for kind := range kinds {
			used.Add("s", kind, names[random.IntN(len(names))], "")
		}
		proposal, some := used.Narrow(file, before.Set().Rules)
		if !some {
			continue // nothing that was used is allowed
		}
		after, err := toml.Marshal(proposal)
		if err != nil {
			t.Fatal(err)
		}
		narrowed, _, err := Parse(after, anyClaim)
		if err != nil {
			if strings.Contains(err.Error(), "can never matter") {
				continue // the user reviews it anyway
			}
			t.Fatalf("%v\n%s\nof\n%s", err, after, text.String())
		}
		proposed++
		for _, user := range users {
			old, now := before.For(user, "s"), narrowed.For(user, "s")
			for kind := range kinds {
				for _, name := range names {
					item := Item{Kind: kind, Name: name}
					was, is := old.Decide(item, time.Now()).Effect, now.Decide(item, time.Now()).Effect
					if want := was == Allow && used["s"].names[kind][name]; (is == Allow) != want {
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
