package explorecmd

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/table"
)

func NewPrompts(a *console.App) *cobra.Command {
	c := &cobra.Command{
		Use:     "prompts",
		Short:   "List and get the prompts of a server",
		Example: "  mcpauth prompts list\n  mcpauth prompts get review language=go",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPromptsList(a), newPromptsGet(a))
	return c
}

func newPromptsList(a *console.App) *cobra.Command {
	f, filter := &exploreFlags{}, ""
	c := &cobra.Command{
		Use:     "list [-- COMMAND...]",
		Short:   "List the prompts of a server",
		Example: "  mcpauth prompts list -- python3 main.py",
		Args:    wordsBetween(0, 0, "mcpauth prompts list"),
		RunE: func(c *cobra.Command, _ []string) error {
			return explore(a, c, f, func(ctx context.Context, x *exploring) error { return x.listPrompts(ctx, filter) })
		},
	}
	f.add(c)
	addFilter(c, &filter)
	return c
}

func (x *exploring) listPrompts(ctx context.Context, filter string) error {
	prompts, err := x.Prompts(ctx)
	if err != nil {
		return err
	}
	rows, list := [][]string{}, []any{}
	for _, p := range prompts {
		if !matches(filter, p.Name, p.Title, p.Description) {
			continue
		}
		access := strings.Join(accessLabels(p.Access), ", ")
		rows = append(rows, []string{p.Name, argumentList(p), access, aboutLine(p.Title, p.Description)})
		list = append(list, withAccess(map[string]any{
			"name": p.Name, "title": p.Title, "description": p.Description, "definition": p.Raw,
		}, p.Access))
	}
	if x.JSON {
		x.PrintJSON(x.about(map[string]any{"prompts": list}))
		return nil
	}
	x.showPrincipal()
	if len(rows) == 0 {
		x.sayNone("prompts", filter)
	}
	table.Print(x.App, rows)
	return nil
}

// argumentWords are the arguments of a prompt as they are typed; in brackets those
// that may be left out.
func argumentList(p mcpclient.Prompt) string {
	var words []string
	for _, a := range p.Arguments {
		if a.Required {
			words = append(words, a.Name+"=")
		} else {
			words = append(words, "["+a.Name+"=]")
		}
	}
	return strings.Join(words, " ")
}

func newPromptsGet(a *console.App) *cobra.Command {
	f := &exploreFlags{}
	c := &cobra.Command{
		Use:     "get NAME [KEY=VALUE...] [-- COMMAND...]",
		Short:   "Get a prompt, filled in",
		Example: "  mcpauth prompts get review language=go -- python3 main.py",
		Args:    wordsBetween(1, -1, "mcpauth prompts get NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			words, command := beforeDash(c, args)
			values, err := promptArguments(words[0], words[1:])
			if err != nil {
				return forServer(err, typedServer(c, f.cwd, command))
			}
			return explore(a, c, f, func(ctx context.Context, x *exploring) error { return x.getPrompt(ctx, words[0], values) })
		},
		ValidArgsFunction: func(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return completePrompt(a, c, args, begun)
		},
	}
	f.add(c)
	return c
}

// promptArguments reads key=value; all values are texts.
func promptArguments(name string, words []string) (map[string]string, error) {
	values := map[string]string{}
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok || key == "" {
			return nil, console.Usage("not key=value: "+word, "mcpauth prompts get "+text.QuoteWord(name)+" KEY=VALUE")
		}
		values[key] = value
	}
	return values, nil
}

func (x *exploring) getPrompt(ctx context.Context, name string, values map[string]string) error {
	if err := x.checkPrompt(ctx, name, values); err != nil {
		return err
	}
	result, err := x.Prompt(ctx, name, values)
	if err != nil {
		return err
	}
	if x.JSON {
		x.PrintJSON(x.about(map[string]any{"prompt": name, "result": result.Raw}))
		return nil
	}
	x.showPrincipal()
	for i, m := range result.Messages {
		if i > 0 {
			x.Fact("")
		}
		x.Fact("%s:", console.OrDash(m.Role))
		x.printContents(x.Fact, []mcpclient.Content{m.Content}, nil, false)
	}
	return nil
}

// checkPrompt tells of a wrong name and of arguments that are missing or too many,
// before the server does in its own words.
func (x *exploring) checkPrompt(ctx context.Context, name string, values map[string]string) error {
	prompts, err := x.Prompts(ctx)
	if err != nil {
		return err
	}
	var names, arguments, missing []string
	i := slices.IndexFunc(prompts, func(p mcpclient.Prompt) bool { names = append(names, p.Name); return p.Name == name })
	if i < 0 {
		return unknownName("prompt", name, names)
	}
	for _, a := range prompts[i].Arguments {
		arguments = append(arguments, a.Name)
		if _, given := values[a.Name]; a.Required && !given {
			missing = append(missing, a.Name)
		}
	}
	if len(missing) > 0 {
		return console.Usage(name+" needs "+strings.Join(missing, ", "), "mcpauth prompts get "+text.QuoteWord(name)+" "+text.QuoteWord(missing[0]+"=VALUE"))
	}
	for key := range values {
		if len(arguments) > 0 && !slices.Contains(arguments, key) {
			return console.Usage(name+" has no argument "+key+text.DidYouMean(key, arguments), "mcpauth prompts list")
		}
	}
	return nil
}
