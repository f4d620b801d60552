package widget

import tea "charm.land/bubbletea/v2"

// Filter is the line above a list that narrows it down.
type Filter struct {
	Field
	On bool // it has the keys
}

func NewFilter(l *Theme) Filter { return Filter{Field: NewField(l, "filter")} }

// Open is the key that gives the keys to the filter.
func (f *Filter) Open(help string) Binding {
	return Bind("/", "filter", help, Do(func() { f.On = true; f.Focus() }))
}

// Keys are those of a filter that has them. changed looks for what fits now; move goes
// through what is listed meanwhile.
func (f *Filter) Keys(changed func(), move func(by int)) []Binding {
	step := func(by int) func() Action { return func() Action { move(by); return nil } }
	return []Binding{
		Bind("enter", "done", "keep the filter", Do(func() { f.leave() })),
		Bind("esc", "all", "end the filter", Do(func() { f.End(changed) })),
		Bind("up", "", "up", step(-1)),
		Bind("down", "", "down", step(1)),
	}
}

// leave keeps what was typed, and gives the keys back.
func (f *Filter) leave() { f.On = false; f.Blur() }

// End takes the filter away.
func (f *Filter) End(changed func()) {
	f.leave()
	f.Reset()
	changed()
}

// Typed takes a key or a paste, if the filter has the keys.
func (f *Filter) Typed(msg tea.Msg, changed func()) {
	if f.On {
		f.Take(msg)
		changed()
	}
}

// Line is the filter, and how many are listed.
func (f *Filter) Line(l *Theme, count string, width int) string {
	return Right(l.Accent.Render("/ ")+f.Show(width/2), l.Dim.Render(count), width)
}
