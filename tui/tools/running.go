package tools

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/form"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// asking is a question in the middle of a call.
type asking struct {
	asked
	message string
	form    *form.Form // of form elicitation; nil for a page to open
	address string     // of URL elicitation
	host    string
	refused string // why the address is not opened
}

func newAsking(l *widget.Theme, a asked) *asking {
	q := &asking{asked: a, message: text.CleanText(strings.TrimSpace(a.asks.Message))}
	if a.asks.URL == "" {
		q.form = form.New(l, toolargs.Read(a.asks.Schema))
		q.form.FillDefaults()
		return q
	}
	address, err := broker.ValidateAuthorizeURL(a.asks.URL)
	if err != nil {
		q.refused = err.Error()
		q.address = text.CleanLine(a.asks.URL)
		return q
	}
	q.address = address
	if u, err := url.Parse(address); err == nil {
		q.host = text.CleanLine(u.Host)
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

// dropVoid forgets questions whose answer is no longer awaited.
func (c *call) dropVoid() {
	c.asks = slices.DeleteFunc(c.asks, func(a *asking) bool { return a.void.Err() != nil })
}

// answer gives an answer to the question that is shown.
func (p *callPage) answer(a mcpclient.ElicitationAnswer) widget.Action {
	q := p.asking()
	q.answer <- a // it has room for one, and gets one
	p.call.asks = p.call.asks[1:]
	return nil
}

func (p *callPage) accept() widget.Action {
	f := p.asking().form
	if obstacle := f.Submit("answers"); obstacle != nil {
		return obstacle
	}
	return p.answer(mcpclient.ElicitationAnswer{Action: "accept", Content: []byte(f.Value().Compact())})
}

func (p *callPage) decline() widget.Action {
	return p.answer(mcpclient.ElicitationAnswer{Action: "decline"})
}

// opened says that the browser was started for a question, or why not.
type opened struct {
	asking *asking
	err    error
}

// openPage opens the address that was shown: the user has just agreed.
func (p *callPage) openPage() widget.Action {
	q := p.asking()
	switch {
	case q.refused != "":
		return widget.Bad("it is not opened: " + q.refused)
	case p.Browser == nil:
		p.answer(mcpclient.ElicitationAnswer{Action: "accept"})
		return widget.CopyText{What: "the link; there is no browser here", Text: q.address}
	}
	open := p.Browser
	return widget.Run(func(ctx context.Context) tea.Msg { return opened{q, open(ctx, q.address)} })
}

func (p *callPage) opened(o opened) widget.Action {
	if o.err != nil {
		return widget.Bad(o.err.Error())
	}
	if p.asking() == o.asking {
		p.answer(mcpclient.ElicitationAnswer{Action: "accept"})
	}
	return widget.Good("opened in the browser")
}

func (p *callPage) askKeys() []widget.Binding {
	q := p.asking()
	later := widget.Bind("esc", "later", "go on elsewhere; the call waits", p.owner.back)
	if q.form == nil {
		return []widget.Binding{
			widget.Bind("o", "open", "open this page in the browser", p.openPage),
			widget.Bind("d n", "decline", "say no to the server", p.decline),
			widget.Bind("y", "copy", "copy the link", widget.Does(widget.CopyText{What: "the link", Text: q.address})),
			later,
		}
	}
	keys := append([]widget.Binding{
		widget.Bind("ctrl+s", "answer", "send this answer", p.accept),
		widget.Bind("ctrl+d", "decline", "say no to the server", p.decline),
	}, q.form.Keys()...)
	if !q.form.Picking() {
		keys = append(keys, later)
	}
	return keys
}

// drawRunning is a call that has not ended.
func (p *callPage) drawRunning(width, height int) []string {
	l, c := p.Theme, p.call
	lines := []string{widget.Right(l.Heading.Render(widget.Cut(c.tool.name, width-10)), l.Accent.Render("running"), width)}
	if q := p.asking(); q != nil {
		if height >= widget.LowTerminal-4 { // else the question needs the room
			lines = append(append(append(lines, ""), p.drawProgress(width)...), "")
		}
		p.asksFrom = len(lines)
		return append(lines, p.drawAsking(q, width, height-len(lines))...)
	}
	lines = append(append(lines, ""), p.drawProgress(width)...)
	if len(c.log) > 0 {
		lines = append(lines, "", l.Heading.Render("  server log"))
		lines = append(lines, widget.Indented(p.drawLog(width-2, height-len(lines)), 2)...)
	}
	return lines
}

func (p *callPage) drawProgress(width int) []string {
	l, c := p.Theme, p.call
	bar := min(width-24, 60)
	since := text.Span(c.took())
	var lines []string
	switch {
	case c.total > 0:
		part := min(c.progress/c.total, 1)
		lines = append(lines, "  "+progressBar(l, part, bar)+fmt.Sprintf("  %3.0f %%   %s", 100*part, l.Dim.Render(since)))
	case c.progress > 0:
		lines = append(lines, "  "+pulse(l, c.took(), bar)+fmt.Sprintf("  %v   %s", c.progress, l.Dim.Render(since)))
	default:
		lines = append(lines, "  "+pulse(l, c.took(), bar)+"  "+l.Dim.Render(since))
	}
	if c.message != "" {
		lines = append(lines, widget.Cut("  "+c.message, width))
	}
	return lines
}

func (p *callPage) drawLog(width, most int) []string {
	var lines []string
	log := p.call.log
	for _, line := range log[max(0, len(log)-max(most, 1)):] {
		level := p.Theme.ByLevel(line.Level).Render(widget.Fit(line.Level, 8))
		lines = append(lines, ansi.Truncate("  "+level+" "+line.Text, width, "…"))
	}
	return lines
}

func (p *callPage) drawAsking(q *asking, width, height int) []string {
	l := p.Theme
	who := "The server asks:"
	if q.asks.Own {
		who = "mcpauth asks:"
	}
	lines := []string{l.Warn.Render("  " + who)}
	for _, line := range widget.Wrapped(q.message, width-2) {
		lines = append(lines, "  "+l.Strong.Render(line))
	}
	lines = append(lines, "")
	switch {
	case q.form != nil:
		p.asksFrom += len(lines)
		return append(lines, q.form.View(width, height-len(lines))...)
	case q.refused != "":
		lines = append(lines, "  "+l.Bad.Render("✗ it is not opened: "+q.refused))
	default:
		lines = append(lines, "  It wants to open a page of  "+l.Strong.Render(q.host))
	}
	for _, line := range widget.Wrapped(q.address, width-4) {
		lines = append(lines, "    "+l.Accent.Render(line))
	}
	if q.refused == "" {
		lines = append(lines, "", "  "+l.Key.Render("o")+" open it   "+l.Key.Render("d")+" decline")
	}
	return lines
}
