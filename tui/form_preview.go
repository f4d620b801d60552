package tui

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

// previewCache keeps the lines of what would be sent until that changes.
type previewCache struct {
	version, judged, width int
	lines                  []string
}

// maxPreview bounds the lines of what would be sent.
const maxPreview = 400

// drawPreview is what would be sent, with what is wrong beside it.
func (f *form) drawPreview(width int) []string {
	if c := &f.preview; c.lines != nil && c.version == f.version && c.judged == f.judged && c.width == width {
		return c.lines
	}
	p := previewer{form: f, width: width, secret: f.shown.hiding(), problems: map[string]string{}}
	for _, problem := range f.problems {
		if _, known := p.problems[problem.at]; !known {
			p.problems[problem.at] = problem.text
		}
	}
	p.value(f.value(), "", "", "", "", false)
	f.preview = previewCache{f.version, f.judged, width, p.lines}
	return p.lines
}

type previewer struct {
	form     *form
	width    int
	secret   *hiding
	problems map[string]string
	lines    []string
}

// value writes the value of a member: lead is what stands before it in its line,
// comma what has to stand behind it.
func (p *previewer) value(v *jsonValue, at, name, indent, lead string, comma bool) {
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
	case v.kind == '{' && len(v.members) > 0:
		p.add(indent+lead+"{", at)
		for i, m := range v.members {
			p.value(m.value, at+"/"+pointerToken(m.name), m.name, indent+"  ", quoteJSON(m.name)+": ", i < len(v.members)-1)
		}
		p.add(indent+"}"+end, "-")
	case v.kind == '[' && len(v.items) > 0 && !flat(v):
		p.add(indent+lead+"[", at)
		for i, item := range v.items {
			p.value(item, at+"/"+countText(i), "", indent+"  ", "", i < len(v.items)-1)
		}
		p.add(indent+"]"+end, "-")
	default:
		text := v.compact()
		if len(text) > 2000 {
			text = strings.ToValidUTF8(text[:2000], "") + "…"
		}
		p.add(indent+lead+text+end, at)
	}
}

// flat reports whether a list is short enough for one line.
func flat(v *jsonValue) bool {
	size := 0
	for _, item := range v.items {
		if item.kind == '{' || item.kind == '[' {
			return false
		}
		size += len(item.text) + 4
	}
	return size < 30
}

func (p *previewer) add(line, at string) {
	l := p.form.look
	if words := p.problems[at]; words != "" && at != "-" {
		note := "  ← " + words
		p.lines = append(p.lines, cut(broker.CleanLine(line), max(p.width-len(note), p.width/2))+l.bad.Render(note))
		return
	}
	p.lines = append(p.lines, cut(broker.CleanLine(line), p.width))
}
