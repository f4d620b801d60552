package mcpclient_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
)

const rawCapabilities = `{"z":{},"a":12345678901234567890,"tasks":{"requests":{"tools":{"call":{}}}}}`

// rawServer speaks JSON by itself, of the older protocol: it sends what typed
// libraries would lose, and asks in the middle of a call.
func rawServer() error {
	lines := bufio.NewScanner(os.Stdin)
	asking, payments := "", 0
	for lines.Scan() {
		var m struct {
			ID     json.RawMessage
			Method string
			Params struct {
				Name, Cursor string
				Arguments    json.RawMessage
				Meta         struct{ ProgressToken json.RawMessage } `json:"_meta"`
				RequestID    json.RawMessage
			}
			Result json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return err
		}
		say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
		text := func(text string) {
			say(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":%q}]}}`, m.ID, text)
		}
		switch {
		case m.Method == "server/discover":
			say(`{"jsonrpc":"2.0","id":%s,"error":"no such method"}`, m.ID)
		case m.Method == "initialize":
			say(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"warning","logger":"db","data":{"slow":"%s"}}}`, strings.Repeat("é", mcpclient.MaxLogLine))
			say(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":%s,"serverInfo":{"name":"raw","version":"1"}}}`, m.ID, rawCapabilities)
		case m.Method == "tools/list":
			say(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"a","annotations":"wrong","x":12345678901234567890},{"name":"t","execution":{"taskSupport":"required"}},{"noname":1},"junk"]}}`, m.ID)
		case m.Method == "prompts/list":
			say(`{"jsonrpc":"2.0","id":%s,"result":{"prompts":[],"nextCursor":"again"}}`, m.ID)
		case m.Method == "resources/list":
			say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}`, m.ID)
		case m.Method == "resources/templates/list":
			say(`{"jsonrpc":"2.0","id":%s,"result":{"resourceTemplates":[{"uriTemplate":"x:{id}","name":"x"}]}}`, m.ID)
		case m.Params.Name == "echo":
			say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1,"total":2,"message":"half"}}`, m.Params.Meta.ProgressToken)
			text(string(m.Params.Arguments))
		case m.Params.Name == "ask":
			asking = string(m.ID)
			say(`{"jsonrpc":"2.0","id":77,"method":"elicitation/create","params":{"message":"who?","requestedSchema":{"type":"object","properties":{"zeta":{"type":"string"},"alpha":{"type":"integer"}}}}}`)
		case string(m.ID) == "77":
			m.ID = json.RawMessage(asking)
			text(string(m.Result))
		case m.Params.Name == "pay" && payments == 0:
			payments++
			say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32042,"message":"This request requires more information.","data":{"elicitations":[{"mode":"url","elicitationId":"e1","url":"https://pay.example.com/1","message":"Pay first."}]}}}`, m.ID)
		case m.Params.Name == "pay":
			text("paid")
		case m.Params.Name == "done":
			say(`{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"e1"}}`)
			text("")
		case m.Params.Name == "hang":
			fmt.Fprintln(os.Stderr, "hanging")
		case m.Method == "notifications/cancelled":
			fmt.Fprintln(os.Stderr, "cancelled "+string(m.Params.RequestID))
		}
	}
	return lines.Err()
}

func TestNothingIsLost(t *testing.T) {
	w := newWorld(t)
	c := w.open("raw")
	if info := c.Info(); info.ProtocolVersion != "2025-06-18" || string(info.Capabilities) != rawCapabilities {
		t.Errorf("info: %+v", info)
	}
	tools, err := c.Tools(context.Background())
	if err != nil || len(tools) != 2 || !strings.Contains(string(tools[0].Raw), `"x":12345678901234567890`) {
		t.Errorf("tools: %+v, %v", tools, err)
	}
	const arguments = `{"z":1,"a":12345678901234567890,"html":"<&>"}`
	result, err := c.Call(context.Background(), "echo", json.RawMessage(arguments), mcpclient.CallOptions{Call: 5})
	if err != nil || result.Content[0].Text != arguments {
		t.Errorf("echo: %+v, %v", result, err)
	}
	e := w.until(func(e mcpclient.Event) bool { return e.Kind == mcpclient.EventProgress })
	if e.Call != 5 || e.Progress != 1 || e.Total != 2 || e.Message != "half" {
		t.Errorf("progress: %+v", e)
	}
	resources, err := c.Resources(context.Background())
	if err != nil || len(resources) != 1 || resources[0].URITemplate != "x:{id}" {
		t.Errorf("resources: %+v, %v", resources, err)
	}
}

// What the server logs outside of any call is told, too; a line is bounded.
func TestLogOutsideOfACall(t *testing.T) {
	w := newWorld(t)
	w.open("raw")
	e := w.until(func(e mcpclient.Event) bool { return e.Kind == mcpclient.EventLog })
	if e.Level != "warning" || !strings.HasPrefix(e.Message, `db: {"slow":"éé`) || len(e.Message) > mcpclient.MaxLogLine || !utf8.ValidString(e.Message) {
		t.Errorf("%s, %d bytes: %.40q", e.Level, len(e.Message), e.Message)
	}
}

