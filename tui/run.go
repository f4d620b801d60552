package tui

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// call is one call of a tool, from its beginning on. Only the tools screen
// changes it.
type call struct {
	id     int64
	tool   toolItem
	value  *jsonValue // what was sent
	safe   *jsonValue // less what is secret
	anyway bool       // it was sent although something was wrong with it
	began  time.Time
	now    func() time.Time
	job    *job

	progress, total float64
	message         string
	updates         int
	log             []logLine
	asks            []*asking // questions that wait for an answer

	done      bool
	stopped   bool // the person did not want it any more
	after     time.Duration
	result    *result
	problem   *broker.Problem
	auditID   string
	auditRule string
}

// maxLog bounds the lines of a call's log.
const maxLog = 500

// callMsg is what a call's job says. about is one of asked, callDone, partDrawn.
type callMsg struct {
	call  *call
	about any
}

type callDone struct {
	result  *result
	problem *broker.Problem
	stopped bool
	took    time.Duration
	audit   broker.AuditRecord
}

// asked is a question that arrived.
type asked struct {
	asks   broker.Elicitation
	answer chan broker.ElicitationAnswer // takes one answer
	void   context.Context               // ends when nobody waits for the answer
}

func (c *call) runs() bool { return !c.done }

// waits reports whether it asks something and nobody has answered yet.
func (c *call) waits() bool { return c.runs() && len(c.asks) > 0 }

func (c *call) took() time.Duration {
	if c.done {
		return c.after
	}
	return c.now().Sub(c.began)
}

// outcome is how it ended, in a word.
func (c *call) outcome(l *look) string {
	switch {
	case c.waits():
		return l.warn.Render("? asks")
	case c.runs():
		return l.accent.Render("runs")
	case c.stopped:
		return l.warn.Render("stopped")
	case c.problem != nil && c.problem.Code == broker.ExitDenied:
		return l.bad.Render("denied")
	case c.problem != nil:
		return l.bad.Render("error")
	case c.result.isError:
		return l.bad.Render("failed")
	}
	return l.good.Render("ok") + l.dim.Render("  "+took(c.after))
}

// arguments are what was sent, in one line and without what is secret.
func (c *call) arguments() string {
	text := c.safe.compact()
	return broker.CleanLine(ansi.Truncate(text[:min(len(text), 400)], 200, "…"))
}

// send begins a call, after a question where the tool says of itself that it destroys
// and could.
func (s *toolsScreen) send(c *call) action {
	if !c.tool.Destructive || c.tool.denied() {
		return s.begin(c)
	}
	agreed := bindingChosen{binding{act: func() action { return s.begin(c) }}}
	q := newQuestion(s.world, "Call "+c.tool.name+"?", []string{"It says of itself that it destroys. It is sent:", c.arguments()}, "call",
		actions{showTab{"tools"}, agreed})
	q.careful = true
	return overlay{q}
}

// begin starts a call and shows it.
func (s *toolsScreen) begin(c *call) action {
	if s.server == nil {
		return notice{bad, "no server runs"}
	}
	s.numbers++
	c.id, c.began, c.now = s.numbers, s.now(), s.now
	c.job = s.callJob(c)
	s.calls = append([]*call{c}, s.calls...)
	s.forget()
	return actions{c.job, notice{}, s.show(c)}
}

// maxCalls is how many calls are remembered, with their results.
const maxCalls = 50

// forget drops what is too old.
func (s *toolsScreen) forget() {
	for i := len(s.calls) - 1; i >= maxCalls; i-- {
		if s.calls[i].done {
			s.calls = append(s.calls[:i], s.calls[i+1:]...)
		}
	}
}

