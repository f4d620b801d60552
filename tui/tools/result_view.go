package tools

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// resultShare is the part of a wide terminal that tells about the call.
const resultShare = 0.31

// partsFrom is the line in which the parts begin, in two panes.
const partsFrom = 4

func (p *callPage) View(width, height int) string {
	if p.call.runs() {
		return strings.Join(p.drawRunning(width, height), "\n")
	}
	left, right := widget.Panes(width, resultShare)
	if right > 0 {
		p.listFrom = 0
		return p.Theme.SplitPanes(p.drawFacts(left), p.drawPart(right, height), left, right, height)
	}
	lines := []string{widget.Cut(p.Theme.Heading.Render(p.call.tool.name)+"   "+p.facts(), width)}
	if r := p.call.result; r != nil {
		lines = append(lines, p.drawTabs(width), "")
	}
	end := p.drawVerdict(width)
	p.listFrom = len(lines)
	lines = append(lines, widget.Block(p.drawPart(width, height-len(lines)-len(end)), width, height-len(lines)-len(end))...)
	return strings.Join(append(lines, end...), "\n")
}

// facts are how it went, in one line.
func (p *callPage) facts() string {
	c := p.call
	words := c.outcome(p.Theme)
	if c.result == nil || c.result.isError {
		words += p.Theme.Dim.Render(" · " + text.Elapsed(c.after))
	}
	if c.result != nil {
		words += p.Theme.Dim.Render(" · " + widget.ByteSize(c.result.size))
	}
	return words
}

// drawTabs are the parts, for one pane: as many around the shown one as fit.
func (p *callPage) drawTabs(width int) string {
	line := ""
	p.tabs = nil
	for i, one := range p.call.result.parts {
		text := p.Theme.Dim.Render(" " + one.Title + " ")
		if i == p.at {
			text = p.Theme.Tab.Render("[" + one.Title + "]")
		}
		if ansi.StringWidth(line)+ansi.StringWidth(text) > width && i > p.at {
			break
		}
		p.tabs = append(p.tabs, widget.Span{From: ansi.StringWidth(line), To: ansi.StringWidth(line) + ansi.StringWidth(text)})
		line += text
	}
	off := max(0, ansi.StringWidth(line)-width)
	for i := range p.tabs {
		p.tabs[i].From, p.tabs[i].To = p.tabs[i].From-off, p.tabs[i].To-off
	}
	return ansi.TruncateLeft(line, off, "")
}

func (p *callPage) drawVerdict(width int) []string {
	if r := p.call.result; r != nil && r.schema != "" {
		return []string{widget.Cut(p.verdict(), width)}
	}
	return nil
}

func (p *callPage) verdict() string {
	if r := p.call.result; r.matches {
		return p.Theme.Good.Render("✓ " + r.schema)
	}
	return p.Theme.Warn.Render("! " + p.call.result.schema)
}

// drawFacts is the left pane.
func (p *callPage) drawFacts(width int) []string {
	l, c := p.Theme, p.call
	lines := []string{l.Heading.Render(widget.Cut(c.tool.name, width)), p.facts(), l.Dim.Render(c.began.Local().Format(time.TimeOnly)), ""}
	if r := c.result; r != nil {
		for i, one := range r.parts {
			mark, style := "  ", l.Strong.UnsetBold()
			if i == p.at {
				mark, style = "▸ ", l.Chosen
			}
			info := widget.Cut(one.Info, width-ansi.StringWidth(mark+one.Title)-1) // it gives way to the name
			lines = append(lines, style.Render(widget.Right(mark+one.Title, info, width)))
		}
		lines = append(lines, "")
	}
	if c.updates > 0 {
		lines = append(lines, l.Heading.Render("PROGRESS"), "  "+text.Count(c.updates, "update"), "")
	}
	if c.auditID != "" {
		lines = append(lines, l.Heading.Render("AUDIT"), "  "+widget.CutMiddle(c.auditID, width-2))
		if c.auditRule != "" {
			for _, line := range widget.Wrapped(c.auditRule, width-2) {
				lines = append(lines, "  "+line)
			}
		}
		lines = append(lines, "")
	}
	if len(c.safe.Members) > 0 {
		lines = append(lines, l.Heading.Render("ARGUMENTS"))
	}
	for i, m := range c.safe.Members {
		if i == 8 {
			lines = append(lines, "  …")
			break
		}
		lines = append(lines, widget.Cut("  "+text.CleanLine(m.Name)+"  "+l.Dim.Render(widget.Cell(m.Value)), width))
	}
	if len(c.log) > 0 {
		lines = append(lines, "", l.Heading.Render("SERVER LOG"))
		lines = append(lines, p.drawLog(width, 6)...)
	}
	return lines
}

