package broker

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// tryPatience is how long a server may take for its first answer, and tryGrace for its
// end.
const (
	tryPatience = 10 * time.Second
	tryGrace    = time.Second
)

// TryServer starts an MCP server once, greets it without a user, and ends it. It returns
// what the server calls itself. The error is a *problem.Problem that says why it does not
// start or answer, with the last lines that it wrote.
func TryServer(ctx context.Context, command backend.Command) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, tryPatience, errors.New("it gave no answer within "+text.Span(tryPatience)))
	defer cancel()
	command.Grace = tryGrace
	var child *backend.Process
	client, err := mcpclient.Open(ctx, mcpclient.Options{
		Name: "mcpauth", Version: Version(), Probe: true, Silence: -1,
		Start: func(_ context.Context, log io.Writer) (_ io.Reader, _ io.Writer, _ mcpclient.Gate, err error) {
			command.Stderr = log
			if child, err = backend.Start(command); err != nil {
				return nil, nil, nil, err
			}
			return child.Out(), child.In(), mcpclient.Plain{Name: text.ServerName(command.Argv), End: child.Close}, nil
		},
	})
	if err == nil {
		name := client.Info().Name
		return name, asError(client.Close())
	}
	p := *problem.Of(cmp.Or(context.Cause(ctx), err))
	if child != nil {
		if lines := child.LastLines(); lines != "" {
			p.Msg += ": " + lines
		}
	}
	return "", &p
}
