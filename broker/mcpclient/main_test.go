package mcpclient_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"go.uber.org/goleak"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/keychain"
)

// serverVariable makes this test binary an MCP server of the kind that it names.
const serverVariable = "EXPLORER_TEST_SERVER"

func TestMain(m *testing.M) {
	if kind := os.Getenv(serverVariable); kind != "" {
		if err := servers[kind](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

var servers = map[string]func() error{
	"orders": func() error { return serve(orders()) },
	"many":   func() error { return serve(many()) },
	"raw":    rawServer,

	"odd circle": oddServer("circle"), "odd empty": oddServer("empty"), "odd empty end": oddServer("empty end"), "odd long": oddServer("long"),
	"odd float": oddServer("float"), "odd text": oddServer("text"), "odd banner": oddServer("banner"), "odd busy": oddServer("busy"),
	"odd latin": oddServer("latin"),
	"tasks":     func() error { return serveOlder(tasks()) },
	"legacy":    func() error { return taskServer(false) },
	"modern":    func() error { return taskServer(true) },

	"shop":       func() error { return serve(shop()) },
	"older shop": func() error { return serveOlder(shop()) },
}

func serve(s *server.MCPServer) error {
	err := server.NewStdioServer(s).Listen(context.Background(), os.Stdin, os.Stdout)
	if err == io.EOF {
		return nil
	}
	return err
}

// orders is a server with one of everything.
func orders() *server.MCPServer {
	s := server.NewMCPServer("orders", "1.2.3", server.WithToolCapabilities(true), server.WithInstructions("Be kind."))
	s.AddTool(mcp.NewTool("echo", mcp.WithString("text")), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		fmt.Fprintln(os.Stderr, "echo was called")
		return mcp.NewToolResultText(r.GetString("text", "")), nil
	})
	s.AddTool(mcp.NewTool("whoami"), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if r.Params.Meta == nil || r.Params.Meta.AdditionalFields[broker.MetaKey] == nil {
			return mcp.NewToolResultText("nobody"), nil
		}
		user := r.Params.Meta.AdditionalFields[broker.MetaKey].(map[string]any)
		return mcp.NewToolResultText(fmt.Sprint(user["email"])), nil
	})
	s.AddTool(mcp.NewTool("fail"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultError("it broke"), nil
	})
	s.AddTool(mcp.NewTool("delete_all"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("deleted"), nil
	})
	return s
}

// many is a server of 350 tools, in pages.
func many() *server.MCPServer {
	s := server.NewMCPServer("many", "1", server.WithToolCapabilities(false), server.WithPaginationLimit(40))
	for i := range 350 {
		s.AddTool(mcp.NewTool(fmt.Sprintf("tool_%03d", i)), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText(fmt.Sprint(i)), nil
		})
	}
	return s
}

// world is a broker with files of its own, and its provider.
type world struct {
	*testing.T
	broker *broker.Broker
	events chan mcpclient.Event
}

func newWorld(t *testing.T) *world {
	dir := t.TempDir()
	return &world{T: t, events: make(chan mcpclient.Event, 1000), broker: broker.New(broker.Options{
		Paths: config.Paths{ConfigFile: filepath.Join(dir, "config.toml"), StateDir: filepath.Join(dir, "state")},
		Store: keychain.Memory(), Env: func(string) string { return "" },
	})}
}

// withProfile configures a profile, with more lines in its table.
func (w *world) withProfile(lines string) {
	w.Helper()
	idp, err := demoidp.Start(demoidp.Options{AutoApprove: true})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = idp.Close() })
	text := fmt.Sprintf("[profiles.test]\nissuer = %q\nclient_id = %q\n%s\n", idp.Issuer(), demoidp.DefaultClientID, lines)
	if err := os.WriteFile(w.broker.Paths.ConfigFile, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// signIn signs in to the profile.
func (w *world) signIn() {
	w.Helper()
	r, err := w.broker.Resolve(config.Overrides{})
	if err != nil {
		w.Fatal(err)
	}
	open := func(_ context.Context, address string) error {
		go func() {
			if response, err := (&http.Client{Jar: newJar(), Transport: &http.Transport{DisableKeepAlives: true}}).Get(address); err == nil {
				_ = response.Body.Close()
			}
		}()
		return nil
	}
	if _, _, err := w.broker.Login(context.Background(), r, broker.LoginOptions{UI: broker.LoginUI{OpenURL: open}, Timeout: 20 * time.Second}); err != nil {
		w.Fatal(err)
	}
}

func newJar() http.CookieJar {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	return jar
}

// open explores a server of this binary.
func (w *world) open(kind string, change ...func(*broker.ExploreOptions)) *broker.Explorer {
	w.Helper()
	self, err := os.Executable()
	if err != nil {
		w.Fatal(err)
	}
	o := broker.ExploreOptions{
		Overrides: config.Overrides{Command: []string{self}},
		Environ:   append(os.Environ(), serverVariable+"="+kind), Face: "mcpauth cli",
	}
	for _, f := range change {
		f(&o)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	w.Cleanup(cancel)
	c, err := w.broker.Explore(ctx, o, func(e mcpclient.Event) {
		select {
		case w.events <- e:
		default:
		}
	})
	if err != nil {
		w.Fatal(err)
	}
	var once sync.Once
	w.Cleanup(func() { once.Do(func() { _ = c.Close() }) })
	return c
}

// until waits for an event.
func (w *world) until(is func(mcpclient.Event) bool) mcpclient.Event {
	w.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case e := <-w.events:
			if is(e) {
				return e
			}
		case <-deadline:
			w.Fatal("the event did not come")
		}
	}
}
