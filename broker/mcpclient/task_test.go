package mcpclient_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// tasks is mcp-go's server, with tools that run only as a task.
func tasks() *server.MCPServer {
	cancelled, hooks := make(chan struct{}), &server.TaskHooks{}
	hooks.AddOnTaskCancelled(func(context.Context, server.TaskMetrics) { close(cancelled) })
	s := server.NewMCPServer("tasks", "1", server.WithToolCapabilities(true), server.WithTaskCapabilities(true, true, true), server.WithTaskHooks(hooks))
	add := func(name string, support mcp.TaskSupport, run func() string) {
		s.AddTool(mcp.NewTool(name, mcp.WithTaskSupport(support)), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText(run()), nil
		})
	}
	add("research", mcp.TaskSupportRequired, func() string { return "found" })
	add("either", mcp.TaskSupportOptional, func() string { return "at once" })
	add("forever", mcp.TaskSupportRequired, func() string {
		fmt.Fprintln(os.Stderr, "forever runs")
		<-cancelled // the context ends with the request that made the task
		fmt.Fprintln(os.Stderr, "forever was cancelled")
		return ""
	})
	return s
}

func TestTaskOfARealServer(t *testing.T) {
	w := newWorld(t)
	c := w.open("tasks")
	tools, err := c.Tools(context.Background())
	if err != nil || len(tools) != 3 {
		t.Fatalf("tools: %+v, %v", tools, err)
	}
	for _, tool := range tools {
		if tool.TaskOnly != (tool.Name != "either") {
			t.Errorf("%s: %v", tool.Name, tool.TaskOnly)
		}
	}
	for name, want := range map[string]string{"research": "found", "either": "at once"} {
		result, err := c.Call(context.Background(), name, nil, mcpclient.CallOptions{})
		if err != nil || len(result.Content) != 1 || result.Content[0].Text != want {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		w.until(func(e mcpclient.Event) bool { return e.Kind == mcpclient.EventStderr && e.Message == "forever runs" })
		cancel()
	}()
	if _, err := c.Call(ctx, "forever", nil, mcpclient.CallOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("forever: %v", err)
	}
	w.until(func(e mcpclient.Event) bool { return e.Message == "forever was cancelled" })
}

// taskServer speaks one form of tasks: each tasks/get is one step further, and in
// the middle it asks. The tool "stuck" goes no step, "broken" fails.
func taskServer(modern bool) error {
	s := &taskScript{modern: modern, steps: map[string]int{}}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var m taskMessage
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return err
		}
		s.take(m)
	}
	return lines.Err()
}

type taskMessage struct {
	ID     json.RawMessage
	Method string
	Params struct {
		Name, TaskID   string
		Task           struct{ TTL int64 }
		InputResponses json.RawMessage
		Meta           struct {
			ProgressToken json.RawMessage
			Capabilities  json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
		} `json:"_meta"`
	}
	Result json.RawMessage
}

type taskScript struct {
	modern  bool
	steps   map[string]int
	token   json.RawMessage // of the call's progress
	waiting json.RawMessage // id of the tasks/result that waits for an answer
	said    string          // what was answered
}

const (
	taskQuestion = `{"message":"which?","requestedSchema":{"type":"object","properties":{"x":{"type":"string"}}}`
	relatedTask  = `,"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"asks"}}}`
)

func (s *taskScript) answer(id json.RawMessage, format string, args ...any) {
	fmt.Printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%s}}\n", id, fmt.Sprintf(format, args...))
}

func (s *taskScript) fail(id json.RawMessage, code int, words string) {
	fmt.Printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":%q}}\n", id, code, words)
}

func (s *taskScript) take(m taskMessage) {
	switch m.Method {
	case "server/discover":
		if !s.modern {
			s.fail(m.ID, -32601, "what?")
			return
		}
		s.answer(m.ID, `"resultType":"complete","supportedVersions":["2026-07-28"],"serverInfo":{"name":"t","version":"1"},"ttlMs":0,"cacheScope":"private",`+
			`"capabilities":{"tools":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}`)
	case "initialize":
		s.answer(m.ID, `"protocolVersion":"2025-11-25","serverInfo":{"name":"t","version":"1"},"capabilities":{"tools":{},"tasks":{"requests":{"tools":{"call":{}}}}}`)
	case "tools/list":
		execution := map[bool]string{false: `,"execution":{"taskSupport":"required"}`}[s.modern]
		var tools []string
		for _, name := range []string{"asks", "stuck", "broken"} {
			tools = append(tools, fmt.Sprintf(`{"name":%q,"inputSchema":{"type":"object"}%s}`, name, execution))
		}
		s.answer(m.ID, `"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[%s]`, strings.Join(tools, ","))
	case "tools/call":
		s.create(m)
	case "tasks/get":
		s.steps[m.Params.TaskID]++
		s.answer(m.ID, `"resultType":"complete",%s`, s.state(m.Params.TaskID))
	case "tasks/result":
		s.result(m)
	case "tasks/update":
		s.said = string(m.Params.InputResponses)
		s.answer(m.ID, `"resultType":"complete"`)
	case "tasks/cancel":
		fmt.Fprintln(os.Stderr, "cancelled "+m.Params.TaskID)
		s.answer(m.ID, `"resultType":"complete",%s`, s.state(m.Params.TaskID))
	case "":
		if string(m.ID) == "7" {
			s.answer(s.waiting, `"content":[{"type":"text","text":%q}]`, m.Result)
		}
	}
}

