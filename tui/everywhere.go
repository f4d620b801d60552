package tui

import (
	"fmt"
)

// everywhere are the bindings that hold on every screen, after its own.
func (m *model) everywhere() []binding {
	all := []binding{
		{keys: []string{"?", "f1"}, help: "the keys of this screen", act: func() action { return overlay{newHelp(m)} }},
		{keys: []string{":", "ctrl+p"}, help: "find an action by its name", act: func() action { return overlay{newCommands(m)} }},
	}
	for i, t := range m.tabs {
		all = append(all, binding{keys: []string{fmt.Sprint(i + 1)}, help: "go to " + t.name, act: does(showTab{TabNames()[i]})})
	}
	all = append(all,
		binding{keys: []string{"]", "right"}, help: "next tab", act: does(showTab{m.neighbour(1)})},
		binding{keys: []string{"[", "left"}, help: "tab before", act: does(showTab{m.neighbour(-1)})},
		m.openLog("ctrl+l", ""),
		binding{keys: []string{"m"}, help: "give the mouse back to the terminal, or take it", act: does(toggle{"mouse"})},
		binding{keys: []string{"T"}, help: "colours for the other background", act: does(toggle{"theme"})},
	)
	all = append(all, m.accountActions()...)
	if len(m.over) > 0 {
		return append(all[:0:0], binding{keys: []string{"esc", "q"}, label: "close", help: "close this", act: does(closed{})})
	}
	if m.top().home() {
		all = append(all, binding{keys: []string{"q"}, help: "leave mcpauth", act: does(quit{})})
	}
	return all
}

// neighbour is the name of the tab next to the one that is shown.
func (m *model) neighbour(by int) string {
	return TabNames()[(m.at+by+len(m.tabs))%len(m.tabs)]
}
