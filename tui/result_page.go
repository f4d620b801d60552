package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// callPage shows a call: while it runs, and its result.
type callPage struct {
	*world
	owner *toolsScreen
	call  *call
	at    int // the part that is shown

	asksFrom int // the line in which the form of a question begins
}

func newCallPage(owner *toolsScreen, c *call) *callPage {
	return &callPage{world: owner.world, owner: owner, call: c}
}

// part is what is shown of the result, or nil.
func (p *callPage) part() *part {
	if p.call.result == nil || p.at >= len(p.call.result.parts) {
		return nil
	}
	return p.call.result.parts[p.at]
}

// ready has the part that is shown drawn, where it is not yet.
func (p *callPage) ready() action {
	one := p.part()
	if one == nil || one.draw == nil {
		return nil
	}
	how := drawing{one.mode, p.partWidth(), p.look.shade()}
	if one.wanted == how {
		return nil
	}
	one.wanted = how
	call, look, mode := p.call, *p.look, one.modes[one.mode]
	return run(func(context.Context) tea.Msg {
		return callMsg{call, partDrawn{one, how, one.draw(mode, how.width, &look)}}
	})
}

// shade tells looks apart that draw differently.
func (l *look) shade() int {
	switch {
	case l.neutral:
		return 1
	case l.dark:
		return 2
	}
	return 3
}

func (p *callPage) partWidth() int {
	if _, right := panes(p.width, resultShare); right > 0 {
		return right
	}
	return p.width
}

func (p *callPage) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg, lookNew:
		if a := p.asking(); a != nil && a.form != nil {
			a.form.dress()
		}
		return p.ready()
	case tea.KeyPressMsg, tea.PasteMsg:
		if a := p.asking(); a != nil && a.form != nil {
			a.form.update(msg)
		}
	case tea.MouseWheelMsg:
		if one := p.part(); one != nil {
			one.scroll(wheeled(msg))
		}
	case tea.MouseClickMsg:
		return p.click(msg)
	case formJudged:
		if a := p.asking(); a != nil && a.form == msg.form {
			a.form.takeProblems(msg)
		}
	case opened:
		return p.opened(msg)
	}
	return nil
}

func (p *callPage) click(msg tea.MouseClickMsg) action {
	if left, right := panes(p.width, resultShare); right > 0 && msg.X < left && p.call.result != nil {
		if i := msg.Y - partsFrom; i >= 0 && i < len(p.call.result.parts) {
			p.at = i
			return p.ready()
		}
	}
	if a := p.asking(); a != nil && a.form != nil {
		a.form.click(msg.Y - p.asksFrom)
	}
	return nil
}

func (p *callPage) typing() bool { a := p.asking(); return a != nil && a.form != nil }
func (p *callPage) home() bool   { return false }

func (p *callPage) busy() *job {
	if p.call.runs() {
		p.call.stopped = true
		return p.call.job
	}
	return nil
}

func (p *callPage) keys() []binding {
	switch {
	case p.asking() != nil:
		return p.askKeys()
	case p.call.runs():
		return []binding{
			{keys: []string{"x"}, label: "cancel", help: "cancel this call, as ctrl+c does", act: p.cancel},
			{keys: []string{"esc"}, label: "leave it running", help: "go on elsewhere while it runs", act: p.owner.back},
		}
	}
	return p.resultKeys()
}

func (p *callPage) cancel() action { p.busy().stop(); return nil }

