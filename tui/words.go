package tui

import (
	"fmt"
	"time"

	"github.com/mcpauth/mcpauth/broker"
)

// took is how long a call took, for people.
func took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return broker.TimeSpan(d)
}

// byteSize is a size for people.
func byteSize(n int) string {
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

// problemLines shows what went wrong and what mends it.
func (l *look) problemLines(p *broker.Problem, width int) []string {
	var lines []string
	for i, line := range wrapped(broker.CleanLine(p.Msg), max(width-2, 1)) {
		lead := "  "
		if i == 0 {
			lead = l.bad.Render("✗ ")
		}
		lines = append(lines, lead+line)
	}
	for _, hint := range p.Hints {
		lines = append(lines, "")
		for _, line := range wrappedWords(broker.CleanLine(hint), max(width-2, 1)) {
			lines = append(lines, "  "+l.accent.Render(line))
		}
	}
	return lines
}

// plural is a number of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
