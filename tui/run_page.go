package tui

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// asking is a question in the middle of a call.
type asking struct {
	asked
	message string
	form    *form  // of form elicitation; nil for a page to open
	address string // of URL elicitation
	host    string
	refused string // why the address is not opened
	armed   int    // the version of the form whose problems were shown
}

func newAsking(l *look, a asked) *asking {
	q := &asking{asked: a, message: broker.CleanText(strings.TrimSpace(a.asks.Message))}
	if a.asks.URL == "" {
		q.form = newForm(l, a.asks.Schema)
		q.form.atOnce, q.form.slow = true, false
		q.form.fillDefaults()
		return q
	}
	address, err := broker.ValidateAuthorizeURL(a.asks.URL)
	if err != nil {
		q.refused = err.Error()
		q.address = broker.CleanLine(a.asks.URL)
		return q
	}
	q.address = address
	if u, err := url.Parse(address); err == nil {
		q.host = broker.CleanLine(u.Host)
	}
	return q
}

// asking is the question that is shown: the oldest, or nil.
func (p *callPage) asking() *asking {
	if !p.call.waits() {
		return nil
	}
	return p.call.asks[0]
}

// dropVoid forgets questions whose answer nobody waits for any more.
func (c *call) dropVoid() {
	c.asks = slices.DeleteFunc(c.asks, func(a *asking) bool { return a.void.Err() != nil })
}

// answer gives an answer to the question that is shown.
func (p *callPage) answer(a broker.ElicitationAnswer) action {
	q := p.asking()
	q.answer <- a // it has room for one, and gets one
	p.call.asks = p.call.asks[1:]
	return nil
}

func (p *callPage) accept() action {
	f := p.asking().form
	if f.raw != nil {
		if words := f.toggleRaw(); words != "" {
			return notice{bad, words}
		}
	}
	if q := p.asking(); len(f.problems) > 0 && q.armed != f.version {
		q.armed, f.tried = f.version, true
		f.goToNode(f.problems[0].node)
		return notice{bad, plural(len(f.problems), "field", "fields") + " to mend; ctrl+s again answers anyway"}
	}
	return p.answer(broker.ElicitationAnswer{Action: "accept", Content: []byte(f.value().compact())})
}

func (p *callPage) decline() action { return p.answer(broker.ElicitationAnswer{Action: "decline"}) }

// opened says that the browser was started for a question, or why not.
type opened struct {
	asking *asking
	err    error
}

// openPage opens the address that was shown: the person has just said so.
func (p *callPage) openPage() action {
	q := p.asking()
	switch {
	case q.refused != "":
		return notice{bad, "it is not opened: " + q.refused}
	case p.Browser == nil:
		p.answer(broker.ElicitationAnswer{Action: "accept"})
		return copyText{"the link; there is no browser here", q.address}
	}
	open := p.Browser
	return run(func(ctx context.Context) tea.Msg { return opened{q, open(ctx, q.address)} })
}

func (p *callPage) opened(o opened) action {
	if o.err != nil {
		return notice{bad, o.err.Error()}
	}
	if p.asking() == o.asking {
		p.answer(broker.ElicitationAnswer{Action: "accept"})
	}
	return notice{good, "opened in the browser"}
}

func (p *callPage) askKeys() []binding {
	q := p.asking()
	later := binding{keys: []string{"esc"}, label: "later", help: "go on elsewhere; the call waits", act: p.owner.back}
	if q.form == nil {
		return []binding{
			{keys: []string{"o"}, label: "open", help: "open this page in the browser", act: p.openPage},
			{keys: []string{"d", "n"}, label: "decline", help: "say no to the server", act: p.decline},
			{keys: []string{"y"}, label: "copy", help: "copy the link", act: does(copyText{"the link", q.address})},
			later,
		}
	}
	keys := append([]binding{
		{keys: []string{"ctrl+s"}, label: "answer", help: "send this answer", act: p.accept},
		{keys: []string{"ctrl+d"}, label: "decline", help: "say no to the server", act: p.decline},
	}, q.form.keys()...)
	if q.form.pick == nil {
		keys = append(keys, later)
	}
	return keys
}

// drawRunning is a call that has not ended.
func (p *callPage) drawRunning(width, height int) []string {
	l, c := p.look, p.call
	lines := []string{right(l.heading.Render(cut(c.tool.name, width-10)), l.accent.Render("running"), width)}
	if q := p.asking(); q != nil {
		if height >= lowTerminal-4 { // else the question needs the room
			lines = append(append(append(lines, ""), p.drawProgress(width)...), "")
		}
		p.asksFrom = len(lines)
		return append(lines, p.drawAsking(q, width, height-len(lines))...)
	}
	lines = append(append(lines, ""), p.drawProgress(width)...)
	if len(c.log) > 0 {
		lines = append(lines, "", l.heading.Render("  server log"))
		lines = append(lines, indented(p.drawLog(width-2, height-len(lines)), 2)...)
	}
	return lines
}

func (p *callPage) drawProgress(width int) []string {
	l, c := p.look, p.call
	bar := min(width-24, 60)
	since := broker.TimeSpan(c.took())
	var lines []string
	switch {
	case c.total > 0:
		part := min(c.progress/c.total, 1)
		lines = append(lines, "  "+progressBar(l, part, bar)+fmt.Sprintf("  %3.0f %%   %s", 100*part, l.dim.Render(since)))
	case c.progress > 0:
		lines = append(lines, "  "+pulse(l, c.took(), bar)+fmt.Sprintf("  %v   %s", c.progress, l.dim.Render(since)))
	default:
		lines = append(lines, "  "+pulse(l, c.took(), bar)+"  "+l.dim.Render(since))
	}
	if c.message != "" {
		lines = append(lines, cut("  "+c.message, width))
	}
	return lines
}

func (p *callPage) drawLog(width, most int) []string {
	var lines []string
	log := p.call.log
	for _, line := range log[max(0, len(log)-max(most, 1)):] {
		level := levelStyle(p.look, line.level).Render(fit(line.level, 8))
		lines = append(lines, ansi.Truncate("  "+level+" "+line.text, width, "…"))
	}
	return lines
}

func (p *callPage) drawAsking(q *asking, width, height int) []string {
	l := p.look
	who := "The server asks:"
	if q.asks.Own {
		who = "mcpauth asks:"
	}
	lines := []string{l.warn.Render("  " + who)}
	for _, line := range wrapped(q.message, width-2) {
		lines = append(lines, "  "+l.strong.Render(line))
	}
	lines = append(lines, "")
	switch {
	case q.form != nil:
		p.asksFrom += len(lines)
		return append(lines, q.form.view(width, height-len(lines))...)
	case q.refused != "":
		lines = append(lines, "  "+l.bad.Render("✗ it is not opened: "+q.refused))
	default:
		lines = append(lines, "  It wants to open a page of  "+l.strong.Render(q.host))
	}
	for _, line := range wrapped(q.address, width-4) {
		lines = append(lines, "    "+l.accent.Render(line))
	}
	if q.refused == "" {
		lines = append(lines, "", "  "+l.key.Render("o")+" open it   "+l.key.Render("d")+" decline")
	}
	return lines
}
