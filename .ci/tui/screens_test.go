package tui

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var screens = flag.String("screens", "", "write pictures of the screens to this folder of the repository")

// TestScreens draws the pictures of the README. Without -screens it only sees to
// it that they can be drawn.
func TestScreens(t *testing.T) {
	folder := t.TempDir()
	if *screens != "" {
		folder = root(t, *screens)
	}
	m := newMachine(t, rules, "mcp-server-everything")
	m.program("mcp-server-everything", everything(t)...)
	m.run("login")
	x := m.open(100, 30, "tui")
	x.waitFor("ACCOUNT", "SERVER", "● connected", "LAST CALLS")
	x.shoot(folder, "status", 100, 30)
	x.press("3")
	x.waitFor("[3 Resources", "Templates")
	x.press("/")
	x.text("features")
	x.press("Enter")
	x.waitFor("1 of")
	x.press("Enter")
	x.waitFor("KB · read", "## Tools")
	x.shoot(folder, "resources", 100, 30)
	x.press("Escape")
	x.waitFor("/ filter")
	x.press("5")
	x.waitFor("[5 Activity]", "you (tui)", "● live")
	x.shoot(folder, "activity", 100, 30)
	x.resize(60, 20)
	x.press("1")
	x.waitFor("[1 Status]  2 Tools   3 Res")
	x.shoot(folder, "narrow", 60, 20)
}

// rules deny a tool, for all to see.
const rules = `
[[profiles.orders.rules]]
name = "everybody"
effect = "allow"
tools = ["*"]
resources = ["*"]
prompts = ["*"]

[[profiles.orders.rules]]
name = "nobody reads the environment"
effect = "deny"
tools = ["get-env"]
`

// shoot writes a picture of the screen.
func (x *terminal) shoot(folder, name string, width, height int) {
	x.t.Helper()
	drawn := picture(x.tmux("capture-pane", "-e", "-p"), width, height)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".svg"), []byte(drawn), 0o644); err != nil {
		x.t.Fatal(err)
	}
}
