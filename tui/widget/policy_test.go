package widget

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
)

// The fix of a denial is a command: no flag of it is broken, and it has one arrow.
func TestCuresAreWhole(t *testing.T) {
	const why = "its definition is changed and not approved"
	mark := mcpclient.Access{Effect: "deny", Rule: "pin", Why: why, Notes: []string{why},
		Hints: []string{"mcpauth tools approve --profile orders-prod-of-europe --all-that-changed search_orders"}}
	l := NewTheme(func(string) string { return "" })
	for width := 20; width < 90; width++ {
		text := ansi.Strip(strings.Join(l.PolicyLines(mark, width), "\n"))
		for _, whole := range []string{"--profile", "--all-that-changed", "search_orders"} {
			if width > 24 && !strings.Contains(text, whole) {
				t.Errorf("%d columns: %s is broken:\n%s", width, whole, text)
			}
		}
		if arrows, reasons := strings.Count(text, "→"), strings.Count(text, "approved"); arrows != 1 || reasons != 1 {
			t.Errorf("%d columns: %d arrows, %d reasons:\n%s", width, arrows, reasons, text)
		}
	}
}
