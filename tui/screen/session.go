package screen

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// Terminal is what every screen draws on, and the browser beside it. Only the model
// changes it.
type Terminal struct {
	Theme         *widget.Theme
	Width, Height int
	Now           func() time.Time
	Browser       func(ctx context.Context, address string) error // nil means that links are only shown
}

// Session is the profile, who is signed in to it, and the server that is explored.
// Only the model changes it, in its update.
type Session struct {
	*Terminal
	Overrides  config.Overrides
	Explorable bool // a server can be started
	ReadOnly   bool // only tools that claim to be read-only can be called

	Resolved  config.Resolved
	Problem   *problem.Problem // why there is no profile, or what the keychain says; nil for nothing
	Account   broker.SignInStatus
	Known     bool // account was read
	Locked    bool
	NoProfile bool // no profile is configured, so there is nowhere to sign in

	Server   Server // nil unless one runs
	Info     ServerInfo
	Starting bool             // it is being started
	Down     *problem.Problem // why it does not run; nil where none was wanted
	Since    time.Time        // when it was started
	Log      ServerLog        // what it had to say beside its answers
}

// ServerInfo is what a server says about itself, cleaned.
type ServerInfo struct {
	Name, Version, Protocol, Instructions string
	Offers                                string          // its capabilities, in words
	Lacks                                 map[string]bool // what it says not to offer
}

func ReadServerInfo(said mcpclient.ServerInfo) ServerInfo {
	return ServerInfo{
		Name: text.CleanLine(said.Name), Version: text.CleanLine(said.Version),
		Protocol: text.CleanLine(said.ProtocolVersion), Instructions: text.CleanText(said.Instructions),
		Offers: offers(said.Capabilities), Lacks: lacks(said.Capabilities),
	}
}

// offers names what a server's capabilities say, in a fixed order.
func offers(capabilities json.RawMessage) string {
	var known map[string]json.RawMessage
	if json.Unmarshal(capabilities, &known) != nil {
		return ""
	}
	var words []string
	for _, name := range []string{"tools", "resources", "prompts", "completions", "logging", "tasks"} {
		if _, ok := known[name]; ok {
			words = append(words, name)
			delete(known, name)
		}
	}
	rest := make([]string, 0, len(known))
	for name := range known {
		rest = append(rest, text.CleanLine(name))
	}
	slices.Sort(rest)
	return strings.Join(append(words, rest...), " · ")
}

// lacks is what a server that tells its capabilities does not offer.
func lacks(capabilities json.RawMessage) map[string]bool {
	var known map[string]json.RawMessage
	if json.Unmarshal(capabilities, &known) != nil || known == nil {
		return nil
	}
	missing := map[string]bool{}
	for _, name := range []string{"tools", "resources", "prompts", "completions"} {
		_, has := known[name]
		missing[name] = !has
	}
	return missing
}

// User is the name of who is signed in, or empty.
func (w *Session) User() string {
	if w.Account.User.Sub == "" {
		return ""
	}
	return UserName(w.Account.User)
}

// Profile is the profile's name, or what stands for it.
func (w *Session) Profile() string {
	switch {
	case w.Resolved.Name != "":
		return text.CleanLine(w.Resolved.Name)
	case w.Exploring() && w.Info.Name != "":
		return w.Info.Name
	case w.Exploring():
		return "exploring"
	}
	return "no profile"
}

// Exploring says that a server is looked at without any profile: there is nowhere
// to sign in, and calls go to the server without a user.
func (w *Session) Exploring() bool {
	return w.NoProfile && w.Explorable && len(w.Overrides.Command) > 0
}

// UserName names a user for people.
func UserName(user broker.User) string {
	for _, name := range []string{user.Email, user.PreferredUsername, user.Name, user.Sub} {
		if name != "" {
			return text.CleanLine(name)
		}
	}
	return "an unnamed user"
}
