// Package browse has the tabs of resources and prompts: a list, beside it what was got
// for an entry, and a form for entries that take arguments.
package browse

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// splitPane is a list beside a text that was got for one of its entries, with a form for
// the arguments of entries that take some. In a narrow terminal one of them is shown.
type splitPane struct {
	*screen.Session
	widget.List
	filter widget.Filter
	focus  focus
	share  float64 // of a wide terminal for the list
	margin int     // of the text, in cells
	from   int     // the line in which the list begins

	form     *argumentForm // of the entry that is chosen; nil for none
	formOf   string
	formFrom int // the line in which it begins
	getting  *widget.Job
	turn     int              // counts the askings: only the last one counts
	failure  *problem.Problem // why there is no text
	doc      widget.Viewer
	gotAt    time.Time
}

// focus says which part of a screen has the keys.
type focus int

const (
	onList focus = iota
	onForm
	onText
)

// textGot is the answer to an asking.
type textGot struct {
	turn    int
	doc     widget.Viewer
	problem *problem.Problem
}

func newSplitPane(w *screen.Session, share float64, margin, from int) splitPane {
	return splitPane{Session: w, filter: widget.NewFilter(w.Theme), share: share, margin: margin, from: from}
}

// textWidth is the width of what is beside the list, or stands for it.
func (b *splitPane) textWidth() int {
	left, right := widget.Panes(b.Width, b.share)
	if right == 0 {
		return left
	}
	return right
}

// get begins to get a text; what was asked for before is given up. stopped are the
// words for a user who stopped it.
func (b *splitPane) get(request, stopped string, do func(context.Context) (widget.Viewer, error)) widget.Action {
	b.getting.Stop()
	b.focus, b.failure, b.doc = onText, nil, widget.Viewer{Raw: b.doc.Raw}
	b.turn++
	turn := b.turn
	b.getting = widget.Run(func(ctx context.Context) tea.Msg {
		doc, err := do(ctx)
		if problem := failureOf(ctx, err, stopped); problem != nil {
			return textGot{turn: turn, problem: problem}
		}
		return textGot{turn: turn, doc: doc}
	}).For(request)
	return b.getting
}

// failureOf is why a request of a job has no result; nil where it has one. One
// that the user stopped says so in the words given.
func failureOf(ctx context.Context, err error, stopped string) *problem.Problem {
	switch {
	case ctx.Err() != nil:
		return &problem.Problem{Msg: stopped}
	case err != nil:
		return problem.Of(err)
	}
	return nil
}

// Whole reports whether the text is broken for the width that it has.
func (b *splitPane) Whole() bool { return b.doc.Parts == nil || b.doc.Width == b.textWidth()-b.margin }

// receive takes what is the same for all such screens. changed applies the filter.
func (b *splitPane) receive(msg tea.Msg, changed func()) widget.Action {
	switch msg := msg.(type) {
	case textGot:
		if msg.turn != b.turn {
			return nil
		}
		msg.doc.Raw = b.doc.Raw
		b.getting, b.failure, b.doc, b.gotAt = nil, msg.problem, msg.doc, b.Now()
		return b.retype()
	case widget.Lines:
		b.doc.Take(msg)
	case completionRead:
		if b.form != nil {
			return b.form.update(msg)
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		if b.focus == onForm && b.form != nil {
			return b.form.update(msg)
		}
		b.filter.Typed(msg, changed)
	case tea.WindowSizeMsg:
		return b.retype()
	case screen.ThemeChanged:
		b.filter.Dress(b.Theme)
		if b.form != nil {
			b.form.update(msg)
		}
		return b.retype()
	}
	return nil
}

// retype breaks the text for the width that it has now.
func (b *splitPane) retype() widget.Action {
	if b.failure != nil || b.doc.Parts == nil && b.doc.Whole == nil {
		return nil
	}
	return b.doc.Typeset(b.Theme, b.textWidth()-b.margin)
}

// pointed takes the mouse. chose is called for another entry, enter of one that is clicked
// again.
func (b *splitPane) pointed(msg tea.Msg, chose, enter func() widget.Action) widget.Action {
	left, right := widget.Panes(b.Width, b.share)
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		if right > 0 && msg.X > left || right == 0 && b.focus != onList {
			b.doc.Scroll(widget.Wheeled(msg))
			return nil
		}
		b.Move(widget.Wheeled(msg))
		return chose()
	case tea.MouseClickMsg:
		if right > 0 && msg.X > left || right == 0 && b.focus != onList {
			return b.clickBeside(msg.Y)
		}
		i, ok := b.At(msg.Y - b.from)
		if !ok {
			return nil
		}
		again := b.Cursor == i
		if b.Cursor, b.focus = i, onList; again {
			return enter()
		}
		return chose()
	}
	return nil
}

// clickBeside goes to the field of the form that is clicked, or to the text.
func (b *splitPane) clickBeside(y int) widget.Action {
	if b.form != nil && b.focus != onText {
		if b.form.Click(y - b.formFrom) {
			b.focus = onForm
			return b.form.focus()
		}
	}
	if b.focus == onList && b.doc.Parts != nil {
		b.focus = onText
	}
	return nil
}

func (b *splitPane) toList() widget.Action {
	b.focus = onList
	if b.form != nil {
		b.form.blur()
	}
	return nil
}

func (b *splitPane) toText() widget.Action { b.focus = onText; return nil }

// gone is for a server that ended: what cannot be seen takes no keys.
func (b *splitPane) gone() {
	if b.focus == onForm {
		b.focus = onList
	}
	b.form, b.formOf = nil, ""
}

// moves are the keys that go through the list.
func (b *splitPane) moves(chose func() widget.Action) []widget.Binding {
	all := b.List.Bindings()
	for i, one := range all {
		all[i].Act = func() widget.Action { one.Act(); return chose() }
	}
	return all
}

// otherForm is the key that shows the message as it came, or what it shows.
func (b *splitPane) otherForm() widget.Binding {
	return widget.Bind("v", "raw", "the message as it came, or what it shows",
		func() widget.Action { b.doc.Raw = !b.doc.Raw; return b.retype() })
}

// sideBySide sets the list and the rest beside each other, or shows the one that has
// the keys.
func (b *splitPane) sideBySide(listed, detail func(width, height int) []string, width, height int) string {
	left, right := widget.Panes(width, b.share)
	switch {
	case right > 0:
		return b.Theme.SplitPanes(listed(left, height), detail(right, height), left, right, height)
	case b.focus != onList:
		return strings.Join(detail(width, height), "\n")
	}
	return strings.Join(listed(width, height), "\n")
}

func (b *splitPane) Typing() bool      { return b.filter.On || b.focus == onForm }
func (b *splitPane) Busy() *widget.Job { return b.getting }
func (b *splitPane) AtHome() bool {
	return !b.filter.On && (b.focus == onList || b.Width >= widget.TwoPanes && b.focus == onText)
}

// commandLine is the command that does the same in a shell.
func (b *splitPane) commandLine(words ...string) string {
	all := append([]string{"mcpauth"}, words...)
	if b.Resolved.Name != "" {
		all = append(all, "--profile", b.Resolved.Name)
	}
	if len(b.Overrides.Command) > 0 {
		all = append(append(all, "--"), b.Overrides.Command...)
	}
	return text.CommandLine(all...)
}
