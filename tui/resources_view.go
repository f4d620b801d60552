package tui

import (
	"fmt"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

func (s *resourcesScreen) keys() []binding {
	switch {
	case s.filter.on:
		return s.filter.keys(s.arrange, s.move)
	case s.focus == onForm && s.form != nil:
		return s.form.bindings("read", s.readTemplate, s.toList)
	}
	var all []binding
	if s.focus == onText {
		all = append(all, binding{keys: []string{"esc"}, label: "back", help: "back to the list", act: s.toList})
		all = append(all, s.textKeys()...)
		all = append(all, s.doc.bindings()...)
	} else {
		all = append(all, binding{keys: []string{"enter"}, label: "read", help: "read it, or open the group", act: s.enter})
	}
	all = append(all, s.targetKeys()...)
	if s.focus == onText {
		return all
	}
	if s.readURI != "" {
		all = append(all, binding{keys: []string{"tab"}, label: "text", help: "go to the text", act: s.toText})
	}
	all = append(all, s.filter.open("filter the list"), s.again("read the list again", s.reload))
	return append(all, s.moves(s.chose)...)
}

// textKeys are those of the text that was read.
func (s *resourcesScreen) textKeys() []binding {
	return []binding{
		{keys: []string{"tab"}, help: "go to the list", act: s.toList},
		s.otherForm(),
		{keys: []string{"Y"}, label: "copy text", help: "copy the text", act: func() action { return copyText{"the text", s.doc.text()} }},
		{keys: []string{"w"}, label: "save", help: "save it in a file", act: func() action { return s.doc.saved(s.readURI) }},
		{keys: []string{"r"}, label: "again", help: "read it again", act: func() action { return s.open(s.readURI) }},
	}
}

// targetKeys are about one address.
func (s *resourcesScreen) targetKeys() []binding {
	uri := s.target()
	if uri == "" {
		if item, ok := s.chosen(); ok && item.template() {
			return []binding{
				{keys: []string{"t"}, label: "template", help: "fill in the template", act: s.openForm},
				{keys: []string{"y"}, label: "copy", help: "copy the template", act: does(copyText{"the template", item.URITemplate})},
			}
		}
		return nil
	}
	word := "subscribe"
	if _, on := s.subscribed[uri]; on {
		word = "unsubscribe"
	}
	return []binding{
		{keys: []string{"u"}, label: word, help: word + ": be told when it changes", act: func() action { return s.toggleSubscription(uri) }},
		{keys: []string{"y"}, label: "copy URI", help: "copy the URI", act: does(copyText{"the URI", uri})},
		{keys: []string{"c"}, help: "copy the command that reads it", act: does(copyText{"the command", s.commandLine("resources", "read", uri)})},
	}
}

func (s *resourcesScreen) view(width, height int) string {
	return s.sideBySide(s.listLines, s.detail, width, height)
}

func (s *resourcesScreen) listLines(width, height int) []string {
	shown := 0
	for _, r := range s.rows {
		shown += r.size
	}
	lines := []string{s.filter.line(s.look, fmt.Sprintf("%d of %d", shown, len(s.all)), width)}
	if len(s.rows) == 0 {
		return append(lines, s.look.emptyLines(s.emptyWords("resources", s.loaded, s.problem, s.filter.Value() != ""), width)...)
	}
	return append(lines, s.list.view(height-1, func(i int, chosen bool) []string { return []string{s.row(i, chosen, width)} })...)
}

func (s *resourcesScreen) row(i int, chosen bool, width int) string {
	l, r := s.look, s.rows[i]
	if r.item < 0 {
		sign := "▾ "
		if s.folded[r.group] && s.filter.Value() == "" {
			sign = "▸ "
		}
		line := right(sign+r.group, fmt.Sprint(r.size), width)
		if chosen && s.focus == onList {
			return l.chosen.Render(line)
		}
		return l.heading.Render(line)
	}
	item := &s.all[r.item]
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
		return l.chosen.Render(right("  "+mark+name, end, width))
	}
	style := l.dim
	if !item.Mark.Allowed {
		style = l.bad
	}
	return right("  "+mark+name, style.Render(end), width)
}

// rowEnd is what stands at the end of an item's line: what the policy says
// against it, or its kind and size.
func (s *resourcesScreen) rowEnd(item *resourceItem) string {
	if !item.Mark.Allowed {
		return markWords(item.Mark)
	}
	kind := item.mime[strings.LastIndexByte(item.mime, '/')+1:]
	if item.Size > 0 {
		kind += "  " + byteSize(int(item.Size))
	}
	return cut(kind, 22)
}

