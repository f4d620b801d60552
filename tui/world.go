package tui

import (
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker"
)

// world is what all screens share. Only the model changes it, in its update.
type world struct {
	Options
	look *look

	resolved broker.Resolved
	problem  *broker.Problem // why there is no profile, or what the keychain says; nil for nothing
	account  broker.SignInStatus
	known    bool // account was read
	locked   bool
	nobody   bool // no profile is configured, so that nobody can sign in

	server Server // nil unless one runs
	info   serverInfo
	starts bool            // it is being started
	down   *broker.Problem // why it does not run; nil where none was wanted
	since  time.Time       // when it was started

	record record    // what all proxies of this machine did
	log    serverLog // what the server had to say beside its answers

	width, height int // of the terminal
}

// serverInfo is what a server says about itself, cleaned.
type serverInfo struct {
	name, version, protocol, instructions string
	offers                                string          // its capabilities, in words
	lacks                                 map[string]bool // what it says not to offer
}

func (w *world) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

// env looks up a variable of Options.Environ.
func (o Options) env(name string) string {
	for _, pair := range slices.Backward(o.Environ) {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// user is the name of who is signed in, or empty.
func (w *world) user() string {
	if w.account.User.Sub == "" {
		return ""
	}
	return nameOf(w.account.User)
}

// profile is the profile's name, or what stands for it.
func (w *world) profile() string {
	switch {
	case w.resolved.Name != "":
		return broker.CleanLine(w.resolved.Name)
	case w.exploring() && w.info.name != "":
		return w.info.name
	case w.exploring():
		return "exploring"
	}
	return "no profile"
}

// exploring says that a server is looked at without any profile: there is nowhere
// to sign in, and calls go to the server without a user.
func (w *world) exploring() bool {
	return w.nobody && w.Open != nil && len(w.Overrides.Command) > 0
}
