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
	"time"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// oddServer is one of an older protocol that does one thing otherwise than it should.
func oddServer(odd string) func() error {
	return func() error {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			var m struct {
				ID     json.RawMessage
				Method string
				Params struct {
					Cursor *string
					Meta   struct{ ProgressToken json.RawMessage } `json:"_meta"`
				}
			}
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				return err
			}
			switch m.Method {
			case "server/discover":
				fmt.Printf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}`+"\n", m.ID)
			case "initialize":
				id := string(m.ID)
				switch odd {
				case "float":
					id += ".0"
				case "text":
					id = `"` + id + `"`
				case "never":
					continue
				}
				fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"odd","version":"1"}}}`+"\n", id)
			case "tools/list":
				fmt.Fprintln(os.Stderr, "asked for a page")
				oddPage(odd, m.ID, m.Params.Cursor)
			case "tools/call":
				oddCall(odd, m.ID, m.Params.Meta.ProgressToken)
			}
		}
		return nil
	}
}

func oddPage(odd string, id json.RawMessage, cursor *string) {
	page, next := "first", ""
	switch {
	case odd == "circle", odd == "empty" && cursor == nil, odd == "empty end":
		if next = `,"nextCursor":"2"`; odd != "circle" {
			next = `,"nextCursor":""`
		}
		if odd == "circle" && cursor != nil {
			page = "second"
		}
	case odd == "number":
		next = `,"nextCursor":2`
	case odd == "long":
		next = `,"nextCursor":"more"`
		if cursor != nil {
			page = "second"
			next = fmt.Sprintf(`,"nextCursor":"more%d"`, len(*cursor))
		}
	case cursor != nil:
		page = "second"
	}
	fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":%q}]%s}}`+"\n", id, page, next)
}

func oddCall(odd string, id, token json.RawMessage) {
	switch odd {
	case "latin":
		fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"caf`+"\xe9"+`"}]}}`+"\n", id)
	case "busy":
		for range 12 {
			time.Sleep(250 * time.Millisecond) // the work under test
			fmt.Printf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}`+"\n", token)
		}
		fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`+"\n", id)
	case "banner":
		fmt.Println("Starting server...")
	}
}

func names(tools []mcpclient.Tool) (all []string) {
	for _, tool := range tools {
		all = append(all, tool.Name)
	}
	return all
}

// heard reports whether there was an event, among those that are there.
func (w *world) heard(kind mcpclient.EventKind, part string) bool {
	for {
		select {
		case e := <-w.events:
			if e.Kind == kind && strings.Contains(e.Message, part) {
				return true
			}
		default:
			return false
		}
	}
}

func patience(d time.Duration) func(*broker.ExploreOptions) {
	return func(o *broker.ExploreOptions) { o.Silence = d }
}

// Pages that go in a circle, and cursors that are empty or no strings.
func TestOddCursors(t *testing.T) {
	for odd, want := range map[string][]string{
		"circle":    {"first", "second"},
		"empty":     {"first", "second"},
		"empty end": {"first"},
	} {
		t.Run(odd, func(t *testing.T) {
			w := newWorld(t)
			tools, err := w.open("odd " + odd).Tools(context.Background())
			if err != nil || !slices.Equal(names(tools), want) {
				t.Errorf("%v, %v; want %v", names(tools), err, want)
			}
			if warned := w.heard(mcpclient.EventWarning, "nextCursor again"); warned != (odd == "circle") {
				t.Errorf("warned: %v", warned)
			}
		})
	}
}

// A call of one tool needs no more pages than it takes to find the tool.
func TestToolOfAnEarlyPage(t *testing.T) {
	w := newWorld(t)
	tools, err := w.open("odd long").ToolsUntil(context.Background(), "second")
	if err != nil || !slices.Equal(names(tools), []string{"first", "second"}) {
		t.Errorf("%v, %v", names(tools), err)
	}
}

// Servers whose only number is a float, or that keep ids as texts: the user is told at
// once.
func TestIDsSpelledOtherwise(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, odd := range []string{"float", "text"} {
		w := newWorld(t)
		began := time.Now()
		_, err := w.broker.Explore(context.Background(), broker.ExploreOptions{
			Overrides: config.Overrides{Command: []string{self}}, Environ: append(os.Environ(), serverVariable+"=odd "+odd),
		}, nil)
		if err == nil || !strings.Contains(err.Error(), "under another id") || time.Since(began) > 30*time.Second {
			t.Errorf("%s: %v", odd, err)
		}
	}
}

// A server that says nothing: the user is told what is waited for, and it ends.
func TestSilentServer(t *testing.T) {
	w := newWorld(t)
	c := w.open("odd banner", patience(2500*time.Millisecond))
	_, err := c.Call(context.Background(), "x", nil, mcpclient.CallOptions{})
	var p *problem.Problem
	if !errors.As(err, &p) || p.Code != problem.ExitUnreachable || p.Msg != "x gave no answer within 2.5s" || !strings.Contains(strings.Join(p.Hints, "\n"), "Starting server") {
		t.Errorf("%+v", p)
	}
	if !w.heard(mcpclient.EventWaiting, "to answer tools/call of x; it wrote a line that is no message") {
		t.Error("nothing was said")
	}
}

func TestProgressIsASignOfLife(t *testing.T) {
	w := newWorld(t)
	if _, err := w.open("odd busy", patience(2*time.Second)).Call(context.Background(), "x", nil, mcpclient.CallOptions{}); err != nil {
		t.Error(err)
	}
}

func TestAnswerIsNotUTF8(t *testing.T) {
	w := newWorld(t)
	if _, err := w.open("odd latin").Call(context.Background(), "x", nil, mcpclient.CallOptions{}); err != nil {
		t.Error(err)
	}
	if !w.heard(mcpclient.EventWarning, "is not UTF-8") {
		t.Error("nothing was said")
	}
}
