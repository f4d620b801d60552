package tui

import "slices"

// keys are what can be done in the form now. Whoever holds it puts its own before
// or behind them.
func (f *form) keys() []binding {
	do := func(act func()) func() action { return func() action { act(); return nil } }
	if f.raw != nil {
		return []binding{{keys: []string{"ctrl+e"}, label: "form", help: "back to the form", act: f.say(f.toggleRaw)}}
	}
	if f.pick != nil {
		return []binding{
			{keys: []string{"enter"}, label: "take", help: "take this value", act: do(f.choose)},
			{keys: []string{"up"}, help: "up", act: do(func() { f.pick.move(-1) })},
			{keys: []string{"down"}, help: "down", act: do(func() { f.pick.move(1) })},
			{keys: []string{"pgup"}, help: "a page up", act: do(func() { f.pick.key("pgup") })},
			{keys: []string{"pgdown"}, help: "a page down", act: do(func() { f.pick.key("pgdown") })},
			{keys: []string{"esc", "tab"}, label: "done", help: "close the list", act: do(f.closePicker)},
		}
	}
	return append(f.moving(do), f.changing(do)...)
}

// say makes of what may go wrong an action.
func (f *form) say(act func() string) func() action {
	return func() action {
		if words := act(); words != "" {
			return notice{bad, words}
		}
		return nil
	}
}

// moving are the keys that go from row to row. Inside of a text of several lines,
// up and down are the text's.
func (f *form) moving(do func(func()) func() action) []binding {
	up, down := []string{"shift+tab"}, []string{"tab"}
	if !f.edit.lines || f.edit.area.Line() == 0 {
		up = append(up, "up")
	}
	if !f.edit.lines || f.edit.area.Line() == f.edit.area.LineCount()-1 {
		down = append(down, "down")
	}
	all := []binding{
		{keys: down, label: "next", help: "next field", act: do(func() { f.goTo(f.cursor + 1) })},
		{keys: up, help: "field before", act: do(func() { f.goTo(f.cursor - 1) })},
		{keys: []string{"pgdown"}, help: "some fields on", act: do(func() { f.goTo(f.cursor + 8) })},
		{keys: []string{"pgup"}, help: "some fields back", act: do(func() { f.goTo(f.cursor - 8) })},
	}
	row, ok := f.row()
	switch {
	case !ok || f.edit.on && f.edit.lines:
	case f.edit.on:
		all = append(all, binding{keys: []string{"enter"}, help: "next field", act: do(func() { f.goTo(f.cursor + 1) })},
			binding{keys: []string{"alt+enter", "shift+enter"}, help: "a text of several lines", act: do(f.breakLine)})
	default:
		all = append(all, binding{keys: []string{"enter", "space"}, help: "choose, fold or add", act: do(f.press)})
		if row.node.field.hasChoices() && row.kind == rowField && !row.node.raw {
			all = append(all,
				binding{keys: []string{"right"}, help: "next value", act: do(func() { f.step(1) })},
				binding{keys: []string{"left"}, help: "value before", act: do(func() { f.step(-1) })})
		}
	}
	return all
}

// changing are the keys that change a field's state.
func (f *form) changing(do func(func()) func() action) []binding {
	all := []binding{
		{keys: []string{"ctrl+u"}, label: "not sent", help: "leave this field out; again: send it empty, or null", act: do(f.unset)},
		{keys: []string{"ctrl+e"}, label: "raw JSON", help: "edit all as JSON", act: f.openly("ctrl+e", f.whole, f.say(f.toggleRaw))},
		{keys: []string{"ctrl+t"}, help: "edit this field as JSON, or as before", act: f.openly("ctrl+t", f.here, f.say(f.asJSON))},
	}
	if row, ok := f.row(); ok && row.kind == rowField && row.node.field.preset != nil {
		all = slices.Insert(all, 1, binding{keys: []string{"ctrl+g"}, label: "default", help: "send the default of this field", act: do(f.takeDefault)})
	}
	if f.rowOf() != nil {
		all = append(all,
			binding{keys: []string{"ctrl+n"}, help: "add a row here", act: do(f.addHere)},
			binding{keys: []string{"ctrl+x"}, label: "remove", help: "remove this row", act: do(f.remove)},
			binding{keys: []string{"alt+up", "ctrl+up"}, help: "move this row up", act: do(func() { f.moveRow(-1) })},
			binding{keys: []string{"alt+down", "ctrl+down"}, help: "move this row down", act: do(func() { f.moveRow(1) })})
	}
	return all
}

// breakLine makes a text of one line one of several.
func (f *form) breakLine() {
	row, ok := f.row()
	if !ok || row.kind != rowField || row.node.field.kind != kindText || row.node.field.secret {
		return
	}
	f.setText(row, row.node.text+"\n")
	f.enter()
}

// click moves the cursor to where the mouse is, and does what space would.
func (f *form) click(y int) {
	switch {
	case f.raw != nil:
	case f.pick != nil:
		if i, ok := f.pick.at(y - 3); ok {
			f.pick.cursor = i
			f.choose()
		}
	default:
		i, ok := f.at(y)
		if !ok {
			return
		}
		again := i == f.cursor
		if f.goTo(i); again && !f.edit.on {
			f.press()
		}
	}
}

// wheel moves through the rows.
func (f *form) wheel(by int) {
	switch {
	case f.raw != nil:
	case f.pick != nil:
		f.pick.move(by)
	default:
		f.goTo(f.cursor + by)
	}
}

// dress gives it the colours of a look.
func (f *form) dress() {
	if f.raw == nil {
		f.enter()
	}
	f.preview = previewCache{}
}
