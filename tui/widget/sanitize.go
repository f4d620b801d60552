package widget

import (
	"strings"

	"github.com/mcpauth/mcpauth/broker/text"
)

// Sanitize is the last door before the terminal: of all escape sequences only
// colours and the like pass, and nothing that moves the cursor or hides or
// reverses text. Screens clean what they store; this is for what they forget.
func Sanitize(view string) string {
	var b strings.Builder
	b.Grow(len(view))
	for view != "" {
		n := StyleSequence(view)
		b.WriteString(view[:n])
		view = view[n:]
		end := NextStyle(view)
		b.WriteString(text.CleanText(view[:end]))
		view = view[end:]
	}
	return b.String()
}

// NextStyle is where the next sequence begins that changes how text looks.
func NextStyle(view string) int {
	for at := 0; ; at++ {
		i := strings.IndexByte(view[at:], 0x1b)
		if i < 0 {
			return len(view)
		}
		if at += i; StyleSequence(view[at:]) > 0 {
			return at
		}
	}
}

// StyleSequence is the length of a sequence that changes how text looks, at the
// beginning of a text: CSI, numbers, m. 0 where there is none.
func StyleSequence(text string) int {
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
