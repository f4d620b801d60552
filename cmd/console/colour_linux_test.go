package console

import (
	"bytes"
	"io"
	"os"
	"testing"
)

// TestColours: a terminal gets them for marks of our own and for names, and nothing else
// does.
func TestColours(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	for _, test := range []struct {
		name   string
		stream io.Writer
		env    map[string]string
		want   bool
	}{
		{"a terminal", terminal, nil, true},
		{"what Run makes of it", &checkedWriter{w: terminal}, nil, true},
		{"a pipe", &bytes.Buffer{}, nil, false},
		{"NO_COLOR", terminal, map[string]string{"NO_COLOR": "1"}, false},
		{"a terminal that knows none", terminal, map[string]string{"TERM": "dumb"}, false},
	} {
		a := &App{Streams: Streams{Out: test.stream}, Deps: Deps{Env: func(name string) string { return test.env[name] }}}
		mark, name := "✓ Added %s", "orders"
		if test.want {
			mark, name = "\x1b[32m✓\x1b[0m Added %s", "\x1b[1morders\x1b[0m"
		}
		if got := a.marked(test.stream, "✓ Added %s"); got != mark {
			t.Errorf("%s: %q, want %q", test.name, got, mark)
		}
		if got := a.Name("orders"); got != name {
			t.Errorf("%s: %q, want %q", test.name, got, name)
		}
		for _, plain := range []string{"%s", "", "!important", "Signed in"} {
			if got := a.marked(test.stream, plain); got != plain {
				t.Errorf("%s: %q becomes %q", test.name, plain, got)
			}
		}
	}
}