// callJob is the call itself, in a goroutine of its own. The result is read and
// made ready there, too.
func (s *toolsScreen) callJob(c *call) *job {
	server, home, now := s.server, s.Home, s.now
	arguments := json.RawMessage(c.value.compact())
	return &job{do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
		options := broker.CallOptions{Call: c.id, Ask: func(void context.Context, e broker.Elicitation) broker.ElicitationAnswer {
			question := asked{e, make(chan broker.ElicitationAnswer, 1), void}
			send(callMsg{c, question})
			select {
			case answer := <-question.answer:
				return answer
			case <-void.Done():
			case <-ctx.Done():
			}
			return broker.ElicitationAnswer{Action: "cancel"}
		}}
		began := now()
		answer, err := server.Call(ctx, c.tool.Name, arguments, options)
		done := callDone{took: answer.Took, stopped: ctx.Err() != nil}
		if done.took == 0 {
			done.took = now().Sub(began)
		}
		if err != nil {
			done.problem = broker.AsProblem(err)
		} else {
			done.result = readResult(answer, c.tool.OutputSchema)
		}
		done.audit = recordOf(home, c.tool.Name, began)
		return callMsg{c, done}
	}}
}

// recordOf finds the line of the record that a call of this process wrote.
func recordOf(home Home, tool string, since time.Time) broker.AuditRecord {
	found := home.Audit().Search(broker.AuditFilter{Tool: tool, Since: since.Add(-time.Second)}, 5)
	for _, entry := range found.Entries {
		if entry.Record.PID == os.Getpid() && entry.Record.Name == tool {
			return entry.Record
		}
	}
	return broker.AuditRecord{}
}

// show lays a call over the list.
func (s *toolsScreen) show(c *call) action {
	page := newCallPage(s, c)
	s.page = page
	return page.ready()
}

// callSaid takes what a call's job says.
func (s *toolsScreen) callSaid(m callMsg) action {
	c := m.call
	page, shown := s.page.(*callPage)
	shown = shown && page.call == c
	switch about := m.about.(type) {
	case asked:
		c.asks = append(c.asks, newAsking(s.look, about))
		if !shown {
			return notice{info, c.tool.name + " asks something: a on Tools answers"}
		}
	case callDone:
		c.finish(about)
		if !shown {
			return notice{map[bool]string{true: good, false: bad}[c.went()], c.tool.name + ": " + ansi.Strip(c.outcome(s.look)) + "; l shows it"}
		}
		return page.ready()
	case partDrawn:
		about.part.take(about)
	}
	return nil
}

func (c *call) finish(d callDone) {
	c.done, c.after, c.result, c.problem, c.stopped, c.asks = true, d.took, d.result, d.problem, d.stopped && d.result == nil, nil
	c.auditID, c.auditRule = broker.CleanLine(d.audit.ID), broker.CleanLine(d.audit.Reason)
}

// went reports whether it ended well.
func (c *call) went() bool { return c.done && c.problem == nil && !c.result.isError }

// event notes the progress of the call that it belongs to, and what the server
// says meanwhile, for all that run.
func (s *toolsScreen) event(e broker.ExplorerEvent) {
	for _, c := range s.calls {
		if !c.runs() {
			continue
		}
		switch {
		case e.Kind == broker.EventProgress && e.Call == c.id:
			c.progress, c.total, c.message = e.Progress, e.Total, broker.CleanLine(e.Message)
			c.updates++
		default:
			if line, ok := logged(e, c.now()); ok {
				c.log = append(c.log, line)
			}
		}
		c.log = c.log[max(0, len(c.log)-maxLog):]
	}
}

// progressBar is how far a call is, in width cells.
func progressBar(l *look, part float64, width int) string {
	full := min(max(int(part*float64(width)+0.5), 0), width)
	return l.accent.Render(strings.Repeat("█", full)) + l.dim.Render(strings.Repeat("░", width-full))
}

// pulse is a bar for a call that does not tell how far it is.
func pulse(l *look, elapsed time.Duration, width int) string {
	const size = 6
	at := int(elapsed/time.Second) % max(width-size, 1)
	return l.dim.Render(strings.Repeat("░", at)) + l.accent.Render(strings.Repeat("█", min(size, width))) +
		l.dim.Render(strings.Repeat("░", max(width-size-at, 0)))
}

func levelStyle(l *look, level string) lipgloss.Style {
	switch level {
	case "error", "critical", "alert", "emergency":
		return l.bad
	case "warning":
		return l.warn
	}
	return l.dim
}
