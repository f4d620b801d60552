package tui

import (
	"context"

	"github.com/mcpauth/mcpauth/broker"

	tea "charm.land/bubbletea/v2"
)

// loading is a list of the server, as a screen holds it.
type loading[T any] struct {
	all     []T
	loaded  bool
	problem *broker.Problem // why it could not be read
	reading *job
}

// listRead is the answer to a reading.
type listRead[T any] struct {
	items   []T
	problem *broker.Problem
}

// load begins to read the list; a reading that goes on is given up.
func (l *loading[T]) load(read func(context.Context) ([]T, error)) action {
	l.reading.stop()
	l.reading = run(func(ctx context.Context) tea.Msg {
		items, err := read(ctx)
		switch {
		case ctx.Err() != nil:
			return nil // another one was begun
		case err != nil:
			return listRead[T]{problem: broker.AsProblem(err)}
		}
		return listRead[T]{items: items}
	})
	return l.reading
}

// take keeps what was read. After trouble the list stays as it was known.
func (l *loading[T]) take(read listRead[T]) {
	l.reading, l.problem = nil, read.problem
	if read.problem == nil {
		l.all, l.loaded = read.items, true
	}
}

// forget is for a server that is gone.
func (l *loading[T]) forget() {
	l.reading.stop()
	*l = loading[T]{}
}

// emptyWords says why a list is empty. what is "tools", "resources" or "prompts".
func (w *world) emptyWords(what string, loaded bool, problem *broker.Problem, filtered bool) []string {
	switch {
	case problem != nil:
		return append([]string{problem.Msg}, problem.Hints...)
	case w.server == nil && w.starts:
		return []string{"The server is starting…"}
	case w.server == nil && w.down != nil:
		return append([]string{w.down.Msg}, w.down.Hints...)
	case w.server == nil && w.nobody && w.Open != nil:
		return []string{"There is no profile yet, so no server was started. Any server can be looked at:", "mcpauth tui -- COMMAND"}
	case w.server == nil && w.resolved.Name == "":
		return []string{"There is no profile that can be used, so no server was started. Status says more."}
	case w.server == nil:
		return []string{"There is no server to look at. Name its command:", "mcpauth tui -- COMMAND"}
	case w.info.lacks[what]:
		return []string{"This server offers no " + what + "."}
	case !loaded:
		return []string{"Reading the list…"}
	case filtered:
		return []string{"Nothing matches the filter."}
	}
	return []string{"The server has no " + what + " for you."}
}

// emptyLines are the words of an empty list, laid out.
func (l *look) emptyLines(words []string, width int) []string {
	lines := []string{""}
	for i, text := range words {
		style := l.dim
		if i > 0 {
			style = l.accent
		}
		for _, line := range wrapped(broker.CleanLine(text), width-4) {
			lines = append(lines, "  "+style.Render(line))
		}
	}
	return lines
}

// ended reports whether the server ended by itself, or could not be started.
func (w *world) ended() bool { return w.server == nil && w.down != nil }

// again is the key that reads a list again, or starts the server again that ended.
func (w *world) again(help string, read func() action) binding {
	if w.ended() {
		return binding{keys: []string{"r"}, label: "restart", help: "start the server again", act: does(reconnect{})}
	}
	return binding{keys: []string{"r"}, label: "reload", help: help, act: read}
}
