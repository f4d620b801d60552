package widget

import (
	"fmt"
	"strings"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// ByteSize is a size for people.
func ByteSize(n int) string {
	switch {
	case n == 1:
		return "1 byte"
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f KB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// ProblemLines shows what went wrong and how to fix it.
func (l *Theme) ProblemLines(p *problem.Problem, width int) []string {
	var lines []string
	for i, line := range Wrapped(text.CleanLine(p.Msg), max(width-2, 1)) {
		lead := "  "
		if i == 0 {
			lead = l.Bad.Render("✗ ")
		}
		lines = append(lines, lead+line)
	}
	for _, hint := range p.Hints {
		lines = append(lines, "")
		for _, line := range WrappedText(text.CleanLine(hint), max(width-2, 1)) {
			lines = append(lines, "  "+l.Accent.Render(line))
		}
	}
	return lines
}

// Plural is a number of things.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// FileName makes of a text from outside a name for a file: letters, digits, dots,
// dashes; never hidden, never a path.
func FileName(text, ending string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, text[strings.LastIndexByte(text, '/')+1:])
	name = strings.Trim(name[:min(len(name), 80)], "-.")
	if name == "" {
		name = "mcpauth"
	}
	if !strings.Contains(name, ".") {
		name += ending
	}
	return name
}

// PolicyLines is what the policy says about something of the server, and how to fix it.
func (l *Theme) PolicyLines(m mcpclient.Access, width int) []string {
	words, style := "allowed", l.Good
	switch {
	case m.Effect == "deny":
		words, style = "✗ denied", l.Bad
	case m.Effect == "step_up":
		words, style = "! asks for a fresh sign-in", l.Warn
	}
	if m.Rule != "" { // which may be a rule's name, or words of their own
		words += "  " + text.CleanLine(m.Rule)
	}
	var lines []string
	for i, line := range Wrapped(words, width-8) {
		heading := []string{"POLICY", "      "}[min(i, 1)]
		lines = append(lines, l.Heading.Render(heading)+"  "+style.Render(line))
	}
	for i, reason := range append([]string{m.Why}, m.Notes...) {
		if reason != "" && (i == 0 || reason != m.Why) {
			lines = append(lines, Indented(Wrapped(text.CleanLine(reason), width-2), 2)...)
		}
	}
	for _, hint := range m.Hints {
		lead := "→ "
		for _, line := range WrappedText(text.CleanLine(hint), width-4) {
			lines = append(lines, "  "+l.Accent.Render(lead+line))
			lead = "  "
		}
	}
	return lines
}
