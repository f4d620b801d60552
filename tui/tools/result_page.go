package tools

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// callPage shows a call: while it runs, and its result.
type callPage struct {
	*screen.Terminal
	owner *Screen
	call  *call
	at    int // the part that is shown

	asksFrom int           // the line in which the form of a question begins
	listFrom int           // the line in which links or a tree begin
	tabs     []widget.Span // of the parts, in the second line, in one pane
}

func newCallPage(owner *Screen, c *call) *callPage {
	return &callPage{Terminal: owner.Terminal, owner: owner, call: c}
}

// part is what is shown of the result, or nil.
func (p *callPage) part() *widget.Part {
	if p.call.result == nil || p.at >= len(p.call.result.parts) {
		return nil
	}
	return p.call.result.parts[p.at]
}

// ready has the part that is shown drawn, where it is not yet.
func (p *callPage) ready() widget.Action {
	one := p.part()
	if one == nil || one.Draw == nil || one.AsTree() != nil {
		return nil
	}
	draw := one.Ready(p.Theme, p.partWidth())
	if draw == nil {
		return nil
	}
	call := p.call
	return widget.Run(func(context.Context) tea.Msg { return callMsg{call, draw()} })
}

func (p *callPage) partWidth() int {
	if _, right := widget.Panes(p.Width, resultShare); right > 0 {
		return right
	}
	return p.Width
}

func (p *callPage) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg, screen.ThemeChanged:
		if a := p.asking(); a != nil && a.form != nil {
			a.form.Dress()
		}
		return p.ready()
	case tea.KeyPressMsg, tea.PasteMsg:
		if a := p.asking(); a != nil && a.form != nil {
			a.form.Update(msg)
		}
	case tea.MouseWheelMsg:
		if one := p.part(); one == nil {
			return nil
		} else if t := one.AsTree(); t != nil {
			t.Move(widget.Wheeled(msg))
		} else if len(one.Links) > 0 {
			one.List.Move(widget.Wheeled(msg))
		} else {
			one.Scroll(widget.Wheeled(msg))
		}
	case tea.MouseClickMsg:
		return p.click(msg)
	case opened:
		return p.opened(msg)
	}
	return nil
}

func (p *callPage) click(msg tea.MouseClickMsg) widget.Action {
	if a := p.asking(); a != nil && a.form != nil {
		a.form.Click(msg.Y - p.asksFrom)
		return nil
	}
	if p.call.result == nil {
		return nil
	}
	if i, ok := p.partAt(msg.X, msg.Y); ok {
		p.at = i
		return p.ready()
	}
	if left, right := widget.Panes(p.Width, resultShare); right > 0 && msg.X <= left {
		return nil
	}
	one, line := p.part(), msg.Y-p.listFrom
	if t := one.AsTree(); t != nil {
		t.Click(line)
	} else if i, ok := one.List.At(line); ok && len(one.Links) > 0 {
		again := i == one.List.Cursor
		if one.List.Cursor = i; again {
			return p.openLink()
		}
	}
	return nil
}

// partAt is the part whose name stands in a cell.
func (p *callPage) partAt(x, y int) (int, bool) {
	if left, right := widget.Panes(p.Width, resultShare); right > 0 {
		i := y - partsFrom
		return i, x < left && i >= 0 && i < len(p.call.result.parts)
	}
	for i, s := range p.tabs {
		if y == 1 && s.Has(x) {
			return i, true
		}
	}
	return 0, false
}

func (p *callPage) Typing() bool { a := p.asking(); return a != nil && a.form != nil }
func (p *callPage) AtHome() bool { return false }

func (p *callPage) Busy() *widget.Job {
	if p.call.runs() {
		p.call.stopped = true
		return p.call.job
	}
	return nil
}

func (p *callPage) Keys() []widget.Binding {
	switch {
	case p.asking() != nil:
		return p.askKeys()
	case p.call.runs():
		return []widget.Binding{
			widget.Bind("x", "cancel", "cancel this call, as ctrl+c does", p.cancel),
			widget.Bind("esc", "leave it running", "go on elsewhere while it runs", p.owner.back),
		}
	}
	return p.resultKeys()
}

func (p *callPage) cancel() widget.Action { p.Busy().Stop(); return nil }

func (p *callPage) resultKeys() []widget.Binding {
	all := []widget.Binding{
		widget.Bind("esc backspace", "back", "back to the list", p.owner.back),
		widget.Bind("R", "run again", "call it again with the same arguments", p.again),
		widget.Bind("e", "edit", "change the arguments and call it again", p.edit),
		widget.Bind("c", "command", "copy the call as a command line", p.copyCommand),
	}
	one := p.part()
	if one == nil {
		return all
	}
	own := []widget.Binding{
		widget.Bind("tab", "part", "next part of the result", func() widget.Action { return p.turn(1) }),
		widget.Bind("shift+tab", "", "part before", func() widget.Action { return p.turn(-1) }),
		widget.Bind("y", "copy", "copy this part", p.copyPart),
		widget.Bind("w", "save", "save this part in a file", p.save),
	}
	if len(one.Modes) > 1 {
		next := one.Modes[(one.Mode+1)%len(one.Modes)]
		own = append(own, widget.Bind("v", next, "show it as "+next, p.otherMode))
	}
	if one.URI != "" || len(one.Links) > 0 {
		own = append(own, widget.Bind("o", "open", "read it in Resources", p.openLink))
	}
	if t := one.AsTree(); t != nil {
		return append(append(own, t.Bindings()...), all...)
	}
	all = append(own, all...)
	if len(one.Links) > 0 {
		return append(all, one.List.Bindings()...)
	}
	return append(all, one.Pager.Bindings()...)
}

func (p *callPage) turn(by int) widget.Action {
	n := len(p.call.result.parts)
	p.at = (p.at + by + n) % n
	return p.ready()
}

func (p *callPage) otherMode() widget.Action {
	one := p.part()
	one.Mode = (one.Mode + 1) % len(one.Modes)
	return p.ready()
}

func (p *callPage) again() widget.Action {
	return p.owner.send(&call{tool: p.call.tool, value: p.call.value, safe: p.call.safe, anyway: p.call.anyway})
}

func (p *callPage) edit() widget.Action {
	page := newCallForm(p.owner, p.call.tool)
	page.form.Fill(p.call.value)
	p.owner.page = page
	return nil
}

func (p *callPage) copyPart() widget.Action {
	switch one := p.part(); {
	case one.Text == "":
		return widget.Info("this cannot be copied; w saves it")
	case len(one.Text) > widget.MaxCopied:
		return widget.Bad(widget.ByteSize(len(one.Text)) + " are too much for the clipboard; w saves it")
	default:
		return widget.CopyText{What: strings.ToLower(one.Title), Text: one.Text}
	}
}

func (p *callPage) copyCommand() widget.Action {
	return widget.CopyText{What: "the command", Text: commandFor(p.owner.Overrides, p.call)}
}

func (p *callPage) save() widget.Action {
	one := p.part()
	return widget.SaveFile{Name: widget.FileName(p.call.tool.Name, "") + "-" + one.Name, Data: one.Data}
}

func (p *callPage) openLink() widget.Action {
	one := p.part()
	uri := one.URI
	if len(one.Links) > 0 {
		uri = one.Links[one.List.Cursor].URI
	}
	return screen.ReadURI(uri)
}
