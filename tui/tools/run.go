package tools

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// call is one call of a tool, from its beginning on. Only the tools screen
// changes it.
type call struct {
	id     int64
	tool   toolItem
	value  *toolargs.Value // what was sent
	safe   *toolargs.Value // less what is secret
	anyway bool            // it was sent although something was wrong with it
	began  time.Time
	now    func() time.Time
	job    *widget.Job

	progress, total float64
	message         string
	updates         int
	log             []screen.LogLine
	asks            []*asking // questions that wait for an answer

	done      bool
	stopped   bool // the user stopped it
	after     time.Duration
	result    *result
	problem   *problem.Problem
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
	problem *problem.Problem
	stopped bool
	took    time.Duration
	audit   audit.Record
}

// asked is a question that arrived.
type asked struct {
	asks   mcpclient.Elicitation
	answer chan mcpclient.ElicitationAnswer // takes one answer
	void   context.Context                  // ends when the answer is no longer awaited
}

func (c *call) runs() bool { return !c.done }

// waits reports whether it asks something that is not answered yet.
func (c *call) waits() bool { return c.runs() && len(c.asks) > 0 }

func (c *call) took() time.Duration {
	if c.done {
		return c.after
	}
	return c.now().Sub(c.began)
}

// outcome is how it ended, in a word.
func (c *call) outcome(l *widget.Theme) string {
	switch {
	case c.waits():
		return l.Warn.Render("? asks")
	case c.runs():
		return l.Accent.Render("runs")
	case c.stopped:
		return l.Warn.Render("stopped")
	case c.problem != nil && c.problem.Code == problem.ExitDenied:
		return l.Bad.Render("denied")
	case c.problem != nil:
		return l.Bad.Render("error")
	case c.result.isError:
		return l.Bad.Render("failed")
	}
	return l.Good.Render("ok") + l.Dim.Render("  "+text.Elapsed(c.after))
}

// arguments are what was sent, in one line and without what is secret.
func (c *call) arguments() string {
	line := c.safe.Compact()
	return text.CleanLine(ansi.Truncate(line[:min(len(line), 400)], 200, "…"))
}

// send begins a call, after a question where the tool says of itself that it destroys
// and could.
func (s *Screen) send(c *call) widget.Action {
	if !c.tool.Destructive || c.tool.denied() {
		return s.Begin(c)
	}
	agreed := screen.BindingChosen{Binding: widget.Binding{Act: func() widget.Action { return s.Begin(c) }}}
	q := screen.NewQuestion(s.Theme, "Call "+c.tool.name+"?",
		[]string{"It says of itself that it destroys. It is sent:", c.arguments()}, "call",
		widget.Actions{screen.ShowTab("tools"), agreed})
	q.Careful = true
	return screen.Over(q)
}

// Begin starts a call and shows it.
func (s *Screen) Begin(c *call) widget.Action {
	if s.Server == nil {
		return widget.Bad("no server runs")
	}
	s.numbers++
	c.id, c.began, c.now = s.numbers, s.Now(), s.Now
	c.job = s.callJob(c)
	s.calls = append([]*call{c}, s.calls...)
	s.forget()
	return widget.Actions{c.job, widget.Notice{}, s.show(c)}
}

// maxCalls is how many calls are remembered, with their results.
const maxCalls = 50

// forget drops what is too old.
func (s *Screen) forget() {
	for i := len(s.calls) - 1; i >= maxCalls; i-- {
		if s.calls[i].done {
			s.calls = append(s.calls[:i], s.calls[i+1:]...)
		}
	}
}