// markWords are what the policy says against an item, in a word or two.
func markWords(m broker.Mark) string {
	switch m.Effect {
	case "step_up":
		return "! sign in again"
	case "":
		return ""
	}
	return "✗ policy"
}

// markLines are what the policy says to an item.
func (l *look) markLines(m broker.Mark, width int) []string {
	if m.Effect == "" {
		return nil
	}
	style, word := l.good, "✓ allowed"
	if !m.Allowed {
		style, word = l.bad, "✗ denied"
		if m.Effect == "step_up" {
			style, word = l.warn, "! allowed after another sign-in"
		}
	}
	lines := []string{l.heading.Render("POLICY") + "  " + style.Render(word) + l.dim.Render(cut("  "+broker.CleanLine(m.Rule), max(0, width-10-len(word))))}
	for _, text := range append([]string{m.Why}, append(m.Cures, m.Notes...)...) {
		if text != "" {
			lines = append(lines, indented(wrapped(broker.CleanLine(text), width-2), 2)...)
		}
	}
	return lines
}

// detail is the right pane, or what stands for the list in one.
func (s *resourcesScreen) detail(width, height int) []string {
	item, ok := s.chosen()
	if ok && item.template() && s.focus != onText {
		return s.templateLines(item, width)
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
func (s *resourcesScreen) aboutLines(item resourceItem, width int) []string {
	l := s.look
	lines := []string{l.strong.Render(cutMiddle(item.shown, width)), l.dim.Render(cut(strings.TrimSpace(item.mime+"  "+sizeWords(item.Size)), width)), ""}
	if item.name != "" {
		lines = append(lines, wrapped(item.name, width)...)
	}
	if item.description != "" {
		lines = append(lines, wrapped(item.description, width)...)
	}
	lines = append(lines, "")
	lines = append(lines, l.markLines(item.Mark, width)...)
	return append(lines, "", l.key.Render("enter")+l.dim.Render(" reads it"))
}

func sizeWords(size int64) string {
	if size < 0 {
		return ""
	}
	return byteSize(int(size))
}

func (s *resourcesScreen) templateLines(item resourceItem, width int) []string {
	l := s.look
	lines := []string{l.heading.Render("TEMPLATE") + "  " + cut(item.shown, width-10)}
	for _, text := range []string{item.name, item.description} {
		if text != "" {
			lines = append(lines, wrapped(text, width)...)
		}
	}
	lines = append(lines, "")
	if s.form == nil {
		return append(lines, l.bad.Render("✗ this template cannot be read"))
	}
	s.formFrom = len(lines)
	lines = append(lines, s.form.lines(width, s.focus == onForm)...)
	if uri, err := s.expand(); err == nil {
		lines = append(lines, "", l.dim.Render("→ ")+cut(broker.CleanLine(uri), width-2))
	}
	if !item.Mark.Allowed {
		lines = append(append(lines, ""), l.markLines(item.Mark, width)...)
	}
	return lines
}

// readLines is what was read.
func (s *resourcesScreen) readLines(width, height int) []string {
	l := s.look
	title := l.strong.Render(cutMiddle(broker.CleanLine(s.readURI), width))
	if s.focus == onText {
		title = l.chosen.Render(cutMiddle(broker.CleanLine(s.readURI), width))
	}
	switch {
	case s.getting != nil:
		return []string{title, "", l.dim.Render("Reading…  ctrl+c stops it")}
	case s.trouble != nil:
		return append([]string{title, ""}, l.problemLines(s.trouble, width)...)
	}
	size, kind := 0, ""
	for _, part := range s.doc.parts {
		size += max(len(part.Text), len(part.Data))
		kind = broker.CleanLine(part.MIMEType)
	}
	if len(s.doc.parts) != 1 {
		kind = plural(len(s.doc.parts), "part", "parts")
	}
	about := strings.TrimPrefix(kind+" · "+byteSize(size)+" · read "+s.gotAt.Local().Format("15:04:05"), " · ")
	if s.doc.raw {
		about += " · raw"
	}
	lines := []string{title, l.dim.Render(cut(about, width)), ""}
	if s.doc.width == 0 {
		return append(lines, l.dim.Render("…"))
	}
	return append(lines, s.doc.view(height-3)...)
}

// commandLine is the command that does the same in a shell.
func (w *world) commandLine(words ...string) string {
	all := append([]string{"mcpauth"}, words...)
	if w.resolved.Name != "" {
		all = append(all, "--profile", w.resolved.Name)
	}
	if len(w.Overrides.Command) > 0 {
		all = append(append(all, "--"), w.Overrides.Command...)
	}
	for i, word := range all {
		all[i] = broker.QuoteWord(word)
	}
	return strings.Join(all, " ")
}
