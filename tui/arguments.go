package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// argumentForm takes the arguments of a prompt or of a resource template: texts,
// with the server's proposals while they are typed.
type argumentForm struct {
	*world
	ref     broker.CompletionRef
	fields  []argumentField
	at      int
	asking  *job
	rows    []int    // the field of each line that was shown last
	offered []string // the server's proposals for the field, less those that hide something
	more    bool
}

type argumentField struct {
	name, shown, help string
	required          bool
	field
	whole string // a text that one line would change; empty for none
}

// text is what would be sent.
func (a *argumentField) text() string {
	if a.whole != "" {
		return a.whole
	}
	return a.Value()
}

// paste keeps a text that the line would cut or join as it is.
func (a *argumentField) paste(pasted string) (kept bool) {
	if a.whole == "" && editable(pasted) && !strings.Contains(pasted, "\n") && len(a.Value())+len(pasted) <= a.CharLimit {
		return false
	}
	e := editor{line: a.field}
	before, after := e.around()
	a.whole += before + pasted + after
	a.Reset()
	return true
}

// completionWaits is how long typing has to rest before the server is asked.
const completionWaits = 250 * time.Millisecond

// completionRead is the server's proposals for a field.
type completionRead struct {
	at, total int
	value     string // what had been typed
	values    []string
	more      bool
}

func newArgumentForm(w *world, ref broker.CompletionRef, arguments []broker.PromptArgument) *argumentForm {
	f := &argumentForm{world: w, ref: ref}
	for _, a := range arguments {
		f.fields = append(f.fields, argumentField{
			name: a.Name, shown: broker.CleanLine(a.Name), help: broker.CleanLine(a.Description), required: a.Required,
			field: newField(w.look, "not sent"),
		})
	}
	return f
}

// focus goes to a field, and asks the server for proposals.
func (f *argumentForm) focus(at int) action {
	if len(f.fields) == 0 {
		return nil
	}
	f.blur()
	f.at = (at + len(f.fields)) % len(f.fields)
	f.fields[f.at].Focus()
	f.fields[f.at].CursorEnd()
	return f.ask(0)
}

func (f *argumentForm) blur() {
	for i := range f.fields {
		f.fields[i].Blur()
	}
	f.offered = nil
	f.asking.stop()
}

// ask asks for proposals once nothing was typed for a while.
func (f *argumentForm) ask(wait time.Duration) action {
	f.asking.stop()
	if f.server == nil || f.info.lacks["completions"] {
		return nil
	}
	server, ref, at := f.server, f.ref, f.at
	name, value, others := f.fields[at].name, f.fields[at].text(), f.set()
	delete(others, name)
	f.asking = run(func(ctx context.Context) tea.Msg {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		got, err := server.Complete(ctx, ref, name, value, others)
		if err != nil || ctx.Err() != nil {
			return nil // proposals are a help, not a need
		}
		return completionRead{at: at, value: value, values: got.Values, total: got.Total, more: got.HasMore}
	})
	return f.asking
}

// update takes a key, a paste or proposals.
func (f *argumentForm) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case completionRead:
		if msg.at == f.at && f.at < len(f.fields) && msg.value == f.fields[f.at].Value() {
			f.more, f.offered = msg.more, nil
			for _, v := range msg.values {
				if broker.CleanLine(v) == v { // else it would be sent as something else than is seen
					f.offered = append(f.offered, v)
				}
			}
		}
	case lookNew:
		for i := range f.fields {
			f.fields[i].dress(f.look)
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		if len(f.fields) == 0 {
			return nil
		}
		return f.typed(msg)
	}
	return nil
}

// typed gives a key or a paste to the field.
func (f *argumentForm) typed(msg tea.Msg) action {
	current := &f.fields[f.at]
	if paste, ok := msg.(tea.PasteMsg); ok && current.paste(paste.Content) {
		f.offered = nil
		return nil
	}
	if current.whole != "" {
		return notice{info, "this text was pasted and is sent as it is; ctrl+u drops it"}
	}
	before := current.Value()
	current.update(msg)
	if current.Value() == before {
		return nil
	}
	f.offered = nil
	return f.ask(completionWaits)
}

