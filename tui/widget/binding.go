// Package widget has what screens and forms are made of: bindings and actions, the
// theme, lists, filters, fields, layout, and the viewer of what servers send.
package widget

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Action is what a screen wants to be done: one of the types below or of the
// program's own, or nil for nothing. Screens return actions; only the model carries
// them out.
type Action any

type (
	Actions  []Action                     // one after the other
	Notice   struct{ Level, Text string } // shows a line of status; level is one of the words below
	CopyText struct{ What, Text string }  // puts a text on the clipboard
	SaveFile struct {                     // asks where, and writes a file
		Name string
		Data []byte
	}
	EditText struct { // opens $EDITOR on a text; edited comes back
		Text, Ending string // ending of the file's name, as ".json"
	}
	Edited struct { // the answer to editText, as a message
		Text string
		Err  error
	}
)

// The levels of a notice.
const (
	LevelInfo = "info"
	LevelGood = "good"
	LevelBad  = "bad"
)

// Info, Good and Bad are notices.
func Info(text string) Notice { return Notice{LevelInfo, text} }
func Good(text string) Notice { return Notice{LevelGood, text} }
func Bad(text string) Notice  { return Notice{LevelBad, text} }

// Job is work that does not belong in an update: it runs in its own goroutine
// and context. What it returns, and what it sends meanwhile, comes to the screen
// that began it as messages. send waits until the message is taken or ctx ends.
type Job struct {
	Do     func(ctx context.Context, send func(tea.Msg)) tea.Msg
	Cancel context.CancelFunc // nil before it runs
	Waits  string             // the request that it waits for, as MCP names it; empty for other work
}

// For says which request of the server the job waits for.
func (j *Job) For(request string) *Job {
	j.Waits = request
	return j
}

// Run is a job that only returns something.
func Run(do func(ctx context.Context) tea.Msg) *Job {
	return &Job{Do: func(ctx context.Context, _ func(tea.Msg)) tea.Msg { return do(ctx) }}
}

// Stop ends the context of a job that runs. It is fine for a nil job.
func (j *Job) Stop() {
	if j != nil && j.Cancel != nil {
		j.Cancel()
	}
}

// Binding is something that keys do.
type Binding struct {
	Keys  []string // as tea.KeyPressMsg.String spells them; empty: by the palette alone
	Label string   // for the last line, a word or two; empty keeps it out of there
	Help  string   // for help and palette
	Act   func() Action
}

// Bind is what keys do, which are spelled with blanks between them.
func Bind(keys, label, help string, act func() Action) Binding {
	return Binding{strings.Fields(keys), label, help, act}
}

// Do is for what a screen does by itself.
func Do(what func()) func() Action { return func() Action { what(); return nil } }

// Copies puts a text on the clipboard.
func Copies(what string, text func() string) func() Action {
	return func() Action { return CopyText{what, text()} }
}

// Does makes an action of a value, for bindings.
func Does(a Action) func() Action { return func() Action { return a } }

// Bound finds what a key does.
func Bound(all []Binding, key string) (Binding, bool) {
	i := slices.IndexFunc(all, func(b Binding) bool { return slices.Contains(b.Keys, key) })
	if i < 0 {
		return Binding{}, false
	}
	return all[i], true
}
