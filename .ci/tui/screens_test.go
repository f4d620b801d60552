package tui

import (
	"bytes"
	"flag"
	"fmt"
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
	x.waitFor("ACCOUNT", "SERVER", "● connected", "LAST CALLS", "15")
	x.shoot(folder, "status")
	x.shootTools(folder, "")
	x.shootResources(folder)
	x.press("5")
	x.waitFor("[5 Activity]", "you (tui)", "● live", "get-structured", "demo://resource")
	x.shoot(folder, "activity")
	x.resize(60, 20)
	x.press("1")
	x.waitFor("[1 Status]  2 Tools   3 Res")
	x.shoot(folder, "narrow")

	x = openIn(light, t, 100, 30, m.env(), mcpauth(), "tui")
	x.waitFor("ACCOUNT", "● connected", "LAST CALLS", "15")
	x.shoot(folder, "status-light")
	x.shootTools(folder, "-light")

	all, err := filepath.Glob(filepath.Join(folder, "*.svg"))
	if err != nil || len(all) != 14 {
		t.Fatalf("%d pictures, %v", len(all), err)
	}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("/tmp/")) || bytes.Contains(text, []byte(m.home)) {
			t.Errorf("%s shows a folder of this test", file)
		}
	}
}

// shootTools takes pictures of the list of tools, a form and a result; the wide and
// the narrow ones of a dark terminal.
func (x *terminal) shootTools(folder, kind string) {
	x.t.Helper()
	sizes := [][2]int{{100, 30}, {60, 20}}
	if kind != "" {
		sizes = sizes[:1]
	}
	each := func(name string, shows ...string) {
		x.t.Helper()
		for i, size := range sizes {
			x.resize(size[0], size[1])
			x.waitFor(append(shows, map[bool]string{true: "[2 Tools 15]", false: "[2 Tools]"}[i == 0])...)
			x.shoot(folder, name+[]string{"", "-narrow"}[i]+kind)
		}
		x.resize(100, 30)
		x.waitFor("[2 Tools 15]")
	}
	x.press("2")
	x.waitFor("[2 Tools 15]", "▸ echo")
	x.press("G")
	each("tools", "▸ get-env", "✗ policy")
	x.choose("get-annotated-message")
	x.press("Enter")
	x.waitFor("WILL SEND", "messageType")
	x.press("Right")
	x.waitFor("(•)")
	each("form", "▸ messageType", "(•)")
	x.press("C-s")
	x.waitFor("ok", "AUDIT")
	x.press("Escape")
	x.waitFor("enter call")
	x.choose("get-structured-content")
	x.press("Enter")
	x.waitFor("WILL SEND")
	x.press("Right")
	x.waitFor("✓ valid")
	x.press("C-s")
	x.waitFor("ok", "AUDIT", "temperature", "[tree]")
	each("result", "temperature", "matches the tool's output schema")
	x.press("Escape")
	x.waitFor("enter call")
}

// shootResources takes a picture of a resource that is read.
func (x *terminal) shootResources(folder string) {
	x.t.Helper()
	x.press("3")
	x.waitFor("[3 Resources", "Templates")
	x.press("/")
	x.text("features")
	x.press("Enter")
	x.waitFor("1 of")
	x.press("Enter")
	x.waitFor("KB · read", "## Tools")
	x.shoot(folder, "resources")
	x.press("Escape")
	x.waitFor("/ filter")
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
func (x *terminal) shoot(folder, name string) {
	x.t.Helper()
	var width, height int
	if _, err := fmt.Sscan(x.tmux("display-message", "-p", "#{pane_width} #{pane_height}"), &width, &height); err != nil {
		x.t.Fatal(err)
	}
	drawn := picture(x.tmux("capture-pane", "-e", "-p"), width, height, x.theme)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".svg"), []byte(drawn), 0o644); err != nil {
		x.t.Fatal(err)
	}
}
