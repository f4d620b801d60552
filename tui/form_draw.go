package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// view is the form in a pane.
func (f *form) view(width, height int) []string {
	switch {
	case f.raw != nil:
		return f.drawRaw(width, height)
	case f.pick != nil:
		return f.pick.view(f.look, width, height)
	case len(f.rows) == 0:
		return []string{f.look.dim.Render("  no arguments: enter calls it")}
	}
	return f.list.view(height, func(i int, chosen bool) []string { return f.drawRow(f.rows[i], chosen, width, height) })
}

func (f *form) drawRaw(width, height int) []string {
	l := f.look
	state := l.good.Render("✓ JSON")
	if f.raw.err != "" {
		state = l.bad.Render("! " + f.raw.err)
	}
	lines := []string{cut(l.strong.Render("all as JSON")+"   "+state, width), ""}
	if f.raw.long != "" {
		return append(lines, wrapped("This text of "+byteSize(len(f.raw.long))+" is edited with ctrl+o.", width)...)
	}
	f.raw.area.SetWidth(max(width, 4))
	f.raw.area.SetHeight(max(height-2, 1))
	return append(lines, strings.Split(f.raw.area.View(), "\n")...)
}

// labelWidth is the column of the names.
func labelWidth(width int) int { return min(max(width*36/100, 12), 26) }

// drawRow is one row: a name and what it holds; under it, for the row at the
// cursor, what there is to know.
func (f *form) drawRow(row formRow, chosen bool, width, height int) []string {
	l := f.look
	mark := "  "
	if chosen {
		mark = "▸ "
	}
	name := mark + strings.Repeat("  ", min(row.depth, 4)) + f.rowLabel(row)
	label := labelWidth(width)
	style := l.strong.UnsetBold()
	if chosen {
		style = l.chosen
	}
	room := width - label - 1
	value := f.drawValue(row, chosen, room)
	lines := []string{style.Render(fit(name, label)) + " " + cut(value[0], room)}
	for _, more := range value[1:] {
		lines = append(lines, strings.Repeat(" ", label+1)+more)
	}
	lead := strings.Repeat(" ", min(4+2*min(row.depth, 4), max(width-20, 2)))
	if chosen && f.edit.on && f.edit.lines {
		lines = append(lines, f.drawArea(lead, width, height)...)
	}
	if row.kind == rowField || row.kind == rowName {
		if words := f.problemOf(row.node); words != "" && words != required { // that stands beside the name
			lines = append(lines, cut(lead+l.bad.Render("! "+words), width))
		}
	}
	if chosen && row.kind == rowField {
		lines = append(lines, f.drawAbout(row.node, lead, width, height)...)
	}
	return lines
}

func (f *form) rowLabel(row formRow) string {
	n := row.node
	switch row.kind {
	case rowName:
		return "name"
	case rowAdd:
		return "+ add one"
	case rowMore:
		return "more"
	}
	fold := ""
	switch n.field.kind {
	case kindGroup, kindList, kindMap:
		fold = "- "
		if n.folded || n.rowless() {
			fold = "+ "
		}
	}
	label := n.field.label
	if n.up != nil {
		switch n.up.field.kind {
		case kindList:
			label = fmt.Sprint(indexOf(n)+1, ".")
		case kindMap:
			label = "value"
		}
	}
	if n.field.required && n.up != nil && n.up.field.kind == kindGroup {
		label += " *"
	}
	if n.up == nil {
		label = "value"
	}
	return fold + label
}

func indexOf(n *node) int {
	for i, kid := range n.up.kids {
		if kid == n {
			return i
		}
	}
	return -1
}

// drawAbout tells about the field at the cursor: what it takes, and what the
// schema says of it.
func (f *form) drawAbout(n *node, lead string, width, height int) []string {
	l := f.look
	var parts []string
	switch n.field.kind {
	case kindText, kindNumber, kindList, kindMap, kindMulti:
		parts = append(parts, n.field.typeWords())
	case kindJSON:
		parts = append(parts, "JSON: "+n.field.why)
	}
	if n.field.kind != kindNumber && n.field.kind != kindChoice {
		if bounds := n.field.bounds(); bounds != "" {
			parts = append(parts, bounds+map[bool]string{true: " characters", false: " items"}[n.field.kind == kindText])
		}
	}
	if n.field.secret {
		parts = append(parts, "secret: masked, not remembered")
	}
	if n.field.deprecated {
		parts = append(parts, "deprecated")
	}
	if n.field.preset != nil && !n.present() && !n.implied() {
		parts = append(parts, "ctrl+g sends the default")
	}
	about := n.field.about
	if len(parts) > 0 {
		about = strings.TrimSpace(strings.Join(parts, " · ") + "\n" + about)
	}
	lines := wrapped(about, width-ansi.StringWidth(lead))
	if most := max(1, height/5); len(lines) > most {
		lines = append(lines[:most-1], cut(lines[most-1], width-ansi.StringWidth(lead)-1)+"…")
	}
	for i, line := range lines {
		lines[i] = lead + l.dim.Render(line)
	}
	if about == "" {
		return nil
	}
	return lines
}

func (f *form) drawArea(lead string, width, height int) []string {
	a := &f.edit.area
	a.SetWidth(max(width-ansi.StringWidth(lead)-2, 4))
	a.SetHeight(min(max(a.LineCount(), 2), max(height/3, 3)))
	var lines []string
	for _, line := range strings.Split(a.View(), "\n") {
		lines = append(lines, lead+f.look.accent.Render("│ ")+line)
	}
	return lines
}

