package tui

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// A person signs in from inside, looks around and leaves.
func TestSignIn(t *testing.T) {
	m := newMachine(t, "", python(t)...)
	x := m.open(100, 30, "tui")
	x.waitFor("You are not signed in to orders.", "▸ Sign in with the browser")
	x.press("Enter")
	x.waitFor("✓ Signed in as ada@example.com")
	x.press("Enter")
	x.waitFor("ada@example.com (Ada Lovelace)", "orders 1.0.0", "● connected", "LAST CALLS", "signed in")
	x.press("O")
	x.waitFor("Sign ada@example.com out of orders?")
	x.press("y")
	x.waitFor("You are not signed in to orders.")
	x.press("q")
	x.waitFor("ended with 0")
}

// A question of mcpauth's own that waits for an answer keeps nobody from signing in
// by the Status tab: it shows its own link, and opens it.
func TestSignInBesideItsOwnQuestion(t *testing.T) {
	m := newMachine(t, "", python(t)...)
	m.run("login")
	x := m.open(100, 30, "tui", "--tab", "tools")
	x.waitFor("● connected", "whoami")
	m.run("logout")
	x.waitFor("○ signed out", "whoami")
	x.choose("whoami")
	x.press("Enter")
	x.waitFor("no arguments: enter calls it")
	x.press("Enter")
	x.waitFor("mcpauth asks:")
	x.press("Escape")
	x.waitFor("a answers")
	x.press("1")
	x.waitFor("▸ Sign in with the browser")
	x.press("Enter")
	x.waitFor("✓ Signed in as ada@example.com")
}

// What a command does elsewhere is seen at once.
func TestFollows(t *testing.T) {
	m := newMachine(t, "", python(t)...)
	x := m.open(100, 30, "tui")
	x.waitFor("You are not signed in to orders.")
	m.run("login")
	x.waitFor("ACCOUNT", "ada@example.com (Ada Lovelace)")
	m.run("lock")
	x.waitFor("mcpauth is locked.")
	x.press("U")
	x.waitFor("Unlocked by ada@example.com")
	x.press("Enter")
	x.waitFor("ACCOUNT")
	m.run("logout")
	x.waitFor("You are not signed in to orders.")
}

// A code for another device is shown, and the sign-in can be given up.
func TestDevice(t *testing.T) {
	m := newMachineWith(t, demoidp.Options{DeviceInterval: time.Second}, "", python(t)...)
	x := m.open(60, 20, "tui")
	x.waitFor("You are not signed in to orders.")
	x.press("D")
	screen := x.waitFor("On any device, open:", "and enter this code:", "min left")
	code := ""
	for _, line := range strings.Split(screen, "\n") {
		if inner, ok := strings.CutPrefix(strings.TrimSpace(line), "│"); ok {
			code = strings.TrimSpace(strings.TrimSuffix(inner, "│"))
		}
	}
	if !m.idp.DecideDevice(code, "ada") {
		t.Fatalf("the provider does not know the code %q:\n%s", code, screen)
	}
	x.waitFor("✓ Signed in as ada@example.com")
}

// Resources and prompts of a server that has everything.
func TestEverything(t *testing.T) {
	m := newMachine(t, "", everything(t)...)
	m.run("login")
	x := m.open(100, 30, "tui", "--tab", "resources")
	x.waitFor("[3 Resources", "Templates", "● signed in")
	x.press("/")
	x.text("architecture")
	x.press("Enter", "Enter")
	x.waitFor("KB · read", "Everything Server")
	x.press("Escape") // one after the other: two at once are another key
	x.waitFor("/ filter")
	x.press("4")
	x.waitFor("[4 Prompts", "simple-prompt")
	x.press("Enter")
	x.waitFor("MESSAGES", "user")
	x.press("?")
	x.waitFor("THIS SCREEN", "EVERYWHERE")
	x.press("Escape")
	x.waitGone("THIS SCREEN")
	x.press(":")
	x.text("activity")
	x.waitFor("▸ go to Activity")
	x.press("Enter")
	x.waitFor("[5 Activity]", "you (tui)", "prompts/get", "● live")
}

// Every size shows something sensible, and the way back is whole.
func TestResize(t *testing.T) {
	m := newMachine(t, "", python(t)...)
	m.run("login")
	x := m.open(100, 30, "tui")
	before := x.waitFor("ACCOUNT", "SERVER", "orders 1.0.0", "● connected", "2 Tools 3   3 Resources 1   4 Prompts 1")
	x.resize(60, 20)
	x.waitFor("[1 Status]  2 Tools   3 Res", "● connected")
	x.waitGone("SERVER")
	x.resize(40, 12)
	x.waitFor("[1 Status]  2   3   4   5")
	x.resize(20, 5)
	x.waitFor("orders")
	x.resize(100, 30)
	x.waitFor("ACCOUNT", "SERVER", strings.Split(before, "\n")[1])
	x.press("C-c")
	x.waitFor("ctrl+c again leaves")
	x.press("C-c")
	x.waitFor("ended with 0")
}

// coloured finds a sequence that sets a colour. 39 and 49 set none.
var coloured = regexp.MustCompile(`\x1b\[([0-9;]*;)?(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]`)

// Terminals that know little, and people who want no colours.
func TestPoorTerminals(t *testing.T) {
	m := newMachine(t, "", python(t)...)
	m.run("login")
	binary := m.env()
	for name, env := range map[string][]string{
		"dumb":  {"TERM=dumb"},
		"ascii": {"LANG=C", "LC_ALL=C"},
	} {
		t.Run(name, func(t *testing.T) {
			x := open(t, 80, 24, append(binary, env...), mcpauth(), "tui")
			x.waitFor("* connected", "* signed in", "ACCOUNT")
			for _, r := range x.screen() {
				if r >= 0x80 {
					t.Fatalf("%q is shown:\n%s", r, x.screen())
				}
			}
		})
	}
	t.Run("no colour", func(t *testing.T) {
		x := open(t, 80, 24, append(binary, "NO_COLOR=1"), mcpauth(), "tui")
		x.waitFor("● connected")
		if screen := x.tmux("capture-pane", "-e", "-p"); coloured.MatchString(screen) {
			t.Errorf("there are colours:\n%q", screen)
		}
	})
}

// A server that is missing, and one that dies.
func TestServerTroubles(t *testing.T) {
	m := newMachine(t, "", "no-such-program-anywhere")
	m.run("login")
	x := m.open(100, 30, "tui", "--tab", "tools")
	x.waitFor("no-such-program-anywhere")
	x.press("1")
	x.waitFor("ACCOUNT", "✗")

	m = newMachine(t, "", "python3", "-c", "raise SystemExit('ModuleNotFoundError: No module named mcp')")
	x = m.open(60, 20, "tui", "--tab", "resources")
	x.waitFor("No module named mcp")
}
