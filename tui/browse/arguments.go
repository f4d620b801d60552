package browse

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/form"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// argumentForm takes the arguments of a prompt or of a resource template: strings,
// with the server's proposals while they are typed.
type argumentForm struct {
	*screen.Session
	*form.Form
	ref     mcpclient.CompletionRef
	asking  *widget.Job
	offered []string // the server's proposals for the field, less those that hide something
}

// completionWaits is how long typing has to rest before the server is asked.
const completionWaits = 250 * time.Millisecond

// completionRead is the server's proposals for a field.
type completionRead struct {
	name, value string // the field, and what had been typed
	values      []string
	more        bool
}

func newArgumentForm(w *screen.Session, ref mcpclient.CompletionRef, arguments []mcpclient.PromptArgument) *argumentForm {
	properties, required := toolargs.Object(), &toolargs.Value{Kind: '['}
	for _, a := range arguments {
		properties.Members = append(properties.Members, toolargs.Member{Name: a.Name, Value: toolargs.Object(
			toolargs.Member{Name: "type", Value: toolargs.String("string")},
			toolargs.Member{Name: "description", Value: toolargs.String(a.Description)})})
		if a.Required {
			required.Items = append(required.Items, toolargs.String(a.Name))
		}
	}
	schema := toolargs.Object(toolargs.Member{Name: "properties", Value: properties}, toolargs.Member{Name: "required", Value: required})
	f := &argumentForm{Session: w, Form: form.New(w.Theme, toolargs.Read([]byte(schema.Compact()))), ref: ref}
	f.Blurred = true
	return f
}

// focus gives the keys to the form, and asks the server for proposals.
func (f *argumentForm) focus() widget.Action {
	f.Blurred = false
	return f.ask(0)
}

func (f *argumentForm) blur() {
	f.Blurred = true
	f.offer(nil, false)
	f.asking.Stop()
}

// move goes to another field.
func (f *argumentForm) move(by int) widget.Action {
	f.offer(nil, false)
	f.Move(by)
	return f.ask(0)
}

// ask asks for proposals once nothing was typed for a while.
func (f *argumentForm) ask(wait time.Duration) widget.Action {
	f.asking.Stop()
	name, value, ok := f.Current()
	if !ok || f.Server == nil || f.Info.Lacks["completions"] {
		return nil
	}
	server, ref, others := f.Server, f.ref, f.set()
	delete(others, name)
	f.asking = widget.Run(func(ctx context.Context) tea.Msg {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		got, err := server.Complete(ctx, ref, name, value, others)
		if err != nil || ctx.Err() != nil {
			return nil // proposals are a help, not a need
		}
		return completionRead{name: name, value: value, values: got.Values, more: got.HasMore}
	})
	return f.asking
}

// update takes a key, a paste or proposals.
func (f *argumentForm) update(msg tea.Msg) widget.Action {
	name, before, _ := f.Current()
	switch msg := msg.(type) {
	case completionRead:
		if msg.name == name && msg.value == before {
			f.offer(msg.values, msg.more)
		}
	case screen.ThemeChanged:
		f.Dress()
	case tea.KeyPressMsg, tea.PasteMsg:
		f.Update(msg)
		if _, after, _ := f.Current(); after != before {
			f.offer(nil, false)
			return f.ask(completionWaits)
		}
	}
	return nil
}

// offer keeps the proposals that would be sent as they are seen.
func (f *argumentForm) offer(values []string, more bool) {
	f.offered = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return text.CleanLine(v) != v })
	f.Offer(f.offered, more)
}

// complete takes the first proposal, or goes on to the next field.
func (f *argumentForm) complete() widget.Action {
	if _, value, _ := f.Current(); len(f.offered) > 0 && !slices.Contains(f.offered, value) {
		f.Put(f.offered[0])
		return f.ask(completionWaits)
	}
	return f.move(1)
}

// another puts the next proposal in.
func (f *argumentForm) another() widget.Action {
	if len(f.offered) > 0 {
		_, value, _ := f.Current()
		f.Put(f.offered[(slices.Index(f.offered, value)+1)%len(f.offered)])
	}
	return nil
}

// set are the arguments that have a value.
func (f *argumentForm) set() map[string]string {
	values := map[string]string{}
	for _, m := range f.Value().Members {
		values[m.Name] = m.Value.Text
	}
	return values
}

// bindings are those of a form that has the keys. send is what enter does.
func (f *argumentForm) bindings(verb string, send, leave func() widget.Action) []widget.Binding {
	return []widget.Binding{
		widget.Bind("enter", verb, verb, send),
		widget.Bind("tab", "complete, next", "take the first proposal, or go to the next field", f.complete),
		widget.Bind("shift+tab up", "", "the field before", func() widget.Action { return f.move(-1) }),
		widget.Bind("down", "", "the next field", func() widget.Action { return f.move(1) }),
		widget.Bind("ctrl+n", "", "the next proposal", f.another),
		widget.Bind("ctrl+u", "not sent", "empty the field: it is not sent", func() widget.Action { f.Unset(); return f.ask(0) }),
		widget.Bind("esc", "back", "back to the list", leave),
	}
}
