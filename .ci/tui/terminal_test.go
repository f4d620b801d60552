package tui

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// terminal is a program in a tmux of its own.
type terminal struct {
	t      *testing.T
	socket string
	theme
}

// patience bounds every wait for a screen.
const patience = 40 * time.Second

// open starts a command in a terminal. When it ends, the terminal shows its exit
// code and stays.
func open(t *testing.T, width, height int, env []string, command ...string) *terminal {
	t.Helper()
	return openIn(dark, t, width, height, env, command...)
}

// openIn is open in a terminal of these colours.
func openIn(colours theme, t *testing.T, width, height int, env []string, command ...string) *terminal {
	t.Helper()
	dir := t.TempDir()
	term := &terminal{t, filepath.Join(dir, "tmux"), colours}
	script := "exec >&2 env"
	if len(env) > 0 {
		script = "env"
	}
	for _, pair := range env {
		script += " " + quoted(pair)
	}
	for _, word := range command {
		script += " " + quoted(word)
	}
	script += `; echo "ended with $?"; exec cat`
	conf := filepath.Join(dir, "conf")
	if err := os.WriteFile(conf, []byte("set -g window-style 'bg="+colours.paper+",fg="+colours.ink+"'\nset -g default-terminal tmux-256color\nset -ga terminal-overrides ',*:Tc'\nset -g set-clipboard on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	term.tmux("-f", conf, "new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height), "sh", "-c", script)
	t.Cleanup(term.end)
	return term
}

// end ends all, and waits for the program: it still writes into its home folder.
func (x *terminal) end() {
	pane, _ := exec.Command("tmux", "-S", x.socket, "display-message", "-p", "#{pane_pid}").Output()
	shell := strings.TrimSpace(string(pane))
	children, _ := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children")
	_ = exec.Command("tmux", "-S", x.socket, "kill-server").Run()
	deadline := time.Now().Add(patience)
	for _, pid := range strings.Fields(string(children)) {
		for time.Now().Before(deadline) {
			if _, err := os.Stat("/proc/" + pid); err != nil {
				break
			}
		}
	}
}

func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

func (x *terminal) tmux(args ...string) string {
	x.t.Helper()
	command := exec.Command("tmux", append([]string{"-u", "-S", x.socket}, args...)...)
	out, err := command.CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// screen is what the terminal shows now, without the spaces at the ends.
func (x *terminal) screen() string {
	lines := strings.Split(strings.TrimSuffix(x.tmux("capture-pane", "-p"), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// press presses keys, as tmux names them.
func (x *terminal) press(keys ...string) {
	x.t.Helper()
	x.tmux(append([]string{"send-keys"}, keys...)...)
}

// text types a text.
func (x *terminal) text(text string) { x.t.Helper(); x.tmux("send-keys", "-l", text) }

func (x *terminal) resize(width, height int) {
	x.t.Helper()
	x.tmux("resize-window", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height))
}

// waitFor looks until the screen has all these texts.
func (x *terminal) waitFor(texts ...string) string {
	x.t.Helper()
	return x.wait(fmt.Sprintf("%q", texts), func(screen string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(screen, text) })
	})
}

// waitGone looks until the screen has a text no more.
func (x *terminal) waitGone(text string) {
	x.t.Helper()
	x.wait("no "+text, func(screen string) bool { return !strings.Contains(screen, text) })
}

func (x *terminal) wait(what string, holds func(string) bool) string {
	x.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		screen := x.screen()
		if holds(screen) {
			return screen
		}
		if time.Now().After(deadline) {
			x.t.Fatalf("the screen never had %s:\n%s", what, screen)
		}
	}
}
