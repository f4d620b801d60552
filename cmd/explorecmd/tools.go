package explorecmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/table"
)

func NewTools(a *console.App) *cobra.Command {
	c := &cobra.Command{
		Use:     "tools",
		Short:   "List, show, call and approve the tools of a server",
		Example: "  mcpauth tools list\n  mcpauth tools call search_orders query=late",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newToolsList(a), newToolsShow(a), newToolsCall(a), newToolsApprove(a))
	return c
}

func newToolsList(a *console.App) *cobra.Command {
	f, filter := &exploreFlags{}, ""
	c := &cobra.Command{
		Use:   "list [-- COMMAND...]",
		Short: "List the tools of a server",
		Long: "Starts the server of the profile, or COMMAND, behind the gate that AI clients meet,\n" +
			"and lists its tools: those that you may call and those that the policy denies.\n" +
			"While nobody is signed in it is the list that was there last. Without any profile\n" +
			"it works for every MCP server, which is then told of no user.",
		Example: "  mcpauth tools list\n  mcpauth tools list --filter order -- python3 main.py",
		Args:    wordsBetween(0, 0, "mcpauth tools list"),
		RunE: func(c *cobra.Command, _ []string) error {
			return explore(a, c, f, func(ctx context.Context, x *exploring) error { return x.listTools(ctx, filter) })
		},
	}
	f.add(c)
	addFilter(c, &filter)
	return c
}

func (x *exploring) listTools(ctx context.Context, filter string) error {
	tools, err := x.Tools(ctx)
	if err != nil {
		return err
	}
	tools = slices.DeleteFunc(tools, func(t mcpclient.Tool) bool { return !matches(filter, t.Name, t.Title, t.Description) })
	if x.JSON {
		list := []any{}
		for _, t := range tools {
			list = append(list, toolJSON(t))
		}
		x.PrintJSON(x.about(map[string]any{"tools": list}))
		return nil
	}
	x.showPrincipal()
	if len(tools) == 0 {
		x.sayNone("tools", filter)
		return nil
	}
	rows, denied := [][]string{}, 0
	for _, t := range tools {
		if t.Access.Effect == "deny" {
			denied++
		}
		rows = append(rows, []string{t.Name + toolargs.Read(t.InputSchema).Signature(), toolAccess(t), aboutLine(t.Title, t.Description)})
	}
	table.Print(x.App, rows)
	if denied > 0 {
		x.Say("%d of %d are denied, and no AI client sees them; for the reason: mcpauth tools show NAME%s", denied, len(tools), console.Printable(x.server))
	}
	return nil
}

// toolJSON is a tool as --json shows it.
func toolJSON(t mcpclient.Tool) map[string]any {
	return withAccess(map[string]any{
		"name": t.Name, "title": t.Title, "description": t.Description,
		"read_only": t.ReadOnly, "destructive": t.Destructive, "task_only": t.TaskOnly, "definition": t.Raw,
	}, t.Access)
}

func withAccess(members map[string]any, m mcpclient.Access) map[string]any {
	members["allowed"], members["effect"], members["rule"] = m.Allowed, m.Effect, m.Rule
	members["why"], members["hints"], members["notes"] = m.Why, append([]string{}, m.Hints...), append([]string{}, m.Notes...)
	return members
}

// toolMarks say in a word each what to know before a call.
func toolAccess(t mcpclient.Tool) string {
	words := accessLabels(t.Access)
	if t.ReadOnly {
		words = append(words, "read-only")
	}
	if t.Destructive {
		words = append(words, "destructive")
	}
	if t.TaskOnly {
		words = append(words, "runs as a task")
	}
	return strings.Join(words, ", ")
}

func accessLabels(m mcpclient.Access) []string {
	switch m.Effect {
	case "deny":
		return []string{"denied: " + m.Rule}
	case "step_up":
		return []string{"needs a sign-in"}
	}
	return nil
}

// aboutLine is one line about an item.
func aboutLine(title, description string) string {
	line := table.FirstLine(description)
	if title == "" || strings.HasPrefix(line, title) {
		return line
	}
	if line == "" {
		return title
	}
	return title + ": " + line
}

// tool finds a tool by name.
func (x *exploring) tool(ctx context.Context, name string) (mcpclient.Tool, error) {
	tools, err := x.ToolsUntil(ctx, name)
	if err != nil {
		return mcpclient.Tool{}, err
	}
	i := slices.IndexFunc(tools, func(t mcpclient.Tool) bool { return t.Name == name })
	if i >= 0 {
		return tools[i], nil
	}
	var names []string
	for _, t := range tools {
		names = append(names, t.Name)
	}
	return mcpclient.Tool{}, unknownName("tool", name, names)
}

// unknownName is the error of an item that the server does not have.
func unknownName(kind, name string, known []string) error {
	const most = 12
	p := console.Usage(fmt.Sprintf("the server has no %s %q", kind, name), "mcpauth "+kind+"s list")
	if len(known) > 0 && len(known) <= most {
		p.Msg += text.DidYouMean(name, known)
	} else if meant := text.DidYouMean(name, known); strings.HasPrefix(meant, "; did you mean") {
		p.Msg += meant
	}
	return p
}

