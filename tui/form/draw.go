package form

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// View is the form in a pane.
func (f *Form) View(width, height int) []string {
	switch {
	case f.raw != nil:
		return f.drawRaw(width, height)
	case f.pick != nil:
		return f.pick.view(f.theme, width, height)
	case len(f.rows) == 0:
		return []string{f.theme.Dim.Render("  no arguments: enter calls it")}
	}
	return f.List.View(height, func(i int, chosen bool) []string { return f.drawRow(f.rows[i], chosen && !f.Blurred, width, height) })
}

func (f *Form) drawRaw(width, height int) []string {
	l := f.theme
	state := l.Good.Render("✓ JSON")
	if f.raw.err != "" {
		state = l.Bad.Render("! " + f.raw.err)
	}
	lines := []string{widget.Cut(l.Strong.Render("all as JSON")+"   "+state, width), ""}
	if f.raw.long != "" {
		return append(lines, widget.Wrapped("This text of "+widget.ByteSize(len(f.raw.long))+" is edited with ctrl+o.", width)...)
	}
	f.raw.area.SetWidth(max(width, 4))
	f.raw.area.SetHeight(max(height-2, 1))
	return append(lines, strings.Split(f.raw.area.View(), "\n")...)
}

// labelWidth is the column of the names.
func labelWidth(width int) int { return min(max(width*36/100, 12), 26) }

// drawRow is one row: a name and what it holds; under it, for the row at the
// cursor, what there is to know.
func (f *Form) drawRow(row formRow, chosen bool, width, height int) []string {
	l := f.theme
	mark := "  "
	if chosen {
		mark = "▸ "
	}
	name := mark + strings.Repeat("  ", min(row.depth, 4)) + f.rowLabel(row)
	label := labelWidth(width)
	style := l.Strong.UnsetBold()
	if chosen {
		style = l.Chosen
	}
	room := width - label - 1
	value := f.drawValue(row, chosen, room)
	lines := []string{style.Render(widget.Fit(name, label)) + " " + widget.Cut(value[0], room)}
	for _, more := range value[1:] {
		lines = append(lines, strings.Repeat(" ", label+1)+more)
	}
	lead := strings.Repeat(" ", min(4+2*min(row.depth, 4), max(width-20, 2)))
	if chosen && f.edit.on && f.edit.lines {
		lines = append(lines, f.drawArea(lead, width, height)...)
	}
	if row.kind == rowField {
		if words, missing := f.problemOf(row.node); words != "" && !missing { // that stands beside the name
			lines = append(lines, widget.Cut(lead+l.Bad.Render("! "+words), width))
		}
	}
	if chosen && row.kind == rowField {
		lines = append(lines, f.drawAbout(row.node, lead, width, height)...)
	}
	return lines
}

func (f *Form) rowLabel(row formRow) string {
	n := row.node
	switch {
	case row.kind == rowAdd:
		return "+ add one"
	case row.kind == rowMore:
		return "more"
	case n.up == nil:
		return "value"
	}
	label := text.CleanLine(n.field.Label)
	if n.up.field.Kind == toolargs.List {
		label = fmt.Sprint(slices.Index(n.up.kids, n)+1, ".")
	} else if n.field.Required {
		label += " *"
	}
	switch {
	case n.field.Kind != toolargs.Group && n.field.Kind != toolargs.List:
		return label
	case n.folded || n.rowless():
		return "+ " + label
	}
	return "- " + label
}

