package proxycmd

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/cmd/console"
)

// A server's standard error could set the title of a terminal, fill its clipboard, or
// turn text around.
func TestAttackServerLogAtATerminal(t *testing.T) {
	var out bytes.Buffer
	l := &cleanLines{w: &out}
	for _, piece := range []string{"up\n\x1b]0;ti", "tle\x07\x1b]52;c;aGk=\x1b\\a\u202eb\r\n", "last \x9b2J"} {
		if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	l.flush()
	if strings.ContainsAny(out.String(), "\x1b\x07\u202e\r") || strings.Count(out.String(), "\n") != 3 || !strings.HasPrefix(out.String(), "up\n") {
		t.Errorf("%q", out.String())
	}
}

func TestServerLogOfAPipeIsRaw(t *testing.T) {
	var out bytes.Buffer
	a := &console.App{Streams: console.Streams{Err: &out}}
	log, flush := serverLog(a)
	_, _ = log.Write([]byte("\x1b[31mred"))
	flush()
	if out.String() != "\x1b[31mred" {
		t.Errorf("%q", out.String())
	}
}
