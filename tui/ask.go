package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"golang.org/x/term"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Asker returns what asks the user at a terminal, or nil if in and
// out are not both one.
func Asker(in io.Reader, out io.Writer) broker.Ask {
	for _, stream := range []any{in, out} {
		if f, ok := stream.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
			return nil
		}
	}
	return func(ctx context.Context, q broker.Query) ([]string, error) { return askPerson(ctx, in, out, q) }
}

// askPerson puts one question until its answer can be taken. What speaks against an
// answer is written between two tries, not while a key is pressed: a check may ask
// the network.
func askPerson(ctx context.Context, in io.Reader, out io.Writer, q broker.Query, options ...tea.ProgramOption) ([]string, error) {
	for {
		answers, err := askOnce(ctx, in, out, q, options)
		if err != nil || q.Check == nil || len(answers) == 0 {
			return answers, err
		}
		objection := q.Check(answers[0])
		if objection == nil {
			return answers, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, err := fmt.Fprintf(out, "✗ %s\n", text.CleanLine(objection.Error())); err != nil {
			return nil, err
		}
		q.Preset = answers[0]
	}
}

func askOnce(ctx context.Context, in io.Reader, out io.Writer, q broker.Query, options []tea.ProgramOption) ([]string, error) {
	one, several := q.Preset, []string{}
	form := huh.NewForm(huh.NewGroup(queryField(q, &one, &several))).WithProgramOptions(options...).WithInput(in).WithOutput(out)
	switch err := form.RunWithContext(ctx); {
	case errors.Is(err, huh.ErrUserAborted), ctx.Err() != nil:
		return nil, context.Canceled
	case err != nil:
		return nil, err
	}
	answers := []string{one}
	if q.Several {
		answers = several
	}
	if err := echoAnswers(out, q, answers); err != nil {
		return nil, err
	}
	return answers, nil
}

func queryField(q broker.Query, one *string, several *[]string) huh.Field {
	title, help := text.CleanLine(q.Title), text.CleanText(q.Help)
	var options []huh.Option[string]
	for _, o := range q.Options {
		options = append(options, huh.NewOption(text.CleanLine(o.Label), o.Value).Selected(o.On))
	}
	switch {
	case q.Several:
		// By itself it takes the height of its options for that of all of it, and
		// hides as many of them as there are lines above.
		height := 1 + len(options) // a title has no line ends
		if help != "" {
			height += 1 + strings.Count(help, "\n")
		}
		return huh.NewMultiSelect[string]().Title(title).Description(help).Options(options...).Value(several).Height(height)
	case len(options) > 0:
		return huh.NewSelect[string]().Title(title).Description(help).Options(options...).Value(one)
	case q.Secret:
		return huh.NewInput().Title(title).Description(help).EchoMode(huh.EchoModePassword).Value(one)
	}
	return huh.NewInput().Title(title).Description(help).Value(one)
}

// echoAnswers leaves a line of each answer on the screen, since the form is removed when it
// has been answered.
func echoAnswers(out io.Writer, q broker.Query, answers []string) error {
	shown := ""
	for i, answer := range answers {
		if i > 0 {
			shown += ", "
		}
		for _, o := range q.Options {
			if o.Value == answer {
				answer = o.Label
			}
		}
		shown += answer
	}
	if q.Secret {
		shown = "(not shown)"
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", text.CleanLine(q.Title), text.CleanLine(shown))
	return err
}
