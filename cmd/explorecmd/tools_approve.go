package explorecmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/gate"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func newToolsApprove(a *console.App) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "approve [TOOL...]",
		Short: "Show tools that are new or changed, and approve them",
		Long: "Shows how the definitions of a profile's tools, as running proxies saw them last,\n" +
			"differ from those that were approved, and asks whether they are fine. Under\n" +
			"pin = \"block\" a tool that is new or changed is out of reach until then.\n" +
			"Without TOOL it is about all of them. Exits with 1 when they are not approved.",
		Example: "  mcpauth tools approve\n" +
			"  mcpauth tools approve --yes delete_customer",
		RunE: func(c *cobra.Command, args []string) error { return toolsApprove(c.Context(), a, args, yes) },
	}
	c.Flags().BoolVar(&yes, "yes", false, "approve without asking")
	return c
}

func toolsApprove(ctx context.Context, a *console.App, names []string, yes bool) error {
	b, resolved, err := a.BrokerAndProfile()
	if err != nil {
		return err
	}
	changes, err := gate.PinChanges(b.Paths.StateDir, resolved.Name)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(changes, func(c gate.PinChange) bool { return c.Tool == name }) {
			return &problem.Problem{
				Msg:   fmt.Sprintf("tool %q is neither new nor changed in profile %s, as running proxies saw it last", name, resolved.Name),
				Hints: []string{"mcpauth tools approve --profile " + resolved.Name}, Code: problem.ExitError,
			}
		}
	}
	if len(names) > 0 {
		changes = slices.DeleteFunc(changes, func(c gate.PinChange) bool { return !slices.Contains(names, c.Tool) })
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"profile": resolved.Name, "changes": append([]gate.PinChange{}, changes...), "approved": yes})
	} else {
		printChanges(a, changes)
	}
	switch {
	case len(changes) == 0:
		return nil
	case !yes && !agreeToTools(ctx, a, len(changes)):
		return &problem.Problem{
			Msg: "nothing was approved", Hints: []string{"mcpauth tools approve --yes --profile " + resolved.Name}, Code: problem.ExitError,
		}
	}
	if err := gate.Approve(changes); err != nil {
		return err
	}
	a.Say("%s approved; running proxies follow", text.Count(len(changes), "tool"))
	return nil
}

func printChanges(a *console.App, changes []gate.PinChange) {
	if len(changes) == 0 {
		a.Say("no tool is new or changed")
		return
	}
	for _, change := range changes {
		a.Fact("%s %s of %s", change.State, console.Printable(change.Tool), console.Printable(change.Server))
		for _, line := range change.Diff {
			a.Fact("    %s", console.Printable(line))
		}
	}
}

func agreeToTools(ctx context.Context, a *console.App, count int) bool {
	return a.Agree(ctx, fmt.Sprintf("Approve %s as shown?", text.Count(count, "tool")))
}
