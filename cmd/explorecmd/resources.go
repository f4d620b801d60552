package explorecmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/table"
)

func NewResources(a *console.App) *cobra.Command {
	c := &cobra.Command{
		Use:     "resources",
		Short:   "List, read and watch the resources of a server",
		Example: "  mcpauth resources list\n  mcpauth resources read file:///notes.txt",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newResourcesList(a, false), newResourcesList(a, true), newResourcesRead(a), newResourcesWatch(a))
	return c
}

func newResourcesList(a *console.App, templates bool) *cobra.Command {
	f, filter := &exploreFlags{}, ""
	c := &cobra.Command{
		Use:     "list [-- COMMAND...]",
		Short:   "List the resources of a server",
		Example: "  mcpauth resources list -- python3 main.py",
		Args:    wordsBetween(0, 0, "mcpauth resources list"),
		RunE: func(c *cobra.Command, _ []string) error {
			return explore(a, c, f, func(ctx context.Context, x *exploring) error { return x.listResources(ctx, templates, filter) })
		},
	}
	if templates {
		c.Use, c.Short = "templates [-- COMMAND...]", "List the templates of resources of a server"
		c.Example = "  mcpauth resources templates -- python3 main.py"
		c.Args = wordsBetween(0, 0, "mcpauth resources templates")
	}
	f.add(c)
	addFilter(c, &filter)
	return c
}

func (x *exploring) listResources(ctx context.Context, templates bool, filter string) error {
	all, err := x.Resources(ctx)
	if err != nil {
		return err
	}
	rows, list := [][]string{}, []any{}
	for _, r := range all {
		if (r.URITemplate != "") != templates || !matches(filter, r.URI, r.URITemplate, r.Name, r.Title, r.Description) {
			continue
		}
		mark := strings.Join(accessLabels(r.Access), ", ")
		rows = append(rows, []string{r.URI + r.URITemplate, r.MIMEType, byteCount(r.Size), mark, aboutLine(nameOf(r), r.Description)})
		list = append(list, withAccess(map[string]any{
			"uri": r.URI, "uri_template": r.URITemplate, "name": r.Name, "mime_type": r.MIMEType, "definition": r.Raw,
		}, r.Access))
	}
	what := "resources"
	if templates {
		what = "templates"
	}
	if x.JSON {
		x.PrintJSON(x.about(map[string]any{what: list}))
		return nil
	}
	x.showPrincipal()
	if len(rows) == 0 {
		x.sayNone(what, filter)
	}
	table.Print(x.App, rows)
	return nil
}

func nameOf(r mcpclient.Resource) string {
	if r.Title != "" {
		return r.Title
	}
	return r.Name
}

func newResourcesRead(a *console.App) *cobra.Command {
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
			return explore(a, c, f, func(ctx context.Context, x *exploring) error { return x.readResource(ctx, args[0], save, raw) })
		},
		ValidArgsFunction: completeItems(a, "resources/list", "uri"),
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
	if x.JSON {
		x.PrintJSON(x.about(map[string]any{"uri": uri, "result": result.Raw, "saved": append([]string{}, saved...)}))
		return nil
	}
	x.showPrincipal()
	if len(result.Contents) == 0 {
		x.Say("%s holds nothing", console.Printable(uri))
	}
	if save == "" && (raw || !x.ToTerminal()) {
		for _, c := range result.Contents {
			data := c.Data
			if data == nil {
				data = []byte(c.Text)
			}
			_, _ = x.Out.Write(data) // Main looks at the writer's error
		}
		return nil
	}
	x.printContents(x.Fact, result.Contents, saved, false)
	return nil
}

func newResourcesWatch(a *console.App) *cobra.Command {
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
			return explore(a, c, f, func(ctx context.Context, x *exploring) error { return x.watch(ctx, uris) })
		},
		ValidArgsFunction: completeItems(a, "resources/list", "uri"),
	}
	f.add(c)
	return c
}

func (x *exploring) watch(ctx context.Context, uris []string) error {
	events := make(chan mcpclient.Event, 100)
	x.watches(events)
	for _, uri := range uris {
		if err := x.Subscribe(ctx, uri); err != nil {
			return err
		}
	}
	x.showPrincipal()
	x.Say("Watching; ctrl+c ends it")
	for {
		select {
		case e := <-events:
			if e.Kind == mcpclient.EventClosed {
				return &problem.Problem{Msg: e.Message, Code: problem.ExitUnreachable}
			}
			x.printChange(e)
		case <-ctx.Done():
			return nil
		}
	}
}

// watches has events of changes, and of the server's end, go to a channel. One that
// finds it full is dropped: the same resource will have changed again.
func (x *exploring) watches(events chan<- mcpclient.Event) {
	x.setOn(func(e mcpclient.Event) {
		if e.Kind != mcpclient.EventResourceUpdated && e.Kind != mcpclient.EventClosed {
			return
		}
		select {
		case events <- e:
		default:
		}
	})
}

func (x *exploring) printChange(e mcpclient.Event) {
	if !x.JSON {
		x.Fact("%s  %s", e.Time.Local().Format(time.TimeOnly), console.Printable(e.URI))
		return
	}
	x.PrintLine([]byte(console.CompactJSON(map[string]any{
		"schema": 1, "event": "updated", "uri": e.URI, "time": e.Time.UTC().Format(time.RFC3339Nano),
	})))
}

func NewServer(a *console.App) *cobra.Command {
	f := &exploreFlags{log: true}
	c := &cobra.Command{
		Use:   "server [-- COMMAND...]",
		Short: "Show what a server says about itself",
		Long: "Starts the server of the profile, or COMMAND, and shows its name, its version, what it\n" +
			"can do and what it tells models to know. What it logs meanwhile goes to standard error.",
		Example: "  mcpauth server -- python3 main.py",
		Args:    wordsBetween(0, 0, "mcpauth server"),
		RunE: func(c *cobra.Command, _ []string) error {
			return explore(a, c, f, func(_ context.Context, x *exploring) error { return x.showServer() })
		},
	}
	f.add(c)
	return c
}

func (x *exploring) showServer() error {
	info := x.Info()
	if x.JSON {
		x.PrintJSON(x.about(map[string]any{
			"name": info.Name, "title": info.Title, "version": info.Version, "protocol_version": info.ProtocolVersion,
			"capabilities": info.Capabilities, "instructions": info.Instructions, "answer": info.Raw,
		}))
		return nil
	}
	x.showPrincipal()
	x.Fact("%s", titleLine(info.Name, info.Title))
	x.Fact("  version       %s", console.OrDash(info.Version))
	x.Fact("  protocol      %s", console.OrDash(info.ProtocolVersion))
	x.Fact("  capabilities  %s", console.OrDash(capabilityList(info.Capabilities)))
	if s := x.Principal(); s.User.Sub != "" {
		x.Fact("  told of       %s", console.WhoIs(s.User))
	}
	x.factText(info.Instructions)
	return nil
}

// capabilityWords are the names of what a server can do, with what it says more.
func capabilityList(text []byte) string {
	var words []string
	capabilities, err := toolargs.ParseLenient(text)
	if err != nil {
		return ""
	}
	for _, m := range capabilities.Members {
		word := m.Name
		for _, inner := range m.Value.Members {
			if inner.Value.Kind == 't' {
				word += fmt.Sprintf(" (%s)", inner.Name)
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
