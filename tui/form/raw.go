package form

import (
	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// rawJSON is the whole value as JSON.
type rawJSON struct {
	area textarea.Model
	long string // a text that is too long to be edited in place; empty for none
	err  string
}

func newRawJSON(l *widget.Theme, text string) *rawJSON {
	r := &rawJSON{area: newArea(l, "")}
	r.set(text)
	r.area.MoveToBegin()
	return r
}

func (r *rawJSON) update(msg tea.Msg) {
	if r.long != "" {
		return
	}
	if paste, ok := msg.(tea.PasteMsg); ok {
		pasted := widget.Untab(paste.Content) // tabs are blanks between the parts of JSON
		if len(pasted)+r.area.Length() > maxInline || !editable(pasted) {
			before, after := around(&r.area)
			r.set(before + pasted + after)
			return
		}
		msg = tea.PasteMsg{Content: pasted}
	}
	r.area, _ = r.area.Update(msg)
	r.judge()
}

func (r *rawJSON) set(text string) {
	r.long = ""
	if len(text) > maxInline || !editable(text) {
		r.long = text
	} else {
		r.area.SetValue(text)
	}
	r.judge()
}

func (r *rawJSON) text() string {
	if r.long != "" {
		return r.long
	}
	return r.area.Value()
}

func (r *rawJSON) judge() {
	r.err = ""
	if _, err := toolargs.Parse([]byte(r.text())); err != nil {
		r.err = err.Error()
	}
}

// ToggleJSON goes to the JSON of the whole, and back. It returns what keeps it there.
func (f *Form) ToggleJSON() string {
	if f.raw == nil {
		f.raw = newRawJSON(f.theme, f.Value().Indented())
		return ""
	}
	if f.raw.err != "" {
		return "no JSON: " + f.raw.err
	}
	v, err := toolargs.Parse([]byte(f.raw.text()))
	if err != nil {
		return text.CleanLine(err.Error())
	}
	f.raw = nil
	f.Fill(v)
	return ""
}
