package tui

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// beside is a list beside a text that was got for one of its entries, with a form for
// the arguments of entries that take some. In a narrow terminal one of them is shown.
type beside struct {
	*world
	list
	filter filter
	focus  focus
	share  float64 // of a wide terminal for the list
	margin int     // of the text, in cells
	from   int     // the line in which the list begins

	form     *argumentForm // of the entry that is chosen; nil for none
	formOf   string
	formFrom int // the line in which it begins
	getting  *job
	turn     int             // counts the askings: only the last one counts
	trouble  *broker.Problem // why there is no text
	doc      document
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
	doc     document
	problem *broker.Problem
}

func newBeside(w *world, share float64, margin, from int) beside {
	return beside{world: w, filter: newFilter(w.look), share: share, margin: margin, from: from}
}

// textWidth is the width of what is beside the list, or stands for it.
func (b *beside) textWidth() int {
	left, right := panes(b.width, b.share)
	if right == 0 {
		return left
	}
	return right
}

// get begins to get a text; what was asked for before is given up. stopped are the
// words for a person who does not want it any more.
func (b *beside) get(stopped string, do func(context.Context) (document, error)) action {
	b.getting.stop()
	b.focus, b.trouble, b.doc = onText, nil, document{raw: b.doc.raw}
	b.turn++
	turn := b.turn
	b.getting = run(func(ctx context.Context) tea.Msg {
		doc, err := do(ctx)
		if problem := troubleOf(ctx, err, stopped); problem != nil {
			return textGot{turn: turn, problem: problem}
		}
		return textGot{turn: turn, doc: doc}
	})
	return b.getting
}

// hear takes what is the same for all such screens. changed applies the filter.
func (b *beside) hear(msg tea.Msg, changed func()) action {
	switch msg := msg.(type) {
	case textGot:
		if msg.turn != b.turn {
			return nil
		}
		msg.doc.raw = b.doc.raw
		b.getting, b.trouble, b.doc, b.gotAt = nil, msg.problem, msg.doc, b.now()
		return b.retype()
	case documentSet:
		b.doc.take(msg)
	case completionRead:
		if b.form != nil {
			return b.form.update(msg)
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		if b.focus == onForm && b.form != nil {
			return b.form.update(msg)
		}
		b.filter.typed(msg, changed)
	case tea.WindowSizeMsg:
		return b.retype()
	case lookNew:
		b.filter.dress(b.look)
		if b.form != nil {
			b.form.update(msg)
		}
		return b.retype()
	}
	return nil
}

// retype breaks the text for the width that it has now.
func (b *beside) retype() action {
	if b.trouble != nil || b.doc.parts == nil && b.doc.whole == nil {
		return nil
	}
	return b.doc.typeset(b.look, b.textWidth()-b.margin)
}

// pointed takes the mouse. chose is told of another entry, enter of one that is clicked
// again.
func (b *beside) pointed(msg tea.Msg, chose, enter func() action) action {
	left, right := panes(b.width, b.share)
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		if right > 0 && msg.X > left || right == 0 && b.focus != onList {
			b.doc.scroll(wheeled(msg))
			return nil
		}
		b.move(wheeled(msg))
		return chose()
	case tea.MouseClickMsg:
		if right > 0 && msg.X > left || right == 0 && b.focus != onList {
			return b.clickBeside(msg.Y)
		}
		i, ok := b.at(msg.Y - b.from)
		if !ok {
			return nil
		}
		again := b.cursor == i
		if b.cursor, b.focus = i, onList; again {
			return enter()
		}
		return chose()
	}
	return nil
}

// clickBeside goes to the field of the form that is clicked, or to the text.
func (b *beside) clickBeside(y int) action {
	if b.form != nil && b.focus != onText {
		if i, ok := b.form.fieldAt(y - b.formFrom); ok {
			b.focus = onForm
			return b.form.focus(i)
		}
	}
	if b.focus == onList && b.doc.parts != nil {
		b.focus = onText
	}
	return nil
}

func (b *beside) toList() action {
	b.focus = onList
	if b.form != nil {
		b.form.blur()
	}
	return nil
}

func (b *beside) toText() action { b.focus = onText; return nil }

// gone is for a server that ended: what cannot be seen takes no keys.
func (b *beside) gone() {
	if b.focus == onForm {
		b.focus = onList
	}
	b.form, b.formOf = nil, ""
}

// moves are the keys that go through the list.
func (b *beside) moves(chose func() action) []binding {
	all := b.list.bindings()
	for i, one := range all {
		all[i].act = func() action { one.act(); return chose() }
	}
	return all
}

// otherForm is the key that shows the message as it came, or what it shows.
func (b *beside) otherForm() binding {
	return binding{keys: []string{"v"}, label: "raw", help: "the message as it came, or what it shows", act: func() action { b.doc.raw = !b.doc.raw; return b.retype() }}
}

// sideBySide sets the list and the rest beside each other, or shows the one that has
// the keys.
func (b *beside) sideBySide(listed, detail func(width, height int) []string, width, height int) string {
	left, right := panes(width, b.share)
	switch {
	case right > 0:
		return b.look.beside(listed(left, height), detail(right, height), left, right, height)
	case b.focus != onList:
		return strings.Join(detail(width, height), "\n")
	}
	return strings.Join(listed(width, height), "\n")
}

func (b *beside) typing() bool { return b.filter.on || b.focus == onForm }
func (b *beside) busy() *job   { return b.getting }
func (b *beside) home() bool {
	return !b.filter.on && (b.focus == onList || b.width >= twoPanes && b.focus == onText)
}
