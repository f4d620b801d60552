package tui

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// callForm is where the arguments of a call are filled in.
type callForm struct {
	*world
	owner *toolsScreen
	tool  toolItem
	form  *form

	judging bool // a slow judgement is under way
	sending bool // it is sent as soon as that is over
	armed   int  // the version whose problems were shown when it should be sent
	what    bool // in one pane: what would be sent is shown
	past    *list
}

func newCallForm(owner *toolsScreen, t toolItem) *callForm {
	return &callForm{world: owner.world, owner: owner, tool: t, form: newForm(owner.look, t.InputSchema)}
}

func (c *callForm) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		if c.past == nil {
			c.form.update(msg)
		}
	case tea.MouseWheelMsg:
		c.form.wheel(sign(wheeled(msg)))
	case tea.MouseClickMsg:
		if left, right := panes(c.width, formShare); right == 0 || msg.X < left {
			c.form.click(msg.Y - 1)
		}
	case formJudged:
		if msg.form != c.form {
			return nil
		}
		c.judging = false
		c.form.takeProblems(msg)
		if c.sending && c.form.pending() == nil {
			c.sending = false
			return c.send()
		}
	case edited:
		if msg.err != nil {
			return notice{bad, "the editor: " + msg.err.Error()}
		}
		c.form.edited(msg.text)
	case lookNew:
		c.form.dress()
	}
	return c.judge(settle)
}

// judge has a slow judgement done aside, once typing rests.
func (c *callForm) judge(rest time.Duration) action {
	judge := c.form.pending()
	if judge == nil || c.judging {
		return nil
	}
	c.judging = true
	return run(func(ctx context.Context) tea.Msg {
		select {
		case <-time.After(rest):
		case <-ctx.Done():
		}
		return judge()
	})
}

// send calls the tool. What is wrong with the form is shown first; who sends it
// again then sends it anyway, since the server is the judge.
func (c *callForm) send() action {
	if c.form.raw != nil {
		if words := c.form.toggleRaw(); words != "" {
			return notice{bad, words}
		}
	}
	if c.form.pending() != nil {
		c.sending = true
		return c.judge(0)
	}
	if n := len(c.form.problems); n > 0 && c.armed != c.form.version {
		c.armed, c.form.tried = c.form.version, true
		c.form.goToNode(c.form.problems[0].node)
		return notice{bad, plural(n, "field", "fields") + " to mend; ctrl+s again sends it anyway"}
	}
	return c.owner.send(&call{tool: c.tool, value: c.form.value(), safe: c.form.withoutSecrets(), anyway: len(c.form.problems) > 0})
}

