package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

// toolCall are the choices of one `mcpauth tools call`.
type toolCall struct {
	exploreFlags
	name       string
	words      []string
	input      string
	save       string
	timeout    time.Duration
	noValidate bool
	yes, raw   bool
}

func newToolsCall(a *app) *cobra.Command {
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
			if o.timeout < 0 {
				return forServer(usage("--timeout must be longer than nothing", "mcpauth tools call "+broker.QuoteWord(o.name)+" --timeout 60s"),
					typedServer(c, o.cwd, command))
			}
			input, err := a.readInput(o.input)
			if err != nil {
				return forServer(err, typedServer(c, o.cwd, command))
			}
			return a.explore(c, &o.exploreFlags, func(ctx context.Context, x *exploring) error { return x.callTool(ctx, o, input) })
		},
		ValidArgsFunction: a.completeCall,
	}
	o.add(c)
	flags := c.Flags()
	flags.StringVar(&o.input, "input", "", "file with the arguments as a JSON object; - is standard input")
	flags.StringVar(&o.save, "save", "", "folder to save images, sounds and files of the result in")
	flags.DurationVar(&o.timeout, "timeout", 0, "give up after this time (default: never)")
	flags.BoolVar(&o.noValidate, "no-validate", false, "send the arguments even where they do not fit the tool's schema")
	flags.BoolVar(&o.raw, "raw", false, "print texts of the result exactly as they came, control characters included")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask before a tool that says that it destroys")
	return c
}

// readInput reads --input; nil for none.
func (a *app) readInput(path string) ([]byte, error) {
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
		return nil, usage("--input cannot be read: "+err.Error(), "as JSON on standard input: --input -", "mcpauth tools call --help")
	}
	return text, nil
}

func (x *exploring) callTool(ctx context.Context, o *toolCall, input []byte) error {
	t, err := x.tool(ctx, o.name)
	if err != nil {
		return err
	}
	if !x.json {
		x.tellStanding()
	}
	text, err := x.argumentsOf(t, o, input)
	if err != nil {
		return err
	}
	if !x.agreed(ctx, t, o, text) {
		return &broker.Problem{Msg: "nothing was called", Hints: []string{"without the question: --yes"}, Code: broker.ExitError}
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, errTooLong)
		defer cancel()
	}
	x.setOn(x.bar.event)
	result, err := x.Call(ctx, t.Name, text, broker.CallOptions{Ask: func(ctx context.Context, e broker.Elicitation) broker.ElicitationAnswer {
		x.bar.clear()
		return x.answer(ctx, e)
	}})
	x.bar.end()
	if errors.Is(context.Cause(ctx), errTooLong) {
		return &broker.Problem{
			Msg: fmt.Sprintf("%s gave no answer within %s", t.Name, o.timeout), Hints: []string{"give it longer: --timeout 5m"}, Code: broker.ExitUnreachable,
		}
	}
	if err != nil {
		return err
	}
	return x.printResult(t, o, result)
}

var errTooLong = errors.New("it took too long")

// argumentsOf puts the arguments together, and looks whether the tool allows them.
func (x *exploring) argumentsOf(t broker.Tool, o *toolCall, input []byte) (json.RawMessage, error) {
	made := newArguments(t.Name, t.InputSchema, o.noValidate)
	if input != nil {
		if err := made.from(input); err != nil {
			return nil, err
		}
	}
	for _, word := range o.words {
		if err := made.add(word); err != nil {
			return nil, err
		}
	}
	text, err := made.json()
	if err != nil || o.noValidate {
		return text, err
	}
	if err := made.missing(); err != nil {
		return nil, err
	}
	if err := x.deps.Explore.Validate(t.InputSchema, text); err != nil {
		p := made.wrong("the arguments do not fit " + t.Name + ": " + err.Error())
		p.Hints = append(p.Hints, "to send them all the same: --no-validate")
		return nil, p
	}
	return text, nil
}

// agreed asks before a tool that says of itself that it destroys, where somebody
// can be asked. If the policy wants an agreement, it asks by itself.
func (x *exploring) agreed(ctx context.Context, t broker.Tool, o *toolCall, arguments json.RawMessage) bool {
	if !t.Destructive || o.yes || !x.attended || !t.Mark.Allowed || len(t.Mark.Notes) > 0 {
		return true
	}
	const most = 300
	shown := printable(string(arguments))
	if len(shown) > most {
		shown = cut(shown, most)
	}
	return x.yesNo(ctx, fmt.Sprintf("%s says of itself that it destroys. Call it with %s?", printable(t.Name), shown), false)
}

func (x *exploring) printResult(t broker.Tool, o *toolCall, r broker.CallResult) error {
	if r.IsError {
		x.exit = broker.ExitToolFailed
	}
	saved, err := saveContents(o.save, t.Name, r.Content)
	if err != nil {
		return err
	}
	if x.json {
		x.printJSON(x.about(map[string]any{
			"tool": t.Name, "is_error": r.IsError, "took_ms": r.Took.Milliseconds(), "result": r.Raw, "saved": append([]string{}, saved...),
		}))
		return nil
	}
	out := x.fact
	if r.IsError { // what a script reads from standard output is a result
		x.say("mcpauth: %s failed", printable(t.Name))
		out = x.say
	}
	x.printContents(out, r.Content, saved, o.raw)
	if len(r.Content) == 0 && r.Structured != nil && !r.IsError {
		x.printRaw(r.Structured)
	}
	return nil
}
