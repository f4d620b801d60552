package broker

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// shortPath is the PATH of programs that a desktop starts, as far as the operating
// system sets it: no shell has added to it. Windows gives all programs the same.
func shortPath(goos string) string {
	switch goos {
	case "windows":
		return ""
	case "darwin":
		return "/usr/bin:/bin:/usr/sbin:/sbin" // of launchd
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" // of systemd
}

func (e *examination) command(env []string) backend.Command {
	return backend.Command{Argv: e.resolved.Command, Dir: e.resolved.Cwd, Env: env}
}

func (e *examination) checkCommand(context.Context) []Finding {
	if len(e.resolved.Command) == 0 {
		return one("MA513", "the profile has no command, so no server can be tried")
	}
	path, err := backend.LookUp(e.command(backend.Environ(e.o.Environ, nil)))
	var start *backend.StartError
	switch {
	case errors.As(err, &start) && start.Kind == backend.BadDir:
		return []Finding{foundError("MA514", err)}
	case err != nil:
		return []Finding{foundError("MA511", err)}
	}
	list := one("MA510", "the server's command is "+path)
	if short := shortPath(e.goos); short != "" {
		text := "graphical programs would not find " + e.resolved.Command[0]
		other, err := backend.LookUp(e.command([]string{"PATH=" + short}))
		if err == nil {
			text = "graphical programs would find another " + e.resolved.Command[0] + ": " + other
		}
		if other != path {
			list = append(list, found("MA512", text, "their PATH may be as short as "+short,
				"give the full path in command of the profile, and in AI clients' entries: "+path))
		}
	}
	return list
}

// checkServer is an AI client that starts the proxy, says hello and asks for the
// tools.
func (e *examination) checkServer(ctx context.Context) []Finding {
	if _, err := backend.LookUp(e.command(backend.Environ(e.o.Environ, nil))); err != nil {
		return nil // said by the check of the command
	}
	toProxy, fromClient := io.Pipe()
	toClient, fromProxy := io.Pipe()
	log := &tail{}
	ended := make(chan error, 1)
	go func() {
		_, err := e.b.Proxy(ctx, ProxyOptions{
			Overrides: e.o.Overrides, Environ: e.o.Environ, In: toProxy, Out: fromProxy, Log: log,
		})
		_, _ = fromProxy.Close(), toProxy.Close()
		ended <- err
	}()
	guest := &guest{to: fromClient, from: bufio.NewReader(toClient)}
	server, tools, err := guest.visit()
	late := ctx.Err() != nil
	_, _ = fromClient.Close(), toClient.Close()
	if proxyErr := <-ended; proxyErr != nil {
		err = proxyErr
	}
	list := []Finding{e.visited(server, tools, err, late)}
	if strings.Contains(log.String(), strayWords) {
		list = append(list, one("MA524", "the server writes to standard output what is no message")...)
	}
	return list
}

func (e *examination) visited(server string, tools []string, err error, late bool) Finding {
	name := serverName(e.resolved.Command)
	var refused *guestError
	switch {
	case err == nil:
		what := name + " starts and answers as " + orText(server, "a server without a name")
		if slices.Equal(tools, []string{signInTool}) {
			return found("MA520", what+", and shows its tools after the sign-in", "")
		}
		return found("MA520", what+", with "+count(len(tools), "tool")+" for you", "")
	case late:
		return found("MA522", fmt.Sprintf("%s gave no answer within %s", name, serverCheck), "")
	case errors.As(err, &refused) && refused.Code == relay.CodeBackendGone, errors.Is(err, io.EOF):
		if err == io.EOF {
			return found("MA521", name+" ended before it answered", "")
		}
		return found("MA521", strings.TrimPrefix(err.Error(), "mcpauth: "), "")
	case errors.As(err, &refused):
		return found("MA523", name+" answers with an error", err.Error())
	}
	return foundError("MA521", err)
}

// guest is a client of a few lines: it asks one thing after the other.
type guest struct {
	to   io.Writer
	from *bufio.Reader
	id   int
	meta string // members that each request of a newer era has
}

// guestError is the error that an answer holds.
type guestError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *guestError) Error() string { return e.Message }

const (
	guestHello = `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"mcpauth-doctor","version":"1"}}`
	guestMeta  = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientInfo":{"name":"mcpauth-doctor","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	guestPages = 50 // of a list, at most
)

// greeting is the answer to a hello. In the newer way the server's name stands in
// its _meta.
type greeting struct {
	ServerInfo nameAndVersion `json:"serverInfo"`
	Meta       struct {
		ServerInfo nameAndVersion `json:"io.modelcontextprotocol/serverInfo"`
	} `json:"_meta"`
}

type nameAndVersion struct{ Name, Version string }

// visit says hello, in the newer way where the older one is refused, and asks for the
// names of the tools.
func (g *guest) visit() (server string, tools []string, err error) {
	var hello greeting
	var refused *guestError
	err = g.ask("initialize", guestHello, &hello)
	if errors.As(err, &refused) && refused.Code != relay.CodeBackendGone {
		g.meta = guestMeta
		if newer := g.ask("server/discover", "{"+g.meta+"}", &hello); newer != nil {
			return "", nil, err
		}
	} else if err != nil {
		return "", nil, err
	} else if _, err := io.WriteString(g.to, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n"); err != nil {
		return "", nil, err
	}
	tools, err = g.tools()
	name := cmp.Or(hello.ServerInfo, hello.Meta.ServerInfo)
	return strings.TrimSpace(name.Name + " " + name.Version), tools, err
}

func (g *guest) tools() (names []string, err error) {
	cursor := ""
	for range guestPages {
		members := g.meta
		if cursor != "" {
			quoted, _ := json.Marshal(cursor) // a text
			members = strings.TrimPrefix(members+`,"cursor":`+string(quoted), ",")
		}
		var page struct {
			Tools      []struct{ Name string } `json:"tools"`
			NextCursor string                  `json:"nextCursor"`
		}
		if err := g.ask("tools/list", "{"+members+"}", &page); err != nil {
			var refused *guestError
			if errors.As(err, &refused) && refused.Code == codeNoMethod {
				return nil, nil // a server without tools
			}
			return nil, err
		}
		for _, tool := range page.Tools {
			names = append(names, tool.Name)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	return names, nil
}

const codeNoMethod = -32601 // of JSON-RPC

// ask sends a request and reads until its answer comes.
func (g *guest) ask(method, params string, result any) error {
	g.id++
	id := fmt.Sprint(g.id)
	if _, err := fmt.Fprintf(g.to, `{"jsonrpc":"2.0","id":%s,"method":%q,"params":%s}`+"\n", id, method, params); err != nil {
		return io.EOF
	}
	for {
		line, err := g.from.ReadBytes('\n')
		if err != nil {
			return io.EOF
		}
		var answer struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Result json.RawMessage `json:"result"`
			Error  *guestError     `json:"error"`
		}
		if json.Unmarshal(line, &answer) != nil || answer.Method != "" || string(answer.ID) != id {
			continue
		}
		if answer.Error != nil {
			return answer.Error
		}
		if err := json.Unmarshal(answer.Result, result); err != nil {
			return &guestError{Message: "the answer to " + method + " is not what MCP says"}
		}
		return nil
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 16 << 10 // bytes

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if surplus := len(t.text) - maxTail; surplus > 0 {
		t.text = append(t.text[:0], t.text[surplus:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
