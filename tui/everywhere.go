package tui

import (
	"fmt"

	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// everywhere are the bindings that hold on every screen, after its own.
func (m *model) everywhere() []widget.Binding {
	all := []widget.Binding{
		widget.Bind("? f1", "", "the keys of this screen", func() widget.Action { return screen.Over(newHelp(m)) }),
		widget.Bind(": ctrl+p", "", "find an action by its name", func() widget.Action { return screen.Over(newCommands(m)) }),
	}
	for i, t := range m.tabs {
		all = append(all, widget.Bind(fmt.Sprint(i+1), "", "go to "+t.name, widget.Does(screen.ShowTab(TabNames()[i]))))
	}
	all = append(all,
		widget.Bind("] right", "", "next tab", widget.Does(screen.ShowTab(m.neighbour(1)))),
		widget.Bind("[ left", "", "tab before", widget.Does(screen.ShowTab(m.neighbour(-1)))),
		screen.LogBinding("ctrl+l", ""),
		widget.Bind("m", "", "give the mouse back to the terminal, or take it", widget.Does(toggle("mouse"))),
		widget.Bind("T", "", "colours for the other background", widget.Does(toggle("theme"))),
	)
	all = append(all, m.status.Actions()...)
	if len(m.over) > 0 {
		return append(all[:0:0], widget.Bind("esc q", "close", "close this", widget.Does(screen.Closed{})))
	}
	if m.top().AtHome() {
		all = append(all, widget.Bind("q", "", "leave mcpauth", widget.Does(quit{})))
	}
	return all
}

// neighbour is the name of the tab next to the one that is shown.
func (m *model) neighbour(by int) string {
	return TabNames()[(m.at+by+len(m.tabs))%len(m.tabs)]
}
