package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newResources(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "resources",
		Short: "List, read and watch the resources of a server",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newResourcesList(a, false), newResourcesList(a, true), newResourcesRead(a), newResourcesWatch(a))
	return c
}

func newResourcesList(a *app, templates bool) *cobra.Command {
	f := &exploreFlags{}
	c := &cobra.Command{
		Use:     "list [-- COMMAND...]",
		Short:   "List the resources of a server",
		Example: "  mcpauth resources list -- python3 main.py",
		Args:    wordsBetween(0, 0, "mcpauth resources list"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.explore(c, f, func(ctx context.Context, x *exploring) error { return x.listResources(ctx, templates) })
		},
	}
	if templates {
		c.Use, c.Short = "templates [-- COMMAND...]", "List the templates of resources of a server"
		c.Example = "  mcpauth resources templates -- python3 main.py"
		c.Args = wordsBetween(0, 0, "mcpauth resources templates")
	}
	f.add(c)
	return c
}

func (x *exploring) listResources(ctx context.Context, templates bool) error {
	all, err := x.Resources(ctx)
	if err != nil {
		return err
	}
	rows, list := [][]string{}, []any{}
	for _, r := range all {
		if (r.URITemplate != "") != templates {
			continue
		}
		mark := strings.Join(markWords(r.Mark), ", ")
		rows = append(rows, []string{r.URI + r.URITemplate, r.MIMEType, bytesWords(r.Size), mark, aboutLine(nameOf(r), r.Description)})
		list = append(list, withMark(map[string]any{
			"uri": r.URI, "uri_template": r.URITemplate, "name": r.Name, "mime_type": r.MIMEType, "definition": r.Raw,
		}, r.Mark))
	}
	what := "resources"
	if templates {
		what = "templates"
	}
	if x.json {
		x.printJSON(x.about(map[string]any{what: list}))
		return nil
	}
	x.tellStanding()
	if len(rows) == 0 {
		x.say("%s has no %s", orDash(x.Info().Name), what)
	}
	x.table(rows)
	return nil
}

func nameOf(r broker.Resource) string {
	if r.Title != "" {
		return r.Title
	}
	return r.Name
}

func newResourcesRead(a *app) *cobra.Command {
	f := &exploreFlags{}
	save, raw := "", false
	c := &cobra.Command{
		Use:   "read URI [-- COMMAND...]",
		Short: "Read a resource",
		Long: "Prints what a resource holds. Into a file or a pipe it goes byte for byte; on a\n" +
			"terminal, characters that could change it are shown as their numbers, and binary\n" +
			"data is only told of.",
		Example: "  mcpauth resources read file:///notes.txt\n  mcpauth resources read img://logo > logo.png",
		Args:    wordsBetween(1, 1, "mcpauth resources read URI"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.explore(c, f, func(ctx context.Context, x *exploring) error { return x.readResource(ctx, args[0], save, raw) })
		},
		ValidArgsFunction: a.completeItems("resources/list", "uri"),
	}
	f.add(c)
	c.Flags().StringVar(&save, "save", "", "folder to save binary data in")
	c.Flags().BoolVar(&raw, "raw", false, "print it byte for byte on a terminal, too")
	return c
}

func (x *exploring) readResource(ctx context.Context, uri, save string, raw bool) error {
	result, err := x.Read(ctx, uri)
	if err != nil {
		return err
	}
	saved, err := saveContents(save, uri, result.Contents)
	if err != nil {
		return err
	}
	if x.json {
		x.printJSON(x.about(map[string]any{"uri": uri, "result": result.Raw, "saved": append([]string{}, saved...)}))
		return nil
	}
	x.tellStanding()
	if len(result.Contents) == 0 {
		x.say("%s holds nothing", printable(uri))
	}
	if save == "" && (raw || !x.toTerminal()) {
		for _, c := range result.Contents {
			data := c.Data
			if data == nil {
				data = []byte(c.Text)
			}
			_, _ = x.Out.Write(data) // Main looks at the writer's error
		}
		return nil
	}
	x.printContents(x.fact, result.Contents, saved, false)
	return nil
}

