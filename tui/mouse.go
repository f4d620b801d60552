package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// mouseAt takes the mouse: a click on a tab goes there, one on a key of the last
// line presses it; all else is the screen's, counted from its own corner.
func (m *model) mouseAt(msg tea.MouseMsg) tea.Cmd {
	at := msg.Mouse()
	click, isClick := msg.(tea.MouseClickMsg)
	if isClick && at.Y == 1 {
		for i, s := range m.hits.tabs {
			if at.X >= s.from && at.X < s.to {
				return m.perform(m.top(), showTab{TabNames()[i]})
			}
		}
	}
	top := m.top()
	if isClick && at.Y == m.height-1 {
		if b, ok := m.keyAt(at.X); ok {
			m.leaving, m.note = false, notice{}
			return m.perform(top, b.act())
		}
		return nil
	}
	at.Y -= m.hits.body
	if len(m.over) > 0 {
		at.X, at.Y = at.X-m.hits.boxX, at.Y-m.hits.boxY
	}
	switch wheel, isWheel := msg.(tea.MouseWheelMsg); {
	case isClick && click.Button == tea.MouseLeft:
		return m.perform(top, top.update(tea.MouseClickMsg(at)))
	case isWheel:
		at.Button = wheel.Button
		return m.perform(top, top.update(tea.MouseWheelMsg(at)))
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

// wheelStep is how many lines a wheel message means.
const wheelStep = 3

// wheeled is the number of lines that a wheel message means; down is positive.
func wheeled(msg tea.MouseWheelMsg) int {
	switch msg.Button {
	case tea.MouseWheelUp:
		return -wheelStep
	case tea.MouseWheelDown:
		return wheelStep
	}
	return 0
}