func TestListInACircle(t *testing.T) {
	w := newWorld(t)
	if prompts, err := w.open("raw").Prompts(context.Background()); err != nil || len(prompts) != 0 {
		t.Errorf("prompts: %v, %v", prompts, err)
	}
	w.until(func(e mcpclient.Event) bool {
		return e.Kind == mcpclient.EventWarning && strings.Contains(e.Message, `the same nextCursor again: "again"`)
	})
}

func TestQuestionInTheMiddle(t *testing.T) {
	c := newWorld(t).open("raw")
	result, err := c.Call(context.Background(), "ask", nil, mcpclient.CallOptions{Ask: func(_ context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
		if e.Own || e.Message != "who?" || !strings.Contains(string(e.Schema), `"zeta":{"type":"string"},"alpha"`) {
			t.Errorf("asked: %+v", e)
		}
		return mcpclient.ElicitationAnswer{Action: "accept", Content: json.RawMessage(`{"zeta":"Z"}`)}
	}})
	if err != nil || result.Content[0].Text != `{"action":"accept","content":{"zeta":"Z"}}` {
		t.Errorf("%+v, %v", result, err)
	}
	result, err = c.Call(context.Background(), "ask", nil, mcpclient.CallOptions{})
	if err != nil || result.Content[0].Text != `{"action":"decline"}` {
		t.Errorf("nobody to ask: %+v, %v", result, err)
	}
}

// A call that needs a page to be visited is made again, when the server says that it
// was, or the person.
func TestPageToVisit(t *testing.T) {
	page := mcpclient.Elicitation{Message: "Pay first.", URL: "https://pay.example.com/1"}
	for who, word := range map[string]func(context.Context, *broker.Explorer) string{
		"the person": func(context.Context, *broker.Explorer) string { return "accept" },
		"the server": func(ctx context.Context, c *broker.Explorer) string {
			if _, err := c.Call(ctx, "done", nil, mcpclient.CallOptions{}); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			<-ctx.Done() // nobody waits for the answer any more
			return "cancel"
		},
	} {
		c := newWorld(t).open("raw")
		var asked []mcpclient.Elicitation
		result, err := c.Call(context.Background(), "pay", nil, mcpclient.CallOptions{Ask: func(ctx context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
			if asked = append(asked, e); e.Waits {
				return mcpclient.ElicitationAnswer{Action: word(ctx, c)}
			}
			return mcpclient.ElicitationAnswer{Action: "accept"}
		}})
		if err != nil || result.Content[0].Text != "paid" || len(asked) != 2 || !reflect.DeepEqual(asked[0], page) || !asked[1].Waits || !asked[1].Own {
			t.Errorf("%s: %+v, %v; asked %+v", who, result, err, asked)
		}
	}
}

func TestPageNotVisited(t *testing.T) {
	no := func(context.Context, mcpclient.Elicitation) mcpclient.ElicitationAnswer {
		return mcpclient.ElicitationAnswer{Action: "decline"}
	}
	for _, o := range []mcpclient.CallOptions{{}, {Ask: no}} {
		c := newWorld(t).open("raw")
		var p *problem.Problem
		if _, err := c.Call(context.Background(), "pay", nil, o); !errors.As(err, &p) || p.Code != problem.ExitToolFailed ||
			!strings.HasSuffix(p.Msg, "visited before it answers: Pay first") || p.Hints[0] != "the page: https://pay.example.com/1" {
			t.Errorf("%+v", p)
		}
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	c := w.open("raw")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		w.until(func(e mcpclient.Event) bool { return e.Kind == mcpclient.EventStderr && e.Message == "hanging" })
		cancel()
	}()
	if _, err := c.Call(ctx, "hang", nil, mcpclient.CallOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	w.until(func(e mcpclient.Event) bool {
		return e.Kind == mcpclient.EventStderr && strings.HasPrefix(e.Message, `cancelled "mcpauth-`)
	})
	began := time.Now()
	if err := c.Close(); err != nil || time.Since(began) > 10*time.Second {
		t.Errorf("close: %v", err)
	}
	if _, err := c.Tools(context.Background()); err == nil {
		t.Error("a closed server answers")
	}
}

func TestDenied(t *testing.T) {
	w := newWorld(t)
	w.withProfile("[[profiles.test.rules]]\neffect = \"allow\"\ntools = [\"echo\", \"whoami\"]")
	w.signIn()
	c := w.open("orders")
	tools, err := c.Tools(context.Background())
	if err != nil || len(tools) != 4 {
		t.Fatalf("%+v, %v", tools, err)
	}
	for _, tool := range tools {
		if allowed := tool.Name == "echo" || tool.Name == "whoami"; tool.Access.Allowed != allowed {
			t.Errorf("%s: %+v", tool.Name, tool.Access)
		}
	}
	var p *problem.Problem
	if _, err := c.Call(context.Background(), "delete_all", nil, mcpclient.CallOptions{}); !errors.As(err, &p) || p.Code != problem.ExitDenied {
		t.Errorf("%v", err)
	}
	result, err := c.Call(context.Background(), "whoami", nil, mcpclient.CallOptions{})
	if err != nil || result.Content[0].Text != "ada@example.com" {
		t.Errorf("%+v, %v", result, err)
	}
}