// drawAbout tells about the field at the cursor: what it takes, and what the
// schema says of it.
func (f *Form) drawAbout(n *node, lead string, width, height int) []string {
	l := f.theme
	if len(f.offered) > 0 {
		return []string{lead + l.Dim.Render(widget.Cut(strings.Join(f.offered, " · "), width-ansi.StringWidth(lead)))}
	}
	parts := []string{text.CleanLine(n.field.Type)}
	if n.field.Type == "string" {
		parts = nil
	}
	switch n.field.Kind {
	case toolargs.JSON:
		parts[0] = "JSON: " + n.field.Why
	case toolargs.Choice, toolargs.Group:
		parts = nil
	}
	if n.field.Secret {
		parts = append(parts, "secret: masked, not remembered")
	}
	if n.field.Deprecated {
		parts = append(parts, "deprecated")
	}
	if n.field.Default != nil && !n.present() && n.implied() == nil {
		parts = append(parts, "ctrl+g sends the default")
	}
	about := text.CleanText(n.field.About)
	if len(parts) > 0 {
		about = strings.TrimSpace(strings.Join(parts, " · ") + "\n" + about)
	}
	lines := widget.Wrapped(about, width-ansi.StringWidth(lead))
	if most := max(1, height/5); len(lines) > most {
		lines = append(lines[:most-1], widget.Cut(lines[most-1], width-ansi.StringWidth(lead)-1)+"…")
	}
	for i, line := range lines {
		lines[i] = lead + l.Dim.Render(line)
	}
	if about == "" {
		return nil
	}
	return lines
}

func (f *Form) drawArea(lead string, width, height int) []string {
	a := &f.edit.area
	a.SetWidth(max(width-ansi.StringWidth(lead)-2, 4))
	a.SetHeight(min(max(a.LineCount(), 2), max(height/3, 3)))
	var lines []string
	for _, line := range strings.Split(a.View(), "\n") {
		lines = append(lines, lead+f.theme.Accent.Render("│ ")+line)
	}
	return lines
}

// drawValue is what a row holds, in one line or, for the values of a choice, more.
func (f *Form) drawValue(row formRow, chosen bool, room int) []string {
	l, n := f.theme, row.node
	if chosen && f.edit.on && (f.edit.text() != "" || !f.edit.lines) {
		return []string{f.drawEdited(n, room)}
	}
	switch {
	case row.kind == rowAdd:
		return []string{l.Dim.Render(rowCount(n))}
	case row.kind == rowMore:
		return []string{l.Dim.Render(text.Count(len(n.extra), "member") + " that the schema does not name: ctrl+e")}
	case n.isJSON() && len(f.sent.secretNames(n)) > 0:
		return []string{l.Accent.Render("JSON ") + masking}
	case n.raw:
		return []string{l.Accent.Render("JSON ") + text.CleanLine(widget.Cut(n.text, room))}
	case n.field.Kind == toolargs.Choice && inline(n.field):
		return f.drawChoice(n, chosen, room)
	case n.field.Kind == toolargs.Choices && inline(n.field) && !n.null:
		return f.drawTicks(n, chosen, room)
	}
	return []string{f.summary(n) + l.Dim.Render(n.invites(chosen))}
}

// invites says what enter does to a field that is not typed.
func (n *node) invites(chosen bool) string {
	switch {
	case chosen && n.hasChoices() && !n.raw:
		return "  ‹ enter: choose ›"
	case n.rowless():
		return "  ‹ enter: add one ›"
	}
	return ""
}

// drawEdited is the field that is being typed. Several lines stand below.
func (f *Form) drawEdited(n *node, room int) string {
	switch {
	case f.edit.lines:
		return ""
	case f.edit.text() == "":
		return f.edit.Line.Show(2) + f.summary(n)
	}
	return f.edit.Line.Show(room)
}

func rowCount(n *node) string {
	switch count := len(n.kids); {
	case count == 0 && !n.present():
		return "not sent"
	case n.field.MaxItems >= 0:
		return fmt.Sprintf("%d of %d", count, n.field.MaxItems)
	default:
		return fmt.Sprint(count)
	}
}

// summary is the value of a field in one line, or its state.
func (f *Form) summary(n *node) string {
	l := f.theme
	preset := n.field.Default
	_, tooLate := f.problemOf(n)
	switch implied := n.implied(); {
	case n.present() && preset != nil && !n.field.Secret && preset.Equal(f.sent.values[n]):
		return f.present(n) + l.Dim.Render("  (default)")
	case n.present():
		return f.present(n)
	case implied != nil && preset != nil:
		return f.masked(n, preset) + l.Dim.Render("  (default)")
	case implied != nil:
		return text.CleanLine(n.field.Choices[0].Label)
	case preset != nil:
		return l.Dim.Render(f.masked(n, preset) + "  (default, not sent)")
	case tooLate:
		return l.Bad.Render("! " + required)
	case f.missing(n):
		return l.Dim.Render(required)
	}
	return l.Dim.Render("not sent")
}

