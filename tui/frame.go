package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// hitBoxes is where things were drawn last, for the mouse.
type hitBoxes struct {
	tabs       []widget.Span    // in the second line
	keys       []widget.Span    // in the last line
	keysDo     []widget.Binding // what they stand for
	body       int              // first line of the body
	boxX, boxY int              // the corner of what is in an overlay's box, in the body
}

// View implements tea.Model.
func (m *model) View() tea.View {
	content := widget.Sanitize(m.draw())
	if m.Theme.ASCII {
		content = widget.InASCII(content)
	}
	v := tea.NewView(content)
	v.AltScreen = !m.modeless
	v.WindowTitle = "mcpauth " + m.Profile()
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// draw is the whole screen: header, tabs, body, status, keys.
func (m *model) draw() string {
	rule := m.Height >= widget.LowTerminal
	bodyHeight := m.Height - 4
	if rule {
		bodyHeight -= 2
	}
	tabs := m.drawTabs()
	lines := []string{m.header(), tabs}
	if rule {
		lines = append(lines, m.rule(true))
	}
	m.hitBoxes.body = len(lines)
	lines = append(lines, strings.Split(m.body(m.Width, max(bodyHeight, 0)), "\n")...)
	if rule {
		lines = append(lines, m.rule(false))
	}
	lines = append(lines, m.statusLine(), m.keyLine())
	return strings.Join(widget.Block(lines, m.Width, m.Height), "\n")
}

// header tells who, where and how, in one line.
func (m *model) header() string {
	l := m.Theme
	if m.Width < widget.TwoPanes {
		return widget.Right(l.Strong.Render(m.Profile()), m.account1(true), m.Width)
	}
	left := l.Heading.Render("mcpauth") + l.Dim.Render("  ▸ ") + l.Strong.Render(widget.Cut(m.Profile(), 28))
	return widget.Right(widget.Fit(left, 40)+m.account1(false), m.serverText(), m.Width)
}

// account1 is the sign-in in a few words.
func (m *model) account1(short bool) string {
	l := m.Theme
	switch {
	case !m.Known:
		return l.Dim.Render("· reading the sign-in")
	case m.Locked:
		return l.Warn.Render("! locked")
	case m.Exploring():
		return l.Dim.Render("○ no user")
	case m.Resolved.Name == "":
		return l.Warn.Render("○ no profile")
	case m.Problem != nil:
		return l.Bad.Render("! sign-in problem")
	case m.Account.State == broker.SignedIn && short:
		return l.Good.Render("● ") + widget.Cut(m.User(), 24) + l.Dim.Render("  "+m.accessLeft())
	case m.Account.State == broker.SignedIn:
		return l.Good.Render("● signed in") + "  " + widget.Cut(m.User(), 26) + l.Dim.Render("  "+m.accessLeft())
	case m.Account.State == broker.Degraded:
		return l.Warn.Render("! ") + widget.Cut(m.User(), 26) + l.Dim.Render("  not renewed")
	}
	return l.Warn.Render("○ signed out")
}

// accessLeft is how long the access token is good.
func (m *model) accessLeft() string {
	if m.Account.ExpiresAt.IsZero() {
		return ""
	}
	left := m.Account.ExpiresAt.Sub(m.Now())
	if left <= 0 {
		return "renewing"
	}
	return text.Span(left)
}

func (m *model) serverText() string {
	switch {
	case m.Server != nil:
		return m.Theme.Dim.Render(strings.TrimSuffix("stdio · "+m.Info.Protocol, " · "))
	case m.Starting:
		return m.Theme.Dim.Render("stdio · starting")
	case m.Down != nil:
		return m.Theme.Bad.Render("✗ stdio · ended")
	case !m.Explorable:
		return m.Theme.Dim.Render("no server")
	}
	return m.Theme.Dim.Render("stdio · not started")
}

// drawTabs shows the tabs in the most telling way that fits.
func (m *model) drawTabs() string {
	for _, style := range []func(i int) string{m.tabLong, m.tabShort, m.tabShortest} {
		line, spans := "", []widget.Span(nil)
		for i := range m.tabs {
			text := style(i)
			spans = append(spans, widget.Span{From: ansi.StringWidth(line), To: ansi.StringWidth(line) + ansi.StringWidth(text)})
			line += text + " "
		}
		if ansi.StringWidth(line) <= m.Width+1 {
			m.hitBoxes.tabs = spans
			return line
		}
	}
	return ""
}

func (m *model) tabLong(i int) string {
	t := m.tabs[i]
	text := fmt.Sprintf("%d %s", i+1, t.name)
	if c, ok := t.Screen.(counter); ok {
		if n, known := c.Count(); known {
			text += fmt.Sprintf(" %d", n)
		} else {
			text += " -"
		}
	}
	return m.bracketed(i, text)
}

func (m *model) tabShort(i int) string {
	return m.bracketed(i, fmt.Sprintf("%d %s", i+1, m.tabs[i].short))
}

func (m *model) tabShortest(i int) string {
	if i == m.at {
		return m.tabShort(i)
	}
	return m.bracketed(i, fmt.Sprint(i+1))
}

func (m *model) bracketed(i int, text string) string {
	if i == m.at {
		return m.Theme.Tab.Render("[" + text + "]")
	}
	return m.Theme.Dim.Render(" " + text + " ")
}

// rule is a line over the whole width; the one below the tabs is thick under the
// one that is shown.
func (m *model) rule(top bool) string {
	if !top || m.at >= len(m.hitBoxes.tabs) {
		return m.Theme.Border.Render(strings.Repeat("─", m.Width))
	}
	at := m.hitBoxes.tabs[m.at]
	return m.Theme.Border.Render(strings.Repeat("─", at.From)) + m.Theme.Accent.Render(strings.Repeat("━", at.To-at.From)) +
		m.Theme.Border.Render(strings.Repeat("─", max(0, m.Width-at.To)))
}

// box is an overlay that wants a frame around it, and leaves the rest in sight.
type box interface{ Title() string }

func (m *model) body(width, height int) string {
	view := strings.Join(widget.Block(strings.Split(m.tabs[m.at].View(width, height), "\n"), width, height), "\n")
	for _, s := range m.over {
		b, framed := s.(box)
		if !framed {
			view = strings.Join(widget.Block(strings.Split(s.View(width, height), "\n"), width, height), "\n")
			m.hitBoxes.boxX, m.hitBoxes.boxY = 0, 0
			continue
		}
		lines := strings.Split(s.View(min(width-4, boxWidth), height-2), "\n")
		view, m.hitBoxes.boxX, m.hitBoxes.boxY = m.Theme.Boxed(view, b.Title(), lines, width, height)
	}
	return view
}

// boxWidth is the most that an overlay takes of a wide terminal.
const boxWidth = 72

// statusLine tells what was just done, or how things are.
func (m *model) statusLine() string {
	l := m.Theme
	if m.note.Text != "" {
		switch m.note.Level {
		case widget.LevelGood:
			return " " + l.Good.Render("✓ "+m.note.Text)
		case widget.LevelBad:
			return " " + l.Bad.Render("✗ "+m.note.Text)
		}
		return " " + l.Accent.Render("• "+m.note.Text)
	}
	text := m.waitingFor()
	if s, ok := m.top().(interface{ Status() string }); ok && text == "" {
		text = s.Status()
	}
	if text == "" {
		text = m.connection()
	}
	return " " + text
}

// waiting is a request that the server has not answered as long as ctx lives.
type waiting struct {
	ctx     context.Context
	request string
	since   time.Time
}

// waitIsSaid is how long an answer may take before we say what is waited for.
const waitIsSaid = 2 * time.Second

// waitingFor says what the server has not answered for a while; empty for nothing.
func (m *model) waitingFor() string {
	m.waits = slices.DeleteFunc(m.waits, func(w waiting) bool { return w.ctx.Err() != nil })
	request, since := "to start", m.Since
	switch {
	case m.Starting:
	case len(m.waits) > 0:
		request, since = "to answer "+m.waits[0].request, m.waits[0].since
	default:
		return ""
	}
	took := m.Now().Sub(since)
	if took < waitIsSaid {
		return ""
	}
	return m.Theme.Warn.Render("· waiting " + text.Span(took) + " for the server " + request)
}

// connection tells of the server, the profile's lock and what else everybody
// should know.
func (m *model) connection() string {
	l := m.Theme
	switch {
	case m.Locked:
		return l.Warn.Render("! mcpauth is locked: no AI client can use a sign-in")
	case m.Server != nil && m.ReadOnly:
		return l.Good.Render("● connected") + l.Dim.Render("   read-only: other tools cannot be called")
	case m.Server != nil:
		return l.Good.Render("● connected")
	case m.Starting:
		return l.Dim.Render("· the server is starting")
	case m.Down != nil:
		return l.Bad.Render("✗ " + text.CleanLine(m.Down.Msg))
	}
	return l.Dim.Render("○ no server")
}

// keyLine is what can be done now: as many of the labels as fit, and help and the
// way out at the end.
func (m *model) keyLine() string {
	top, line := m.top(), " "
	var last []widget.Binding
	if !top.Typing() && len(m.over) == 0 {
		last = append(last, widget.Bind("?", "help", "", func() widget.Action { return screen.Over(newHelp(m)) }))
		if top.AtHome() {
			last = append(last, widget.Bind("q", "quit", "", widget.Does(quit{})))
		}
	}
	kept := 0
	for _, b := range last {
		kept += ansi.StringWidth(m.label(b)) + 2
	}
	m.hitBoxes.keys, m.hitBoxes.keysDo = nil, nil
	add := func(b widget.Binding) {
		from := ansi.StringWidth(line)
		line += m.label(b) + "  "
		m.hitBoxes.keys, m.hitBoxes.keysDo = append(m.hitBoxes.keys,
			widget.Span{From: from, To: ansi.StringWidth(line) - 2}), append(m.hitBoxes.keysDo, b)
	}
	for _, b := range top.Keys() {
		if b.Label == "" || len(b.Keys) == 0 {
			continue
		}
		if ansi.StringWidth(line)+ansi.StringWidth(m.label(b))+2+kept > m.Width+2 {
			break
		}
		add(b)
	}
	for _, b := range last {
		add(b)
	}
	return strings.TrimRight(line, " ")
}

// keyAt is the binding at a cell of the last line.
func (m *model) keyAt(x int) (widget.Binding, bool) {
	for i, s := range m.hitBoxes.keys {
		if s.Has(x) {
			return m.hitBoxes.keysDo[i], true
		}
	}
	return widget.Binding{}, false
}

func (m *model) label(b widget.Binding) string {
	return m.Theme.Key.Render(b.Keys[0]) + " " + m.Theme.Dim.Render(b.Label)
}
