package gate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/relay"
)

// A list that comes again is answered as it was, but with the id of its own call,
// and as soon as anything that decides about it is another it is read again.
func TestAListThatComesAgain(t *testing.T) {
	const rules = "[[rules]]\neffect='allow'\ntools=['pay','look']\n[[rules]]\neffect='deny'\ntools=['pay']\ngroups=['interns']\n"
	const result = `{"tools":[{"name":"pay","inputSchema":{"properties":{"_oauth_user":{},"n":{}}}},{"name":"look"},{"name":"drop"}]}`
	g, session, _ := gateWith(t, rules)
	next := 0
	list := func(result string) string {
		t.Helper()
		next++
		var scanner relay.Scanner
		line := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":%s}`, next, result)
		request := &relay.Request{ID: fmt.Append(nil, next), Method: "tools/list", Tag: true}
		before, behind, _ := strings.Cut(string(g.FromBackend(scanner.Scan(line), request).Line), fmt.Sprintf(`"id":%d`, next))
		if behind == "" {
			t.Fatalf("answer %d has another id", next)
		}
		<-g.lists.pages
		return before + behind
	}
	both := list(result)
	if !strings.Contains(both, "look") || strings.Contains(both, "drop") || strings.Contains(both, "_oauth_user") {
		t.Fatal(both)
	}
	g.tools.takes = nil // to see whether it is read
	if again := list(result); again != both {
		t.Errorf("again:\n%s\nbefore:\n%s", again, both)
	}
	if g.tools.has("pay") {
		t.Error("the same list is read twice")
	}
	g.tools.forget()
	if list(result); !g.tools.has("pay") {
		t.Error("what the server took back is not read again")
	}
	if other := list(strings.Replace(result, "look", "seek", 1)); strings.Contains(other, "look") {
		t.Error("another list is answered as the last")
	}
	list(result)
	intern := signedIn("ada")
	intern.User.Groups = []string{"interns"}
	session.set(intern)
	if theirs := list(result); strings.Contains(theirs, "pay") {
		t.Errorf("another user gets %s", theirs)
	}
	g.authorizer.policy.current.Store(policyOf(t, ""))
	if all := list(result); !strings.Contains(all, "drop") {
		t.Errorf("under another policy: %s", all)
	}
}
