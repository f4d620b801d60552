package broker

import (
	"fmt"
	"strings"
	"unicode"
)

// CleanLine makes a text from outside fit for one line of a terminal: what could
// move the cursor, change colours, hide or reverse text is shown as its code
// point. A line end is, too: it could make a value look like the next row.
func CleanLine(text string) string {
	return clean(text, func(rune) bool { return false })
}

// CleanText is [CleanLine] for a text of several lines: its line ends and tabs
// stay, and the pair CR LF is a line end.
func CleanText(text string) string {
	return clean(strings.ReplaceAll(text, "\r\n", "\n"), func(r rune) bool { return r == '\n' || r == '\t' })
}

func clean(text string, keep func(rune) bool) string {
	if strings.IndexFunc(text, func(r rune) bool { return !shows(r) && !keep(r) }) < 0 {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	var b strings.Builder
	for _, r := range text {
		if shows(r) || keep(r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, `\u{%X}`, r)
	}
	return b.String()
}

// shows reports whether a terminal shows the rune as itself, at its place.
func shows(r rune) bool { return unicode.IsPrint(r) && !unicode.In(r, unicode.Cf) }
