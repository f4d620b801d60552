//go:build unix

package backend

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// A recorder is a reader of our stderr that can be made to stop reading.
type recorder struct {
	mu      sync.Mutex
	bytes   bytes.Buffer
	blocked chan struct{} // nil, or Write waits for its close
	err     error
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.blocked != nil {
		<-r.blocked
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes.Write(b)
	return len(b), r.err
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes.String()
}

func withStderr(w io.Writer) func(*Command) {
	return func(c *Command) { c.Stderr = w }
}

func withWords(words string) func(*Command) {
	return func(c *Command) { c.Env = append(c.Env, "WORDS="+words) }
}

func TestStderrIsForwardedWhole(t *testing.T) {
	r := &recorder{}
	p := child(t, "words", withStderr(r), withWords("first\n\x1b[31mlast"))
	soon(t, "waiting", func() { p.Wait() })
	if got, want := r.String(), "first\n\x1b[31mlast"; got != want {
		t.Errorf("forwarded %q, want %q", got, want)
	}
	if got := p.LastLines(); got != "last" {
		t.Errorf("LastWords = %q", got)
	}
}

// The reader is never there: 128 MiB must pass through us without blocking the
// child and without growing us, and the stream must say once what is missing.
func TestStderrFloodNobodyReads(t *testing.T) {
	r := &recorder{blocked: make(chan struct{})}
	p := child(t, "flood", withStderr(r))
	if got := readAll(t, p.Out()); got != "done\n" {
		t.Errorf("output %q", got)
	}
	soon(t, "waiting", func() { p.Wait() })
	if p.LastLines() != "the end" {
		t.Errorf("LastWords = %q", p.LastLines())
	}
	if held := cap(p.stderr.pending) + cap(p.stderr.tail); held > 2*maxPending {
		t.Errorf("%d bytes are held", held)
	}
	close(r.blocked)
	<-p.stderr.flushed
	if n := strings.Count(r.String(), "bytes dropped here"); n != 1 {
		t.Errorf("the loss is told %d times", n)
	}
	if r.bytes.Len() > 2*maxPending {
		t.Errorf("%d bytes came through", r.bytes.Len())
	}
}

// A reader that is slower than the server but alive must lose nothing.
func TestSlowReaderOfStderrLosesNothing(t *testing.T) {
	ours, childs := testPipe(t)
	r := &slowReader{}
	s := newStderr(ours, r, "")
	sent := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16) // 1 MiB
	if _, err := childs.Write(sent); err != nil {
		t.Fatal(err)
	}
	childs.Close()
	soon(t, "flushing", func() { <-s.flushed })
	if !bytes.Equal(r.Bytes(), sent) {
		t.Errorf("%d of %d bytes came through", r.Len(), len(sent))
	}
}

type slowReader struct{ bytes.Buffer }

func (r *slowReader) Write(b []byte) (int, error) {
	time.Sleep(5 * time.Millisecond) // the slowness under test
	return r.Buffer.Write(b)
}

func TestStderrOfABrokenReaderIsStillDrained(t *testing.T) {
	r := &recorder{err: errors.New("gone")}
	p := child(t, "flood", withStderr(r), func(c *Command) { c.Env = append(c.Env, "SIZE=4000000") })
	if got := readAll(t, p.Out()); got != "done\n" {
		t.Errorf("output %q", got)
	}
}

func TestPrefaceComesFirst(t *testing.T) {
	ours, childs := testPipe(t)
	r := &recorder{}
	s := newStderr(ours, r, "mcpauth: no guard\n")
	childs.WriteString("hello\n")
	childs.Close()
	<-s.flushed
	if got := r.String(); got != "mcpauth: no guard\nhello\n" {
		t.Errorf("stream %q", got)
	}
}

func testPipe(t *testing.T) (end, *os.File) {
	t.Helper()
	p, err := pipeFromChild(false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.ours.Close(); p.childs.Close() })
	return p.ours, p.childs
}

func TestLastWords(t *testing.T) {
	tests := []struct{ name, tail, want string }{
		{"nothing", "", ""},
		{"blank lines", "a\n\n  \n", "a"},
		{"python", "Traceback (most recent call last):\n  File \"main.py\", line 1\nModuleNotFoundError: No module named 'mcp'\n",
			"ModuleNotFoundError: No module named 'mcp'"},
		{"node", "Error: Cannot find module '/x'\n    at f (a.js:1)\n  code: 'MODULE_NOT_FOUND',\n}\n\nNode.js v20.20.2\n",
			"Error: Cannot find module '/x'"},
		{"node with a code", "TypeError [ERR_X]: bad\n    at f\n\nNode.js v20\n", "TypeError [ERR_X]: bad"},
		{"go", "panic: no config\n\ngoroutine 1 [running]:\nmain.main()\nexit status 2\n", "panic: no config"},
		{"plain", "starting\nno such option: -x\n", "no such option: -x"},
		{"colours", "\x1b[1;31merror\x1b[0m: bad\r\n", "error: bad"},
		{"terminal attack", "\x1b]0;title\x07\x1b]52;c;aGk=\x1b\\a\x9bb\u202ec\u200bd\x00e\x7f\u2028f", "a\uFFFDb\\u{202E}c\\u{200B}d\\u{0}e\\u{7F} f"},
		{"invalid UTF-8", "a\xff\xfeb", "a\uFFFD\uFFFDb"},
		{"long", strings.Repeat("é", 300), strings.Repeat("é", 148) + "..."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := lastLines(tt.tail)
			if got != tt.want {
				t.Errorf("lastWords = %q, want %q", got, tt.want)
			}
			if len(got) > maxLength {
				t.Errorf("%d bytes", len(got))
			}
		})
	}
}
