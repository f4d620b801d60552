package tui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/tui/screen"
)

var update = flag.Bool("update", false, "write the golden files anew")

// bench is a model without a terminal: keys go in, a view comes out, and jobs
// run as they do in a program.
type bench struct {
	t    *testing.T
	m    *model
	msgs chan tea.Msg
	quit bool
	home *fakeHome
	serv *fakeServer
}

// newBench starts a model over fakes. change may amend them before.
func newBench(t *testing.T, change ...func(*Options, *fakeHome, *fakeServer)) *bench {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	home, server := newFakeHome(t), newFakeServer()
	o := Options{
		Home: home, Clients: home.Clients, Open: server.open, Environ: []string{"LANG=C.UTF-8", "TERM=xterm-256color"},
		Now: func() time.Time { return fakeNow },
	}
	for _, c := range change {
		c(&o, home, server)
	}
	b := &bench{t: t, m: newModel(ctx, o), msgs: make(chan tea.Msg), home: home, serv: server}
	t.Cleanup(cancel)
	b.run(b.m.Init())
	b.send(tea.WindowSizeMsg{Width: 100, Height: 30})
	return b
}

// run carries a command out as a program does. The clock stands still.
func (b *bench) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	ctx := b.m.ctx
	go func() {
		msg := cmd()
		select {
		case b.msgs <- msg:
		case <-ctx.Done():
		}
	}()
}

func (b *bench) send(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil, screen.Tick:
	case tea.BatchMsg:
		for _, cmd := range msg {
			b.run(cmd)
		}
	case tea.QuitMsg:
		b.quit = true
	default:
		_, cmd := b.m.Update(msg)
		b.run(cmd)
	}
}

// press presses keys, each spelled as bindings spell them.
func (b *bench) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.send(keyPress(key))
	}
}

// text types a text, letter by letter.
func (b *bench) text(text string) {
	for _, r := range text {
		b.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

var namedKeys = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
	"right": tea.KeyRight, "backspace": tea.KeyBackspace, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome,
	"end": tea.KeyEnd, "f1": tea.KeyF1, "delete": tea.KeyDelete,
}

func keyPress(key string) tea.KeyPressMsg {
	var k tea.KeyPressMsg
	rest := key
	for prefix, mod := range map[string]tea.KeyMod{"ctrl+": tea.ModCtrl, "alt+": tea.ModAlt, "shift+": tea.ModShift} {
		if after, ok := strings.CutPrefix(rest, prefix); ok {
			k.Mod, rest = k.Mod|mod, after
		}
	}
	switch code, named := namedKeys[rest]; {
	case rest == "space":
		k.Code, k.Text = tea.KeySpace, " "
	case named:
		k.Code = code
	default:
		k.Code = []rune(rest)[0]
		if k.Mod == 0 {
			k.Text = rest
		}
	}
	return k
}

// plain is the view without colours.
func (b *bench) plain() string {
	lines := strings.Split(ansi.Strip(b.m.View().Content), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// until lets jobs work until the view has all these texts.
func (b *bench) until(texts ...string) {
	b.t.Helper()
	b.untilTrue(strings.Join(texts, ", "), func() bool {
		view := b.plain()
		for _, text := range texts {
			if !strings.Contains(view, text) {
				return false
			}
		}
		return true
	})
}

// untilGone lets jobs work until the view has a text no more.
func (b *bench) untilGone(text string) {
	b.t.Helper()
	b.untilTrue("no "+text, func() bool { return !strings.Contains(b.plain(), text) })
}

func (b *bench) untilTrue(what string, holds func() bool) {
	b.t.Helper()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case msg := <-b.msgs:
			b.send(msg)
		case <-deadline:
			b.t.Fatalf("the view never had: %s\n%s", what, b.plain())
		}
	}
}

// lacks fails where the view has a text.
func (b *bench) lacks(text string) {
	b.t.Helper()
	if strings.Contains(b.plain(), text) {
		b.t.Errorf("the view has %q:\n%s", text, b.plain())
	}
}

// sizes are those of the golden files.
var sizes = [][2]int{{100, 30}, {60, 20}, {40, 12}}

// golden compares the view, at three sizes, with a file of testdata.
func (b *bench) golden(name string) {
	b.t.Helper()
	var all strings.Builder
	for _, size := range sizes {
		b.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		b.settle()
		view := b.plain()
		checkSize(b.t, view, size[0], size[1])
		fmt.Fprintf(&all, "== %dx%d\n%s\n", size[0], size[1], view)
	}
	b.send(tea.WindowSizeMsg{Width: sizes[0][0], Height: sizes[0][1]})
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(all.String()), 0o644); err != nil {
			b.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), all.String()); diff != "" {
		b.t.Errorf("%s (go test ./tui -update writes it anew):\n%s", name, diff)
	}
}

// settler is a screen that breaks texts off the update loop: whole tells that
// what it shows is broken for the size that it has.
type settler interface{ Whole() bool }

// settle lets jobs work until the screen shows all that it means to show.
func (b *bench) settle() {
	b.t.Helper()
	_ = b.m.View()
	b.untilTrue("a settled view", func() bool {
		_ = b.m.View()
		if !b.m.Known || b.m.Starting || b.m.Server != nil && !b.m.counted() {
			return false
		}
		for _, s := range []screen.Screen{b.m.top(), b.m.tabs[0].Screen, b.m.tabs[4].Screen, b.m.tabs[b.m.at].Screen} {
			if s, ok := s.(settler); ok && !s.Whole() {
				return false
			}
		}
		return true
	})
}

// counted reports whether the lists of the server were read.
func (m *model) counted() bool {
	for _, t := range m.tabs {
		if c, ok := t.Screen.(counter); ok {
			if _, known := c.Count(); !known {
				return false
			}
		}
	}
	return true
}

func checkSize(t *testing.T, view string, width, height int) {
	t.Helper()
	lines := strings.Split(view, "\n")
	if len(lines) != height {
		t.Errorf("%d lines instead of %d", len(lines), height)
	}
	for _, line := range lines {
		if ansi.StringWidth(line) > width {
			t.Errorf("a line of %d cells instead of %d: %q", ansi.StringWidth(line), width, line)
		}
	}
}
