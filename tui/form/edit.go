package form

import (
	"strings"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/toolargs"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// editor is where the text of a field is typed: one line, or several.
type editor struct {
	on    bool
	lines bool
	Line  widget.Field
	area  textarea.Model
}

// maxInline bounds the text that is edited in place, in bytes. Longer ones have to
// be edited in $EDITOR: an editor of a megabyte would be slow at each key.
const maxInline = 32 << 10

func newArea(l *widget.Theme, text string) textarea.Model {
	a := textarea.New()
	a.ShowLineNumbers, a.Prompt = false, ""
	a.CharLimit, a.MaxHeight, a.MaxWidth = 0, 0, 0
	styles := textarea.DefaultStyles(l.Dark)
	plain := l.Strong.UnsetBold()
	for _, state := range []*textarea.StyleState{&styles.Focused, &styles.Blurred} {
		state.Base, state.Text, state.CursorLine, state.EndOfBuffer = plain, plain, plain, l.Dim
	}
	styles.Cursor.Blink = false
	styles.Cursor.Color = nil
	a.SetStyles(styles)
	a.SetValue(text)
	a.Focus()
	return a
}

func newLine(l *widget.Theme, text string, secret bool) widget.Field {
	line := widget.NewField(l, "")
	line.CharLimit = 0
	if secret {
		line.EchoMode = 1 // textinput.EchoPassword
	}
	line.SetValue(text)
	line.CursorEnd()
	line.Focus()
	return line
}

// enter readies the editor for the row at the cursor.
func (f *Form) enter() {
	f.edit = editor{}
	row, ok := f.row()
	if !ok {
		return
	}
	n := row.node
	switch {
	case row.kind != rowField || n.null || !n.inline():
	case n.isJSON():
		f.edit = editor{on: true, lines: true, area: newArea(f.theme, n.text)}
	case n.field.Kind == toolargs.Text && !n.field.Secret && (n.field.Multiline || strings.Contains(n.text, "\n")):
		f.edit = editor{on: true, lines: true, area: newArea(f.theme, n.text)}
	case n.isWord():
		f.edit = editor{on: true, Line: newLine(f.theme, n.text, n.field.Secret)}
	}
}

// inline reports whether the text of a node can be edited in place without being
// changed by that. Whatever else it is, $EDITOR takes it.
func (n *node) inline() bool { return len(n.text) <= maxInline && editable(n.text) }

// text is what the editor holds.
func (e *editor) text() string {
	if e.lines {
		return e.area.Value()
	}
	return e.Line.Value()
}

func (e *editor) update(msg tea.Msg) {
	if e.lines {
		e.area, _ = e.area.Update(msg)
		return
	}
	e.Line.Take(msg)
}

// Update takes a key that no binding has, or a paste.
func (f *Form) Update(msg tea.Msg) {
	switch {
	case f.raw != nil:
		f.raw.update(msg)
	case f.pick != nil:
		f.pick.update(msg)
	case f.edit.on:
		f.typed(msg)
	default:
		f.started(msg)
	}
}

// typed gives a message to the editor, and its text to the field.
func (f *Form) typed(msg tea.Msg) {
	row, _ := f.row()
	if paste, ok := msg.(tea.PasteMsg); ok && f.takesPaste(row, paste.Content) {
		return
	}
	before := f.edit.text()
	f.edit.update(msg)
	if after := f.edit.text(); after != before {
		f.setText(row, after)
	}
}

// takesPaste puts a paste into the field itself, at the cursor, where the editor
// would change it: lines into one line, or more than it can bear.
func (f *Form) takesPaste(row formRow, pasted string) bool {
	if row.kind != rowField || row.node.field.Kind == toolargs.Scalar {
		return false
	}
	whole := len(pasted)+len(row.node.text) > maxInline || !editable(pasted)
	if !whole && (f.edit.lines || !strings.Contains(pasted, "\n")) {
		return false
	}
	before, after := f.edit.around()
	f.setText(row, before+pasted+after)
	f.enter()
	return true
}

// around is what the editor holds before its cursor, and after it.
func (e *editor) around() (before, after string) {
	if e.lines {
		return around(&e.area)
	}
	text := []rune(e.Line.Value())
	at := min(e.Line.Position(), len(text))
	return string(text[:at]), string(text[at:])
}

// around is the text of an area before its cursor, and after it.
func around(a *textarea.Model) (before, after string) {
	lines := strings.SplitAfter(a.Value(), "\n")
	at := min(a.Line(), len(lines)-1)
	here := []rune(lines[at])
	column := min(a.Column(), len(here))
	return strings.Join(lines[:at], "") + string(here[:column]), string(here[column:]) + strings.Join(lines[at+1:], "")
}

// setText takes what was typed. An empty text is none: the field is not sent.
func (f *Form) setText(row formRow, text string) {
	n := row.node
	n.text, n.set, n.null = text, text != "", false
	if n.isJSON() {
		n.set = strings.TrimSpace(text) != ""
	}
	n.touched = n.touched || text == ""
	if n.raw && text == "" {
		n.clear()
	}
	f.changed()
}

// started takes the first key of a text on a row that has no editor: a null that
// is typed over, the first row of a list, or a long choice that is filtered.
func (f *Form) started(msg tea.Msg) {
	key, isKey := msg.(tea.KeyPressMsg)
	row, ok := f.row()
	if !ok || isKey && key.Text == "" {
		return
	}
	switch n := row.node; {
	case n.null && (n.isWord() || n.isJSON()):
		n.clear()
		f.enter()
		f.typed(msg)
	case row.kind == rowField && n.rowless():
		if f.add(n); f.edit.on {
			f.typed(msg)
		}
	case row.kind == rowField && n.hasChoices() && !inline(n.field):
		f.openPicker()
		f.pick.update(msg)
	}
}

// Edited takes a text back from $EDITOR. A bad one is kept: it is shown with what
// is wrong, and can be fixed.
func (f *Form) Edited(text string) {
	text = strings.TrimSuffix(text, "\n")
	if f.raw != nil {
		f.raw.set(text)
		return
	}
	row, ok := f.row()
	if !ok || row.kind != rowField {
		return
	}
	n := row.node
	switch {
	case n.isJSON():
		f.setText(row, text)
		n.set = true
	case n.field.Kind == toolargs.Text:
		f.setText(row, text)
	case n.field.Kind == toolargs.Scalar:
		f.setText(row, strings.TrimSpace(text))
	default:
		v, err := toolargs.Parse([]byte(text))
		if err != nil {
			n.clear()
			n.set, n.raw, n.text = true, true, text
		} else {
			n.fill(v)
		}
	}
	f.changed()
	f.enter()
}

// ForEditor is the text of the row at the cursor for $EDITOR, with the ending of
// the file's name.
func (f *Form) ForEditor() (text, ending string, ok bool) {
	if f.raw != nil {
		return f.raw.area.Value() + "\n", ".json", true
	}
	row, found := f.row()
	if !found || row.kind != rowField {
		return "", "", false
	}
	n := row.node
	switch {
	case n.isJSON():
		return n.text + "\n", ".json", true
	case n.isWord():
		return n.text + "\n", ".txt", true
	}
	if v := f.sent.values[n]; v != nil {
		return v.Indented() + "\n", ".json", true
	}
	return "\n", ".json", true
}

// asJSON makes the field at the cursor JSON, or what it was before.
func (f *Form) asJSON() string {
	row, ok := f.row()
	if !ok || row.kind != rowField || row.node.field.Kind == toolargs.JSON {
		return "this is JSON already"
	}
	n := row.node
	if n.raw {
		v, err := toolargs.Parse([]byte(n.text))
		if err != nil {
			return "no JSON: " + err.Error()
		}
		if n.fill(v); n.raw {
			f.enter()
			return "the form cannot show this value; it stays JSON"
		}
	} else {
		text := ""
		if v := f.sent.values[n]; v != nil {
			text = v.Indented()
		}
		n.clear()
		n.set, n.raw, n.text = text != "", true, text
	}
	f.changed()
	f.enter()
	return ""
}

// takeDefault fills the default of the field at the cursor in, so that it is sent.
func (f *Form) takeDefault() {
	row, ok := f.row()
	if !ok || row.node.field.Default == nil {
		return
	}
	row.node.fill(row.node.field.Default)
	f.changed()
	f.enter()
}

// Unset leaves the field at the cursor out.
func (f *Form) Unset() {
	row, ok := f.row()
	switch {
	case !ok:
		return
	case row.kind == rowMore:
		row.node.extra = nil
	default:
		row.node.clear()
		row.node.touched = true
	}
	f.changed()
	f.enter()
}
