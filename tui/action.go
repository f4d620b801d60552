package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// action is what a screen wants to be done: one of the types below, or nil for
// nothing. Screens return actions; only the model carries them out.
type action any

type (
	actions  []action                     // one after the other
	notice   struct{ level, text string } // shows a line of status; level is one of the words below
	copyText struct{ what, text string }  // puts a text on the clipboard
	saveFile struct {                     // asks where, and writes a file
		name string
		data []byte
	}
	openURL  struct{ address string } // asks, and opens a page in the browser
	showTab  struct{ name string }    // goes to a tab
	readURI  struct{ uri string }     // goes to Resources and reads this one
	overlay  struct{ screen }         // lays a screen over the others, until closed
	closed   struct{}                 // takes the topmost overlay away
	editText struct {                 // opens $EDITOR on a text; edited comes back
		text, ending string // ending of the file's name, as ".json"
	}
	edited struct { // the answer to editText, as a message
		text string
		err  error
	}
	quit struct{}
)

// The levels of a notice.
const (
	info = "info"
	good = "good"
	bad  = "bad"
)

// job is work that does not belong in an update: it runs in its own goroutine
// and context. What it returns, and what it sends meanwhile, comes to the screen
// that began it as messages. send waits until the message is taken or ctx ends.
type job struct {
	do     func(ctx context.Context, send func(tea.Msg)) tea.Msg
	cancel context.CancelFunc // nil before it runs
}

// troubleOf is why a request of a job has no result; nil where it has one. One
// that the person stopped says so in the words given.
func troubleOf(ctx context.Context, err error, stopped string) *broker.Problem {
	switch {
	case ctx.Err() != nil:
		return &broker.Problem{Msg: stopped}
	case err != nil:
		return broker.AsProblem(err)
	}
	return nil
}

// run is a job that only returns something.
func run(do func(ctx context.Context) tea.Msg) *job {
	return &job{do: func(ctx context.Context, _ func(tea.Msg)) tea.Msg { return do(ctx) }}
}

// stop ends the context of a job that runs. It is fine for a nil job.
func (j *job) stop() {
	if j != nil && j.cancel != nil {
		j.cancel()
	}
}

// reply is a message of a job, on its way to the screen that began it.
type reply struct {
	to  screen
	msg tea.Msg
}
