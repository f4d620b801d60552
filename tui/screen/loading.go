package screen

import (
	"context"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/widget"

	tea "charm.land/bubbletea/v2"
)

// Loading is a list of the server, as a screen holds it.
type Loading[T any] struct {
	All     []T
	Loaded  bool
	Problem *problem.Problem // why it could not be read
	Reading *widget.Job
}

// ListRead is the answer to a reading.
type ListRead[T any] struct {
	items   []T
	problem *problem.Problem
}

// Load begins to read the list; a reading that goes on is given up.
func (l *Loading[T]) Load(request string, read func(context.Context) ([]T, error)) widget.Action {
	l.Reading.Stop()
	l.Reading = widget.Run(func(ctx context.Context) tea.Msg {
		items, err := read(ctx)
		switch {
		case ctx.Err() != nil:
			return nil // another one was begun
		case err != nil:
			return ListRead[T]{problem: problem.Of(err)}
		}
		return ListRead[T]{items: items}
	}).For(request)
	return l.Reading
}

// Take keeps what was read. After trouble the list stays as it was known.
func (l *Loading[T]) Take(read ListRead[T]) {
	l.Reading, l.Problem = nil, read.problem
	if read.problem == nil {
		l.All, l.Loaded = read.items, true
	}
}

// Forget is for a server that has ended.
func (l *Loading[T]) Forget() {
	l.Reading.Stop()
	*l = Loading[T]{}
}

// EmptyWords says why a list is empty. what is "tools", "resources" or "prompts".
func (w *Session) EmptyText(what string, loaded bool, problem *problem.Problem, filtered bool) []string {
	switch {
	case problem != nil:
		return append([]string{problem.Msg}, problem.Hints...)
	case w.Server == nil && w.Starting:
		return []string{"The server is starting…"}
	case w.Server == nil && w.Down != nil:
		return append([]string{w.Down.Msg}, w.Down.Hints...)
	case w.Server == nil && w.NoProfile && w.Explorable:
		return []string{"There is no profile yet, so no server was started. Any server can be looked at:", "mcpauth tui -- COMMAND"}
	case w.Server == nil && w.Resolved.Name == "":
		return []string{"There is no profile that can be used, so no server was started. Status says more."}
	case w.Server == nil:
		return []string{"There is no server to look at. Name its command:", "mcpauth tui -- COMMAND"}
	case w.Info.Lacks[what]:
		return []string{"This server offers no " + what + "."}
	case !loaded:
		return []string{"Reading the list…"}
	case filtered:
		return []string{"Nothing matches the filter."}
	}
	return []string{"The server has no " + what + " for you."}
}

// EmptyLines are the words of an empty list, laid out.
func EmptyLines(l *widget.Theme, words []string, width int) []string {
	lines := []string{""}
	for i, message := range words {
		style := l.Dim
		if i > 0 {
			style = l.Accent
		}
		for _, line := range widget.Wrapped(text.CleanLine(message), width-4) {
			lines = append(lines, "  "+style.Render(line))
		}
	}
	return lines
}

// Ended reports whether the server ended by itself, or could not be started.
func (w *Session) Ended() bool { return w.Server == nil && w.Down != nil }

// Again is the key that reads a list again, or starts the server again that ended.
func (w *Session) Again(help string, read func() widget.Action) widget.Binding {
	if w.Ended() {
		return widget.Bind("r", "restart", "start the server again", widget.Does(Reconnect{}))
	}
	return widget.Bind("r", "reload", help, read)
}
