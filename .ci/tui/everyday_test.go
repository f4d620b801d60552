package tui

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// exploring opens mcpauth on the protocol's own test server, on a machine without
// any profile.
func exploring(t *testing.T, width, height int, args ...string) *terminal {
	t.Helper()
	m := newMachine(t, "")
	if err := os.Remove(filepath.Join(m.home, ".config/mcpauth/config.toml")); err != nil {
		t.Fatal(err)
	}
	return m.open(width, height, append(append(append([]string{"tui"}, args...), "--"), everything(t)...)...)
}

// choose puts the cursor on a tool by the filter.
func (x *terminal) choose(tool string) {
	x.t.Helper()
	x.press("/")
	x.press("C-u")
	x.text(tool)
	x.waitFor("▸ " + tool[:min(len(tool), 24)])
	x.press("Enter") // ends the filter
	x.waitGone("enter done")
}

// The first day: any server can be looked at, and nothing reads like an error.
func TestFirstDay(t *testing.T) {
	x := exploring(t, 100, 30)
	screen := x.waitFor("You explore mcp-servers/everything", "the server gets no user", "○ no user", "mcpauth login --issuer", "● connected")
	if strings.Contains(screen, "✗") {
		t.Errorf("it looks like an error:\n%s", screen)
	}
	x.press("Enter")
	x.waitFor("[2 Tools 1", "echo")
	x.press("1")
	x.press("l")
	x.waitFor("SERVER LOG", "stderr", "Starting default (STDIO) server", "● live")
	x.press("Escape")
	x.waitFor("You explore")
	x.resize(40, 12)
	x.waitFor("The server gets no user.", "▸ See and call its tools")
	x.press("q")
	x.waitFor("ended with 0")
}

// What the server asks in the middle of a call is answered where it is asked.
func TestElicitation(t *testing.T) {
	x := exploring(t, 100, 30, "--tab", "tools")
	x.waitFor("[2 Tools 1", "● connected")
	x.choose("trigger-elicitation-request")
	x.press("Enter")
	x.waitFor("no arguments: enter calls it")
	x.press("Enter")
	x.waitFor("The server asks:", "▸ name *", "(default)", "the call waits for your answer")
	x.text("Ada Lovelace")
	x.press("Tab")
	x.press("Right") // check: yes
	x.waitFor("(•) yes")
	x.press("Escape") // later: the call waits meanwhile
	x.waitFor("? asks", "a answers")
	x.press("a")
	x.waitFor("The server asks:", "Ada Lovelace")
	x.press("C-s")
	x.waitFor("ok", "User provided the requested information", "Name: Ada Lovelace")
	x.press("R")
	x.waitFor("The server asks:")
	x.press("C-d")
	x.waitFor("User declined")
}

// A template is filled in with what the server proposes, and read.
func TestTemplate(t *testing.T) {
	x := exploring(t, 60, 20, "--tab", "resources")
	x.waitFor("[3 Res]", "Templates", "● connected")
	x.press("G")
	x.press("Up")
	x.press("Enter")
	x.waitFor("demo://resource/dynamic/text/{resourceId}", "▸ resourceId")
	x.text("4")
	x.waitFor("→ demo://resource/dynamic/text/4")
	x.press("Enter")
	x.waitFor("Resource 4", "read ")
	x.press("4")
	x.waitFor("[4 Prompts]", "completable-prompt")
	x.press("/")
	x.text("completable")
	x.press("Enter")
	x.press("Enter")
	x.waitFor("Engineering · Sales")
	x.text("Sa")
	x.waitGone("Engineering")
	x.waitFor("Sales") // the proposal for what was typed
	x.press("Tab")     // takes the proposal
	x.waitFor("department *        Sales")
	x.press("Tab")
	x.waitFor("▸ name", "David · Eve")
	x.press("C-n")
	x.press("Enter")
	x.waitFor("MESSAGES", "David")
}

