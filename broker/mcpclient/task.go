package mcpclient

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// A call can become a task, which the server answers later. In MCP 2025-11-25
// ("Tasks") the client asks for it, and gets the result by tasks/result. In the
// extension to 2026-07-28 the server decides, and tasks/get has the result.
const tasksExtension = "io.modelcontextprotocol/tasks"

const (
	// taskLife is for how long the server is asked to keep a task.
	taskLife = time.Hour
	// taskPatience is how long a call that was given up may take to become a task,
	// so that it can be cancelled as one; and how long the server may take for that.
	taskPatience = 2 * time.Second

	firstPoll, usualPoll = 50 * time.Millisecond, time.Second // where the server wishes nothing
	minPoll, maxPoll     = 20 * time.Millisecond, time.Minute
)

// task is what the server says of one, in either form.
type task struct {
	TaskID, Status, StatusMessage loose
	LastUpdatedAt                 loose  // a time of ISO 8601
	PollInterval, PollIntervalMs  number // of the one form and of the other, in milliseconds

	inputs // of the extension, as the rest
	Result json.RawMessage
	Error  json.RawMessage
}

// createdTask reads the result of a call that became a task. Only a client of the
// modern protocol gets one that it did not ask for.
func createdTask(result json.RawMessage, asked, modern bool) (task, bool) {
	var made struct {
		ResultType loose
		Task       *task
	}
	if json.Unmarshal(result, &made) != nil {
		return task{}, false
	}
	if asked && made.Task != nil && made.Task.TaskID != "" {
		return *made.Task, true
	}
	var t task
	if modern && made.ResultType == "task" && json.Unmarshal(result, &t) == nil && t.TaskID != "" {
		return t, true
	}
	return task{}, false
}

// over reports whether nothing more will come of it.
func (t task) over() bool {
	return t.Status == "completed" || t.Status == "failed" || t.Status == "cancelled"
}

func (t task) words() string {
	if t.StatusMessage != "" {
		return string(t.StatusMessage)
	}
	return "the task: " + strings.ReplaceAll(string(t.Status), "_", " ")
}

// poll is when to ask for it again, after so many times.
func (t task) poll(times int) time.Duration {
	wanted := max(t.PollInterval, t.PollIntervalMs)
	if wanted <= 0 {
		return min(firstPoll<<min(times, 10), usualPoll)
	}
	return max(minPoll, time.Duration(min(float64(wanted), float64(maxPoll.Milliseconds())))*time.Millisecond)
}

// openTask is a task that is followed.
type openTask struct {
	call *openCall
	news chan struct{} // has room for one: it has changed
	said string        // what was told of it last
	at   loose         // and how old that is, as the server says
}

// finish follows a task to its result. When the call is given up the task is
// cancelled.
func (c *Client) finish(call *openCall, t task) (json.RawMessage, error) {
	id := string(t.TaskID)
	open := &openTask{call: call, news: make(chan struct{}, 1)}
	defer c.followed.await(id, open)()
	result, err := c.untilOver(open, id, t)
	if gone := call.ctx.Err(); gone != nil {
		c.cancelTask(call, id)
		return nil, gone
	}
	return result, err
}

func (c *Client) untilOver(open *openTask, id string, t task) (json.RawMessage, error) {
	modern := open.call.meta != nil
	answered := map[string]bool{}
	for times := 0; ; times++ {
		c.tellTask(open, t)
		switch {
		case t.Status == "cancelled":
			return nil, &problem.Problem{Msg: "the server gave the task up: " + text.CleanLine(t.words()), Code: problem.ExitToolFailed}
		case modern && t.over():
			return c.outcome(t)
		case !modern && (t.over() || t.Status == "input_required"): // it asks before it answers
			return open.call.request(c, "tasks/result", params{"taskId": id})
		case modern && t.Status == "input_required":
			if err := c.update(open.call, id, t, answered); err != nil {
				return nil, err
			}
		}
		if err := open.rest(t.poll(times)); err != nil {
			return nil, err
		}
		raw, err := open.call.request(c, "tasks/get", params{"taskId": id})
		if err != nil {
			return nil, err
		}
		t = task{}
		_ = json.Unmarshal(raw, &t) // what cannot be read is asked for again
	}
}

// outcome is what came of a task of the extension.
func (c *Client) outcome(t task) (json.RawMessage, error) {
	switch {
	case t.Error != nil:
		return nil, c.serverError("tools/call", t.Error)
	case t.Result == nil:
		return nil, &problem.Problem{Msg: "the task has ended without a result: " + text.CleanLine(t.words()), Code: problem.ExitToolFailed}
	}
	return t.Result, nil
}

// update answers what a task of the extension asks, each question once.
func (c *Client) update(call *openCall, id string, t task, answered map[string]bool) error {
	for name := range answered {
		delete(t.InputRequests, name)
	}
	if len(t.InputRequests) == 0 {
		return nil // it has not taken the answers yet
	}
	responses, err := respond(call, t.inputs, false)
	if err != nil {
		return err
	}
	for name := range responses {
		answered[name] = true
	}
	_, err = call.request(c, "tasks/update", params{"taskId": id, "inputResponses": responses})
	return err
}

// rest waits until it is time to ask for the task again.
func (o *openTask) rest(most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-o.news:
	case <-o.call.ctx.Done():
		return o.call.ctx.Err()
	}
	return nil
}

// taskNews takes a notification of a task. tasks/get is asked for the rest.
func (c *Client) taskNews(text json.RawMessage) {
	var t task
	_ = json.Unmarshal(text, &t)
	open := c.followed.of(string(t.TaskID))
	if open == nil {
		return
	}
	c.tellTask(open, t)
	select {
	case open.news <- struct{}{}:
	default:
	}
}

// tellTask tells how a task is, as progress of its call.
func (c *Client) tellTask(open *openTask, t task) {
	if t.Status == "" {
		return
	}
	c.mu.Lock()
	// An answer can be older than a notification that came before it was read.
	known := open.said == t.words() || t.LastUpdatedAt != "" && t.LastUpdatedAt < open.at
	if !known {
		open.said, open.at = t.words(), t.LastUpdatedAt
	}
	progress, total := open.call.progress, open.call.total
	c.mu.Unlock()
	if !known {
		c.tell(Event{
			Kind: EventProgress, Call: open.call.Call, Message: t.words(), Progress: progress, Total: total,
		})
	}
}

// cancelTask tells the server that nobody waits for a task any more.
func (c *Client) cancelTask(call *openCall, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), taskPatience)
	defer cancel()
	// A server that does not stop goes on for nobody.
	_, _, _ = c.requestAs(ctx, c.newID(), "tasks/cancel", call.meta, params{"taskId": id})
}

// request asks something more about the call.
func (o *openCall) request(c *Client, method string, p params) (json.RawMessage, error) {
	result, _, err := c.requestAs(o.ctx, c.newID(), method, o.meta, p)
	return result, err
}

// afterwards is a context that ends a while after another.
func afterwards(ctx context.Context, while time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(while, cancel)
		context.AfterFunc(later, func() { timer.Stop() })
	})
	return later, func() { stop(); cancel() }
}
