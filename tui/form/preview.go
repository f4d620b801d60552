package form

import (
	"strconv"
	"strings"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// previewCache keeps the lines of what would be sent until that changes.
type previewCache struct {
	version, width int
	lines          []string
}

// maxPreview bounds the lines of what would be sent.
const maxPreview = 400

// Preview is what would be sent, with what is wrong beside it.
func (f *Form) Preview(width int) []string {
	if c := &f.preview; c.lines != nil && c.version == f.version && c.width == width {
		return c.lines
	}
	p := previewer{form: f, width: width, secret: f.sent.hiding(), problems: map[string]string{}}
	for _, problem := range f.problems {
		if _, known := p.problems[problem.at]; !known {
			p.problems[problem.at] = problem.text
		}
	}
	p.value(f.Value(), "", "", "", "", false)
	f.preview = previewCache{f.version, width, p.lines}
	return p.lines
}

type previewer struct {
	form     *Form
	width    int
	secret   *hiding
	problems map[string]string
	lines    []string
}

// value writes the value of a member: lead is what stands before it in its line,
// comma what has to follow it.
func (p *previewer) value(v *toolargs.Value, at, name, indent, lead string, comma bool) {
	end := ""
	if comma {
		end = ","
	}
	if len(p.lines) > maxPreview {
		return
	}
	switch {
	case p.secret.hides(at, name):
		p.add(indent+lead+masking+end, at)
	case v.Kind == '{' && len(v.Members) > 0:
		p.add(indent+lead+"{", at)
		for i, m := range v.Members {
			p.value(m.Value, at+"/"+toolargs.PointerToken(m.Name), m.Name, indent+"  ", toolargs.Quote(m.Name)+": ", i < len(v.Members)-1)
		}
		p.add(indent+"}"+end, "-")
	case v.Kind == '[' && len(v.Items) > 0 && !flat(v):
		p.add(indent+lead+"[", at)
		for i, item := range v.Items {
			p.value(item, at+"/"+strconv.Itoa(i), "", indent+"  ", "", i < len(v.Items)-1)
		}
		p.add(indent+"]"+end, "-")
	default:
		text := v.Compact()
		if len(text) > 2000 {
			text = strings.ToValidUTF8(text[:2000], "") + "…"
		}
		p.add(indent+lead+text+end, at)
	}
}

// flat reports whether a list is short enough for one line.
func flat(v *toolargs.Value) bool {
	size := 0
	for _, item := range v.Items {
		if item.Kind == '{' || item.Kind == '[' {
			return false
		}
		size += len(item.Text) + 4
	}
	return size < 30
}

func (p *previewer) add(line, at string) {
	l := p.form.theme
	if words := p.problems[at]; words != "" && at != "-" {
		note := "  ← " + words
		p.lines = append(p.lines, widget.Cut(text.CleanLine(line), max(p.width-len(note), p.width/2))+l.Bad.Render(note))
		return
	}
	p.lines = append(p.lines, widget.Cut(text.CleanLine(line), p.width))
}