func (c *callForm) editor() action {
	text, ending, ok := c.form.forEditor()
	if !ok {
		return nil
	}
	return editText{text, ending}
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

func (c *callForm) openRecent() action {
	if len(c.recent()) == 0 {
		return notice{info, "there was no call yet"}
	}
	c.past = &list{}
	c.past.resize(len(c.recent()))
	return nil
}

func (c *callForm) takeRecent() action {
	c.form.raw = nil
	c.form.fill(c.recent()[c.past.cursor].safe)
	c.past = nil
	return nil
}

func (c *callForm) keys() []binding {
	closePast := func() action { c.past = nil; return nil }
	if c.past != nil {
		return append([]binding{
			{keys: []string{"enter"}, label: "fill in", help: "fill the form in as in this call", act: c.takeRecent},
			{keys: []string{"esc", "ctrl+r"}, label: "form", help: "back to the form", act: closePast},
		}, c.past.bindings()...)
	}
	own := []binding{
		{keys: []string{"ctrl+s"}, label: "send", help: "call the tool", act: c.send},
	}
	if len(c.form.rows) == 0 && c.form.raw == nil {
		own[0].keys = append(own[0].keys, "enter")
	}
	inner := c.form.keys()
	for i, b := range inner {
		inner[i].act = func() action { return actions{b.act(), c.judge(settle)} }
	}
	after := []binding{
		{keys: []string{"ctrl+o"}, label: "$EDITOR", help: "edit this field in your editor", act: c.form.openly("ctrl+o", c.form.here, c.editor)},
		{keys: []string{"ctrl+r"}, label: "recent", help: "fill in as in an earlier call", act: c.openRecent},
		{keys: []string{"ctrl+y"}, help: "show what would be sent, or the form", act: func() action { c.what = !c.what; return nil }},
	}
	if c.form.pick == nil {
		after = append(after, binding{keys: []string{"esc"}, label: "back", help: "back, without a call", act: c.leave})
	}
	return append(append(own, inner...), after...)
}

// leave goes back by one step: from the JSON of all to the form as it was, from
// what would be sent to the form, from the form to the list.
func (c *callForm) leave() action {
	switch {
	case c.form.raw != nil:
		c.form.raw = nil
	case c.what:
		c.what = false
	default:
		return c.owner.back()
	}
	return nil
}

func (c *callForm) typing() bool { return c.past == nil }
func (c *callForm) busy() *job   { return nil }
func (c *callForm) home() bool   { return false }

// formShare is the part of a wide terminal that the form takes.
const formShare = 0.55

func (c *callForm) view(width, height int) string {
	left, right := panes(width, formShare)
	switch {
	case right > 0:
		return c.look.beside(c.drawForm(left, height), c.drawSide(right), left, right, height)
	case c.what:
		return strings.Join(c.drawSide(width), "\n")
	}
	return strings.Join(c.drawForm(width, height), "\n")
}

func (c *callForm) drawForm(width, height int) []string {
	l := c.look
	lines := []string{right(l.heading.Render(cut(c.tool.name, width-10)), c.owner.marks(c.tool), width)}
	if c.past != nil {
		lines = append(lines, l.heading.Render("RECENT CALLS"))
		return append(lines, c.past.view(height-2, func(i int, chosen bool) []string {
			past := c.recent()[i]
			mark, style := "  ", l.strong.UnsetBold()
			if chosen {
				mark, style = "▸ ", l.chosen
			}
			return []string{style.Render(fit(mark+past.began.Local().Format("15:04:05")+"  "+past.arguments(), width))}
		})...)
	}
	return append(lines, c.form.view(width, height-1)...)
}

// status is what the line below tells.
func (c *callForm) status() string {
	l := c.look
	wrongs := c.form.wrongs()
	switch n := len(wrongs); {
	case c.form.raw != nil && c.form.raw.err != "":
		return l.bad.Render("! " + c.form.raw.err)
	case c.form.raw != nil:
		return l.dim.Render("all arguments as JSON: ctrl+e goes back to the form, esc drops what was changed")
	case c.form.pending() != nil:
		return l.dim.Render("· checking")
	case n == 1 && wrongs[0].at != "":
		return l.bad.Render("! " + strings.TrimPrefix(broker.CleanLine(wrongs[0].at), "/") + ": " + wrongs[0].text)
	case n > 0:
		return l.bad.Render("! " + plural(n, "field", "fields") + " to mend before sending")
	case len(c.form.problems) > 0:
		return l.dim.Render("· " + plural(len(c.form.problems), "field", "fields") + " to fill in")
	case c.form.judge.note != "":
		return l.warn.Render("! " + c.form.judge.note)
	}
	if c.tool.denied() {
		return l.bad.Render("✗ denied  "+broker.CleanLine(cmp.Or(c.tool.Mark.Rule, "the policy"))) + l.dim.Render("   a call is refused, and put on record")
	}
	return l.good.Render("✓ ready to send") + l.dim.Render("   fields marked \"not sent\" are left out")
}

// drawSide is what would be sent, and the calls before.
func (c *callForm) drawSide(width int) []string {
	l := c.look
	state := l.good.Render("✓ valid")
	if n := len(c.form.wrongs()); n > 0 {
		state = l.bad.Render(plural(n, "problem", "problems"))
	} else if len(c.form.problems) > 0 {
		state = "" // the line below tells what is to be filled in
	}
	lines := []string{right(l.heading.Render("WILL SEND"), state, width), ""}
	lines = append(lines, c.form.drawPreview(width)...)
	if left := c.leftOut(); left != "" {
		lines = append(lines, "")
		for _, line := range wrapped(left, width) {
			lines = append(lines, l.dim.Render(line))
		}
	}
	past := c.recent()
	if len(past) > 0 {
		lines = append(lines, "", l.heading.Render("RECENT")+l.dim.Render("  ctrl+r"))
	}
	for _, one := range past[:min(len(past), 5)] {
		lines = append(lines, cut("  "+one.began.Local().Format("15:04")+"  "+one.outcome(l)+"  "+l.dim.Render(one.arguments()), width))
	}
	return lines
}

// leftOut tells which defaults the server will use.
func (c *callForm) leftOut() string {
	var words []string
	for _, kid := range c.form.root.kids {
		if kid.field.preset != nil && !kid.present() && !kid.implied() && !kid.field.secret {
			words = append(words, fmt.Sprintf("%s (%s)", kid.field.label, kid.field.preset.compact()))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "Left out, so that the server takes its default: " + strings.Join(words, ", ")
}

func sign(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}
