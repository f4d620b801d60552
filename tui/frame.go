package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// hits is where things were drawn last, for the mouse.
type hits struct {
	tabs       []span    // in the second line
	keys       []span    // in the last line
	keysDo     []binding // what they stand for
	body       int       // first line of the body
	boxX, boxY int       // the corner of what is in an overlay's box, in the body
}

// span is some cells of a line.
type span struct{ from, to int }

// lowTerminal is the height below which the rules are left out.
const lowTerminal = 16

// View implements tea.Model.
func (m *model) View() tea.View {
	content := harmless(m.draw())
	if m.look.ascii {
		content = inASCII(content)
	}
	v := tea.NewView(content)
	v.AltScreen = !m.modeless
	v.WindowTitle = "mcpauth " + m.profile()
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// draw is the whole screen: header, tabs, body, status, keys.
func (m *model) draw() string {
	rule := m.height >= lowTerminal
	bodyHeight := m.height - 4
	if rule {
		bodyHeight -= 2
	}
	tabs := m.drawTabs()
	lines := []string{m.header(), tabs}
	if rule {
		lines = append(lines, m.rule(true))
	}
	m.hits.body = len(lines)
	lines = append(lines, strings.Split(m.body(m.width, max(bodyHeight, 0)), "\n")...)
	if rule {
		lines = append(lines, m.rule(false))
	}
	lines = append(lines, m.statusLine(), m.keyLine())
	return strings.Join(block(lines, m.width, m.height), "\n")
}

// header tells who, where and how, in one line.
func (m *model) header() string {
	l := m.look
	if m.width < twoPanes {
		return right(l.strong.Render(m.profile()), m.account1(true), m.width)
	}
	left := l.heading.Render("mcpauth") + l.dim.Render("  ▸ ") + l.strong.Render(cut(m.profile(), 28))
	return right(fit(left, 40)+m.account1(false), m.serverWords(), m.width)
}

// account1 is the sign-in in a few words.
func (m *model) account1(short bool) string {
	l := m.look
	switch {
	case !m.known:
		return l.dim.Render("· reading the sign-in")
	case m.locked:
		return l.warn.Render("! locked")
	case m.exploring():
		return l.dim.Render("○ no user")
	case m.resolved.Name == "":
		return l.warn.Render("○ no profile")
	case m.problem != nil:
		return l.bad.Render("! sign-in troubled")
	case m.account.State == broker.SignedIn && short:
		return l.good.Render("● ") + cut(m.user(), 24) + l.dim.Render("  "+m.accessLeft())
	case m.account.State == broker.SignedIn:
		return l.good.Render("● signed in") + "  " + cut(m.user(), 26) + l.dim.Render("  "+m.accessLeft())
	case m.account.State == broker.Troubled:
		return l.warn.Render("! ") + cut(m.user(), 26) + l.dim.Render("  not renewed")
	}
	return l.warn.Render("○ signed out")
}

// accessLeft is how long the access token is good.
func (m *model) accessLeft() string {
	if m.account.ExpiresAt.IsZero() {
		return ""
	}
	left := m.account.ExpiresAt.Sub(m.now())
	if left <= 0 {
		return "renewing"
	}
	return broker.TimeSpan(left)
}

func (m *model) serverWords() string {
	switch {
	case m.server != nil:
		return m.look.dim.Render(strings.TrimSuffix("stdio · "+m.info.protocol, " · "))
	case m.starts:
		return m.look.dim.Render("stdio · starting")
	case m.down != nil:
		return m.look.bad.Render("✗ stdio · ended")
	case m.Open == nil:
		return m.look.dim.Render("no server")
	}
	return m.look.dim.Render("stdio · not started")
}

// drawTabs shows the tabs in the most telling way that fits.
func (m *model) drawTabs() string {
	for _, style := range []func(i int) string{m.tabLong, m.tabShort, m.tabShortest} {
		line, spans := "", []span(nil)
		for i := range m.tabs {
			text := style(i)
			spans = append(spans, span{ansi.StringWidth(line), ansi.StringWidth(line) + ansi.StringWidth(text)})
			line += text + " "
		}
		if ansi.StringWidth(line) <= m.width+1 {
			m.hits.tabs = spans
			return line
		}
	}
	return ""
}

func (m *model) tabLong(i int) string {
	t := m.tabs[i]
	text := fmt.Sprintf("%d %s", i+1, t.name)
	if c, ok := t.screen.(counter); ok {
		if n, known := c.count(); known {
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
		return m.look.tab.Render("[" + text + "]")
	}
	return m.look.dim.Render(" " + text + " ")
}

// rule is a line over the whole width; the one below the tabs is thick under the
// one that is shown.
func (m *model) rule(top bool) string {
	if !top || m.at >= len(m.hits.tabs) {
		return m.look.border.Render(strings.Repeat("─", m.width))
	}
	at := m.hits.tabs[m.at]
	return m.look.border.Render(strings.Repeat("─", at.from)) + m.look.accent.Render(strings.Repeat("━", at.to-at.from)) +
		m.look.border.Render(strings.Repeat("─", max(0, m.width-at.to)))
}

// box is an overlay that wants a frame around it, and leaves the rest in sight.
type box interface{ title() string }

func (m *model) body(width, height int) string {
	view := strings.Join(block(strings.Split(m.tabs[m.at].view(width, height), "\n"), width, height), "\n")
	for _, s := range m.over {
		b, framed := s.(box)
		if !framed {
			view = strings.Join(block(strings.Split(s.view(width, height), "\n"), width, height), "\n")
			m.hits.boxX, m.hits.boxY = 0, 0
			continue
		}
		lines := strings.Split(s.view(min(width-4, boxWidth), height-2), "\n")
		view, m.hits.boxX, m.hits.boxY = m.look.boxed(view, b.title(), lines, width, height)
	}
	return view
}

// boxWidth is the most that an overlay takes of a wide terminal.
const boxWidth = 72

// statusLine tells what was just done, or how things are.
func (m *model) statusLine() string {
	l := m.look
	if m.note.text != "" {
		switch m.note.level {
		case good:
			return " " + l.good.Render("✓ "+m.note.text)
		case bad:
			return " " + l.bad.Render("✗ "+m.note.text)
		}
		return " " + l.accent.Render("• "+m.note.text)
	}
	text := ""
	if s, ok := m.top().(interface{ status() string }); ok {
		text = s.status()
	}
	if text == "" {
		text = m.connection()
	}
	return " " + text
}

// connection tells of the server, the profile's lock and what else everybody
// should know.
func (m *model) connection() string {
	l := m.look
	switch {
	case m.locked:
		return l.warn.Render("! mcpauth is locked: no AI client can use a sign-in")
	case m.server != nil && m.ReadOnly:
		return l.good.Render("● connected") + l.dim.Render("   read-only: other tools cannot be called")
	case m.server != nil:
		return l.good.Render("● connected")
	case m.starts:
		return l.dim.Render("· the server is starting")
	case m.down != nil:
		return l.bad.Render("✗ " + broker.CleanLine(m.down.Msg))
	}
	return l.dim.Render("○ no server")
}

// keyLine is what can be done now: as many of the labels as fit, and help and the
// way out at the end.
func (m *model) keyLine() string {
	top, line := m.top(), " "
	var last []binding
	if !top.typing() && len(m.over) == 0 {
		last = append(last, binding{keys: []string{"?"}, label: "help", act: func() action { return overlay{newHelp(m)} }})
		if top.home() {
			last = append(last, binding{keys: []string{"q"}, label: "quit", act: does(quit{})})
		}
	}
	kept := 0
	for _, b := range last {
		kept += ansi.StringWidth(m.label(b)) + 2
	}
	m.hits.keys, m.hits.keysDo = nil, nil
	add := func(b binding) {
		from := ansi.StringWidth(line)
		line += m.label(b) + "  "
		m.hits.keys, m.hits.keysDo = append(m.hits.keys, span{from, ansi.StringWidth(line) - 2}), append(m.hits.keysDo, b)
	}
	for _, b := range top.keys() {
		if b.label == "" || len(b.keys) == 0 {
			continue
		}
		if ansi.StringWidth(line)+ansi.StringWidth(m.label(b))+2+kept > m.width+2 {
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
func (m *model) keyAt(x int) (binding, bool) {
	for i, s := range m.hits.keys {
		if x >= s.from && x < s.to {
			return m.hits.keysDo[i], true
		}
	}
	return binding{}, false
}

func (m *model) label(b binding) string {
	return m.look.key.Render(b.keys[0]) + " " + m.look.dim.Render(b.label)
}