// A paste of several lines is one text, and none of it is taken for keys.
func TestPaste(t *testing.T) {
	x := exploring(t, 100, 30, "--tab", "tools")
	x.waitFor("[2 Tools 1", "● connected")
	x.choose("echo")
	x.press("Enter")
	x.waitFor("▸ message *")
	x.paste("first q\n\tsecond\n" + strings.Repeat("x", 40_000))
	x.waitFor("40.0 KB, 3 lines")
	x.press("C-s")
	x.waitFor("ok", "Echo: first q", "second", "xxxxx")
	x.press("e")
	x.waitFor("40.0 KB, 3 lines")
	x.press("C-u")
	x.paste("one\ntwo")
	x.waitFor(`"message": "one\ntwo"`)
	x.press("C-s")
	x.waitFor("Echo: one", "two")
}

// A server that dies is told of, and started again by a key; even when a form was
// open.
func TestServerDies(t *testing.T) {
	x := exploring(t, 60, 20, "--tab", "tools")
	x.waitFor("[2 Tools]", "● connected", "echo")
	x.choose("echo")
	x.press("Enter") // to its detail
	x.waitFor("INPUT")
	x.press("Enter") // and to the form
	x.waitFor("▸ message *")
	x.killServer()
	x.waitFor("the server ended", "r starts it again")
	x.press("r")
	x.waitFor("● connected", "INPUT")
	x.press("C-l")
	x.waitFor("SERVER LOG", "the server was started", "the server ended")
	x.press("Escape")
	x.waitFor("INPUT", "● connected")
}

// Everything can be reached at 40x12.
func TestSmallTerminal(t *testing.T) {
	m := newMachine(t, rules, everything(t)...)
	m.run("login")
	x := m.open(40, 12, "tui")
	x.waitFor("[1 Status]", "● connected")
	x.press("2")
	x.waitFor("[2 Tools]", "▸ echo")
	x.choose("get-env")
	x.press("Enter")
	x.waitFor("✗ denied")
	x.press("Escape")
	x.waitFor("▸ get-env")
	x.choose("get-sum")
	x.press("Enter")
	x.waitFor("INPUT")
	x.press("Enter")
	x.waitFor("▸ a *", "2 fields to fill in")
	x.text("40")
	x.press("Tab")
	x.text("2")
	x.press("C-s")
	x.waitFor("The sum of 40 and 2 is 42.")
	x.press("3")
	x.waitFor("[3 Res]", "architecture")
	x.press("4")
	x.waitFor("[4 Prompts]", "▸ simple-prompt")
	x.press("5")
	x.waitFor("[5 Act]", "get-sum", "✓ ok")
	x.press("Enter")
	x.waitFor("client", "mcpauth tui")
	x.press("G")
	x.waitFor("arguments")
}

// paste pastes a text, as a terminal does that brackets what is pasted.
func (x *terminal) paste(text string) {
	x.t.Helper()
	file := filepath.Join(x.t.TempDir(), "paste")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		x.t.Fatal(err)
	}
	x.tmux("load-buffer", file)
	x.tmux("paste-buffer", "-p")
}

// killServer kills the MCP server that mcpauth has started: its only child.
func (x *terminal) killServer() {
	x.t.Helper()
	at := strings.TrimSpace(x.tmux("display-message", "-p", "#{pane_pid}"))
	deadline := time.Now().Add(patience)
	for {
		child, ok := childNamed(at, "node")
		if ok {
			if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
				x.t.Fatal(err)
			}
			return
		}
		if time.Now().After(deadline) {
			x.t.Fatal("mcpauth has no server")
		}
	}
}

// childNamed looks for a program below a process.
func childNamed(pid, name string) (int, bool) {
	threads, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	for _, thread := range threads {
		children, _ := os.ReadFile(thread)
		for _, child := range strings.Fields(string(children)) {
			if comm, _ := os.ReadFile("/proc/" + child + "/comm"); strings.HasPrefix(string(comm), name) {
				n, err := strconv.Atoi(child)
				return n, err == nil
			}
			if n, ok := childNamed(child, name); ok {
				return n, true
			}
		}
	}
	return 0, false
}
