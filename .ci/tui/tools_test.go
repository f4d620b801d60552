package tui

import "testing"

// A person filters, fills in a form, calls, cancels, and is denied; at two sizes.
func TestTools(t *testing.T) {
	m := newMachine(t, rules, "mcp-server-everything")
	m.program("mcp-server-everything", everything(t)...)
	m.run("login")
	x := m.open(100, 30, "tui", "--tab", "tools")
	x.waitFor("[2 Tools 1", "● connected", "get-sum")

	choose := func(filter, tool string) {
		t.Helper()
		x.press("/")
		x.press("C-u")
		x.text(filter)
		x.waitFor("▸ "+tool, "/ "+filter)
		x.press("Enter") // ends the filter
		x.waitFor("enter call")
	}
	back := func() {
		t.Helper()
		x.press("Escape")
		x.waitFor("enter call")
	}

	choose("get-sum", "get-sum")
	x.press("Enter")
	x.waitFor("WILL SEND", "2 fields to fill in")
	x.text("40")
	x.press("Tab")
	x.text("2")
	x.waitFor(`"a": 40`, `"b": 2`)
	x.press("C-s")
	x.waitFor("The sum of 40 and 2 is 42.", "ok", "rule 1 (everybody)")
	x.resize(60, 20)
	x.waitFor("The sum of 40 and 2 is 42.")
	x.resize(100, 30)
	x.waitFor("The sum of 40 and 2 is 42.", "AUDIT")
	back()

	choose("long-running", "trigger-long-running-operation")
	x.press("Enter")
	x.waitFor("WILL SEND")
	x.press("C-s")
	x.waitFor("running", "ctrl+c cancels this call", "%")
	x.press("C-c")
	x.waitFor("It was stopped before it answered.")
	back()

	// The denied one is hidden from AI clients, and shown here with the rule. A call of
	// it is refused by the gate, which logs it.
	x.press("/")
	x.press("C-u")
	x.text("get-env")
	x.press("Enter")
	x.waitFor("▸ get-env", "policy", "nobody reads the environment")
	x.press("Enter")
	x.waitFor("nobody reads the environment)", "a call is refused and logged")
	x.press("C-s")
	x.waitFor("denied by policy: rule 2", "AUDIT", "mcpauth policy show")
	back()
	x.press("h")
	x.waitFor("1 denied by policy (h shows them)")
	x.press("5")
	x.waitFor("[5 Activity]", "get-sum", "trigger-long-r", "you (tui)", "✓ ok", "✗ denied")
}
