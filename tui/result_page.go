package tui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// callPage shows a call: while it runs, and its result.
type callPage struct {
	*world
	owner *toolsScreen
	call  *call
	at    int // the part that is shown

	asksFrom int    // the line in which the form of a question begins
	listFrom int    // the line in which links or a tree begin
	tabs     []span // of the parts, in the second line, in one pane
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
	if one == nil || one.draw == nil || one.asTree() != nil {
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
		if one := p.part(); one == nil {
			return nil
		} else if t := one.asTree(); t != nil {
			t.move(wheeled(msg))
		} else if len(one.links) > 0 {
			one.list.move(wheeled(msg))
		} else {
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
	if a := p.asking(); a != nil && a.form != nil {
		a.form.click(msg.Y - p.asksFrom)
		return nil
	}
	if p.call.result == nil {
		return nil
	}
	if i, ok := p.partAt(msg.X, msg.Y); ok {
		p.at = i
		return p.ready()
	}
	if left, right := panes(p.width, resultShare); right > 0 && msg.X <= left {
		return nil
	}
	one, line := p.part(), msg.Y-p.listFrom
	if t := one.asTree(); t != nil {
		t.click(line)
	} else if i, ok := one.list.at(line); ok && len(one.links) > 0 {
		again := i == one.list.cursor
		if one.list.cursor = i; again {
			return p.openLink()
		}
	}
	return nil
}

// partAt is the part whose name stands in a cell.
func (p *callPage) partAt(x, y int) (int, bool) {
	if left, right := panes(p.width, resultShare); right > 0 {
		i := y - partsFrom
		return i, x < left && i >= 0 && i < len(p.call.result.parts)
	}
	for i, s := range p.tabs {
		if y == 1 && x >= s.from && x < s.to {
			return i, true
		}
	}
	return 0, false
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
	if t := one.asTree(); t != nil {
		return append(append(own, t.bindings()...), all...)
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
