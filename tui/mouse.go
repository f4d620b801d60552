package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// mouseAt takes the mouse: a click on a tab goes there, one on a key of the last
// line presses it; all else is the screen's, counted from its own corner.
func (m *model) mouseAt(msg tea.MouseMsg) tea.Cmd {
	at := msg.Mouse()
	click, isClick := msg.(tea.MouseClickMsg)
	if isClick && at.Y == 1 {
		for i, s := range m.hitBoxes.tabs {
			if s.Has(at.X) {
				return m.perform(m.top(), screen.ShowTab(TabNames()[i]))
			}
		}
	}
	top := m.top()
	if isClick && at.Y == m.Height-1 {
		if b, ok := m.keyAt(at.X); ok {
			m.leaving, m.note = false, widget.Notice{}
			return m.perform(top, b.Act())
		}
		return nil
	}
	at.Y -= m.hitBoxes.body
	if len(m.over) > 0 {
		at.X, at.Y = at.X-m.hitBoxes.boxX, at.Y-m.hitBoxes.boxY
	}
	switch wheel, isWheel := msg.(tea.MouseWheelMsg); {
	case isClick && click.Button == tea.MouseLeft:
		return m.perform(top, top.Update(tea.MouseClickMsg(at)))
	case isWheel:
		at.Button = wheel.Button
		return m.perform(top, top.Update(tea.MouseWheelMsg(at)))
	}
	return nil
}

// wheel lets through what a hand can mean: terminals send a hundred wheel
// messages a second, and each would be drawn.
type wheel struct{ last time.Time }

// wheelEvery is the time between two wheel messages that count.
const wheelEvery = 16 * time.Millisecond

func (w *wheel) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg.(type) {
	case tea.MouseMotionMsg, tea.MouseReleaseMsg:
		return nil
	case tea.MouseWheelMsg:
		now := time.Now()
		if now.Sub(w.last) < wheelEvery {
			return nil
		}
		w.last = now
	}
	return msg
}
