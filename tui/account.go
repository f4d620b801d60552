package tui

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// accountActions are what can be done with sign-in, profile and server, from
// everywhere.
func (w *world) accountActions() []binding {
	all := w.signInActions()
	all = append(all,
		binding{keys: []string{"P"}, help: "choose another profile", act: func() action { return overlay{newProfiles(w)} }})
	if w.Open != nil {
		all = append(all, binding{help: "start the server again", act: does(reconnect{})})
	}
	return append(all, binding{keys: []string{"ctrl+r"}, help: "read the sign-in again", act: does(rereadHome{})})
}

// signInActions are those that the state of the sign-in allows.
func (w *world) signInActions() []binding {
	signIn := func(way loginWay) func() action { return func() action { return overlay{newLoginFlow(w, way)} } }
	switch {
	case w.resolved.Name == "":
		return nil
	case w.locked:
		return []binding{{keys: []string{"U"}, label: "unlock", help: "sign in anew and unlock mcpauth", act: signIn(loginWay{unlock: true})}}
	}
	all := []binding{{keys: []string{"L"}, label: "sign in", help: "sign in with the browser", act: signIn(loginWay{})}}
	if w.account.State == broker.SignedIn {
		all[0].label, all[0].help = "sign in again", "sign in again with the browser"
	}
	all = append(all,
		binding{help: "sign in with a link, for a browser elsewhere", act: signIn(loginWay{link: true})},
		binding{help: "sign in with a code, on another device", act: signIn(loginWay{device: true})},
		binding{help: "sign in and prove anew who you are", act: signIn(loginWay{again: true})})
	if w.account.State != broker.SignedOut {
		all = append(all, binding{keys: []string{"O"}, label: "sign out", help: "sign out and delete the tokens", act: w.askSignOut})
	}
	return append(all, binding{keys: []string{"K"}, label: "lock", help: "lock: cut every AI client off until you unlock", act: w.askLock})
}

func (w *world) askSignOut() action {
	home, resolved := w.Home, w.resolved
	return overlay{newQuestion(w, "Sign "+w.user()+" out of "+w.profile()+"?", []string{
		"The provider is told, and the tokens on this machine are deleted. AI clients that use them are refused from then on.",
	}, "sign out", run(func(ctx context.Context) tea.Msg {
		result, err := home.Logout(ctx, resolved)
		if err != nil {
			return accountDone{notice{bad, broker.AsProblem(err).Msg}}
		}
		for _, failed := range []error{result.RefreshToken.Err, result.AccessToken.Err} {
			if failed != nil {
				return accountDone{notice{info, "signed out here; the provider was not told: " + failed.Error()}}
			}
		}
		return accountDone{notice{good, "signed out; the tokens are deleted"}}
	}))}
}

func (w *world) askLock() action {
	home := w.Home
	return overlay{newQuestion(w, "Lock mcpauth?", []string{
		"Every AI client on this machine is cut off within a second, for all profiles, until you sign in anew and unlock. Nobody is signed out.",
	}, "lock", run(func(context.Context) tea.Msg {
		if err := home.Lock(); err != nil {
			return accountDone{notice{bad, broker.AsProblem(err).Msg}}
		}
		return accountDone{notice{good, "locked; U unlocks"}}
	}))}
}

// accountDone tells the model what became of a change, and that it is to look.
type accountDone struct{ notice }

// profiles chooses the profile that is meant.
type profiles struct {
	*world
	list
	names []string
	deflt string
	err   *broker.Problem
}

type profilesRead struct {
	names []string
	deflt string
	err   *broker.Problem
}

func newProfiles(w *world) *profiles { return &profiles{world: w} }

func (p *profiles) begin() action {
	home := p.Home
	return run(func(context.Context) tea.Msg {
		config, err := home.Config()
		if err != nil {
			return profilesRead{err: broker.AsProblem(err)}
		}
		return profilesRead{names: config.ProfileNames(), deflt: config.DefaultProfile}
	})
}

func (p *profiles) title() string { return "Profiles" }

func (p *profiles) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case profilesRead:
		p.names, p.deflt, p.err = msg.names, msg.deflt, msg.err
		p.resize(len(p.names))
		p.cursor = max(0, slices.Index(p.names, p.resolved.Name))
	case tea.MouseWheelMsg:
		p.move(wheeled(msg))
	case tea.MouseClickMsg:
		if i, ok := p.at(msg.Y); ok {
			p.cursor = i
			return p.choose()
		}
	}
	return nil
}

func (p *profiles) choose() action {
	if p.cursor >= len(p.names) {
		return closed{}
	}
	return actions{closed{}, useProfile{p.names[p.cursor]}}
}

func (p *profiles) keys() []binding {
	return append([]binding{
		{keys: []string{"enter"}, label: "use", help: "go on with this profile", act: p.choose},
		{keys: []string{"esc", "q"}, label: "close", help: "close this", act: does(closed{})},
	}, p.list.bindings()...)
}

func (p *profiles) view(width, height int) string {
	switch {
	case p.err != nil:
		return strings.Join(p.look.problemLines(p.err, width), "\n")
	case len(p.names) == 0:
		return strings.Join(wrapped("There is no profile yet. Make one in a shell:  mcpauth login --issuer URL --client-id ID", width), "\n")
	}
	return strings.Join(p.list.view(height, func(i int, chosen bool) []string {
		mark, style := "  ", p.look.plain
		if chosen {
			mark, style = "▸ ", p.look.chosen
		}
		end := ""
		if p.names[i] == p.deflt {
			end = "default"
		}
		if p.names[i] == p.resolved.Name {
			end = strings.TrimSpace("in use  " + end)
		}
		return []string{style.Render(right(mark+broker.CleanLine(p.names[i]), end, min(width, 56)))}
	}), "\n")
}

func (p *profiles) typing() bool { return false }
func (p *profiles) busy() *job   { return nil }
func (p *profiles) home() bool   { return false }
