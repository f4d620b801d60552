package widget

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// Field is one line of text that is being typed.
type Field struct {
	textinput.Model
}

func NewField(l *Theme, placeholder string) Field {
	m := textinput.New()
	m.Prompt = ""
	m.Placeholder = placeholder
	m.CharLimit = 16 << 10
	f := Field{m}
	f.Dress(l)
	return f
}

// Dress gives it the colours of a look.
func (f *Field) Dress(l *Theme) {
	styles := textinput.DefaultStyles(l.Dark)
	plain := l.Strong.UnsetBold()
	for _, state := range []*textinput.StyleState{&styles.Focused, &styles.Blurred} {
		state.Text, state.Placeholder, state.Suggestion, state.Prompt = plain, l.Dim, l.Dim, l.Accent
	}
	styles.Cursor.Blink = false
	styles.Cursor.Color = nil
	f.SetStyles(styles)
}

// Take takes a key or a paste.
func (f *Field) Take(msg tea.Msg) {
	f.Model, _ = f.Model.Update(msg)
}

// Show is the field in a number of cells.
func (f *Field) Show(width int) string {
	f.SetWidth(max(1, width-1))
	return f.View()
}
