package proxycmd

import (
	"bytes"
	"io"
	"sync"

	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// maxLogPiece is how much of a line waits for its end, in bytes.
const maxLogPiece = 8 << 10

// cleanLines makes what a server writes to its standard error fit for a terminal, line
// by line. A pipe or a file gets it as it is.
type cleanLines struct {
	mu      sync.Mutex
	w       io.Writer
	partial []byte
}

// serverLog is standard error for the words of a server. flush writes a last line
// that has no end.
func serverLog(a *console.App) (log io.Writer, flush func()) {
	if !console.IsTerminal(a.Err) {
		return a.Err, func() {}
	}
	l := &cleanLines{w: a.Err}
	return l, l.flush
}

// Write implements io.Writer.
func (l *cleanLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, more, ended := bytes.Cut(rest, []byte{'\n'})
		l.partial = append(l.partial, line...)
		if ended || len(l.partial) > maxLogPiece {
			if err := l.emit(); err != nil {
				return 0, err
			}
		}
		rest = more
	}
	return len(p), nil
}

// emit must be called with mu held.
func (l *cleanLines) emit() error {
	line := text.CleanLine(string(bytes.TrimRight(l.partial, "\r")))
	l.partial = l.partial[:0]
	_, err := io.WriteString(l.w, line+"\n")
	return err
}

func (l *cleanLines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		_ = l.emit() // nothing can be said if the terminal is closed
	}
}
