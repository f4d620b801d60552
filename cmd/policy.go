package cmd

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newPolicy(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Show and test who may do what",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPolicyShow(a), newPolicyTest(a), newPolicyLearn(a))
	return c
}

func newPolicyShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "The rules of a profile, in words",
		Long: "Reads the policy as a proxy that starts now would. When it holds a mistake, this\n" +
			"tells it and exits with 1; proxies that run keep the last good policy meanwhile.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.policyShow() },
	}
}

func (a *app) policyShow() error {
	b, resolved, err := a.brokerAndProfile()
	if err != nil {
		return err
	}
	shown, err := b.ShowPolicy(resolved)
	if err != nil {
		problem := broker.AsProblem(err)
		return &broker.Problem{
			Msg:   problem.Msg,
			Hints: append(problem.Hints, "proxies that run keep the last good policy until it is mended; new ones deny everything"),
			Code:  problem.Code, Err: err,
		}
	}
	if a.json {
		a.printJSON(map[string]any{"profile": resolved.Name, "policy": shown})
		return nil
	}
	if shown.Source == "" {
		a.fact("profile %s has no rules: whoever is signed in may do everything", printable(resolved.Name))
		return nil
	}
	a.fact("policy of %s, from %s", printable(resolved.Name), printable(shown.Source))
	for _, line := range shown.Lines {
		a.fact("  %s", printable(line))
	}
	return nil
}

func newPolicyTest(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE",
		Short: "Run the [[tests]] of a policy file, for CI",
		Long: "Asks the policy in FILE each question under [[tests]] in it and compares the answers.\n" +
			"Needs neither a sign-in nor a profile. FILE may be - for standard input.\n" +
			"Exits with 1 when an answer is not the wanted one, or there is no test.",
		Example: "  mcpauth policy test policy.toml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.policyTest(args[0]) },
	}
}

// maxPolicyTest bounds what is read, in bytes.
const maxPolicyTest = 1 << 20

func (a *app) policyTest(path string) error {
	from := a.In
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return usage(err.Error())
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, maxPolicyTest+1))
	if err != nil {
		return usage(err.Error())
	}
	if len(data) > maxPolicyTest {
		return usage(path + " is longer than a policy may be")
	}
	cases, err := broker.TestPolicy(path, data)
	if err != nil {
		return err
	}
	failed := 0
	for _, one := range cases {
		if !one.Passed() {
			failed++
		}
	}
	if failed > 0 || len(cases) == 0 {
		a.exit = broker.ExitError
	}
	if a.json {
		a.printJSON(map[string]any{"file": path, "tests": cases, "failed": failed})
		return nil
	}
	for _, one := range cases {
		if one.Passed() {
			a.fact("ok    %s: %s", printable(one.Name), one.Got)
			continue
		}
		reasons := slices.Compact([]string{one.Rule, one.Why})
		a.fact("FAIL  %s: %s, want %s (%s)", printable(one.Name), one.Got, one.Want, printable(strings.Join(reasons, "; ")))
		a.fact("      %s:%d", printable(path), one.Line)
	}
	a.say("%s, %d failed", countOf(len(cases), "test"), failed)
	if len(cases) == 0 {
		a.say("%s has no [[tests]], so nothing is proven", printable(path))
	}
	return nil
}

func newPolicyLearn(a *app) *cobra.Command {
	var days int
	var whole bool
	c := &cobra.Command{
		Use:   "learn",
		Short: "Propose the least policy that allows what was done",
		Long: "Reads the audit of the last days and shows how the policy file would change if it\n" +
			"allowed no more than what was allowed and done: names in the place of patterns, and\n" +
			"no rule that was of no use. Nothing is written, and nothing new is ever allowed.",
		Example: "  mcpauth policy learn --days 30\n" +
			"  mcpauth policy learn --days 30 --toml > proposed.toml",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.policyLearn(days, whole) },
	}
	c.Flags().IntVar(&days, "days", 30, "how far to look back")
	c.Flags().BoolVar(&whole, "toml", false, "print the proposed file instead of the difference")
	return c
}

func (a *app) policyLearn(days int, whole bool) error {
	if days < 1 {
		return usage("--days must be at least 1", "mcpauth policy learn --days 30")
	}
	b, resolved, err := a.brokerAndProfile()
	if err != nil {
		return err
	}
	learned, err := b.LearnPolicy(resolved, time.Now().AddDate(0, 0, -days))
	if err != nil {
		return err
	}
	switch {
	case a.json:
		a.printJSON(map[string]any{"profile": resolved.Name, "days": days, "learned": learned})
	case whole:
		a.fact("%s", broker.CleanText(strings.TrimSuffix(learned.Text, "\n")))
	default:
		a.fact("--- %s", orDash(learned.Source))
		a.fact("+++ the least policy for %d calls of the last %d days", learned.Calls, days)
		for _, line := range learned.Diff {
			a.fact("%s", broker.CleanText(line))
		}
		if !slices.ContainsFunc(learned.Diff, func(line string) bool { return line[0] != ' ' }) {
			a.say("Nothing to change: the policy allows no more than what was used.")
		}
	}
	return nil
}
