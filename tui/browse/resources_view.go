package browse

import (
	"fmt"
	"strings"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

func (s *Resources) Keys() []widget.Binding {
	switch {
	case s.filter.On:
		return s.filter.Keys(s.arrange, s.Move)
	case s.focus == onForm && s.form != nil:
		return s.form.bindings("read", s.readTemplate, s.toList)
	}
	var all []widget.Binding
	if s.focus == onText {
		all = append(all, widget.Bind("esc", "back", "back to the list", s.toList))
		all = append(all, s.textKeys()...)
		all = append(all, s.doc.Bindings()...)
	} else {
		all = append(all, widget.Bind("enter", "read", "read it, or open the group", s.enter))
	}
	all = append(all, s.targetKeys()...)
	if s.focus == onText {
		return all
	}
	if s.readURI != "" {
		all = append(all, widget.Bind("tab", "text", "go to the text", s.toText))
	}
	all = append(all, s.filter.Open("filter the list"), s.Again("read the list again", s.reload))
	return append(all, s.moves(s.chose)...)
}

// textKeys are those of the text that was read.
func (s *Resources) textKeys() []widget.Binding {
	return []widget.Binding{
		widget.Bind("tab", "", "go to the list", s.toList),
		s.otherForm(),
		widget.Bind("Y", "copy text", "copy the text", widget.Copies("the text", s.doc.Text)),
		widget.Bind("w", "save", "save it in a file", func() widget.Action { return s.doc.Saved(s.readURI) }),
		widget.Bind("r", "again", "read it again", func() widget.Action { return s.Open(s.readURI) }),
	}
}

// targetKeys are about one address.
func (s *Resources) targetKeys() []widget.Binding {
	uri := s.target()
	if uri == "" {
		if item, ok := s.chosen(); ok && item.template() {
			return []widget.Binding{
				widget.Bind("t", "template", "fill in the template", s.openForm),
				widget.Bind("y", "copy", "copy the template", widget.Does(widget.CopyText{What: "the template", Text: item.URITemplate})),
			}
		}
		return nil
	}
	word := "subscribe"
	if _, on := s.subscribed[uri]; on {
		word = "unsubscribe"
	}
	return []widget.Binding{
		widget.Bind("u", word, word+": be notified when it changes", func() widget.Action { return s.toggleSubscription(uri) }),
		widget.Bind("y", "copy URI", "copy the URI", widget.Does(widget.CopyText{What: "the URI", Text: uri})),
		widget.Bind("c", "", "copy the command that reads it",
			widget.Does(widget.CopyText{What: "the command", Text: s.commandLine("resources", "read", uri)})),
	}
}

func (s *Resources) View(width, height int) string {
	return s.sideBySide(s.listLines, s.detail, width, height)
}

func (s *Resources) listLines(width, height int) []string {
	shown := 0
	for _, r := range s.rows {
		shown += r.size
	}
	lines := []string{s.filter.Line(s.Theme, fmt.Sprintf("%d of %d", shown, len(s.All)), width)}
	if len(s.rows) == 0 {
		return append(lines, screen.EmptyLines(s.Theme, s.EmptyText("resources", s.Loaded, s.Problem, s.filter.Value() != ""), width)...)
	}
	return append(lines, s.List.View(height-1, func(i int, chosen bool) []string { return []string{s.row(i, chosen, width)} })...)
}

func (s *Resources) row(i int, chosen bool, width int) string {
	l, r := s.Theme, s.rows[i]
	if r.item < 0 {
		sign := "▾ "
		if s.folded[r.group] && s.filter.Value() == "" {
			sign = "▸ "
		}
		line := widget.Right(sign+r.group, fmt.Sprint(r.size), width)
		if chosen && s.focus == onList {
			return l.Chosen.Render(line)
		}
		return l.Heading.Render(line)
	}
	item := &s.All[r.item]
	name := strings.TrimPrefix(item.shown, r.group)
	if name == "" {
		name = item.shown
	}
	if _, on := s.subscribed[item.URI]; on && !item.template() {
		name += " ◉"
	}
	end := s.rowEnd(item)
	mark := "  "
	if chosen {
		mark = "▸ "
	}
	if chosen && s.focus == onList {
		return l.Chosen.Render(widget.Right("  "+mark+name, end, width))
	}
	style := l.Dim
	if !item.Access.Allowed {
		style = l.Bad
	}
	return widget.Right("  "+mark+name, style.Render(end), width)
}

// rowEnd is what stands at the end of an item's line: what the policy says
// against it, or its kind and size.
func (s *Resources) rowEnd(item *resourceItem) string {
	if !item.Access.Allowed {
		return accessLabels(item.Access)
	}
	kind := item.mime[strings.LastIndexByte(item.mime, '/')+1:]
	if item.Size > 0 {
		kind += "  " + widget.ByteSize(int(item.Size))
	}
	return widget.Cut(kind, 22)
}

// markWords are what the policy says against an item, in a word or two.
func accessLabels(m mcpclient.Access) string {
	switch m.Effect {
	case "step_up":
		return "! sign in again"
	case "":
		return ""
	}
	return "✗ policy"
}

// markLines are what the policy says about an item, where it says something.
func markLines(l *widget.Theme, m mcpclient.Access, width int) []string {
	if m.Effect == "" {
		return nil
	}
	return l.PolicyLines(m, width)
}

// detail is the right pane, or what stands for the list in one.
func (s *Resources) detail(width, height int) []string {
	item, ok := s.chosen()
	if ok && item.template() && s.focus != onText {
		return s.templateLines(item, width, height)
	}
	if s.readURI != "" && (s.focus == onText || !ok || item.URI == s.readURI) {
		return s.readLines(width, height)
	}
	if !ok {
		return nil
	}
	return s.aboutLines(item, width)
}

// aboutLines tells of a resource that was not read yet.
func (s *Resources) aboutLines(item resourceItem, width int) []string {
	l := s.Theme
	lines := []string{l.Strong.Render(widget.CutMiddle(item.shown, width)),
		l.Dim.Render(widget.Cut(strings.TrimSpace(item.mime+"  "+sizeText(item.Size)), width)), ""}
	if item.name != "" {
		lines = append(lines, widget.Wrapped(item.name, width)...)
	}
	if item.description != "" {
		lines = append(lines, widget.Wrapped(item.description, width)...)
	}
	lines = append(lines, "")
	lines = append(lines, markLines(l, item.Access, width)...)
	return append(lines, "", l.Key.Render("enter")+l.Dim.Render(" reads it"))
}

func sizeText(size int64) string {
	if size < 0 {
		return ""
	}
	return widget.ByteSize(int(size))
}

func (s *Resources) templateLines(item resourceItem, width, height int) []string {
	l := s.Theme
	lines := []string{l.Heading.Render("TEMPLATE") + "  " + widget.Cut(item.shown, width-10)}
	for _, text := range []string{item.name, item.description} {
		if text != "" {
			lines = append(lines, widget.Wrapped(text, width)...)
		}
	}
	lines = append(lines, "")
	if s.form == nil {
		return append(lines, l.Bad.Render("✗ this template cannot be read"))
	}
	s.formFrom = len(lines)
	lines = append(lines, s.form.View(width, max(height-len(lines)-3, 4))...)
	if uri, err := s.expand(); err == nil {
		lines = append(lines, "", l.Dim.Render("→ ")+widget.Cut(text.CleanLine(uri), width-2))
	}
	if !item.Access.Allowed {
		lines = append(append(lines, ""), markLines(l, item.Access, width)...)
	}
	return lines
}

// readLines is what was read.
func (s *Resources) readLines(width, height int) []string {
	l := s.Theme
	title := l.Strong.Render(widget.CutMiddle(text.CleanLine(s.readURI), width))
	if s.focus == onText {
		title = l.Chosen.Render(widget.CutMiddle(text.CleanLine(s.readURI), width))
	}
	switch {
	case s.getting != nil:
		return []string{title, "", l.Dim.Render("Reading…  ctrl+c stops it")}
	case s.failure != nil:
		return append([]string{title, ""}, l.ProblemLines(s.failure, width)...)
	}
	kind := text.Count(len(s.doc.Parts), "part")
	if len(s.doc.Parts) == 1 {
		kind = text.CleanLine(s.doc.Parts[0].MIMEType)
	}
	about := strings.TrimPrefix(kind+" · "+widget.ByteSize(s.doc.Size())+" · read "+s.gotAt.Local().Format("15:04:05"), " · ")
	if s.doc.Raw {
		about += " · raw"
	}
	lines := []string{title, l.Dim.Render(widget.Cut(about, width)), ""}
	if s.doc.Width == 0 {
		return append(lines, l.Dim.Render("…"))
	}
	return append(lines, s.doc.View(height-3)...)
}
