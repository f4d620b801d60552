// Package screen is what lies below the screens of the TUI: what a screen is, what it
// may know of terminal, sign-in and server, and what it asks of the model. Screens do
// not know each other.
package screen

import (
	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// Screen is a part of the interface that has the keys: a tab, or an overlay.
type Screen interface {
	// Update takes a message: keys that no binding takes, text that is pasted,
	// the mouse (with 0,0 at the screen's own corner), answers of its jobs, and
	// what all screens get: the messages of this file.
	Update(msg tea.Msg) widget.Action
	// Keys are what can be done now, the most useful first. The same bindings act,
	// stand in the last line, and are listed by help and palette.
	Keys() []widget.Binding
	// View has height lines of width cells at most. What is longer is cut.
	View(width, height int) string
	// Typing reports whether keys are text now, so that single letters do nothing else.
	Typing() bool
	// Busy is the job that ctrl+c ends, or nil.
	Busy() *widget.Job
	// AtHome reports whether the screen is at its first step, where q leaves.
	AtHome() bool
}

// Messages that every screen gets.
type (
	ServerUp         struct{} // a server was connected: Session.Server is new
	ServerGone       struct{} // it ended, or could not be started: Session.Down says why
	ToolsChanged     struct{} // the list of tools is another one now
	ResourcesChanged struct{}
	PromptsChanged   struct{}
	AccountChanged   struct{} // who is signed in, or the profile, has changed
	ThemeChanged     struct{} // the theme has changed
	Tick             struct{} // about a second has passed
)
