package explorecmd

import (
	"fmt"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/table"
)

// progress shows how far a call is, on one line of standard error that goes when
// the call is over. It shows nothing where that is no terminal.
type progress struct {
	*console.App
	width int // 0: no terminal

	mu   sync.Mutex
	line string // that is shown; empty for none
	over bool
}

func newProgress(a *console.App) *progress {
	if a.Deps.Env("TERM") == "dumb" {
		return &progress{App: a}
	}
	return &progress{App: a, width: console.Columns(a.Err)}
}

func (p *progress) event(e mcpclient.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Kind != mcpclient.EventProgress || p.width == 0 || p.over {
		return
	}
	p.line = table.Cut(progressLine(e), p.width-1)
	fmt.Fprint(p.Err, eraseLine, p.line)
}

// eraseLine empties the line of a terminal.
const eraseLine = "\r\x1b[K"

// above prints a line that stays, above the one that shows how far the call is.
func (p *progress) above(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != "" {
		fmt.Fprint(p.Err, eraseLine)
	}
	p.Say(format, args...)
	fmt.Fprint(p.Err, p.line)
}

func progressLine(e mcpclient.Event) string {
	line := ""
	switch {
	case e.Total <= 0 && e.Progress != 0:
		line = fmt.Sprintf("%g", e.Progress)
	case e.Total > 0:
		const bar = 20
		done := int(bar * min(max(e.Progress/e.Total, 0), 1))
		line = fmt.Sprintf("[%s%s] %g of %g", strings.Repeat("#", done), strings.Repeat(".", bar-done), e.Progress, e.Total)
	}
	return strings.TrimSpace(line + " " + console.Printable(e.Message))
}

// clear takes the line away.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != "" {
		fmt.Fprint(p.Err, eraseLine)
		p.line = ""
	}
}

// end is clear for good.
func (p *progress) end() {
	p.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}