func newResourcesWatch(a *app) *cobra.Command {
	f := &exploreFlags{}
	c := &cobra.Command{
		Use:   "watch URI... [-- COMMAND...]",
		Short: "Tell whenever a resource changes",
		Long: "Subscribes to resources and prints a line for each change until ctrl+c. With --json\n" +
			"each line is an object.",
		Example: "  mcpauth resources watch file:///notes.txt -- python3 main.py",
		Args:    wordsBetween(1, -1, "mcpauth resources watch URI"),
		RunE: func(c *cobra.Command, args []string) error {
			uris, _ := beforeDash(c, args)
			return a.explore(c, f, func(ctx context.Context, x *exploring) error { return x.watch(ctx, uris) })
		},
		ValidArgsFunction: a.completeItems("resources/list", "uri"),
	}
	f.add(c)
	return c
}

func (x *exploring) watch(ctx context.Context, uris []string) error {
	events := make(chan broker.ExplorerEvent, 100)
	x.watches(events)
	for _, uri := range uris {
		if err := x.Subscribe(ctx, uri); err != nil {
			return err
		}
	}
	x.tellStanding()
	x.say("Watching; ctrl+c ends it")
	for {
		select {
		case e := <-events:
			if e.Kind == broker.EventClosed {
				return &broker.Problem{Msg: e.Message, Code: broker.ExitUnreachable}
			}
			x.printChange(e)
		case <-ctx.Done():
			return nil
		}
	}
}

// watches has events of changes, and of the server's end, go to a channel. One that
// finds it full is dropped: the same resource will have changed again.
func (x *exploring) watches(events chan<- broker.ExplorerEvent) {
	x.setOn(func(e broker.ExplorerEvent) {
		if e.Kind != broker.EventResourceUpdated && e.Kind != broker.EventClosed {
			return
		}
		select {
		case events <- e:
		default:
		}
	})
}

func (x *exploring) printChange(e broker.ExplorerEvent) {
	if !x.json {
		x.fact("%s  %s", e.Time.Local().Format(time.TimeOnly), printable(e.URI))
		return
	}
	x.fact("%s", compactJSON(map[string]any{"schema": 1, "event": "updated", "uri": e.URI, "time": e.Time.UTC().Format(time.RFC3339Nano)}))
}

func newServer(a *app) *cobra.Command {
	f := &exploreFlags{log: true}
	c := &cobra.Command{
		Use:   "server [-- COMMAND...]",
		Short: "Show what a server says about itself",
		Long: "Starts the server of the profile, or COMMAND, and shows its name, its version, what it\n" +
			"can do and what it tells models to know. What it logs meanwhile goes to standard error.",
		Example: "  mcpauth server -- python3 main.py",
		Args:    wordsBetween(0, 0, "mcpauth server"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.explore(c, f, func(_ context.Context, x *exploring) error { return x.showServer() })
		},
	}
	f.add(c)
	return c
}

func (x *exploring) showServer() error {
	info := x.Info()
	if x.json {
		x.printJSON(x.about(map[string]any{
			"name": info.Name, "title": info.Title, "version": info.Version, "protocol_version": info.ProtocolVersion,
			"capabilities": info.Capabilities, "instructions": info.Instructions, "answer": info.Raw,
		}))
		return nil
	}
	x.tellStanding()
	x.fact("%s", titleLine(info.Name, info.Title))
	x.fact("  version       %s", orDash(info.Version))
	x.fact("  protocol      %s", orDash(info.ProtocolVersion))
	x.fact("  capabilities  %s", orDash(capabilityWords(info.Capabilities)))
	if s := x.Standing(); s.User.Sub != "" {
		x.fact("  told of       %s", whoIs(s.User))
	}
	x.factText(info.Instructions)
	return nil
}

// capabilityWords are the names of what a server can do, with what it says more.
func capabilityWords(text []byte) string {
	var words []string
	for _, p := range parseMembers(text) {
		word := p.name
		for _, inner := range parseMembers(p.value) {
			if string(inner.value) == "true" {
				word += fmt.Sprintf(" (%s)", inner.name)
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
