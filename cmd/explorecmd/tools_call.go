package explorecmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/table"
)

// toolCall are the choices of one `mcpauth tools call`.
type toolCall struct {
	exploreFlags
	name       string
	words      []string
	input      string
	save       string
	noValidate bool
	yes, raw   bool
}

func newToolsCall(a *console.App) *cobra.Command {
	o := &toolCall{}
	c := &cobra.Command{
		Use:   "call NAME [KEY=VALUE...] [KEY:=JSON...] [-- COMMAND...]",
		Short: "Call a tool",
		Long: "Calls a tool as an AI client would: inside the policy, with your verified identity,\n" +
			"and on the record. KEY=VALUE gets the type that the tool's schema wants, KEY:=JSON is\n" +
			"sent as it is. A key may lead into an object or a list: filter.city=Rome tags[]=new.\n" +
			"The result goes to standard output. Exits with 6 when the tool fails, with 5 when the\n" +
			"policy denies it, with 4 when a sign-in is needed.",
		Example: "  mcpauth tools call search_orders query=late limit=5\n" +
			"  mcpauth tools call search_orders --input args.json --json\n" +
			"  mcpauth tools call add a=1 b:=2 -- python3 main.py",
		Args: wordsBetween(1, -1, "mcpauth tools call NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			words, command := beforeDash(c, args)
			o.name, o.words = words[0], words[1:]
			input, err := readInput(a, o.input)
			if err != nil {
				return forServer(err, typedServer(c, o.cwd, command))
			}
			return explore(a, c, &o.exploreFlags, func(ctx context.Context, x *exploring) error { return x.callTool(ctx, o, input) })
		},
		ValidArgsFunction: func(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return completeCall(a, c, args, begun)
		},
	}
	o.add(c)
	flags := c.Flags()
	flags.StringVar(&o.input, "input", "", "file with the arguments as a JSON object; - is standard input")
	flags.StringVar(&o.save, "save", "", "folder to save images, sounds and files of the result in")
	flags.BoolVar(&o.noValidate, "no-validate", false, "send the arguments even where they do not fit the tool's schema")
	flags.BoolVar(&o.raw, "raw", false, "print texts of the result exactly as they came, control characters included")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask before a tool that its server marks as destructive")
	return c
}

// readInput reads --input; nil for none.
func readInput(a *console.App, path string) ([]byte, error) {
	const most = 64 << 20
	var text []byte
	var err error
	switch path {
	case "":
		return nil, nil
	case "-":
		text, err = io.ReadAll(io.LimitReader(a.In, most))
		a.In = strings.NewReader("") // nobody can be asked there any more
	default:
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, console.Usage("--input cannot be read: "+err.Error(), "as JSON on standard input: --input -", "mcpauth tools call --help")
	}
	return text, nil
}

func (x *exploring) callTool(ctx context.Context, o *toolCall, input []byte) error {
	t, err := x.tool(ctx, o.name)
	if err != nil {
		return err
	}
	if !x.JSON {
		x.showPrincipal()
	}
	text, err := x.argumentsOf(t, o, input)
	if err != nil {
		return err
	}
	if !x.agreed(ctx, t, o, text) {
		return &problem.Problem{Msg: "nothing was called", Hints: []string{"without the question: --yes"}, Code: problem.ExitError}
	}
	x.setOn(x.bar.event)
	result, err := x.Call(ctx, t.Name, text, mcpclient.CallOptions{Ask: func(ctx context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
		x.bar.clear()
		return x.answer(ctx, e)
	}})
	x.bar.end()
	if err != nil {
		return err
	}
	return x.printResult(t, o, result)
}

// argumentsOf puts the arguments together, and looks whether the tool allows them.
func (x *exploring) argumentsOf(t mcpclient.Tool, o *toolCall, input []byte) (json.RawMessage, error) {
	schema := toolargs.Read(t.InputSchema)
	made := schema.Arguments(o.noValidate)
	show := "mcpauth tools show " + text.QuoteWord(t.Name)
	if input != nil {
		if err := made.Load(input); err != nil {
			return nil, console.Usage("--input "+err.Error(), show)
		}
	}
	for _, word := range o.words {
		if err := made.Add(word); err != nil {
			return nil, console.Usage(argumentMessage(t.Name, err), show)
		}
	}
	arguments := json.RawMessage(made.Value().Compact())
	if o.noValidate {
		return arguments, nil
	}
	var missing, wrong []string
	for _, p := range schema.Check(made.Value()) {
		switch p.Sort {
		case toolargs.Missing:
			missing = append(missing, p.Name())
		case toolargs.Format: // JSON Schema only notes it; the server is the judge
		default:
			wrong = append(wrong, p.Sentence())
		}
	}
	if len(missing) > 0 {
		wrong = append([]string{t.Name + " needs " + strings.Join(missing, ", ")}, wrong...)
	}
	if len(wrong) > 0 {
		return nil, console.Usage(strings.Join(wrong, "; "), show, "to send them all the same: --no-validate")
	}
	return arguments, nil
}

// argumentMessage says what is wrong with a word.
func argumentMessage(tool string, err error) string {
	var unknown *toolargs.UnknownError
	switch {
	case !errors.As(err, &unknown):
		return err.Error()
	case len(unknown.Known) == 0:
		return tool + " takes no arguments"
	}
	return fmt.Sprintf("%s has no argument %s%s", tool, unknown.Name, text.DidYouMean(unknown.Name, unknown.Known))
}

// agreed asks before a tool that its server marks as destructive, where a user
// can be asked. If the policy wants an agreement, it asks by itself.
func (x *exploring) agreed(ctx context.Context, t mcpclient.Tool, o *toolCall, arguments json.RawMessage) bool {
	if !t.Destructive || o.yes || !x.attended || !t.Access.Allowed || len(t.Access.Notes) > 0 {
		return true
	}
	const most = 300
	shown := console.Printable(string(arguments))
	if len(shown) > most {
		shown = table.Cut(shown, most)
	}
	return x.yesNo(ctx, fmt.Sprintf("%s is marked as destructive by its server. Call it with %s?", console.Printable(t.Name), shown), false)
}

func (x *exploring) printResult(t mcpclient.Tool, o *toolCall, r mcpclient.CallResult) error {
	if r.IsError {
		x.Exit = problem.ExitToolFailed
	}
	saved, err := saveContents(o.save, t.Name, r.Content)
	if err != nil {
		return err
	}
	if x.JSON {
		x.PrintJSON(x.about(map[string]any{
			"tool": t.Name, "is_error": r.IsError, "took_ms": r.Took.Milliseconds(), "result": r.Raw, "saved": append([]string{}, saved...),
		}))
		return nil
	}
	out := x.Fact
	if r.IsError { // what a script reads from standard output is a result
		x.Say("mcpauth: %s failed", console.Printable(t.Name))
		out = x.Say
	}
	x.printContents(out, r.Content, saved, o.raw)
	if len(r.Content) == 0 && r.Structured != nil && !r.IsError {
		x.PrintRaw(r.Structured)
	}
	return nil
}
