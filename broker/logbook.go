package broker

import (
	"io"
	"sync"
	"time"
)

// logbook is the proxy's stderr. Many AI clients never read it, so our own
// lines wait in a short queue and are dropped when that is full: no message may
// be held up by a log. The server's stderr, which has such a buffer already,
// goes to the same place through Write.
type logbook struct {
	mu    sync.Mutex
	w     io.Writer
	lines chan string
	quit  chan struct{} // closed when nothing more will be written
	done  chan struct{} // closed when nothing more will be
}

// logQueue is how many lines wait for a reader.
const logQueue = 100

func newLogbook(w io.Writer) *logbook {
	l := &logbook{w: w, lines: make(chan string, logQueue), quit: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

func (l *logbook) run() {
	defer close(l.done)
	for {
		select {
		case line := <-l.lines:
			_, _ = l.Write([]byte(line)) // there is no other place if stderr is closed
			continue
		default:
		}
		select {
		case line := <-l.lines:
			_, _ = l.Write([]byte(line))
		case <-l.quit:
			return
		}
	}
}

// Write writes at once, and waits for a reader if it must.
func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// say queues one line of our own.
func (l *logbook) say(text string) {
	select {
	case l.lines <- "mcpauth: " + text + "\n":
	default:
	}
}

// close waits a moment for what is queued.
func (l *logbook) close() {
	close(l.quit)
	select {
	case <-l.done:
	case <-time.After(200 * time.Millisecond):
	}
}
