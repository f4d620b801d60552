package console

import (
	"io"
	"strings"
	"unicode/utf8"
)

// The colours of the marks that begin a line, as SGR parameters. A terminal shows them in
// the palette of its user.
var markColours = map[rune]string{'✓': "32", '●': "32", '✗': "31", '!': "33", '○': "2"}

// coloured reports whether a stream is a terminal that gets colours (no-color.org).
func (a *App) coloured(stream io.Writer) bool {
	if checked, ok := stream.(*checkedWriter); ok {
		stream = checked.w
	}
	return IsTerminal(stream) && a.Deps.Env("NO_COLOR") == "" && a.Deps.Env("TERM") != "dumb"
}

// marked is a format whose first character, if it is a mark, has its colour. What the
// arguments of the format are is not looked at: they may be the server's.
func (a *App) marked(stream io.Writer, format string) string {
	mark, size := utf8.DecodeRuneInString(format)
	colour := markColours[mark]
	if colour == "" || !strings.HasPrefix(format[size:], " ") || !a.coloured(stream) {
		return format
	}
	return styled(colour, format[:size]) + format[size:]
}

// Name makes the name of something stand out on standard output.
func (a *App) Name(text string) string {
	if text == "" || !a.coloured(a.Out) {
		return text
	}
	return styled("1", text)
}

func styled(parameters, text string) string { return "\x1b[" + parameters + "m" + text + "\x1b[0m" }
