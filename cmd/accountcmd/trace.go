package accountcmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/cmd/console"
)

// traceLog returns a log that writes the steps of a sign-in for people, or nil when they are
// not wanted. What it is given holds no secret.
func traceLog(a *console.App, wanted bool) *slog.Logger {
	if !wanted {
		return nil
	}
	return slog.New(&stepLog{Handler: slog.NewTextHandler(a.Err, nil), out: a.Err, began: time.Now()})
}

// stepLog is a [slog.Handler] that writes the steps of a sign-in, which have no other form.
type stepLog struct {
	slog.Handler
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

// Handle writes a line and, below it, one for each parameter and member.
func (l *stepLog) Handle(_ context.Context, r slog.Record) error {
	var line, rows strings.Builder
	fmt.Fprintf(&line, "%8.3fs %-9s ", r.Time.Sub(l.began).Seconds(), console.Printable(r.Message))
	row := func(mark, text string) { fmt.Fprintf(&rows, "%19s %s %s\n", "", mark, console.Printable(text)) }
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "what":
			line.WriteString(console.Printable(a.Value.String()))
		case "status":
			fmt.Fprintf(&line, "  %d", a.Value.Int64())
		case "took":
			fmt.Fprintf(&line, "  %d ms", a.Value.Duration().Milliseconds())
		case "problem":
			row("!", a.Value.String())
		default:
			for _, member := range a.Value.Group() {
				row(map[bool]string{true: ">", false: "<"}[a.Key == "sent"], member.Key+" = "+member.Value.String())
			}
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.out, line.String()+"\n"+rows.String())
	return err
}
