package mcpclient

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Tools lists the server's tools, in its order, and behind them those that the
// policy hides from AI clients.
func (c *Client) Tools(ctx context.Context) ([]Tool, error) {
	return c.tools(ctx, nil)
}

// ToolsUntil is Tools, but of many pages reads no more than up to the one that has a
// tool of this name.
func (c *Client) ToolsUntil(ctx context.Context, name string) ([]Tool, error) {
	named := func(raw json.RawMessage) bool {
		tool, ok := readTool(raw)
		return ok && tool.Name == name
	}
	looked := 0 // how much of what was read
	return c.tools(ctx, func(read elements) bool {
		fresh := read.shown[looked:]
		looked = len(read.shown)
		return slices.ContainsFunc(fresh, named) || slices.ContainsFunc(read.hidden, named)
	})
}

func (c *Client) tools(ctx context.Context, enough func(elements) bool) ([]Tool, error) {
	all, err := c.list(ctx, "tools/list", "tools", enough)
	if err != nil {
		return nil, err
	}
	tools := []Tool{}
	for _, raw := range append(all.shown, all.hidden...) {
		if tool, ok := readTool(raw); ok {
			tool.Access = c.x.Access("tool", tool.Name)
			tool.TaskOnly = tool.TaskOnly && c.meta == nil && offersTasks(c.info.Capabilities)
			tools = append(tools, tool)
		}
	}
	c.noteTaskOnly(tools)
	return tools, nil
}

// offersTasks reports whether a server runs tool calls as tasks. Without that, what
// its tools say of tasks does not count (MCP 2025-11-25, "Tasks").
func offersTasks(capabilities json.RawMessage) bool {
	var can struct {
		Tasks struct {
			Requests struct {
				Tools struct{ Call json.RawMessage }
			}
		}
	}
	return json.Unmarshal(capabilities, &can) == nil && can.Tasks.Requests.Tools.Call != nil
}

// noteTaskOnly remembers the tools that are called as a task.
func (c *Client) noteTaskOnly(tools []Tool) {
	names := map[string]bool{}
	for _, tool := range tools {
		if tool.TaskOnly {
			names[tool.Name] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taskOnly = names
}

func (c *Client) runsAsTask(tool string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taskOnly[tool]
}

// readTool reads a definition. What has no name cannot be called, and is none.
func readTool(raw json.RawMessage) (Tool, bool) {
	var d struct {
		Name, Title, Description  loose
		InputSchema, OutputSchema json.RawMessage
		Annotations               struct {
			Title                                                        loose
			ReadOnlyHint, DestructiveHint, IdempotentHint, OpenWorldHint claim
		}
		Execution struct{ TaskSupport loose }
	}
	_ = json.Unmarshal(raw, &d) // members of another type are left out
	if d.Name == "" {
		return Tool{}, false
	}
	a := d.Annotations
	return Tool{
		Name: string(d.Name), Title: string(cmp.Or(d.Title, a.Title)), Description: string(d.Description),
		InputSchema: d.InputSchema, OutputSchema: d.OutputSchema,
		ReadOnly: bool(a.ReadOnlyHint), Destructive: bool(a.DestructiveHint && !a.ReadOnlyHint),
		Idempotent: bool(a.IdempotentHint), OpenWorld: bool(a.OpenWorldHint),
		TaskOnly: d.Execution.TaskSupport == "required",
		Raw:      raw,
	}, true
}

// loose is a text, or nothing where the server put something else.
type loose string

// UnmarshalJSON never fails.
func (l *loose) UnmarshalJSON(text []byte) error {
	var s string
	if json.Unmarshal(text, &s) == nil {
		*l = loose(s)
	}
	return nil
}

// claim is true, or nothing.
type claim bool

// UnmarshalJSON never fails.
func (c *claim) UnmarshalJSON(text []byte) error {
	*c = string(text) == "true"
	return nil
}

// Call calls a tool. arguments is an object, or nil for none; it is sent as it is.
// A tool that fails is a result with IsError. Errors are *problem.Problem, with
// ExitDenied for a call that the policy denies and ExitSignInNeeded while nobody
// is signed in; or that of ctx, whose end takes the call back. A tool that Tools
// found to be TaskOnly runs as a task, whose state comes as progress.
func (c *Client) Call(ctx context.Context, tool string, arguments json.RawMessage, o CallOptions) (CallResult, error) {
	p := params{"name": tool}
	if c.runsAsTask(tool) {
		p["task"] = params{"ttl": taskLife.Milliseconds()}
	}
	if arguments != nil {
		p["arguments"] = arguments
	}
	began := time.Now()
	raw, err := c.converse(ctx, "tools/call", p, o)
	if err != nil {
		return CallResult{}, err
	}
	result := CallResult{Raw: raw, Took: time.Since(began)}
	var d struct {
		Content           []json.RawMessage
		IsError           claim
		StructuredContent json.RawMessage
	}
	_ = json.Unmarshal(raw, &d) // what cannot be read is in Raw
	result.IsError, result.Content = bool(d.IsError), readContents(d.Content)
	if string(d.StructuredContent) != "null" {
		result.Structured = d.StructuredContent
	}
	return result, nil
}
