package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/keychain"
)

// terminal returns the two ends of a pseudo-terminal.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

// A terminal is read over shoulders, filmed and kept: it gets a token only after
// a yes. That comes before the question who is signed in, so nobody needs to be.
func TestTokenAsksBeforeItShows(t *testing.T) {
	const notShown = "the token is not shown"
	tests := []struct {
		name, typed string
		args        []string
		in          bool // standard input is the terminal, too
		asked       bool
		want        string
	}{
		{name: "yes", typed: "y\n", in: true, asked: true, want: "not signed in"},
		{name: "no", typed: "n\n", in: true, asked: true, want: notShown},
		{name: "just enter", typed: "\n", in: true, asked: true, want: notShown},
		{name: "nobody there", want: notShown},
		{name: "--yes", args: []string{"--yes"}, want: "not signed in"},
		{name: "JSON is no excuse", args: []string{"--json"}, want: notShown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			person, program := terminal(t)
			t.Setenv("HOME", t.TempDir())
			streams := console.Streams{In: strings.NewReader("y\n"), Out: program, Err: &bytes.Buffer{}}
			if test.in {
				streams.In = program
				if _, err := person.WriteString(test.typed); err != nil {
					t.Fatal(err)
				}
			}
			go drainTerminal(person)
			code := Main(t.Context(), append([]string{"token", "--config", configWithProfile(t)}, test.args...), streams, console.Deps{
				Keychain: func(time.Duration) keychain.Store { return keychain.Memory() },
				Env:      func(string) string { return "" },
			})
			said := streams.Err.(*bytes.Buffer).String()
			if code == 0 || !strings.Contains(said, test.want) {
				t.Errorf("exit %d: %s", code, said)
			}
			if asked := strings.Contains(said, "[y/N]"); asked != test.asked {
				t.Errorf("asked: %v; %s", asked, said)
			}
		})
	}
}

func configWithProfile(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/config.toml"
	text := "[profiles.local]\nissuer = \"https://login.example.com\"\nclient_id = \"x\"\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// drainTerminal lets the program write as much as it likes.
func drainTerminal(person *os.File) {
	lines := bufio.NewScanner(person)
	for lines.Scan() {
	}
}

// ctrl+c ends the context, which a read of the terminal knows nothing of.
func TestQuestionsEndWithTheirContext(t *testing.T) {
	person, program := terminal(t)
	go drainTerminal(person)
	a := &console.App{Streams: console.Streams{In: program, Err: &bytes.Buffer{}}}
	shows := func() bool {
		state, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
		return err == nil && state.Lflag&unix.ECHO != 0
	}
	if !shows() {
		t.Fatal("the terminal shows nothing from the start")
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for shows() && ctx.Err() == nil { // until the question hides what is typed
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := a.ReadSecret(ctx, "Secret: "); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !shows() {
		t.Error("the terminal was left without showing what is typed")
	}
	if a.Agree(ctx, "Sure?") {
		t.Error("nobody said yes")
	}
}
