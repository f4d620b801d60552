package tui

import tea "charm.land/bubbletea/v2"

// filter is the line above a list that narrows it down.
type filter struct {
	field
	on bool // it has the keys
}

func newFilter(l *look) filter { return filter{field: newField(l, "filter")} }

// open is the key that gives the keys to the filter.
func (f *filter) open(help string) binding {
	return binding{keys: []string{"/"}, label: "filter", help: help, act: func() action { f.on = true; f.Focus(); return nil }}
}

// keys are those of a filter that has them. changed looks for what fits now; move goes
// through what is listed meanwhile.
func (f *filter) keys(changed func(), move func(by int)) []binding {
	step := func(by int) func() action { return func() action { move(by); return nil } }
	return []binding{
		{keys: []string{"enter"}, label: "done", help: "keep the filter", act: func() action { f.leave(); return nil }},
		{keys: []string{"esc"}, label: "all", help: "end the filter", act: func() action { f.end(changed); return nil }},
		{keys: []string{"up"}, help: "up", act: step(-1)},
		{keys: []string{"down"}, help: "down", act: step(1)},
	}
}

// leave keeps what was typed, and gives the keys back.
func (f *filter) leave() { f.on = false; f.Blur() }

// end takes the filter away.
func (f *filter) end(changed func()) {
	f.leave()
	f.Reset()
	changed()
}

// typed takes a key or a paste, if the filter has the keys.
func (f *filter) typed(msg tea.Msg, changed func()) {
	if f.on {
		f.update(msg)
		changed()
	}
}

// line is the filter, and how many are listed.
func (f *filter) line(l *look, count string, width int) string {
	return right(l.accent.Render("/ ")+f.show(width/2), l.dim.Render(count), width)
}
