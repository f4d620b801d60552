package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newTools(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "tools",
		Short: "List, show, call and approve the tools of a server",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	if a.deps.Explore != nil {
		c.AddCommand(newToolsList(a), newToolsShow(a), newToolsCall(a))
	}
	c.AddCommand(newToolsApprove(a))
	return c
}

func newToolsList(a *app) *cobra.Command {
	f := &exploreFlags{}
	c := &cobra.Command{
		Use:   "list [-- COMMAND...]",
		Short: "List the tools of a server",
		Long: "Starts the server of the profile, or COMMAND, behind the gate that AI clients meet,\n" +
			"and lists its tools: those that you may call and those that the policy denies.\n" +
			"While nobody is signed in it is the list that was there last. Without any profile\n" +
			"it works for every MCP server, which is then told of no user.",
		Example: "  mcpauth tools list\n  mcpauth tools list -- python3 main.py",
		Args:    wordsBetween(0, 0, "mcpauth tools list"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.explore(c, f, func(ctx context.Context, x *exploring) error { return x.listTools(ctx) })
		},
	}
	f.add(c)
	return c
}

func (x *exploring) listTools(ctx context.Context) error {
	tools, err := x.Tools(ctx)
	if err != nil {
		return err
	}
	if x.json {
		list := []any{}
		for _, t := range tools {
			list = append(list, toolJSON(t))
		}
		x.printJSON(x.about(map[string]any{"tools": list}))
		return nil
	}
	x.tellStanding()
	if len(tools) == 0 {
		x.say("%s has no tools", orDash(x.Info().Name))
		return nil
	}
	rows, denied := [][]string{}, 0
	for _, t := range tools {
		if t.Mark.Effect == "deny" {
			denied++
		}
		rows = append(rows, []string{t.Name, toolMarks(t), aboutLine(t.Title, t.Description)})
	}
	x.table(rows)
	if denied > 0 {
		x.say("%d of %d are denied, and no AI client sees them; for the reason: mcpauth tools show NAME%s", denied, len(tools), printable(x.server))
	}
	return nil
}

// toolJSON is a tool as --json shows it.
func toolJSON(t broker.Tool) map[string]any {
	return withMark(map[string]any{
		"name": t.Name, "title": t.Title, "description": t.Description,
		"read_only": t.ReadOnly, "destructive": t.Destructive, "task_only": t.TaskOnly, "definition": t.Raw,
	}, t.Mark)
}

func withMark(members map[string]any, m broker.Mark) map[string]any {
	members["allowed"], members["effect"], members["rule"] = m.Allowed, m.Effect, m.Rule
	members["why"], members["cures"], members["notes"] = m.Why, append([]string{}, m.Cures...), append([]string{}, m.Notes...)
	return members
}

