package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// screen is a part of the interface that has the keys: a tab, or an overlay.
type screen interface {
	// update takes a message: keys that no binding takes, text that is pasted,
	// the mouse (with 0,0 at the screen's own corner), answers of its jobs, and
	// what all screens get: the messages of this file.
	update(msg tea.Msg) action
	// keys are what can be done now, the most useful first. The same bindings act,
	// stand in the last line, and are listed by help and palette.
	keys() []binding
	// view has height lines of width cells at most. What is longer is cut.
	view(width, height int) string
	// typing says that keys are text now, so that single letters do nothing else.
	typing() bool
	// busy is the job that ctrl+c ends, or nil.
	busy() *job
	// home says that the screen is at its first step: q leaves from there.
	home() bool
}

// Messages that every screen gets.
type (
	serverUp     struct{} // a server was connected: world.server is new
	serverGone   struct{} // it ended, or could not be started: world.down says why
	toolsNew     struct{} // the list of tools is another one now
	resourcesNew struct{}
	promptsNew   struct{}
	accountNew   struct{} // who is signed in, or the profile, has changed
	lookNew      struct{} // the theme has changed
	tick         struct{} // about a second has passed
)

// binding is something that keys do.
type binding struct {
	keys  []string // as tea.KeyPressMsg.String spells them; empty: by the palette alone
	label string   // for the last line, a word or two; empty keeps it out of there
	help  string   // for help and palette
	act   func() action
}

// does makes an action of a value, for bindings.
func does(a action) func() action { return func() action { return a } }

// bound finds what a key does.
func bound(all []binding, key string) (binding, bool) {
	i := slices.IndexFunc(all, func(b binding) bool { return slices.Contains(b.keys, key) })
	if i < 0 {
		return binding{}, false
	}
	return all[i], true
}
