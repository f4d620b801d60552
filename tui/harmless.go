package tui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// harmless is the last door before the terminal: of all escape sequences only
// colours and the like pass, and nothing that moves the cursor or hides or
// reverses text. Screens clean what they store; this is for what they forget.
func harmless(view string) string {
	var b strings.Builder
	b.Grow(len(view))
	for i := 0; i < len(view); {
		if n := styleSequence(view[i:]); n > 0 {
			b.WriteString(view[i : i+n])
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(view[i:])
		switch {
		case r == '\n' || unicode.IsPrint(r) && !unicode.In(r, unicode.Cf):
			b.WriteString(view[i : i+size])
		default:
			fmt.Fprintf(&b, `\u{%X}`, r)
		}
		i += size
	}
	return b.String()
}

// styleSequence is the length of a sequence that changes how text looks, at the
// beginning of a text: CSI, numbers, m. 0 where there is none.
func styleSequence(text string) int {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0
	}
	for i := 2; i < len(text); i++ {
		switch c := text[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && c != ':' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}
