package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker"
)

// typed is what a user types once something is on the screen.
type typed struct{ after, keys string }

// typing is a terminal's end at which a user types. It is a pipe of the operating
// system that does not look like a file: what waits for one in bubbletea's reader
// (epoll) is closed there while it may still wait, which is a data race.
func typing(t *testing.T, s *typedScreen, steps []typed) io.Reader {
	t.Helper()
	in, keys, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = keys.Close(), in.Close() })
	go func() {
		for _, step := range steps {
			if !s.shows(step.after) {
				return
			}
			if _, err := io.WriteString(keys, step.keys); err != nil {
				return
			}
		}
	}()
	return struct{ io.Reader }{in}
}

func TestAsk(t *testing.T) {
	colours := []broker.Option{{Value: "r", Label: "Red"}, {Value: "g", Label: "Green"}, {Value: "b", Label: "Blue"}}
	for _, test := range []struct {
		name  string
		query broker.Query
		steps []typed
		want  []string
		shown string
		gone  error
	}{
		{"text", broker.Query{Title: "Issuer"}, []typed{{"enter submit", "https://x\r"}}, []string{"https://x"}, "Issuer: https://x", nil},
		{"choice", broker.Query{Title: "Colour", Options: colours}, []typed{{"enter submit", "\x1b[B\r"}}, []string{"g"}, "Colour: Green", nil},
		{"secret", broker.Query{Title: "Secret", Secret: true}, []typed{{"enter submit", "CANARY\r"}}, []string{"CANARY"}, "Secret: (not shown)", nil},
		{"several", broker.Query{Title: "Colours", Options: colours, Several: true}, []typed{{"enter submit", " \r"}}, []string{"r"}, "Colours: Red", nil},
		{"chosen at first", broker.Query{Title: "Colours", Options: []broker.Option{{Value: "r", Label: "Red", On: true}, {Value: "g", Label: "Green"}}, Several: true},
			[]typed{{"enter submit", "\r"}}, []string{"r"}, "Colours: Red", nil},
		{"stop", broker.Query{Title: "Issuer"}, []typed{{"enter submit", "\x03"}}, nil, "Issuer", context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			screen := &typedScreen{changed: make(chan struct{}, 1)}
			got, err := askPerson(ctx, typing(t, screen, test.steps), screen, test.query, tea.WithWindowSize(80, 24))
			if diff := cmp.Diff(test.want, got); diff != "" || !errors.Is(err, test.gone) {
				t.Errorf("%v, (-want +got):\n%s\n%q", err, diff, screen.end())
			}
			if !strings.Contains(screen.text(), test.shown) || test.query.Secret && strings.Contains(screen.text(), "CANARY") {
				t.Errorf("the screen shows %q", screen.end())
			}
		})
	}
}

// All options of a list are on the screen, be it long or short.
func TestAskShowsEveryOption(t *testing.T) {
	for _, several := range []bool{true, false} {
		for _, help := range []string{"", "one line", "one line\nand another"} {
			for _, labels := range [][]string{{"Red"}, {"Red", "Green"}, strings.Fields("Aa Bb Cc Dd Ee Ff Gg Hh Ii Jj Kk Ll")} {
				q := broker.Query{Title: "Colours", Help: help, Several: several}
				for _, label := range labels {
					q.Options = append(q.Options, broker.Option{Value: label, Label: label})
				}
				one, some := "", []string{}
				form := huh.NewForm(huh.NewGroup(queryField(q, &one, &some)))
				form.Init()
				form.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
				view := form.View()
				for _, text := range append(labels, strings.Split("Colours\n"+help, "\n")...) {
					if !strings.Contains(view, text) {
						t.Errorf("several %v, %d options, help %q: %q is hidden:\n%s", several, len(labels), help, text, view)
					}
				}
			}
		}
	}
}

func TestAskerNeedsATerminal(t *testing.T) {
	if Asker(strings.NewReader(""), &bytes.Buffer{}) != nil {
		t.Error("asks where nobody is")
	}
}

// What speaks against an answer is said before the question comes again.
func TestAskAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	screen := &typedScreen{changed: make(chan struct{}, 1)}
	tries := 0
	_, err := askPerson(ctx, typing(t, screen, []typed{{"enter submit", "bad\r"}, {"that is bad", ""}}), screen, broker.Query{
		Title: "Word",
		Check: func(text string) error {
			tries++
			time.AfterFunc(time.Second, cancel) // while the question stands there again
			return errors.New(text + ": that is bad")
		},
	}, tea.WithWindowSize(80, 24))
	if !errors.Is(err, context.Canceled) || tries != 1 || !strings.Contains(screen.text(), "✗ bad: that is bad") {
		t.Errorf("%v after %d tries: %q", err, tries, screen.end())
	}
}
