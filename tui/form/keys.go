package form

import (
	"slices"

	"github.com/mcpauth/mcpauth/broker/toolargs"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// Keys are what can be done in the form now. Its owner puts more before
// or after them.
func (f *Form) Keys() []widget.Binding {
	if f.raw != nil {
		return []widget.Binding{widget.Bind("ctrl+e", "form", "back to the form", f.say(f.ToggleJSON))}
	}
	if f.pick != nil {
		return []widget.Binding{
			widget.Bind("enter", "take", "take this value", widget.Do(f.choose)),
			widget.Bind("up", "", "up", widget.Do(func() { f.pick.Move(-1) })),
			widget.Bind("down", "", "down", widget.Do(func() { f.pick.Move(1) })),
			widget.Bind("pgup", "", "a page up", widget.Do(func() { f.pick.Key("pgup") })),
			widget.Bind("pgdown", "", "a page down", widget.Do(func() { f.pick.Key("pgdown") })),
			widget.Bind("esc tab", "done", "close the list", widget.Do(f.closePicker)),
		}
	}
	return append(f.moving(), f.changing()...)
}

// say makes of what may go wrong an action.
func (f *Form) say(act func() string) func() widget.Action {
	return func() widget.Action {
		if words := act(); words != "" {
			return widget.Bad(words)
		}
		return nil
	}
}

// moving are the keys that go from row to row. Inside of a text of several lines,
// up and down are the text's.
func (f *Form) moving() []widget.Binding {
	up, down := []string{"shift+tab"}, []string{"tab"}
	if !f.edit.lines || f.edit.area.Line() == 0 {
		up = append(up, "up")
	}
	if !f.edit.lines || f.edit.area.Line() == f.edit.area.LineCount()-1 {
		down = append(down, "down")
	}
	all := []widget.Binding{
		{Keys: down, Label: "next", Help: "next field", Act: widget.Do(func() { f.goTo(f.Cursor + 1) })},
		{Keys: up, Help: "field before", Act: widget.Do(func() { f.goTo(f.Cursor - 1) })},
		widget.Bind("pgdown", "", "some fields on", widget.Do(func() { f.goTo(f.Cursor + 8) })),
		widget.Bind("pgup", "", "some fields back", widget.Do(func() { f.goTo(f.Cursor - 8) })),
	}
	row, ok := f.row()
	switch {
	case !ok || f.edit.on && f.edit.lines:
	case f.edit.on:
		all = append(all, widget.Bind("enter", "", "next field", widget.Do(func() { f.goTo(f.Cursor + 1) })),
			widget.Bind("alt+enter shift+enter", "", "a text of several lines", widget.Do(f.breakLine)))
	default:
		all = append(all, widget.Bind("enter space", "", "choose, fold or add", widget.Do(f.press)))
		if row.node.hasChoices() && row.kind == rowField && !row.node.raw {
			all = append(all,
				widget.Bind("right", "", "next value", widget.Do(func() { f.step(1) })),
				widget.Bind("left", "", "value before", widget.Do(func() { f.step(-1) })))
		}
	}
	return all
}

// changing are the keys that change a field's state.
func (f *Form) changing() []widget.Binding {
	all := []widget.Binding{
		widget.Bind("ctrl+u", "not sent", "leave this field out", widget.Do(f.Unset)),
		widget.Bind("ctrl+e", "raw JSON", "edit all as JSON", f.Openly("ctrl+e", true, f.say(f.ToggleJSON))),
		widget.Bind("ctrl+t", "", "edit this field as JSON, or as before", f.Openly("ctrl+t", false, f.say(f.asJSON))),
	}
	if row, ok := f.row(); ok && row.kind == rowField && row.node.field.Default != nil {
		all = slices.Insert(all, 1, widget.Bind("ctrl+g", "default", "send the default of this field", widget.Do(f.takeDefault)))
	}
	if f.rowOf() != nil {
		all = append(all,
			widget.Bind("ctrl+n", "", "add a row here", widget.Do(f.addHere)),
			widget.Bind("ctrl+x", "remove", "remove this row", widget.Do(f.remove)),
			widget.Bind("alt+up ctrl+up", "", "move this row up", widget.Do(func() { f.moveRow(-1) })),
			widget.Bind("alt+down ctrl+down", "", "move this row down", widget.Do(func() { f.moveRow(1) })))
	}
	return all
}

// breakLine makes a text of one line one of several.
func (f *Form) breakLine() {
	row, ok := f.row()
	if !ok || row.kind != rowField || row.node.field.Kind != toolargs.Text || row.node.field.Secret {
		return
	}
	f.setText(row, row.node.text+"\n")
	f.enter()
}

// Click moves the cursor to where the mouse is, and does what space would. It
// reports whether something is there.
func (f *Form) Click(y int) bool {
	switch {
	case f.raw != nil:
	case f.pick != nil:
		i, ok := f.pick.At(y - 3)
		if ok {
			f.pick.Cursor = i
			f.choose()
		}
		return ok
	default:
		i, ok := f.At(y)
		if !ok {
			return false
		}
		again := i == f.Cursor
		if f.goTo(i); again && !f.edit.on {
			f.press()
		}
		return true
	}
	return false
}

// Wheel moves through the rows.
func (f *Form) Wheel(by int) {
	switch {
	case f.raw != nil:
	case f.pick != nil:
		f.pick.Move(by)
	default:
		f.goTo(f.Cursor + by)
	}
}

// Dress gives it the colours of a look.
func (f *Form) Dress() {
	if f.raw == nil {
		f.enter()
	}
	f.preview = previewCache{}
}
