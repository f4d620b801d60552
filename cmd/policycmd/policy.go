// Package policycmd has the commands about rules: policy and why.
package policycmd

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func New(a *console.App) *cobra.Command {
	c := &cobra.Command{
		Use:     "policy",
		Short:   "Show and test who may do what",
		Example: "  mcpauth policy show\n  mcpauth policy test policy.toml",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPolicyShow(a), newPolicyTest(a), newPolicyLearn(a))
	return c
}

func newPolicyShow(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "show",
		Short:   "The rules of a profile, in words",
		Example: "  mcpauth policy show --profile orders",
		Long: "Reads the policy as a proxy that starts now would. When it holds a mistake, this\n" +
			"tells it and exits with 1; proxies that run keep the last good policy meanwhile.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return policyShow(a) },
	}
}

func policyShow(a *console.App) error {
	b, resolved, err := a.BrokerAndProfile()
	if err != nil {
		return err
	}
	file, err := b.Config()
	if err != nil {
		return err
	}
	shown, err := file.ShowPolicy(resolved)
	if err != nil {
		p := problem.Of(err)
		return &problem.Problem{
			Msg:   p.Msg,
			Hints: append(p.Hints, "proxies that run keep the last good policy until it is mended; new ones deny everything"),
			Code:  p.Code, Err: err,
		}
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"profile": resolved.Name, "policy": shown})
		return nil
	}
	if shown.Source == "" {
		a.Fact("profile %s has no rules: whoever is signed in may do everything", console.Printable(resolved.Name))
		return nil
	}
	a.Fact("policy of %s, from %s", console.Printable(resolved.Name), console.Printable(shown.Source))
	for _, line := range shown.Lines {
		a.Fact("  %s", console.Printable(line))
	}
	return nil
}

func newPolicyTest(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE",
		Short: "Run the [[tests]] of a policy file, for CI",
		Long: "Asks the policy in FILE each question under [[tests]] in it and compares the answers.\n" +
			"Needs neither a sign-in nor a profile. FILE may be - for standard input.\n" +
			"Exits with 1 when an answer is not the wanted one, or there is no test.",
		Example: "  mcpauth policy test policy.toml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return policyTest(a, args[0]) },
	}
}

// maxPolicyTest bounds what is read, in bytes.
const maxPolicyTest = 1 << 20

// readPolicy reads the file to test.
func readPolicy(a *console.App, path string) ([]byte, error) {
	from := a.In
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, console.Usage(err.Error())
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, maxPolicyTest+1))
	if err != nil {
		return nil, console.Usage(err.Error())
	}
	if len(data) > maxPolicyTest {
		return nil, console.Usage(path + " is longer than a policy may be")
	}
	return data, nil
}

func policyTest(a *console.App, path string) error {
	data, err := readPolicy(a, path)
	if err != nil {
		return err
	}
	cases, err := config.TestPolicy(path, data)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return &problem.Problem{
			Msg:   path + " has no [[tests]], so nothing is proven",
			Hints: []string{"[[tests]] in docs/policy.md"}, Code: problem.ExitError,
		}
	}
	failed := 0
	for _, one := range cases {
		if !one.Passed() {
			failed++
		}
	}
	if failed > 0 {
		a.Exit = problem.ExitError
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"file": path, "tests": cases, "failed": failed})
		return nil
	}
	for _, one := range cases {
		if one.Passed() {
			a.Fact("ok    %s: %s", console.Printable(one.Name), one.Got)
			continue
		}
		reasons := slices.Compact([]string{one.Rule, one.Why})
		a.Fact("FAIL  %s: %s, want %s (%s)", console.Printable(one.Name), one.Got, one.Want, console.Printable(strings.Join(reasons, "; ")))
		a.Fact("      %s:%d", console.Printable(path), one.Line)
	}
	a.Say("%s, %d failed", text.Count(len(cases), "test"), failed)
	return nil
}

func newPolicyLearn(a *console.App) *cobra.Command {
	var days int
	c := &cobra.Command{
		Use:   "learn",
		Short: "Propose the least policy that allows what was done",
		Long: "Reads the audit log of the last days and prints a complete policy that allows no\n" +
			"more than what was allowed and done: names in the place of patterns, and no rule\n" +
			"that was of no use. It writes no file, allows nothing new, and leaves out comments.",
		Example: "  mcpauth policy learn --days 30 > proposed.toml",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return policyLearn(a, days) },
	}
	c.Flags().IntVar(&days, "days", 30, "how far to look back")
	return c
}

func policyLearn(a *console.App, days int) error {
	if days < 1 {
		return console.Usage("--days must be at least 1", "mcpauth policy learn --days 30")
	}
	b, resolved, err := a.BrokerAndProfile()
	if err != nil {
		return err
	}
	file, err := b.Config()
	if err != nil {
		return err
	}
	learned, err := broker.LearnPolicy(file, b.Audit(), resolved, time.Now().AddDate(0, 0, -days))
	if err != nil {
		return err
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"profile": resolved.Name, "days": days, "learned": learned})
		return nil
	}
	a.Say("The least policy for %s of the last %s:", text.Count(learned.Calls, "call"), text.Count(days, "day"))
	a.Fact("%s", text.CleanText(strings.TrimSuffix(learned.Text, "\n")))
	return nil
}
