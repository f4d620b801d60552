package tools

import (
	"cmp"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/form"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// callForm is where the arguments of a call are filled in.
type callForm struct {
	*screen.Terminal
	owner *Screen
	tool  toolItem
	form  *form.Form

	what bool // in one pane: what would be sent is shown
	past *widget.List
}

func newCallForm(owner *Screen, t toolItem) *callForm {
	return &callForm{Terminal: owner.Terminal, owner: owner, tool: t, form: form.New(owner.Theme, t.schema)}
}

func (c *callForm) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		if c.past == nil {
			c.form.Update(msg)
		}
	case tea.MouseWheelMsg:
		c.form.Wheel(cmp.Compare(widget.Wheeled(msg), 0))
	case tea.MouseClickMsg:
		if left, right := widget.Panes(c.Width, formShare); right == 0 || msg.X < left {
			c.form.Click(msg.Y - 1)
		}
	case widget.Edited:
		if msg.Err != nil {
			return widget.Bad("the editor: " + msg.Err.Error())
		}
		c.form.Edited(msg.Text)
	case screen.ThemeChanged:
		c.form.Dress()
	}
	return nil
}

// send calls the tool.
func (c *callForm) send() widget.Action {
	if obstacle := c.form.Submit("sends it"); obstacle != nil {
		return obstacle
	}
	return c.owner.send(&call{tool: c.tool, value: c.form.Value(), safe: c.form.WithoutSecrets(), anyway: c.form.Wrong()})
}

func (c *callForm) editor() widget.Action {
	text, ending, ok := c.form.ForEditor()
	if !ok {
		return nil
	}
	return widget.EditText{Text: text, Ending: ending}
}

// recent are the calls of this tool that can be filled in again, newest first.
func (c *callForm) recent() []*call {
	var all []*call
	for _, past := range c.owner.calls {
		if past.tool.Name == c.tool.Name && len(all) < 20 {
			all = append(all, past)
		}
	}
	return all
}

func (c *callForm) openRecent() widget.Action {
	if len(c.recent()) == 0 {
		return widget.Info("there was no call yet")
	}
	c.past = &widget.List{}
	c.past.Resize(len(c.recent()))
	return nil
}

func (c *callForm) takeRecent() widget.Action {
	c.form.Fill(c.recent()[c.past.Cursor].safe)
	c.past = nil
	return nil
}

func (c *callForm) Keys() []widget.Binding {
	closePast := func() widget.Action { c.past = nil; return nil }
	if c.past != nil {
		return append([]widget.Binding{
			widget.Bind("enter", "fill in", "fill the form in as in this call", c.takeRecent),
			widget.Bind("esc ctrl+r", "form", "back to the form", closePast),
		}, c.past.Bindings()...)
	}
	own := []widget.Binding{
		widget.Bind("ctrl+s", "send", "call the tool", c.send),
	}
	if c.form.Empty() {
		own[0].Keys = append(own[0].Keys, "enter")
	}
	after := []widget.Binding{
		widget.Bind("ctrl+o", "$EDITOR", "edit this field in your editor", c.form.Openly("ctrl+o", false, c.editor)),
		widget.Bind("ctrl+r", "recent", "fill in as in an earlier call", c.openRecent),
		widget.Bind("ctrl+y", "", "show what would be sent, or the form", widget.Do(func() { c.what = !c.what })),
	}
	if !c.form.Picking() {
		after = append(after, widget.Bind("esc", "back", "back, without a call", c.leave))
	}
	return append(append(own, c.form.Keys()...), after...)
}

// leave goes back by one step: from the JSON of all to the form as it was, from
// what would be sent to the form, from the form to the list.
func (c *callForm) leave() widget.Action {
	switch {
	case c.form.DropJSON():
	case c.what:
		c.what = false
	default:
		return c.owner.back()
	}
	return nil
}

func (c *callForm) Typing() bool      { return c.past == nil }
func (c *callForm) Busy() *widget.Job { return nil }
func (c *callForm) AtHome() bool      { return false }

// formShare is the part of a wide terminal that the form takes.
const formShare = 0.55

func (c *callForm) View(width, height int) string {
	left, right := widget.Panes(width, formShare)
	switch {
	case right > 0:
		return c.Theme.SplitPanes(c.drawForm(left, height), c.drawSide(right), left, right, height)
	case c.what:
		return strings.Join(c.drawSide(width), "\n")
	}
	return strings.Join(c.drawForm(width, height), "\n")
}

func (c *callForm) drawForm(width, height int) []string {
	l := c.Theme
	lines := []string{widget.Right(l.Heading.Render(widget.Cut(c.tool.name, width-10)), c.owner.marks(c.tool), width)}
	if c.past != nil {
		lines = append(lines, l.Heading.Render("RECENT CALLS"))
		return append(lines, c.past.View(height-2, func(i int, chosen bool) []string {
			past := c.recent()[i]
			mark, style := "  ", l.Strong.UnsetBold()
			if chosen {
				mark, style = "▸ ", l.Chosen
			}
			return []string{style.Render(widget.Fit(mark+past.began.Local().Format("15:04:05")+"  "+past.arguments(), width))}
		})...)
	}
	return append(lines, c.form.View(width, height-1)...)
}

// Status is what the line below tells.
func (c *callForm) Status() string {
	l := c.Theme
	if status := c.form.Status(); status != "" {
		return status
	}
	if c.tool.denied() {
		return l.Bad.Render("✗ denied  "+text.CleanLine(cmp.Or(c.tool.Access.Rule, "the policy"))) +
			l.Dim.Render("   a call is refused and logged")
	}
	return l.Good.Render("✓ ready to send") + l.Dim.Render("   fields marked \"not sent\" are left out")
}

// drawSide is what would be sent, and the calls before.
func (c *callForm) drawSide(width int) []string {
	l := c.Theme
	lines := []string{widget.Right(l.Heading.Render("WILL SEND"), c.form.State(), width), ""}
	lines = append(lines, c.form.Preview(width)...)
	if left := c.form.LeftOut(); left != "" {
		lines = append(lines, "")
		for _, line := range widget.Wrapped(left, width) {
			lines = append(lines, l.Dim.Render(line))
		}
	}
	past := c.recent()
	if len(past) > 0 {
		lines = append(lines, "", l.Heading.Render("RECENT")+l.Dim.Render("  ctrl+r"))
	}
	for _, one := range past[:min(len(past), 5)] {
		lines = append(lines, widget.Cut("  "+one.began.Local().Format("15:04")+"  "+one.outcome(l)+"  "+l.Dim.Render(one.arguments()), width))
	}
	return lines
}