// complete takes the first proposal, or goes on to the next field.
func (f *argumentForm) complete() action {
	current := &f.fields[f.at]
	if current.whole == "" && len(f.offered) > 0 && !slices.Contains(f.offered, current.Value()) {
		current.SetValue(f.offered[0])
		current.CursorEnd()
		return f.ask(completionWaits)
	}
	return f.focus(f.at + 1)
}

// another puts the next proposal in.
func (f *argumentForm) another() action {
	if len(f.offered) == 0 {
		return nil
	}
	current := &f.fields[f.at]
	current.SetValue(f.offered[(slices.Index(f.offered, current.Value())+1)%len(f.offered)])
	current.CursorEnd()
	return nil
}

// set are the arguments that have a value.
func (f *argumentForm) set() map[string]string {
	values := map[string]string{}
	for _, field := range f.fields {
		if v := field.text(); v != "" {
			values[field.name] = v
		}
	}
	return values
}

// missing is the first required argument without a value.
func (f *argumentForm) missing() (name string, at int, any bool) {
	for i, field := range f.fields {
		if field.required && field.text() == "" {
			return field.shown, i, true
		}
	}
	return "", 0, false
}

// bindings are those of a form that has the keys. send is what enter does.
func (f *argumentForm) bindings(verb string, send, leave func() action) []binding {
	return []binding{
		{keys: []string{"enter"}, label: verb, help: verb, act: send},
		{keys: []string{"tab"}, label: "complete, next", help: "take the first proposal, or go to the next field", act: f.complete},
		{keys: []string{"shift+tab", "up"}, help: "the field before", act: func() action { return f.focus(f.at - 1) }},
		{keys: []string{"down"}, help: "the next field", act: func() action { return f.focus(f.at + 1) }},
		{keys: []string{"ctrl+n"}, help: "the next proposal", act: f.another},
		{keys: []string{"ctrl+u"}, label: "not sent", help: "empty the field: it is not sent", act: func() action { f.fields[f.at].whole = ""; f.fields[f.at].Reset(); return f.ask(0) }},
		{keys: []string{"esc"}, label: "back", help: "back to the list", act: leave},
	}
}

// lines shows the fields. active says that the form has the keys.
func (f *argumentForm) lines(width int, active bool) []string {
	l, name := f.look, 4
	for _, field := range f.fields {
		name = max(name, min(len([]rune(field.shown))+2, width/3))
	}
	var lines []string
	f.rows = f.rows[:0]
	for i := range f.fields {
		field := &f.fields[i]
		star := ""
		if field.required {
			star = " *"
		}
		label := fit(cut(field.shown, name-2)+star, name)
		mark := "  "
		if active && i == f.at {
			mark, label = "▸ ", l.strong.Render(label)
		}
		value := field.show(width - name - 4)
		if field.whole != "" {
			value = byteSize(len(field.whole)) + ", " + plural(strings.Count(field.whole, "\n")+1, "line", "lines") + l.dim.Render("  ctrl+u drops it")
		}
		lines = append(lines, mark+label+"  "+cut(value, width-name-4))
		if active && i == f.at {
			if len(f.offered) > 0 {
				end := ""
				if f.more {
					end = " …"
				}
				lines = append(lines, strings.Repeat(" ", name+4)+l.dim.Render(cut(strings.Join(f.offered, " · ")+end, width-name-4)))
			} else if field.help != "" {
				lines = append(lines, strings.Repeat(" ", name+4)+l.dim.Render(cut(field.help, width-name-4)))
			}
		}
		for len(f.rows) < len(lines) {
			f.rows = append(f.rows, i)
		}
	}
	return lines
}

// fieldAt is the field in a line of what was shown last.
func (f *argumentForm) fieldAt(line int) (int, bool) {
	if line < 0 || line >= len(f.rows) {
		return 0, false
	}
	return f.rows[line], true
}
