package policycmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func NewWhy(a *console.App) *cobra.Command {
	var q broker.Question
	c := &cobra.Command{
		Use:   "why NAME [KEY=VALUE...]",
		Short: "Why a tool may or may not be used, and how to change that",
		Long: "Asks the policy about the signed-in user and one tool (or resource, template, prompt, method)\n" +
			"and tells which rule decides, what is missing and what to do about it. Nothing is\n" +
			"called. KEY=VALUE supposes something else of the user: groups, roles, scopes, email,\n" +
			"acr, signed_in_ago or any claim, with commas between values.\n" +
			"Exits with 5 when it is denied and with 4 when it needs another sign-in.",
		Example: "  mcpauth why delete_customer\n" +
			"  mcpauth why delete_customer groups=finance signed_in_ago=5m\n" +
			"  mcpauth why --kind resource file:///etc/hosts",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runWhy(c.Context(), a, q, args) },
	}
	c.Flags().StringVar(&q.Kind, "kind", "tool", "what NAME is: tool, resource, template, prompt, method or request (of the server)")
	c.Flags().StringVar(&q.Server, "server", "", "server as the audit names it (default: the profile's command)")
	return c
}

func runWhy(ctx context.Context, a *console.App, q broker.Question, args []string) error {
	switch q.Kind {
	case "tool", "resource", "template", "prompt", "method", "request":
	default:
		return console.Usage("--kind must be tool, resource, template, prompt, method or request, not "+q.Kind, "mcpauth why --help")
	}
	q.Name, q.Suppose = args[0], map[string][]string{}
	for _, arg := range args[1:] {
		key, value, ok := strings.Cut(arg, "=")
		if !ok || key == "" {
			return console.Usage("not KEY=VALUE: "+arg, "mcpauth why "+q.Name+" groups=finance")
		}
		q.Suppose[key] = strings.Split(value, ",")
	}
	b, resolved, err := a.BrokerAndProfile()
	if err != nil {
		return err
	}
	answer, err := b.Why(ctx, resolved, q)
	if err != nil {
		return err
	}
	switch answer.Effect {
	case "deny":
		a.Exit = problem.ExitDenied
	case "step_up":
		a.Exit = problem.ExitSignInNeeded
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"profile": resolved.Name, "kind": q.Kind, "name": q.Name, "answer": answer})
		return nil
	}
	words := map[string]string{"allow": "allowed", "deny": "denied", "step_up": "allowed after another sign-in"}
	a.Fact("%s: %s", console.Printable(q.Name), words[answer.Effect])
	a.Fact("  why    %s", console.Printable(answer.Why))
	a.Fact("  rule   %s", console.Printable(ruleAt(answer)))
	for _, note := range answer.Notes {
		a.Fact("  also   %s", console.Printable(note))
	}
	for _, hint := range answer.Hints {
		a.Fact("  fix    %s", console.Printable(hint))
	}
	return nil
}

func ruleAt(answer broker.Answer) string {
	if answer.Source == "" {
		return answer.Rule
	}
	return answer.Rule + ", " + answer.Source
}
