package backend

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mcpauth/mcpauth/broker/text"
)

// maxWords bounds the last words, in bytes: they end up in one line of an error.
const maxLength = 300

// Compiled when they are needed, which is not at each start.
var (
	// An escape sequence: CSI, OSC with its text, or ESC and one more byte.
	escape = compiled(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)`)
	// A line that names a failure, like those of Python, node, Go and cargo. node
	// ends with its version and Go with a stack; the reason stands above.
	reason = compiled(`^[\w.]*([Ee]rror|ERROR|[Ee]xception|panic|fatal|FATAL)\b[^:]{0,30}:`)
)

func compiled(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// lastWords picks from the end of a program's stderr the line that says why it
// ended: the last one that starts with an error's name, or else the last.
func lastLines(tail string) string {
	last := ""
	for line := range strings.SplitSeq(tail, "\n") {
		line = printable(line)
		if line == "" {
			continue
		}
		if reason().MatchString(line) || !reason().MatchString(last) {
			last = line
		}
	}
	return capped(last, maxLength)
}

// printable is a line without escape sequences, fit for a terminal.
func printable(line string) string {
	line = escape().ReplaceAllString(line, "")
	return text.CleanLine(strings.Join(strings.Fields(line), " "))
}

// capped is s cut to at most n bytes, at the border of a character.
func capped(s string, n int) string {
	const more = "..."
	if len(s) <= n {
		return s
	}
	cut := n - len(more)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + more
}
