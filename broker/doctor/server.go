package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/gate"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
)

func (e *examination) command(env []string) backend.Command {
	return backend.Command{Argv: e.resolved.Command, Dir: e.resolved.Cwd, Env: env}
}

func (e *examination) checkCommand(context.Context) []Finding {
	if len(e.resolved.Command) == 0 {
		return one("MA513", "the profile has no command, so no server can be tried")
	}
	path, err := backend.LookUp(e.command(backend.Environ(e.Environ, nil)))
	var start *backend.StartError
	switch {
	case errors.As(err, &start) && start.Kind == backend.BadDir:
		return []Finding{foundError("MA514", err)}
	case err != nil:
		return []Finding{foundError("MA511", err)}
	}
	list := one("MA510", "the server's command is "+path)
	if short := clients.ShortPath(e.goos); short != "" {
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

// checkServer is an AI client that starts the proxy, greets the server and asks for the
// tools.
func (e *examination) checkServer(ctx context.Context) []Finding {
	if _, err := backend.LookUp(e.command(backend.Environ(e.Environ, nil))); err != nil {
		return nil // said by the check of the command
	}
	log, ended := &tail{}, make(chan error, 1)
	server, tools, err := e.probe(ctx, log, ended)
	late := ctx.Err() != nil
	if proxyErr := <-ended; proxyErr != nil {
		err = proxyErr
	}
	list := []Finding{e.probed(server, tools, err, late)}
	if strings.Contains(log.String(), relay.StrayLine.String()) {
		list = append(list, one("MA524", "the server writes to standard output what is no message")...)
	}
	return list
}

// probe starts the proxy and returns what the server calls itself and the names of its
// tools. ended gets the proxy's error, once.
func (e *examination) probe(ctx context.Context, log io.Writer, ended chan<- error) (server string, tools []string, err error) {
	c, err := mcpclient.Open(ctx, mcpclient.Options{
		Name: "mcpauth-doctor", Version: "1", Probe: true, Silence: -1,
		Start: func(_ context.Context, stderr io.Writer) (io.Reader, io.Writer, mcpclient.Gate, error) {
			toProxy, fromClient := io.Pipe()
			toClient, fromProxy := io.Pipe()
			go func() {
				err := e.Proxy(ctx, e.Options, toProxy, fromProxy, io.MultiWriter(log, stderr))
				_, _ = fromProxy.Close(), toProxy.Close()
				ended <- err
			}()
			return toClient, fromClient, mcpclient.Plain{Name: text.ServerName(e.resolved.Command), End: func() { _ = fromClient.Close() }}, nil
		},
	})
	if err != nil {
		return "", nil, err
	}
	list, err := c.Tools(ctx)
	for _, tool := range list {
		tools = append(tools, tool.Name)
	}
	_ = c.Close()
	info := c.Info()
	return strings.TrimSpace(info.Name + " " + info.Version), tools, err
}

func (e *examination) probed(server string, tools []string, err error, late bool) Finding {
	name := text.ServerName(e.resolved.Command)
	var refused *mcpclient.ServerError
	switch {
	case err == nil:
		what := name + " starts and answers as " + orText(server, "a server without a name")
		if slices.Equal(tools, []string{gate.SignInTool}) {
			return found("MA520", what+", and shows its tools after the sign-in", "")
		}
		return found("MA520", what+", with "+text.Count(len(tools), "tool")+" for you", "")
	case late:
		return found("MA522", fmt.Sprintf("%s gave no answer within %s", name, serverCheck), "")
	case errors.As(err, &refused) && refused.Code == relay.CodeBackendGone:
		return found("MA521", strings.TrimPrefix(refused.Message, "mcpauth: "), "")
	case errors.Is(err, mcpclient.ErrClosed):
		return found("MA521", name+" ended before it answered", "")
	case errors.As(err, &refused):
		return found("MA523", name+" answers with an error", refused.Message)
	}
	return foundError("MA521", err)
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
