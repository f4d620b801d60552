package broker

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
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

// CleanJSON escapes what a terminal would obey in a JSON text. It stays the same
// value: such characters can only stand in its texts.
func CleanJSON(text []byte) []byte {
	odd := func(r rune) bool { return !shows(r) && r != '\n' && r != '\t' && r != '\r' }
	if bytes.IndexFunc(text, odd) < 0 {
		return text
	}
	clean := make([]byte, 0, len(text)+len(text)/8)
	for _, r := range string(text) {
		switch {
		case !odd(r):
			clean = utf8.AppendRune(clean, r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			clean = fmt.Appendf(clean, `\u%04x\u%04x`, high, low)
		default:
			clean = fmt.Appendf(clean, `\u%04x`, r)
		}
	}
	return clean
}