func (s *taskScript) create(m taskMessage) {
	name := m.Params.Name
	s.token = m.Params.Meta.ProgressToken
	switch {
	case s.modern && !strings.Contains(string(m.Params.Meta.Capabilities), mcpclient.TasksExtension):
		s.fail(m.ID, -32021, "Missing required client capability")
	case s.modern:
		s.answer(m.ID, `"resultType":"task",%s`, s.state(name))
	case m.Params.Task.TTL == 0:
		s.fail(m.ID, -32601, "only as a task")
	default:
		s.answer(m.ID, `"task":{%s}`, s.state(name))
	}
}

// state is how a task is, and tells of progress on the way.
func (s *taskScript) state(name string) string {
	status, words, more := "working", fmt.Sprintf("step %d", s.steps[name]), ""
	switch step := s.steps[name]; {
	case name == "stuck":
		words = "stuck"
	case step == 1:
		fmt.Printf("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":%s,\"progress\":3,\"total\":4}}\n", s.token)
	case step == 2 && name == "broken":
		status, words, more = "failed", "bad luck", `,"error":{"code":-32603,"message":"it broke"}`
	case s.modern && step >= 2 && s.said == "":
		status, more = "input_required", `,"inputRequests":{"q":{"method":"elicitation/create","params":`+taskQuestion+`}}}`
	case !s.modern && step == 2:
		status = "input_required"
	case step >= 4:
		status, more = "completed", fmt.Sprintf(`,"result":{"content":[{"type":"text","text":%q}]}`, s.said)
	}
	return fmt.Sprintf(`"taskId":%q,"status":%q,"statusMessage":%q,"pollInterval":1,"pollIntervalMs":1,"ttl":null,"ttlMs":null%s`, name, status, words, more)
}

func (s *taskScript) result(m taskMessage) {
	if m.Params.TaskID == "broken" {
		s.fail(m.ID, -32603, "it broke")
		return
	}
	s.waiting = m.ID
	fmt.Println(`{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":` + taskQuestion + relatedTask + `}`)
}

// Both forms: how the task is, is told as progress; its question is answered; its
// result is that of the call.
func TestTasks(t *testing.T) {
	for form, want := range map[string]string{
		"legacy": `{"action":"accept","content":{"x":"y"}}`,
		"modern": `{"q":{"action":"accept","content":{"x":"y"}}}`,
	} {
		t.Run(form, func(t *testing.T) {
			w := newWorld(t)
			c := w.open(form)
			if _, err := c.Tools(context.Background()); err != nil {
				t.Fatal(err)
			}
			asked := 0
			result, err := c.Call(context.Background(), "asks", nil, mcpclient.CallOptions{Call: 9, Ask: func(_ context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
				asked++
				if e.Message != "which?" {
					t.Errorf("asked: %+v", e)
				}
				return mcpclient.ElicitationAnswer{Action: "accept", Content: json.RawMessage(`{"x":"y"}`)}
			}})
			if err != nil || asked != 1 || len(result.Content) != 1 || result.Content[0].Text != want {
				t.Errorf("asked %d times: %+v, %v", asked, result, err)
			}
			var said []string
			w.until(func(e mcpclient.Event) bool {
				said = append(said, fmt.Sprint(e.Call, " ", e.Message, " ", e.Progress))
				return e.Message == "step 2"
			})
			if want := []string{"9 step 0 0", "9  3", "9 step 1 3", "9 step 2 3"}; !slices.Equal(said, want) {
				t.Errorf("told %q", said)
			}
			var failure *mcpclient.ServerError
			if _, err := c.Call(context.Background(), "broken", nil, mcpclient.CallOptions{}); !errors.As(err, &failure) || failure.Message != "it broke" {
				t.Errorf("broken: %v", err)
			}
		})
	}
}

// A call that is given up cancels its task by tasks/cancel.
func TestTaskIsCancelled(t *testing.T) {
	for _, form := range []string{"legacy", "modern"} {
		w := newWorld(t)
		c := w.open(form)
		if _, err := c.Tools(context.Background()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			w.until(func(e mcpclient.Event) bool { return e.Kind == mcpclient.EventProgress && e.Message == "stuck" })
			cancel()
		}()
		if _, err := c.Call(ctx, "stuck", nil, mcpclient.CallOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", form, err)
		}
		w.until(func(e mcpclient.Event) bool { return e.Message == "cancelled stuck" })
	}
}

// With a user in between and rules, a task belongs to who made it.
func TestTaskOfAUser(t *testing.T) {
	w := newWorld(t)
	w.withProfile("[[profiles.test.rules]]\neffect = \"allow\"\ntools = [\"asks\"]")
	w.signIn()
	c := w.open("legacy")
	if _, err := c.Tools(context.Background()); err != nil {
		t.Fatal(err)
	}
	result, err := c.Call(context.Background(), "asks", nil, mcpclient.CallOptions{})
	if err != nil || result.Content[0].Text != `{"action":"decline"}` {
		t.Errorf("asks: %+v, %v", result, err)
	}
	var p *problem.Problem
	if _, err := c.Call(context.Background(), "stuck", nil, mcpclient.CallOptions{}); !errors.As(err, &p) || p.Code != problem.ExitDenied {
		t.Errorf("stuck: %v", err)
	}
}
