package mcpclient

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/text"
)

var changes = map[string]EventKind{
	"notifications/tools/list_changed":     EventToolsChanged,
	"notifications/prompts/list_changed":   EventPromptsChanged,
	"notifications/resources/list_changed": EventResourcesChanged,
}

// heard takes a notification of the server.
func (c *Client) heard(method string, text json.RawMessage) {
	if kind, ok := changes[method]; ok {
		c.tell(Event{Kind: kind})
		return
	}
	switch method {
	case "notifications/progress":
		c.progressed(text)
	case "notifications/message":
		var p struct {
			Level, Logger loose
			Data          json.RawMessage
		}
		_ = json.Unmarshal(text, &p)
		c.tell(Event{Kind: EventLog, Level: string(p.Level), Message: logText(string(p.Logger), p.Data)})
	case "notifications/resources/updated":
		var p struct{ URI loose }
		_ = json.Unmarshal(text, &p)
		c.tell(Event{Kind: EventResourceUpdated, URI: string(p.URI)})
	case "notifications/tasks/status", "notifications/tasks":
		c.taskNews(text)
	case "notifications/elicitation/complete":
		c.completed(text)
	case "notifications/cancelled":
		c.takenBack(text)
	case "notifications/subscriptions/acknowledged":
		c.acknowledged(text)
	}
}

func (c *Client) progressed(text json.RawMessage) {
	var p struct {
		ProgressToken   json.RawMessage
		Progress, Total number
		Message         loose
	}
	_ = json.Unmarshal(text, &p)
	c.mu.Lock()
	call := c.calls[string(p.ProgressToken)]
	if call != nil {
		call.progress, call.total = float64(p.Progress), float64(p.Total)
	}
	c.mu.Unlock()
	if call == nil {
		return // late: its call has been answered
	}
	c.tell(Event{
		Kind: EventProgress, Call: call.Call, Message: string(p.Message),
		Progress: float64(p.Progress), Total: float64(p.Total),
	})
}

// number is a number, or 0 where the server put something else.
type number float64

// UnmarshalJSON never fails.
func (n *number) UnmarshalJSON(text []byte) error {
	var f float64
	if json.Unmarshal(text, &f) == nil {
		*n = number(f)
	}
	return nil
}

// logText is a line of the server's log, cut as one of its stderr is: its data is any
// JSON value.
func logText(logger string, data json.RawMessage) string {
	var words string
	if json.Unmarshal(data, &words) != nil {
		words = string(data)
	}
	if logger != "" {
		words = logger + ": " + words
	}
	return strings.ToValidUTF8(words[:min(len(words), maxLogLine)], "")
}

// takenBack voids a question that the server, or the gate, does not wait for any
// more.
func (c *Client) takenBack(text json.RawMessage) {
	var p struct{ RequestID json.RawMessage }
	_ = json.Unmarshal(text, &p)
	c.mu.Lock()
	cancel := c.asks[string(p.RequestID)]
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// logLines makes lines of what the server writes to stderr, and keeps the last ones
// for the case that it fails.
type logLines struct {
	line func(string)

	mu      sync.Mutex
	partial []byte
	last    []string
	errors  []string // lines before those that name an error, the first ones
}

const (
	maxLogLine = 8 << 10 // a longer one is cut
	lastLines  = 5
	maxErrors  = 3
)

// Write implements io.Writer.
func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; ; {
		line, more, ended := bytes.Cut(rest, []byte{'\n'})
		l.partial = append(l.partial, line[:min(len(line), maxLogLine-len(l.partial))]...)
		if !ended {
			return len(p), nil
		}
		l.emit()
		rest = more
	}
}

// emit must be called with mu held.
func (l *logLines) emit() {
	text := string(bytes.TrimRight(l.partial, "\r"))
	l.partial = l.partial[:0]
	if text == "" {
		return
	}
	if len(l.last) == lastLines && len(l.errors) < maxErrors && namesError(l.last[0]) {
		l.errors = append(l.errors, l.last[0])
	}
	l.last = append(l.last[max(0, len(l.last)-lastLines+1):], text)
	l.line(text)
}

// flush emits a last line that has no end.
func (l *logLines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.emit()
}

// namesError reports whether a line may say why a program ends. Some, such as npm, write
// much below it.
func namesError(line string) bool {
	line = strings.ToLower(line)
	for _, word := range []string{"error", "err!", "fatal", "panic", "exception"} {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// hints are what the server said last, and the errors before that.
func (l *logLines) hints() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var hints []string
	for _, line := range slices.Concat(l.errors, l.last) {
		hints = append(hints, "it said: "+text.CleanLine(line))
	}
	return hints
}