func newToolsShow(a *console.App) *cobra.Command {
	f := &exploreFlags{}
	raw := false
	c := &cobra.Command{
		Use:   "show NAME [-- COMMAND...]",
		Short: "Show a tool: its arguments, and what the policy says",
		Example: "  mcpauth tools show search_orders\n" +
			"  mcpauth tools show search_orders --schema -- python3 main.py",
		Args: wordsBetween(1, 1, "mcpauth tools show NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return explore(a, c, f, func(ctx context.Context, x *exploring) error { return x.showTool(ctx, args[0], raw) })
		},
		ValidArgsFunction: completeItems(a, "tools/list", "name"),
	}
	f.add(c)
	c.Flags().BoolVar(&raw, "schema", false, "print the definition as the server sent it, and nothing else")
	return c
}

func (x *exploring) showTool(ctx context.Context, name string, raw bool) error {
	t, err := x.tool(ctx, name)
	switch {
	case err != nil:
		return err
	case raw:
		x.PrintRaw(t.Raw)
		return nil
	case x.JSON:
		x.PrintJSON(x.about(map[string]any{"tool": toolJSON(t)}))
		return nil
	}
	x.showPrincipal()
	x.Fact("%s", titleLine(t.Name, t.Title))
	x.factMark(t.Access)
	if m := toolAccess(mcpclient.Tool{ReadOnly: t.ReadOnly, Destructive: t.Destructive}); m != "" {
		x.Fact("  the server marks it as: %s", m)
	}
	if t.TaskOnly {
		x.Fact("  it runs as a task: how it is, is asked for until the result is there")
	}
	x.factText(t.Description)
	schema := toolargs.Read(t.InputSchema)
	root := schema.Root()
	x.factFields("Arguments", root)
	if note := schema.Note(); note != "" {
		x.Fact("  %s", console.Printable(note))
	}
	if t.OutputSchema != nil {
		x.factFields("Result", toolargs.Read(t.OutputSchema).Root())
	}
	if t.Access.Allowed {
		x.Fact("\nCall it:\n  %s", console.Printable(exampleCall(t.Name, schema)+x.server))
	}
	return nil
}

func titleLine(name, title string) string {
	if title == "" || title == name {
		return console.Printable(name)
	}
	return console.Printable(name) + ": " + console.Printable(title)
}

// factMark says what the policy says.
func (x *exploring) factMark(m mcpclient.Access) {
	switch m.Effect {
	case "deny":
		x.Fact("  denied: %s", console.Printable(m.Why))
	case "step_up":
		x.Fact("  allowed after a sign-in: %s", console.Printable(m.Why))
	}
	if !m.Allowed {
		x.Fact("  rule: %s", console.Printable(m.Rule))
	}
	for _, hint := range m.Hints {
		x.Fact("  to fix it: %s", console.Printable(hint))
	}
	for _, note := range m.Notes {
		x.Fact("  also: %s", console.Printable(note))
	}
}

// factText prints a text of several lines, indented.
func (x *exploring) factText(s string) {
	s = strings.TrimSpace(text.CleanText(s))
	if s == "" {
		return
	}
	x.Fact("")
	for line := range strings.Lines(s) {
		x.Fact("  %s", strings.TrimRight(line, "\n"))
	}
}

// factFields prints the fields of an object, those of objects inside it, too.
func (x *exploring) factFields(title string, root *toolargs.Field) {
	rows := fieldRows(root, "", 3)
	if len(rows) == 0 {
		x.Fact("\n%s: none", title)
		return
	}
	x.Fact("\n%s:", title)
	table.Print(x.App, rows)
}

func fieldRows(group *toolargs.Field, prefix string, depth int) (rows [][]string) {
	for _, f := range group.Fields() {
		needed := ""
		if f.Required {
			needed = "required"
		}
		about := table.FirstLine(f.About)
		if f.Default != nil {
			about = strings.TrimSpace(about + " (default " + f.Default.Compact() + ")")
		}
		rows = append(rows, []string{"  " + prefix + f.Name, f.Type, needed, about})
		if inner, path := insideOf(f); depth > 0 && inner != nil {
			rows = append(rows, fieldRows(inner, prefix+f.Name+path+".", depth-1)...)
		}
	}
	return rows
}

// insideOf is the group that a field is, or that the items of a list are, and what a key
// has behind its name; nil where it is none.
func insideOf(f *toolargs.Field) (group *toolargs.Field, path string) {
	for f.Kind == toolargs.List {
		f, path = f.Fields()[0], path+"[]"
	}
	if f.Kind != toolargs.Group {
		return nil, ""
	}
	return f, path
}

// exampleCall is the shortest call that may work.
func exampleCall(name string, schema *toolargs.Schema) string {
	words := []string{"mcpauth tools call", text.QuoteWord(name)}
	for _, word := range schema.SampleCall() {
		words = append(words, text.QuoteWord(word))
	}
	return strings.Join(words, " ")
}
