package auditcmd

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func NewStats(a *console.App) *cobra.Command {
	o := &auditChoice{}
	c := &cobra.Command{
		Use:   "stats",
		Short: "How often each tool was called, refused and failed, and how long it took",
		Long: "Counts the record of calls (mcpauth audit). p50 is the time that half of the calls\n" +
			"took at most; it is too high by a twelfth or so.",
		Example: "  mcpauth stats --since 7d",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runStats(a, o) },
	}
	o.flags(c, 0)
	c.Flags().Lookup("limit").Usage = "so many tools, those with the most calls; 0 means all"
	return c
}

func runStats(a *console.App, o *auditChoice) error {
	folder, filter, err := o.open(a)
	if err != nil {
		return err
	}
	stats := folder.Stats(filter)
	tools := stats.Tools()
	if o.limit > 0 {
		tools = tools[:min(o.limit, len(tools))]
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"tools": statsJSON(tools), "broken_lines": stats.Broken})
	} else {
		printStats(a, tools)
	}
	if stats.Broken > 0 {
		a.Say("mcpauth: %d lines are no records and not counted; look closer with:  mcpauth audit verify", stats.Broken)
	}
	return reportUnread(a, unread{err: errors.Join(stats.Errs...)})
}

// quantiles are those that are printed, with their names.
var quantiles = []struct {
	name string
	part float64
}{{"p50", 0.50}, {"p95", 0.95}, {"p99", 0.99}}

func printStats(a *console.App, tools []audit.ToolStats) {
	if len(tools) == 0 {
		a.Say("mcpauth: no matching calls")
		return
	}
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "CALLS\tDENIED\tERRORS\tUNANSWERED\tP50\tP95\tP99\t\tWHAT")
	for _, t := range tools {
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t", t.Calls, t.Denied, t.Errors, t.Unanswered)
		for _, q := range quantiles {
			spelled := "-"
			if t.Times.Count > 0 {
				spelled = text.Elapsed(t.Times.Quantile(q.part))
			}
			fmt.Fprint(table, spelled+"\t")
		}
		// The last cell is behind the last tab, and so is not aligned.
		fmt.Fprintln(table, "\t"+cell(t.Name, 60))
	}
	_ = table.Flush() // a reader that has gone needs no word
}

func statsJSON(tools []audit.ToolStats) []map[string]any {
	list := []map[string]any{}
	for _, t := range tools {
		object := map[string]any{
			"method": t.Method, "name": t.Name, "calls": t.Calls, "denied": t.Denied,
			"errors": t.Errors, "unanswered": t.Unanswered, "answered": t.Times.Count,
		}
		if t.Times.Count > 0 {
			for _, q := range quantiles {
				object[q.name+"_micros"] = t.Times.Quantile(q.part).Microseconds()
			}
		}
		list = append(list, object)
	}
	return list
}
