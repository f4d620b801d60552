package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mcpauth/mcpauth/broker"
)

// Explore is what the commands tools, resources, prompts and server need to talk
// to an MCP server.
type Explore struct {
	// Open starts a server behind the gate. on is told what happens meanwhile.
	Open func(ctx context.Context, b *broker.Broker, o broker.ExploreOptions, on func(broker.ExplorerEvent)) (Explorer, error)
	// Validate says what of the arguments of a call the schema does not allow.
	Validate func(schema, arguments json.RawMessage) error
}

// Explorer is a server that runs behind the gate.
type Explorer interface {
	Info() broker.ServerInfo
	Standing() broker.Standing
	Tools(ctx context.Context) ([]broker.Tool, error)
	Call(ctx context.Context, tool string, arguments json.RawMessage, o broker.CallOptions) (broker.CallResult, error)
	Resources(ctx context.Context) ([]broker.Resource, error)
	Read(ctx context.Context, uri string) (broker.ReadResult, error)
	Subscribe(ctx context.Context, uri string) error
	Prompts(ctx context.Context) ([]broker.Prompt, error)
	Prompt(ctx context.Context, name string, arguments map[string]string) (broker.PromptResult, error)
	Close() error
}

// exploreFlags are those of every command that starts a server.
type exploreFlags struct {
	cwd string
	log bool
}

func (f *exploreFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.cwd, "cwd", "", "folder in which the server is started")
	c.Flags().BoolVarP(&f.log, "log", "v", f.log, "show what the server writes to its log and to standard error")
}

// beforeDash parts the words of a command from the server's command behind "--".
func beforeDash(c *cobra.Command, args []string) (words, command []string) {
	if at := c.ArgsLenAtDash(); at >= 0 {
		return args[:at], args[at:]
	}
	return args, nil
}

// wordsBetween wants so many words before "--"; most may be -1 for any number.
func wordsBetween(least, most int, example string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		words, command := beforeDash(c, args)
		typed := typedServer(c, "", nil)
		switch {
		case c.ArgsLenAtDash() >= 0 && len(command) == 0:
			return usage("there is no command behind --", example+typed+" -- python3 main.py")
		case most == 0 && len(words) > 0 && len(command) == 0:
			return usage("not understood: "+words[0]+"; a server's command goes behind --", example+typed+" -- "+broker.QuoteWord(words[0]))
		case len(words) < least:
			return forServer(usage("there is something missing: "+c.UseLine(), example), typedServer(c, "", command))
		case most >= 0 && len(words) > most:
			return forServer(usage("not understood: "+words[most]+"; it is: "+c.UseLine(), example), typedServer(c, "", command))
		}
		return nil
	}
}

// exploring is one command at work with a server.
type exploring struct {
	*app
	Explorer
	attended bool // somebody sits at the terminal
	on       atomic.Pointer[func(broker.ExplorerEvent)]
	bar      *progress
	showLog  bool
	told     bool   // about who the server is told of
	server   string // as it was typed, see typedServer
}

// typedServer is the part of a command line that names its server, as a shell
// wants it, for the commands that are hinted at; empty for that of the profile which
// is chosen without being named.
func typedServer(c *cobra.Command, cwd string, command []string) string {
	var text strings.Builder
	for _, name := range []string{"profile", "config"} {
		if f := c.Flag(name); f != nil && f.Changed {
			text.WriteString(" --" + name + " " + broker.QuoteWord(f.Value.String()))
		}
	}
	if cwd != "" {
		text.WriteString(" --cwd " + broker.QuoteWord(cwd))
	}
	if len(command) > 0 {
		text.WriteString(" --")
	}
	for _, word := range command {
		text.WriteString(" " + broker.QuoteWord(word))
	}
	return text.String()
}

// forServer makes the commands that an error of wrong use hints at name the same
// server.
func forServer(err error, server string) error {
	var p *broker.Problem
	if server == "" || !errors.As(err, &p) || p.Code != broker.ExitUsage {
		return err
	}
	for i, hint := range p.Hints {
		if words := strings.Fields(hint); len(words) > 2 && words[0] == "mcpauth" && hintsAtServer[words[1]] && !strings.HasSuffix(hint, "--help") {
			p.Hints[i] += server
		}
	}
	return err
}

// hintsAtServer are the commands that start a server.
var hintsAtServer = map[string]bool{"tools": true, "resources": true, "prompts": true}

// explore starts the server that is meant, and ends it after run.
func (a *app) explore(c *cobra.Command, f *exploreFlags, run func(ctx context.Context, x *exploring) error) error {
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	_, command := beforeDash(c, c.Flags().Args())
	o := broker.ExploreOptions{Overrides: a.overrides(), Environ: a.deps.Environ, Face: "mcpauth cli", Attended: a.attended()}
	o.Overrides.Command = command
	if f.cwd != "" {
		if o.Overrides.Cwd, err = filepath.Abs(f.cwd); err != nil {
			return err
		}
	}
	x := &exploring{app: a, attended: o.Attended, bar: a.progress(), showLog: f.log, server: typedServer(c, f.cwd, command)}
	x.Explorer, err = a.deps.Explore.Open(c.Context(), b, o, x.event)
	if err != nil {
		return err
	}
	defer func() { _ = x.Close() }()
	return forServer(run(c.Context(), x), x.server)
}

// event takes what happens meanwhile.
func (x *exploring) event(e broker.ExplorerEvent) {
	switch {
	case e.Kind == broker.EventStderr && x.showLog:
		x.bar.above("%s", broker.CleanLine(e.Message))
	case e.Kind == broker.EventLog && x.showLog:
		x.bar.above("%s: %s", orDash(e.Level), broker.CleanLine(e.Message))
	default:
		if on := x.on.Load(); on != nil {
			(*on)(e)
		}
	}
}

func (x *exploring) setOn(on func(broker.ExplorerEvent)) { x.on.Store(&on) }

// tellStanding says who the server is told of where it is not the signed-in user.
func (x *exploring) tellStanding() {
	if x.told {
		return
	}
	x.told = true
	switch s := x.Standing(); {
	case s.Anonymous:
		x.say("no profile: the server is told of no user")
	case s.Problem != nil:
		x.say("%s; this is what was there last", printable(s.Problem.Msg))
		for _, hint := range s.Problem.Hints {
			x.say("  %s", printable(hint))
		}
	}
}

// about is what every object with --json says of the server.
func (x *exploring) about(members map[string]any) map[string]any {
	s := x.Standing()
	members["server"] = x.Info().Name
	members["profile"] = s.Profile
	members["signed_in"] = s.Problem == nil && !s.Anonymous
	return members
}

// attended reports whether somebody can be asked.
func (a *app) attended() bool { return isTerminal(a.In) && isTerminal(a.Err) }

// toTerminal reports whether standard output is one.
func (a *app) toTerminal() bool { return isTerminal(a.protocol()) }

// columns is the width of the terminal that a stream is, or 0.
func columns(stream any) int {
	f, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
