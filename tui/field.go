package tui

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// field is one line of text that is being typed.
type field struct {
	textinput.Model
}

func newField(l *look, placeholder string) field {
	m := textinput.New()
	m.Prompt = ""
	m.Placeholder = placeholder
	m.CharLimit = 16 << 10
	f := field{m}
	f.dress(l)
	return f
}

// dress gives it the colours of a look.
func (f *field) dress(l *look) {
	styles := textinput.DefaultStyles(l.dark)
	plain := l.strong.UnsetBold()
	for _, state := range []*textinput.StyleState{&styles.Focused, &styles.Blurred} {
		state.Text, state.Placeholder, state.Suggestion, state.Prompt = plain, l.dim, l.dim, l.accent
	}
	styles.Cursor.Blink = false
	styles.Cursor.Color = nil
	f.SetStyles(styles)
}

// update takes a key or a paste.
func (f *field) update(msg tea.Msg) {
	f.Model, _ = f.Model.Update(msg)
}

// show is the field in a number of cells.
func (f *field) show(width int) string {
	f.SetWidth(max(1, width-1))
	return f.View()
}
