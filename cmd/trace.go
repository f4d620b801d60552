package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker"
)

// tracing is what a person wants to see of a sign-in.
type tracing struct {
	show bool   // on standard error
	file string // as JSON lines; empty for none
}

// begin returns what takes the events of a sign-in, or nil when nobody wants
// them, and what ends it.
func (t tracing) begin(talk io.Writer) (take func(broker.TraceEvent), end func() error, err error) {
	if !t.show && t.file == "" {
		return nil, func() error { return nil }, nil
	}
	out := &traceOutput{}
	if t.show {
		out.talk = talk
	}
	if t.file != "" {
		// Nothing in it is secret, but whom one signs in with is no one else's business.
		out.file, err = os.OpenFile(t.file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err == nil {
			err = out.file.Chmod(0o600) // it may have been there before
		}
		if err != nil {
			return nil, nil, &broker.Problem{Msg: fmt.Sprintf("the trace cannot be written: %v", err), Hints: []string{"--trace-file FILE names a file in a folder of yours"}, Code: broker.ExitUsage, Err: err}
		}
	}
	return out.take, out.end, nil
}

type traceOutput struct {
	mu   sync.Mutex
	talk io.Writer // nil for nowhere
	file *os.File  // nil for none
	err  error     // the first of the file's
}

func (t *traceOutput) take(e broker.TraceEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.talk != nil {
		_, _ = io.WriteString(t.talk, traceText(e))
	}
	if t.file == nil || t.err != nil {
		return
	}
	line, err := json.Marshal(traceLine(e))
	if err == nil {
		_, err = t.file.Write(append(line, '\n'))
	}
	t.err = err
}

func (t *traceOutput) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	if err := t.file.Close(); t.err == nil {
		t.err = err
	}
	if t.err != nil {
		return fmt.Errorf("the trace is not whole: %w", t.err)
	}
	return nil
}

// traceLine is one line of a trace file.
func traceLine(e broker.TraceEvent) map[string]any {
	members := map[string]any{"schema": 1, "after_ms": milliseconds(e.After), "step": e.Step}
	for name, text := range map[string]string{"what": e.What, "problem": e.Problem, "cure": e.Cure} {
		if text != "" {
			members[name] = text
		}
	}
	if e.Status != 0 {
		members["status"] = e.Status
	}
	if e.Took != 0 {
		members["took_ms"] = milliseconds(e.Took)
	}
	if len(e.Sent) > 0 {
		members["sent"] = e.Sent
	}
	if len(e.Got) > 0 {
		members["got"] = e.Got
	}
	return members
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// traceText is an event for people.
func traceText(e broker.TraceEvent) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%8.3fs %-9s %s", e.After.Seconds(), e.Step, printable(e.What))
	if e.Status != 0 {
		fmt.Fprintf(&b, "  %d", e.Status)
	}
	if e.Took != 0 {
		fmt.Fprintf(&b, "  %d ms", e.Took.Milliseconds())
	}
	if e.Step == "note" {
		b.WriteString(printable(e.Problem))
	}
	b.WriteByte('\n')
	row := func(mark, text string) { fmt.Fprintf(&b, "%19s %s %s\n", "", mark, printable(text)) }
	for _, name := range slices.Sorted(maps.Keys(e.Sent)) {
		row(">", name+" = "+e.Sent[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.Got)) {
		row("<", name+" = "+e.Got[name])
	}
	if e.Problem != "" && e.Step != "note" {
		row("!", e.Problem)
	}
	if e.Cure != "" {
		row("→", e.Cure)
	}
	return b.String()
}