func (p *callPage) resultKeys() []binding {
	all := []binding{
		{keys: []string{"esc", "backspace"}, label: "back", help: "back to the list", act: p.owner.back},
		{keys: []string{"R"}, label: "run again", help: "call it again with the same arguments", act: p.again},
		{keys: []string{"e"}, label: "edit", help: "change the arguments and call it again", act: p.edit},
		{keys: []string{"c"}, label: "command", help: "copy the call as a command line", act: p.copyCommand},
	}
	one := p.part()
	if one == nil {
		return all
	}
	own := []binding{
		{keys: []string{"tab"}, label: "part", help: "next part of the result", act: func() action { return p.turn(1) }},
		{keys: []string{"shift+tab"}, help: "part before", act: func() action { return p.turn(-1) }},
		{keys: []string{"y"}, label: "copy", help: "copy this part", act: p.copyPart},
		{keys: []string{"w"}, label: "save", help: "save this part in a file", act: p.save},
	}
	if len(one.modes) > 1 {
		next := one.modes[(one.mode+1)%len(one.modes)]
		own = append(own, binding{keys: []string{"v"}, label: next, help: "show it as " + next, act: p.otherMode})
	}
	if one.uri != "" || len(one.links) > 0 {
		own = append(own, binding{keys: []string{"o"}, label: "open", help: "read it in Resources", act: p.openLink})
	}
	all = append(own, all...)
	if len(one.links) > 0 {
		return append(all, one.list.bindings()...)
	}
	return append(all, one.pager.bindings()...)
}

func (p *callPage) turn(by int) action {
	n := len(p.call.result.parts)
	p.at = (p.at + by + n) % n
	return p.ready()
}

func (p *callPage) otherMode() action {
	one := p.part()
	one.mode = (one.mode + 1) % len(one.modes)
	return p.ready()
}

func (p *callPage) again() action {
	return p.owner.send(&call{tool: p.call.tool, value: p.call.value, safe: p.call.safe, anyway: p.call.anyway})
}

func (p *callPage) edit() action {
	page := newCallForm(p.owner, p.call.tool)
	page.form.fill(p.call.value)
	p.owner.page = page
	return nil
}

// maxCopied bounds what is put on a clipboard, in bytes: it goes through the
// terminal.
const maxCopied = 256 << 10

func (p *callPage) copyPart() action {
	switch one := p.part(); {
	case one.text == "":
		return notice{info, "this cannot be copied; w saves it"}
	case len(one.text) > maxCopied:
		return notice{bad, byteSize(len(one.text)) + " are too much for the clipboard; w saves it"}
	default:
		return copyText{strings.ToLower(one.title), one.text}
	}
}

func (p *callPage) copyCommand() action {
	return copyText{"the command", commandFor(p.Overrides, p.call)}
}

func (p *callPage) save() action {
	one := p.part()
	return saveFile{fileName(p.call.tool.Name, "") + "-" + one.name, one.data}
}

func (p *callPage) openLink() action {
	one := p.part()
	uri := one.uri
	if len(one.links) > 0 {
		uri = one.links[one.list.cursor].uri
	}
	return readURI{uri}
}

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
		return p.look.beside(p.drawFacts(left), p.drawPart(right, height), left, right, height)
	}
	lines := []string{cut(p.look.heading.Render(p.call.tool.name)+"   "+p.facts(), width)}
	if r := p.call.result; r != nil {
		lines = append(lines, p.drawTabs(width), "")
	}
	end := p.drawVerdict(width)
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
	for i, one := range p.call.result.parts {
		text := p.look.dim.Render(" " + one.title + " ")
		if i == p.at {
			text = p.look.tab.Render("[" + one.title + "]")
		}
		if ansi.StringWidth(line)+ansi.StringWidth(text) > width && i > p.at {
			break
		}
		line += text
	}
	return ansi.TruncateLeft(line, max(0, ansi.StringWidth(line)-width), "")
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
			lines = append(lines, style.Render(right(mark+one.title, one.info, width)))
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
	lines = append(lines, l.heading.Render("ARGUMENTS"))
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
	end := []string(nil)
	if p.width >= twoPanes {
		end = p.drawVerdict(width)
	} else if len(one.modes) < 2 {
		head = nil
	}
	room := height - len(head) - len(end)
	lines := []string{l.dim.Render("drawing …")}
	if one.have == one.wanted || one.pager.lines != nil {
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