// drawPart is what is shown of the result, or why there is none.
func (p *callPage) drawPart(width, height int) []string {
	l, c, one := p.Theme, p.call, p.part()
	switch {
	case c.stopped:
		return []string{l.Warn.Render("It was stopped before it answered."), "", l.Dim.Render("R calls it again")}
	case c.problem != nil:
		return l.ProblemLines(c.problem, width)
	case one == nil:
		return nil
	case len(one.Links) > 0:
		return one.List.View(height, func(i int, chosen bool) []string { return p.drawLink(one.Links[i], chosen, width) })
	}
	head := []string{widget.Right(p.partTitle(one), p.modes(one), width), ""}
	if t := one.AsTree(); t != nil && height >= 8 {
		head[1] = l.Dim.Render(widget.CutMiddle(t.Path(), width))
	}
	end := []string(nil)
	if p.Width >= widget.TwoPanes {
		end = p.drawVerdict(width)
	} else if len(one.Modes) < 2 && !p.call.result.isError {
		head = nil
	}
	room := height - len(head) - len(end)
	p.listFrom += len(head)
	lines := []string{l.Dim.Render("drawing …")}
	if t := one.AsTree(); t != nil {
		lines = t.View(l, width, room)
	} else if one.Have == one.Wanted || one.Pager.Lines != nil {
		lines = one.Pager.View(room)
	}
	if len(end) == 0 {
		return append(head, lines...)
	}
	return append(append(head, widget.Block(lines, width, room)...), end...)
}

func (p *callPage) partTitle(one *widget.Part) string {
	title := p.Theme.Strong.Render(one.Title)
	if p.call.result.isError {
		title = p.Theme.Bad.Render("✗ the tool failed") + "  " + title
	}
	return title + "  " + p.Theme.Dim.Render(one.Info)
}

// modes are the ways to show a part, the one in use marked.
func (p *callPage) modes(one *widget.Part) string {
	if len(one.Modes) < 2 {
		return ""
	}
	var words []string
	for i, mode := range one.Modes {
		if i == one.Mode {
			words = append(words, p.Theme.Tab.Render("["+mode+"]"))
		} else {
			words = append(words, p.Theme.Dim.Render(mode))
		}
	}
	return strings.Join(words, " ")
}

func (p *callPage) drawLink(k widget.Link, chosen bool, width int) []string {
	mark, style := "  ", p.Theme.Strong.UnsetBold()
	if chosen {
		mark, style = "▸ ", p.Theme.Chosen
	}
	return []string{
		style.Render(widget.Fit(mark+widget.CutMiddle(text.CleanLine(k.URI), width-2), width)),
		p.Theme.Dim.Render(widget.Cut(fmt.Sprintf("    %s  %s", k.Name, k.Info), width)),
	}
}

// Status is what the line below tells.
func (p *callPage) Status() string {
	l := p.Theme
	switch {
	case p.asking() != nil:
		return l.Warn.Render("! the call waits for your answer")
	case p.call.runs():
		return l.Accent.Render("· runs") + l.Dim.Render("   ctrl+c cancels this call")
	case !p.call.went():
		return l.Bad.Render("✗ ") + p.facts()
	}
	return l.Good.Render("✓ ") + p.facts() + l.Dim.Render("   kept in memory only")
}