// callJob is the call itself, in a goroutine of its own. The result is read and
// made ready there, too.
func (s *Screen) callJob(c *call) *widget.Job {
	server, audit, now := s.Server, s.audit, s.Now
	arguments := json.RawMessage(c.value.Compact())
	return &widget.Job{Do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
		options := mcpclient.CallOptions{Call: c.id, Ask: func(void context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
			question := asked{e, make(chan mcpclient.ElicitationAnswer, 1), void}
			send(callMsg{c, question})
			select {
			case answer := <-question.answer:
				return answer
			case <-void.Done():
			case <-ctx.Done():
			}
			return mcpclient.ElicitationAnswer{Action: "cancel"}
		}}
		began := now()
		answer, err := server.Call(ctx, c.tool.Name, arguments, options)
		done := callDone{took: answer.Took, stopped: ctx.Err() != nil}
		if done.took == 0 {
			done.took = now().Sub(began)
		}
		if err != nil {
			done.problem = problem.Of(err)
		} else {
			done.result = readResult(answer, c.tool.OutputSchema)
		}
		done.audit = recordOf(audit, c.tool.Name, began)
		return callMsg{c, done}
	}}
}

// recordOf finds the line of the record that a call of this process wrote.
func recordOf(log audit.Folder, tool string, since time.Time) audit.Record {
	for entry, err := range log.Newest(audit.Filter{Tool: tool, Since: since.Add(-time.Second)}, 5) {
		if err == nil && entry.Record.PID == os.Getpid() && entry.Record.Name == tool {
			return entry.Record
		}
	}
	return audit.Record{}
}

// show lays a call over the list.
func (s *Screen) show(c *call) widget.Action {
	page := newCallPage(s, c)
	s.page = page
	return page.ready()
}

// callMessage takes what a call's job says.
func (s *Screen) callMessage(m callMsg) widget.Action {
	c := m.call
	page, shown := s.page.(*callPage)
	shown = shown && page.call == c
	switch about := m.about.(type) {
	case asked:
		c.asks = append(c.asks, newAsking(s.Theme, about))
		if !shown {
			return widget.Info(c.tool.name + " asks something: a on Tools answers")
		}
	case callDone:
		c.finish(about)
		if !shown {
			return widget.Notice{Level: map[bool]string{true: widget.LevelGood, false: widget.LevelBad}[c.went()],
				Text: c.tool.name + ": " + ansi.Strip(c.outcome(s.Theme)) + "; l shows it"}
		}
		return page.ready()
	case widget.Drawn:
		about.Part.Take(about)
	}
	return nil
}

func (c *call) finish(d callDone) {
	c.done, c.after, c.result, c.problem, c.stopped, c.asks = true, d.took, d.result, d.problem, d.stopped && d.result == nil, nil
	c.auditID, c.auditRule = text.CleanLine(d.audit.ID), text.CleanLine(d.audit.Reason)
}

// went reports whether it ended well.
func (c *call) went() bool { return c.done && c.problem == nil && !c.result.isError }

// event notes the progress of the call that it belongs to, and what the server
// says meanwhile, for all that run.
func (s *Screen) event(e mcpclient.Event) {
	for _, c := range s.calls {
		if !c.runs() {
			continue
		}
		switch {
		case e.Kind == mcpclient.EventProgress && e.Call == c.id:
			c.progress, c.total, c.message = e.Progress, e.Total, text.CleanLine(e.Message)
			c.updates++
		default:
			if line, ok := screen.Logged(e, c.now()); ok {
				c.log = append(c.log, line)
			}
		}
		c.log = c.log[max(0, len(c.log)-maxLog):]
	}
}

// progressBar is how far a call is, in width cells.
func progressBar(l *widget.Theme, part float64, width int) string {
	full := min(max(int(part*float64(width)+0.5), 0), width)
	return l.Accent.Render(strings.Repeat("█", full)) + l.Dim.Render(strings.Repeat("░", width-full))
}

// pulse is a bar for a call that does not tell how far it is.
func pulse(l *widget.Theme, elapsed time.Duration, width int) string {
	const size = 6
	at := int(elapsed/time.Second) % max(width-size, 1)
	return l.Dim.Render(strings.Repeat("░", at)) + l.Accent.Render(strings.Repeat("█", min(size, width))) +
		l.Dim.Render(strings.Repeat("░", max(width-size-at, 0)))
}
