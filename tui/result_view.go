package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// resultShare is the part of a wide terminal that tells about the call.
const resultShare = 0.31

// partsFrom is the line in which the parts begin, in two panes.
const partsFrom = 4

func (p *callPage) view(width, height int) string {
	if p.call.runs() {
		return strings.Join(p.drawRunning(width, height), "\n")
	}
	left, right := panes(width, resultShare)
	if right > 0 {
		p.listFrom = 0
		return p.look.beside(p.drawFacts(left), p.drawPart(right, height), left, right, height)
	}
	lines := []string{cut(p.look.heading.Render(p.call.tool.name)+"   "+p.facts(), width)}
	if r := p.call.result; r != nil {
		lines = append(lines, p.drawTabs(width), "")
	}
	end := p.drawVerdict(width)
	p.listFrom = len(lines)
	lines = append(lines, block(p.drawPart(width, height-len(lines)-len(end)), width, height-len(lines)-len(end))...)
	return strings.Join(append(lines, end...), "\n")
}

// facts are how it went, in one line.
func (p *callPage) facts() string {
	c := p.call
	words := c.outcome(p.look)
	if c.result == nil || c.result.isError {
		words += p.look.dim.Render(" · " + took(c.after))
	}
	if c.result != nil {
		words += p.look.dim.Render(" · " + byteSize(c.result.size))
	}
	return words
}

// drawTabs are the parts, for one pane: as many around the shown one as fit.
func (p *callPage) drawTabs(width int) string {
	line := ""
	p.tabs = nil
	for i, one := range p.call.result.parts {
		text := p.look.dim.Render(" " + one.title + " ")
		if i == p.at {
			text = p.look.tab.Render("[" + one.title + "]")
		}
		if ansi.StringWidth(line)+ansi.StringWidth(text) > width && i > p.at {
			break
		}
		p.tabs = append(p.tabs, span{ansi.StringWidth(line), ansi.StringWidth(line) + ansi.StringWidth(text)})
		line += text
	}
	off := max(0, ansi.StringWidth(line)-width)
	for i := range p.tabs {
		p.tabs[i].from, p.tabs[i].to = p.tabs[i].from-off, p.tabs[i].to-off
	}
	return ansi.TruncateLeft(line, off, "")
}

func (p *callPage) drawVerdict(width int) []string {
	if r := p.call.result; r != nil && r.schema != "" {
		return []string{cut(p.verdict(), width)}
	}
	return nil
}

func (p *callPage) verdict() string {
	if r := p.call.result; r.matches {
		return p.look.good.Render("✓ " + r.schema)
	}
	return p.look.warn.Render("! " + p.call.result.schema)
}

// drawFacts is the left pane.
func (p *callPage) drawFacts(width int) []string {
	l, c := p.look, p.call
	lines := []string{l.heading.Render(cut(c.tool.name, width)), p.facts(), l.dim.Render(c.began.Local().Format(time.TimeOnly)), ""}
	if r := c.result; r != nil {
		for i, one := range r.parts {
			mark, style := "  ", l.strong.UnsetBold()
			if i == p.at {
				mark, style = "▸ ", l.chosen
			}
			info := cut(one.info, width-ansi.StringWidth(mark+one.title)-1) // it gives way to the name
			lines = append(lines, style.Render(right(mark+one.title, info, width)))
		}
		lines = append(lines, "")
	}
	if c.updates > 0 {
		lines = append(lines, l.heading.Render("PROGRESS"), "  "+plural(c.updates, "update", "updates"), "")
	}
	if c.auditID != "" {
		lines = append(lines, l.heading.Render("AUDIT"), "  "+cutMiddle(c.auditID, width-2))
		if c.auditRule != "" {
			for _, line := range wrapped(c.auditRule, width-2) {
				lines = append(lines, "  "+line)
			}
		}
		lines = append(lines, "")
	}
	if len(c.safe.members) > 0 {
		lines = append(lines, l.heading.Render("ARGUMENTS"))
	}
	for i, m := range c.safe.members {
		if i == 8 {
			lines = append(lines, "  …")
			break
		}
		lines = append(lines, cut("  "+broker.CleanLine(m.name)+"  "+l.dim.Render(cell(m.value)), width))
	}
	if len(c.log) > 0 {
		lines = append(lines, "", l.heading.Render("SERVER LOG"))
		lines = append(lines, p.drawLog(width, 6)...)
	}
	return lines
}

// drawPart is what is shown of the result, or why there is none.
func (p *callPage) drawPart(width, height int) []string {
	l, c, one := p.look, p.call, p.part()
	switch {
	case c.stopped:
		return []string{l.warn.Render("It was stopped before it answered."), "", l.dim.Render("R calls it again")}
	case c.problem != nil:
		return l.problemLines(c.problem, width)
	case one == nil:
		return nil
	case len(one.links) > 0:
		return one.list.view(height, func(i int, chosen bool) []string { return p.drawLink(one.links[i], chosen, width) })
	}
	head := []string{right(p.partTitle(one), p.modes(one), width), ""}
	if t := one.asTree(); t != nil && height >= 8 {
		head[1] = l.dim.Render(cutMiddle(t.path(), width))
	}
	end := []string(nil)
	if p.width >= twoPanes {
		end = p.drawVerdict(width)
	} else if len(one.modes) < 2 {
		head = nil
	}
	room := height - len(head) - len(end)
	p.listFrom += len(head)
	lines := []string{l.dim.Render("drawing …")}
	if t := one.asTree(); t != nil {
		lines = t.view(l, width, room)
	} else if one.have == one.wanted || one.pager.lines != nil {
		lines = one.pager.view(room)
	}
	if len(end) == 0 {
		return append(head, lines...)
	}
	return append(append(head, block(lines, width, room)...), end...)
}

func (p *callPage) partTitle(one *part) string {
	title := p.look.strong.Render(one.title)
	if p.call.result.isError {
		title = p.look.bad.Render("✗ the tool failed") + "  " + title
	}
	return title + "  " + p.look.dim.Render(one.info)
}

// modes are the ways to show a part, the one in use marked.
func (p *callPage) modes(one *part) string {
	if len(one.modes) < 2 {
		return ""
	}
	var words []string
	for i, mode := range one.modes {
		if i == one.mode {
			words = append(words, p.look.tab.Render("["+mode+"]"))
		} else {
			words = append(words, p.look.dim.Render(mode))
		}
	}
	return strings.Join(words, " ")
}

func (p *callPage) drawLink(k link, chosen bool, width int) []string {
	mark, style := "  ", p.look.strong.UnsetBold()
	if chosen {
		mark, style = "▸ ", p.look.chosen
	}
	return []string{
		style.Render(fit(mark+cutMiddle(broker.CleanLine(k.uri), width-2), width)),
		p.look.dim.Render(cut(fmt.Sprintf("    %s  %s", k.name, k.info), width)),
	}
}

// status is what the line below tells.
func (p *callPage) status() string {
	l := p.look
	switch {
	case p.asking() != nil:
		return l.warn.Render("! the call waits for your answer")
	case p.call.runs():
		return l.accent.Render("· runs") + l.dim.Render("   ctrl+c cancels this call")
	case !p.call.went():
		return l.bad.Render("✗ ") + p.facts()
	}
	return l.good.Render("✓ ") + p.facts() + l.dim.Render("   kept in memory only")
}
