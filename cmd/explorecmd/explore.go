// Package explorecmd has the commands that look at a server: tools, resources, prompts
// and server.
package explorecmd

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// exploreFlags are those of every command that starts a server.
type exploreFlags struct {
	cwd     string
	log     bool
	timeout time.Duration
}

func (f *exploreFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.cwd, "cwd", "", "folder in which the server is started")
	c.Flags().DurationVar(&f.timeout, "timeout", time.Minute, "give up when the server shows no sign of life for this time; 0 is never")
	c.Flags().BoolVarP(&f.log, "log", "v", f.log, "show what the server writes to its log and to standard error")
}

// addFilter adds the flag of the commands that list.
func addFilter(c *cobra.Command, filter *string) {
	c.Flags().StringVar(filter, "filter", "", "only those with all of these words in the name or the description")
}

// matches reports whether every word of a filter stands in one of the texts, in any
// order and without regard to case.
func matches(filter string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, "\n"))
	return !slices.ContainsFunc(strings.Fields(strings.ToLower(filter)), func(word string) bool { return !strings.Contains(all, word) })
}

// sayNone says that a list is empty, and whether it is the filter that makes it so.
func (x *exploring) sayNone(what, filter string) {
	if filter != "" {
		x.Say("no %s of %s match %q", what, console.OrDash(x.Info().Name), filter)
		return
	}
	x.Say("%s has no %s", console.OrDash(x.Info().Name), what)
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
			return console.Usage("there is no command behind --", example+typed+" -- python3 main.py")
		case most == 0 && len(words) > 0 && len(command) == 0:
			return console.Usage("not understood: "+words[0]+"; a server's command goes behind --", example+typed+" -- "+text.QuoteWord(words[0]))
		case len(words) < least:
			return forServer(console.Usage("there is something missing: "+c.UseLine(), example), typedServer(c, "", command))
		case most >= 0 && len(words) > most:
			return forServer(console.Usage("not understood: "+words[most]+"; it is: "+c.UseLine(), example), typedServer(c, "", command))
		}
		return nil
	}
}

// exploring is one command at work with a server.
type exploring struct {
	*console.App
	*broker.Explorer
	attended bool // a user sits at the terminal
	on       atomic.Pointer[func(mcpclient.Event)]
	bar      *progress
	showLog  bool
	told     bool   // which user the server gets
	server   string // as it was typed, see typedServer
}

// typedServer is the part of a command line that names its server, as a shell
// wants it, for the commands that are hinted at; empty for that of the profile which
// is chosen without being named.
func typedServer(c *cobra.Command, cwd string, command []string) string {
	var line strings.Builder
	for _, name := range []string{"profile", "config"} {
		if f := c.Flag(name); f != nil && f.Changed {
			line.WriteString(" --" + name + " " + text.QuoteWord(f.Value.String()))
		}
	}
	if cwd != "" {
		line.WriteString(" --cwd " + text.QuoteWord(cwd))
	}
	if len(command) > 0 {
		line.WriteString(" --")
	}
	for _, word := range command {
		line.WriteString(" " + text.QuoteWord(word))
	}
	return line.String()
}

// forServer makes the commands that an error of wrong use hints at name the same
// server.
func forServer(err error, server string) error {
	var p *problem.Problem
	if server == "" || !errors.As(err, &p) || p.Code != problem.ExitUsage {
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
func explore(a *console.App, c *cobra.Command, f *exploreFlags, run func(ctx context.Context, x *exploring) error) error {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	_, command := beforeDash(c, c.Flags().Args())
	o := broker.ExploreOptions{Overrides: a.Overrides(), Environ: a.Deps.Environ, Face: "mcpauth cli", Attended: a.Attended()}
	o.Overrides.Command = command
	switch {
	case f.timeout < 0:
		return forServer(console.Usage("--timeout must not be less than nothing", c.CommandPath()+" --timeout 60s"), typedServer(c, f.cwd, command))
	case f.timeout == 0:
		o.Silence = -1
	default:
		o.Silence = f.timeout
	}
	if f.cwd != "" {
		if o.Overrides.Cwd, err = filepath.Abs(f.cwd); err != nil {
			return err
		}
	}
	x := &exploring{App: a, attended: o.Attended, bar: newProgress(a), showLog: f.log, server: typedServer(c, f.cwd, command)}
	x.Explorer, err = b.Explore(c.Context(), o, x.event)
	if err != nil {
		return err
	}
	defer func() { _ = x.Close() }()
	return forServer(run(c.Context(), x), x.server)
}

// event takes what happens meanwhile.
func (x *exploring) event(e mcpclient.Event) {
	switch {
	case e.Kind == mcpclient.EventWaiting:
		x.bar.above("%s (ctrl+c to stop)", text.CleanLine(e.Message))
	case e.Kind == mcpclient.EventWarning:
		x.bar.above("mcpauth: %s", text.CleanLine(e.Message))
	case e.Kind == mcpclient.EventStderr && x.showLog:
		x.bar.above("%s", text.CleanLine(e.Message))
	case e.Kind == mcpclient.EventLog && x.showLog:
		x.bar.above("%s: %s", console.OrDash(e.Level), text.CleanLine(e.Message))
	default:
		if on := x.on.Load(); on != nil {
			(*on)(e)
		}
	}
}

func (x *exploring) setOn(on func(mcpclient.Event)) { x.on.Store(&on) }

// showPrincipal says which user the server gets where it is not the signed-in one.
func (x *exploring) showPrincipal() {
	if x.told {
		return
	}
	x.told = true
	s := x.Principal()
	if s.NoPolicy != nil {
		x.Say("the policy cannot be used, so everything is denied: %s", console.Printable(s.NoPolicy.Msg))
		for _, hint := range s.NoPolicy.Hints {
			x.Say("  %s", console.Printable(hint))
		}
	}
	switch {
	case s.Anonymous:
		x.Say("no profile: the server is told of no user")
	case s.Problem != nil:
		x.Say("%s; this is what was there last", console.Printable(s.Problem.Msg))
		for _, hint := range s.Problem.Hints {
			x.Say("  %s", console.Printable(hint))
		}
	}
}

// about is what every object with --json says of the server.
func (x *exploring) about(members map[string]any) map[string]any {
	s := x.Principal()
	members["server"] = x.Info().Name
	members["profile"] = s.Profile
	members["signed_in"] = s.Problem == nil && !s.Anonymous
	return members
}