// toolMarks say in a word each what is to be known before a call.
func toolMarks(t broker.Tool) string {
	words := markWords(t.Mark)
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

func markWords(m broker.Mark) []string {
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
	line := firstLine(description)
	if title == "" || strings.HasPrefix(line, title) {
		return line
	}
	if line == "" {
		return title
	}
	return title + ": " + line
}

// tool finds a tool by name.
func (x *exploring) tool(ctx context.Context, name string) (broker.Tool, error) {
	tools, err := x.Tools(ctx)
	if err != nil {
		return broker.Tool{}, err
	}
	i := slices.IndexFunc(tools, func(t broker.Tool) bool { return t.Name == name })
	if i >= 0 {
		return tools[i], nil
	}
	var names []string
	for _, t := range tools {
		names = append(names, t.Name)
	}
	return broker.Tool{}, unknownName("tool", name, names)
}

// unknownName is the error of an item that the server does not have.
func unknownName(kind, name string, known []string) error {
	const most = 12
	p := usage(fmt.Sprintf("the server has no %s %q", kind, name), "mcpauth "+kind+"s list")
	if len(known) > 0 && len(known) <= most {
		p.Msg += broker.DidYouMean(name, known)
	} else if meant := broker.DidYouMean(name, known); strings.HasPrefix(meant, "; did you mean") {
		p.Msg += meant
	}
	return p
}

func newToolsShow(a *app) *cobra.Command {
	f := &exploreFlags{}
	raw := false
	c := &cobra.Command{
		Use:   "show NAME [-- COMMAND...]",
		Short: "Show a tool: its arguments, and what the policy says",
		Example: "  mcpauth tools show search_orders\n" +
			"  mcpauth tools show search_orders --schema -- python3 main.py",
		Args: wordsBetween(1, 1, "mcpauth tools show NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.explore(c, f, func(ctx context.Context, x *exploring) error { return x.showTool(ctx, args[0], raw) })
		},
		ValidArgsFunction: a.completeItems("tools/list", "name"),
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
		x.printRaw(t.Raw)
		return nil
	case x.json:
		x.printJSON(x.about(map[string]any{"tool": toolJSON(t)}))
		return nil
	}
	x.tellStanding()
	x.fact("%s", titleLine(t.Name, t.Title))
	x.factMark(t.Mark)
	if m := toolMarks(broker.Tool{ReadOnly: t.ReadOnly, Destructive: t.Destructive}); m != "" {
		x.fact("  it says of itself: %s", m)
	}
	if t.TaskOnly {
		x.fact("  it runs as a task: how it is, is asked for until the result is there")
	}
	x.factText(t.Description)
	root := parseSchema(t.InputSchema)
	x.factFields("Arguments", root)
	if t.OutputSchema != nil {
		x.factFields("Result", parseSchema(t.OutputSchema))
	}
	if t.Mark.Allowed {
		x.fact("\nCall it:\n  %s", printable(exampleCall(t.Name, root)+x.server))
	}
	return nil
}

func titleLine(name, title string) string {
	if title == "" || title == name {
		return printable(name)
	}
	return printable(name) + ": " + printable(title)
}

// factMark says what the policy says.
func (x *exploring) factMark(m broker.Mark) {
	switch m.Effect {
	case "deny":
		x.fact("  denied: %s", printable(m.Why))
	case "step_up":
		x.fact("  allowed after a sign-in: %s", printable(m.Why))
	}
	if !m.Allowed {
		x.fact("  rule: %s", printable(m.Rule))
	}
	for _, cure := range m.Cures {
		x.fact("  cure: %s", printable(cure))
	}
	for _, note := range m.Notes {
		x.fact("  also: %s", printable(note))
	}
}

// factText prints a text of several lines, indented.
func (x *exploring) factText(text string) {
	text = strings.TrimSpace(broker.CleanText(text))
	if text == "" {
		return
	}
	x.fact("")
	for line := range strings.Lines(text) {
		x.fact("  %s", strings.TrimRight(line, "\n"))
	}
}

// factFields prints the fields of an object, those of objects inside it, too.
func (x *exploring) factFields(title string, root *schema) {
	rows := fieldRows(root.resolved(root), root, "", 3)
	if len(rows) == 0 {
		x.fact("\n%s: none", title)
		return
	}
	x.fact("\n%s:", title)
	x.table(rows)
}

func fieldRows(s, root *schema, prefix string, depth int) (rows [][]string) {
	for _, p := range s.Properties {
		field := p.resolved(root)
		needed := ""
		if slices.Contains(s.Required, p.name) {
			needed = "required"
		}
		about := firstLine(field.Description)
		if field.Default != nil {
			about = strings.TrimSpace(about + " (default " + string(field.Default) + ")")
		}
		rows = append(rows, []string{"  " + prefix + p.name, field.words(root, 2), needed, about})
		if depth > 0 {
			rows = append(rows, fieldRows(field, root, prefix+p.name+".", depth-1)...)
		}
	}
	return rows
}

// exampleCall is the shortest call that may work.
func exampleCall(name string, root *schema) string {
	words := []string{"mcpauth tools call", broker.QuoteWord(name)}
	top := root.resolved(root)
	for _, p := range top.Properties {
		if !slices.Contains(top.Required, p.name) {
			continue
		}
		field := p.resolved(root)
		value := strings.ToUpper(strings.ReplaceAll(p.name, " ", "_"))
		switch {
		case len(field.Enum) > 0:
			value = typed(field.Enum[0])
		case slices.Contains(field.kinds(), "object"):
			value = "{}"
		case slices.Contains(field.kinds(), "number"), slices.Contains(field.kinds(), "integer"):
			value = cmp.Or(string(field.Minimum), "1")
		case slices.Contains(field.kinds(), "boolean"):
			value = "true"
		}
		words = append(words, broker.QuoteWord(p.name+"="+value))
	}
	return strings.Join(words, " ")
}

// printRaw prints JSON of the server, indented and nothing lost.
func (a *app) printRaw(text json.RawMessage) { a.encode(text) }