// present is the value of a field that has one, in one line.
func (f *Form) present(n *node) string {
	l := f.theme
	if n.null {
		return "null"
	}
	switch n.field.Kind {
	case toolargs.Choice:
		return text.CleanLine(n.field.Choices[n.picks[0]].Label)
	case toolargs.Choices:
		var labels []string
		for _, i := range n.picks {
			labels = append(labels, text.CleanLine(n.field.Choices[i].Label))
		}
		return cmp.Or(strings.Join(labels, ", "), "[]")
	case toolargs.Group:
		set := 0
		for _, kid := range n.kids {
			if kid.present() {
				set++
			}
		}
		return l.Dim.Render(text.Count(set, "member"))
	case toolargs.List:
		return l.Dim.Render(text.Count(len(n.kids), "item"))
	}
	return f.textSummary(n)
}

func (f *Form) textSummary(n *node) string {
	switch {
	case n.field.Secret && n.text != "":
		return masking
	case n.text == "":
		return f.theme.Dim.Render(`"" (empty)`)
	case !n.inline():
		about := widget.ByteSize(len(n.text))
		if lines := strings.Count(n.text, "\n") + 1; lines > 1 {
			about += ", " + text.Count(lines, "line")
		}
		return about + f.theme.Dim.Render("  ctrl+o edits it  ") + widget.TextLine(n.text, 20)
	}
	if v := f.sent.values[n]; v != nil && n.isJSON() {
		return text.CleanLine(v.Compact())
	}
	first, rest, several := strings.Cut(n.text, "\n")
	if several {
		return text.CleanLine(first) + f.theme.Dim.Render("  … "+text.Count(strings.Count(rest, "\n")+2, "line"))
	}
	return text.CleanLine(first)
}

// masking stands for a secret, however long it is.
const masking = "••••••••"

func (f *Form) masked(n *node, v *toolargs.Value) string {
	if n.field.Secret {
		return masking
	}
	if v.Kind == '"' && v.Text != "" {
		return text.CleanLine(v.Text)
	}
	return v.Compact()
}

// drawChoice shows the values of a choice, and what else it can be.
func (f *Form) drawChoice(n *node, chosen bool, room int) []string {
	l := f.theme
	var options []string
	for _, s := range n.options() {
		text := l.Dim.Render("( ) " + s.label)
		if s.on {
			text = l.Accent.Render("(•)") + " " + l.Strong.Render(s.label)
		}
		options = append(options, text)
	}
	state := ""
	switch d := n.field.Default; {
	case n.present():
	case d != nil:
		state = l.Dim.Render("default: " + f.masked(n, d))
	case f.missing(n):
		state = f.summary(n)
	}
	return f.drawOptions(n, options, state, chosen, room)
}

// drawTicks shows the values of a choice with several answers.
func (f *Form) drawTicks(n *node, chosen bool, room int) []string {
	l := f.theme
	var options []string
	for i, c := range n.field.Choices {
		text := tickBox(n, i) + " " + text.CleanLine(c.Label)
		switch {
		case chosen && i == f.mark:
			text = l.Chosen.Render(text)
		case !n.picked(i):
			text = l.Dim.Render(text)
		}
		options = append(options, text)
	}
	state := ""
	if !n.present() {
		state = f.summary(n) // with the default, which no tick shows
	}
	return f.drawOptions(n, options, state, chosen, room)
}

// drawOptions sets options beside each other, and behind them what the field is as
// long as none was taken. Where that does not fit, only the row at the cursor shows
// them all.
func (f *Form) drawOptions(n *node, options []string, state string, chosen bool, room int) []string {
	if state != "" {
		options = append(options, state)
	}
	lines, line := []string{}, ""
	for _, text := range options {
		if line != "" && ansi.StringWidth(line)+ansi.StringWidth(text)+3 > room {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += "   "
		}
		line += text
	}
	if lines = append(lines, line); len(lines) > 1 && !chosen {
		return []string{f.summary(n)}
	}
	return lines
}