// drawValue is what a row holds, in one line or, for the values of a choice, more.
func (f *form) drawValue(row formRow, chosen bool, room int) []string {
	l, n := f.look, row.node
	switch {
	case chosen && f.edit.on && !f.edit.lines && f.edit.text() == "":
		return []string{f.edit.line.show(2) + f.summary(n)}
	case chosen && f.edit.on && !f.edit.lines:
		return []string{f.edit.line.show(room)}
	case chosen && f.edit.on && f.edit.text() != "":
		return []string{""} // it stands below
	case row.kind == rowName:
		return []string{broker.CleanLine(n.key)}
	case row.kind == rowAdd:
		return []string{l.dim.Render(rowCount(n))}
	case row.kind == rowMore:
		return []string{l.dim.Render(plural(len(n.extra), "member", "members") + " that the schema does not name: ctrl+e")}
	case n.raw && len(f.shown.of(n).secretNames()) > 0:
		return []string{l.accent.Render("JSON ") + masking}
	case n.raw:
		return []string{l.accent.Render("JSON ") + broker.CleanLine(cut(n.text, room))}
	case n.field.hasChoices() && n.field.kind != kindMulti && inline(n.field):
		return f.drawStops(n, chosen, room)
	case n.field.kind == kindMulti && inline(n.field) && !n.null:
		return f.drawTicks(n, chosen, room)
	}
	text := f.summary(n)
	if chosen && n.field.hasChoices() && !n.raw {
		text += l.dim.Render("  ‹ enter: choose ›")
	}
	if n.rowless() {
		text += l.dim.Render("  ‹ enter: add one ›")
	}
	return []string{text}
}

func rowCount(n *node) string {
	switch count := len(n.kids); {
	case count == 0 && !n.present():
		return "not sent"
	case n.field.maxLen >= 0:
		return fmt.Sprintf("%d of %d", count, n.field.maxLen)
	default:
		return fmt.Sprint(count)
	}
}

// summary is the value of a field in one line, or its state.
func (f *form) summary(n *node) string {
	l := f.look
	if !n.present() {
		switch preset := n.field.preset; {
		case preset != nil && n.implied():
			return f.masked(n, preset) + l.dim.Render("  (default)")
		case preset != nil && !(n.unsent && n.field.required):
			return l.dim.Render(f.masked(n, preset) + "  (default, not sent)")
		case n.field.required && n.implied():
			return n.field.choices[0].label
		case f.problemOf(n) == required:
			return l.bad.Render("! " + required)
		case f.missing(n):
			return l.dim.Render(required)
		}
		return l.dim.Render("not sent")
	}
	if preset := n.field.preset; preset != nil && !n.field.secret {
		if now := f.shown.of(n); now != nil && now.value.equal(preset) {
			return f.present(n) + l.dim.Render("  (default)")
		}
	}
	return f.present(n)
}

// present is the value of a field that has one, in one line.
func (f *form) present(n *node) string {
	l := f.look
	if n.null {
		return "null"
	}
	switch n.field.kind {
	case kindText, kindNumber, kindJSON:
		return f.textSummary(n)
	case kindChoice, kindVariant:
		return n.field.values()[n.picks[0]].label
	case kindMulti:
		var labels []string
		for _, i := range n.picks {
			labels = append(labels, n.field.choices[i].label)
		}
		if labels == nil {
			return "[]"
		}
		return strings.Join(labels, ", ")
	case kindGroup:
		set := 0
		for _, kid := range n.kids {
			if kid.present() {
				set++
			}
		}
		return l.dim.Render(plural(set, "member", "members"))
	}
	return l.dim.Render(plural(len(n.kids), "item", "items"))
}

func (f *form) textSummary(n *node) string {
	switch {
	case n.field.secret && n.text != "":
		return masking
	case n.text == "":
		return f.look.dim.Render(`"" (empty)`)
	case !n.inline():
		about := byteSize(len(n.text))
		if lines := strings.Count(n.text, "\n") + 1; lines > 1 {
			about += ", " + plural(lines, "line", "lines")
		}
		return about + f.look.dim.Render("  ctrl+o edits it  ") + textLine(n.text, 20)
	}
	first, rest, several := strings.Cut(n.text, "\n")
	if several {
		return broker.CleanLine(first) + f.look.dim.Render("  … "+plural(strings.Count(rest, "\n")+2, "line", "lines"))
	}
	return broker.CleanLine(first)
}

// masking stands for a secret, however long it is.
const masking = "••••••••"

func (f *form) masked(n *node, v *jsonValue) string {
	if n.field.secret {
		return masking
	}
	if v.kind == '"' && v.text != "" {
		return broker.CleanLine(v.text)
	}
	return v.compact()
}

// drawStops shows the values of a choice, and what else it can be.
func (f *form) drawStops(n *node, chosen bool, room int) []string {
	l := f.look
	var options []string
	for _, s := range n.stops() {
		text := l.dim.Render("( ) " + s.label)
		if s.on {
			text = l.accent.Render("(•)") + " " + l.strong.Render(s.label)
		}
		options = append(options, text)
	}
	state := ""
	switch d := n.field.preset; {
	case n.present():
	case d != nil:
		state = l.dim.Render("default: " + f.masked(n, d))
	case f.missing(n):
		state = f.summary(n)
	}
	return f.drawOptions(n, options, state, chosen, room)
}

// drawTicks shows the values of a choice with several answers.
func (f *form) drawTicks(n *node, chosen bool, room int) []string {
	l := f.look
	var options []string
	for i, c := range n.field.choices {
		text := tickBox(n, i) + " " + c.label
		switch {
		case chosen && i == f.mark:
			text = l.chosen.Render(text)
		case !n.picked(i):
			text = l.dim.Render(text)
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
func (f *form) drawOptions(n *node, options []string, state string, chosen bool, room int) []string {
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
