package account

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// Actions are what can be done with sign-in, profile and server, from
// everywhere.
func (s *Screen) Actions() []widget.Binding {
	all := s.signInActions()
	all = append(all,
		widget.Bind("P", "", "choose another profile", func() widget.Action { return screen.Over(newProfiles(s.Session, s.Broker)) }))
	if s.Explorable {
		all = append(all, widget.Bind("", "", "start the server again", widget.Does(screen.Reconnect{})))
	}
	return append(all, widget.Bind("ctrl+r", "", "read the sign-in again", widget.Does(screen.Reread{})))
}

// signInActions are those that the state of the sign-in allows.
func (s *Screen) signInActions() []widget.Binding {
	signIn := func(way loginWay) func() widget.Action {
		return func() widget.Action { return screen.Over(newLoginFlow(s.Session, s.Broker, way)) }
	}
	switch {
	case s.Resolved.Name == "":
		return nil
	case s.Locked:
		return []widget.Binding{widget.Bind("U", "unlock", "sign in again and unlock mcpauth", signIn(loginWay{unlock: true}))}
	}
	all := []widget.Binding{widget.Bind("L", "sign in", "sign in with the browser", signIn(loginWay{}))}
	if s.Account.State == broker.SignedIn {
		all[0].Label, all[0].Help = "sign in again", "sign in again with the browser"
	}
	all = append(all,
		widget.Bind("", "", "sign in with a link, for a browser elsewhere", signIn(loginWay{link: true})),
		widget.Bind("", "", "sign in with a code, on another device", signIn(loginWay{device: true})),
		widget.Bind("", "", "sign in and prove your identity again", signIn(loginWay{again: true})))
	if s.Account.State != broker.SignedOut {
		all = append(all, widget.Bind("O", "sign out", "sign out and delete the tokens", s.askSignOut))
	}
	return append(all, widget.Bind("K", "lock", "lock: cut every AI client off until you unlock", s.askLock))
}

func (s *Screen) askSignOut() widget.Action {
	home, resolved := s.Broker, s.Resolved
	return screen.Over(screen.NewQuestion(s.Theme, "Sign "+s.User()+" out of "+s.Profile()+"?", []string{
		"The provider is notified, and the tokens on this machine are deleted. AI clients that use them are refused from then on.",
	}, "sign out", widget.Run(func(ctx context.Context) tea.Msg {
		result, err := home.Logout(ctx, resolved, broker.LogoutOptions{})
		if err != nil {
			return Done{widget.Bad(problem.Of(err).Msg)}
		}
		for _, failed := range []error{result.RefreshToken.Err, result.AccessToken.Err} {
			if failed != nil {
				return Done{widget.Info("signed out here; the provider was not notified: " + failed.Error())}
			}
		}
		return Done{widget.Good("signed out; the tokens are deleted")}
	})))
}

func (s *Screen) askLock() widget.Action {
	home := s.Broker
	return screen.Over(screen.NewQuestion(s.Theme, "Lock mcpauth?", []string{
		"Every AI client on this machine is cut off within a second, for all profiles, " +
			"until you sign in again and unlock. No user is signed out.",
	}, "lock", widget.Run(func(context.Context) tea.Msg {
		if err := home.Lock(); err != nil {
			return Done{widget.Bad(problem.Of(err).Msg)}
		}
		return Done{widget.Good("locked; U unlocks")}
	})))
}

// Done tells the model what became of a change, and that it is to look.
type Done struct{ widget.Notice }

// profiles chooses the profile that is meant.
type profiles struct {
	screen.Quiet
	*screen.Session
	broker Broker
	widget.List
	names []string
	deflt string
	err   *problem.Problem
}

type profilesRead struct {
	names []string
	deflt string
	err   *problem.Problem
}

func newProfiles(w *screen.Session, home Broker) *profiles {
	return &profiles{Session: w, broker: home}
}

func (p *profiles) Begin() widget.Action {
	home := p.broker
	return widget.Run(func(context.Context) tea.Msg {
		config, err := home.Config()
		if err != nil {
			return profilesRead{err: problem.Of(err)}
		}
		return profilesRead{names: config.ProfileNames(), deflt: config.DefaultProfile}
	})
}

func (p *profiles) Title() string { return "Profiles" }

func (p *profiles) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case profilesRead:
		p.names, p.deflt, p.err = msg.names, msg.deflt, msg.err
		p.Resize(len(p.names))
		p.Cursor = max(0, slices.Index(p.names, p.Resolved.Name))
	case tea.MouseWheelMsg:
		p.Move(widget.Wheeled(msg))
	case tea.MouseClickMsg:
		if i, ok := p.At(msg.Y); ok {
			p.Cursor = i
			return p.choose()
		}
	}
	return nil
}

func (p *profiles) choose() widget.Action {
	if p.Cursor >= len(p.names) {
		return screen.Closed{}
	}
	return widget.Actions{screen.Closed{}, screen.UseProfile(p.names[p.Cursor])}
}

func (p *profiles) Keys() []widget.Binding {
	return append([]widget.Binding{
		widget.Bind("enter", "use", "go on with this profile", p.choose),
		widget.Bind("esc q", "close", "close this", widget.Does(screen.Closed{})),
	}, p.List.Bindings()...)
}

func (p *profiles) View(width, height int) string {
	switch {
	case p.err != nil:
		return strings.Join(p.Theme.ProblemLines(p.err, width), "\n")
	case len(p.names) == 0:
		return strings.Join(widget.Wrapped("There is no profile yet. Make one in a shell:  mcpauth login --issuer URL --client-id ID",
			width), "\n")
	}
	return strings.Join(p.List.View(height, func(i int, chosen bool) []string {
		mark, style := "  ", p.Theme.Plain
		if chosen {
			mark, style = "▸ ", p.Theme.Chosen
		}
		end := ""
		if p.names[i] == p.deflt {
			end = "default"
		}
		if p.names[i] == p.Resolved.Name {
			end = strings.TrimSpace("in use  " + end)
		}
		return []string{style.Render(widget.Right(mark+text.CleanLine(p.names[i]), end, min(width, 56)))}
	}), "\n")
}
