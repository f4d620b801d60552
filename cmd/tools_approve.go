package cmd

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newToolsApprove(a *app) *cobra.Command {
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
		RunE: func(c *cobra.Command, args []string) error { return a.toolsApprove(c.Context(), args, yes) },
	}
	c.Flags().BoolVar(&yes, "yes", false, "approve without asking")
	return c
}

func (a *app) toolsApprove(ctx context.Context, names []string, yes bool) error {
	b, resolved, err := a.brokerAndProfile()
	if err != nil {
		return err
	}
	changes, err := b.PinChanges(resolved)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(changes, func(c broker.PinChange) bool { return c.Tool == name }) {
			return &broker.Problem{
				Msg:   fmt.Sprintf("tool %q is neither new nor changed in profile %s, as running proxies saw it last", name, resolved.Name),
				Hints: []string{"mcpauth tools approve --profile " + resolved.Name}, Code: broker.ExitError,
			}
		}
	}
	if len(names) > 0 {
		changes = slices.DeleteFunc(changes, func(c broker.PinChange) bool { return !slices.Contains(names, c.Tool) })
	}
	if a.json {
		a.printJSON(map[string]any{"profile": resolved.Name, "changes": append([]broker.PinChange{}, changes...), "approved": yes})
	} else {
		a.printChanges(changes)
	}
	switch {
	case len(changes) == 0:
		return nil
	case !yes && !a.agreeToTools(ctx, len(changes)):
		return &broker.Problem{
			Msg: "nothing was approved", Hints: []string{"mcpauth tools approve --yes --profile " + resolved.Name}, Code: broker.ExitError,
		}
	}
	if err := b.Approve(changes); err != nil {
		return err
	}
	a.say("%s approved; running proxies follow", countOf(len(changes), "tool"))
	return nil
}

func (a *app) printChanges(changes []broker.PinChange) {
	if len(changes) == 0 {
		a.say("no tool is new or changed")
		return
	}
	for _, change := range changes {
		a.fact("%s %s of %s", change.State, printable(change.Tool), printable(change.Server))
		for _, line := range change.Diff {
			a.fact("    %s", printable(line))
		}
	}
}

func (a *app) agreeToTools(ctx context.Context, count int) bool {
	return a.agree(ctx, fmt.Sprintf("Approve %s as shown?", countOf(count, "tool")))
}
