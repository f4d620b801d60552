package tui

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"
)

// editor is where the text of a field is typed: one line, or several.
type editor struct {
	on    bool
	lines bool
	line  field
	area  textarea.Model
}

// maxInline bounds the text that is edited in place, in bytes. Longer ones have to
// be edited in $EDITOR: an editor of a megabyte would be slow at each key.
const maxInline = 32 << 10

func newArea(l *look, text string) textarea.Model {
	a := textarea.New()
	a.ShowLineNumbers, a.Prompt = false, ""
	a.CharLimit, a.MaxHeight, a.MaxWidth = 0, 0, 0
	styles := textarea.DefaultStyles(l.dark)
	plain := l.strong.UnsetBold()
	for _, state := range []*textarea.StyleState{&styles.Focused, &styles.Blurred} {
		state.Base, state.Text, state.CursorLine, state.EndOfBuffer = plain, plain, plain, l.dim
	}
	styles.Cursor.Blink = false
	styles.Cursor.Color = nil
	a.SetStyles(styles)
	a.SetValue(text)
	a.Focus()
	return a
}

func newLine(l *look, text string, secret bool) field {
	line := newField(l, "")
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
func (f *form) enter() {
	f.edit = editor{}
	row, ok := f.row()
	if !ok {
		return
	}
	n := row.node
	switch {
	case row.kind == rowName:
		f.edit = editor{on: true, line: newLine(f.look, n.key, false)}
	case row.kind != rowField || n.null || !n.inline():
	case n.raw || n.field.kind == kindJSON:
		f.edit = editor{on: true, lines: true, area: newArea(f.look, n.text)}
	case n.field.kind == kindText && !n.field.secret && (n.field.multiline || strings.Contains(n.text, "\n")):
		f.edit = editor{on: true, lines: true, area: newArea(f.look, n.text)}
	case n.field.kind == kindText || n.field.kind == kindNumber:
		f.edit = editor{on: true, line: newLine(f.look, n.text, n.field.secret)}
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
	return e.line.Value()
}

func (e *editor) update(msg tea.Msg) {
	if e.lines {
		e.area, _ = e.area.Update(msg)
		return
	}
	e.line.update(msg)
}

// update takes a key that no binding has, or a paste.
func (f *form) update(msg tea.Msg) {
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
func (f *form) typed(msg tea.Msg) {
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
func (f *form) takesPaste(row formRow, pasted string) bool {
	if row.kind != rowField || row.node.field.kind == kindNumber {
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

// around is what the editor holds before its cursor, and behind it.
func (e *editor) around() (before, after string) {
	if e.lines {
		return around(&e.area)
	}
	text := []rune(e.line.Value())
	at := min(e.line.Position(), len(text))
	return string(text[:at]), string(text[at:])
}

// around is the text of an area before its cursor, and behind it.
func around(a *textarea.Model) (before, after string) {
	lines := strings.SplitAfter(a.Value(), "\n")
	at := min(a.Line(), len(lines)-1)
	here := []rune(lines[at])
	column := min(a.Column(), len(here))
	return strings.Join(lines[:at], "") + string(here[:column]), string(here[column:]) + strings.Join(lines[at+1:], "")
}

// setText takes what was typed. An empty text is none: the field is not sent.
func (f *form) setText(row formRow, text string) {
	n := row.node
	if row.kind == rowName {
		n.key = text
	} else {
		n.text, n.set, n.unsent, n.null = text, text != "", false, false
		n.touched = n.touched || text == ""
		if n.raw && text == "" {
			n.clear()
		}
	}
	f.changed()
}

// started takes the first key of a text on a row that has no editor: a null that
// is typed over, the first row of a list, or a long choice that is filtered.
func (f *form) started(msg tea.Msg) {
	key, isKey := msg.(tea.KeyPressMsg)
	row, ok := f.row()
	if !ok || isKey && key.Text == "" {
		return
	}
	switch n := row.node; {
	case n.null && (n.field.kind == kindText || n.field.kind == kindNumber || n.field.kind == kindJSON):
		n.clear()
		f.enter()
		f.typed(msg)
	case row.kind == rowField && n.rowless() && n.field.kind == kindList:
		if f.add(n); f.edit.on {
			f.typed(msg)
		}
	case row.kind == rowField && n.field.hasChoices() && !inline(n.field):
		f.openPicker()
		f.pick.update(msg)
	}
}

// edited takes a text back from $EDITOR. A bad one is kept: it is shown with what
// is wrong, and can be mended.
func (f *form) edited(text string) {
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
	case n.raw || n.field.kind == kindJSON:
		f.setText(row, text)
		n.set = true
	case n.field.kind == kindText:
		f.setText(row, text)
	case n.field.kind == kindNumber:
		f.setText(row, strings.TrimSpace(text))
	default:
		v, err := parseJSON([]byte(text))
		if err != nil {
			n.clear()
			n.set, n.raw, n.text = true, true, text
		} else {
			n.fill(v)
		}
	}
	f.layout()
	f.changed()
	f.enter()
}

// forEditor is the text of the row at the cursor for $EDITOR, with the ending of
// the file's name.
func (f *form) forEditor() (text, ending string, ok bool) {
	if f.raw != nil {
		return f.raw.area.Value() + "\n", ".json", true
	}
	row, found := f.row()
	if !found || row.kind != rowField {
		return "", "", false
	}
	n := row.node
	switch {
	case n.raw || n.field.kind == kindJSON:
		return n.text + "\n", ".json", true
	case n.field.kind == kindText || n.field.kind == kindNumber:
		return n.text + "\n", ".txt", true
	}
	if s := n.emit(""); s != nil {
		return s.value.indented() + "\n", ".json", true
	}
	return "\n", ".json", true
}

// asJSON makes the field at the cursor JSON, or what it was before.
func (f *form) asJSON() string {
	row, ok := f.row()
	if !ok || row.kind != rowField || row.node.field.kind == kindJSON {
		return "this is JSON already"
	}
	n := row.node
	if n.raw {
		v, err := parseJSON([]byte(n.text))
		if err != nil {
			return "no JSON: " + err.Error()
		}
		if n.fill(v); n.raw {
			f.enter()
			return "the form cannot show this value; it stays JSON"
		}
	} else {
		text := ""
		if s := n.emit(""); s != nil {
			text = s.value.indented()
		}
		n.clear()
		n.set, n.raw, n.text = text != "", true, text
	}
	f.layout()
	f.changed()
	f.enter()
	return ""
}

// takeDefault fills the default of the field at the cursor in, so that it is sent.
func (f *form) takeDefault() {
	row, ok := f.row()
	if !ok || row.node.field.preset == nil {
		return
	}
	row.node.fill(row.node.field.preset)
	f.layout()
	f.changed()
	f.enter()
}

// unset goes on to the next state of a field that stands for no value: not sent,
// empty, null, as far as the field has them.
func (f *form) unset() {
	row, ok := f.row()
	if !ok {
		return
	}
	n := row.node
	if row.kind == rowMore {
		n.extra = nil
	} else {
		was := *n
		n.clear()
		n.unsent = true
		f.afterUnsent(n, &was)
	}
	f.layout()
	f.changed()
	f.enter()
}

func (f *form) afterUnsent(n, was *node) {
	empty := slices.Contains([]specKind{kindText, kindList, kindMulti, kindMap, kindGroup}, n.field.kind)
	switch {
	case was.present() && !was.null && !was.emptyValue():
	case was.null:
	case empty && !was.emptyValue():
		n.set, n.unsent = true, false
	case n.field.nullable:
		n.set, n.null, n.unsent = true, true, false
	}
}

// emptyValue reports whether a node has a value with nothing in it.
func (n *node) emptyValue() bool {
	return n.set && !n.null && n.text == "" && len(n.kids) == 0 && len(n.picks) == 0 && !n.raw && n.field.kind != kindJSON ||
		n.set && n.field.kind == kindGroup && !n.raw && len(n.extra) == 0 && !slices.ContainsFunc(n.kids, (*node).present)
}
