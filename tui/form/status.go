package form

import (
	"fmt"
	"strings"

	"github.com/mcpauth/mcpauth/broker/text"
)

// Picking reports whether the list of a long choice is open.
func (f *Form) Picking() bool { return f.pick != nil }

// Empty reports whether there is nothing to fill in.
func (f *Form) Empty() bool { return len(f.rows) == 0 && f.raw == nil }

// Wrong reports whether something is wrong with what would be sent.
func (f *Form) Wrong() bool { return len(f.problems) > 0 }

// DropJSON goes back from the JSON of all to the form as it was. It reports whether
// it was shown.
func (f *Form) DropJSON() bool {
	shown := f.raw != nil
	f.raw = nil
	return shown
}

// State is a word or two about what would be sent. It is empty while it is only to
// be filled in.
func (f *Form) State() string {
	switch n := len(f.errors()); {
	case n > 0:
		return f.theme.Bad.Render(text.Count(n, "problem"))
	case f.Wrong():
		return ""
	}
	return f.theme.Good.Render("✓ valid")
}

// Status is a line about what keeps the form from being sent; empty for nothing.
func (f *Form) Status() string {
	l, errors := f.theme, f.errors()
	switch n := len(errors); {
	case f.raw != nil && f.raw.err != "":
		return l.Bad.Render("! " + f.raw.err)
	case f.raw != nil:
		return l.Dim.Render("all arguments as JSON: ctrl+e goes back to the form, esc drops what was changed")
	case n == 1:
		return l.Bad.Render("! " + text.CleanLine(errors[0].sentence()))
	case n > 0:
		return l.Bad.Render("! " + text.Count(n, "field") + " to fix before sending")
	case f.Wrong():
		return l.Dim.Render("· " + text.Count(len(f.problems), "field") + " to fill in")
	}
	if note := f.schema.Note(); note != "" {
		return l.Warn.Render("! " + text.CleanLine(note))
	}
	return ""
}

// LeftOut tells which defaults the server will use; empty for none.
func (f *Form) LeftOut() string {
	var words []string
	for _, kid := range f.root.kids {
		if kid.field.Default != nil && !kid.present() && kid.implied() == nil && !kid.field.Secret {
			words = append(words, fmt.Sprintf("%s (%s)", text.CleanLine(kid.field.Label), kid.field.Default.Compact()))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "Left out, so that the server takes its default: " + strings.Join(words, ", ")
}
