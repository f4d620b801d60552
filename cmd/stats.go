package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

type statsOptions struct {
	auditChoice
	listen string
}

func newStats(a *app) *cobra.Command {
	o := &statsOptions{}
	c := &cobra.Command{
		Use:   "stats",
		Short: "How often each tool was called, refused and failed, and how long it took",
		Long: "Counts the record of calls (mcpauth audit). p50 is the time that half of the calls\n" +
			"took at most; it is too high by a twelfth or so. With --listen a program of its own,\n" +
			"mcpauth-metrics, answers GET /metrics on this machine in OpenMetrics text.",
		Example: "  mcpauth stats --since 7d\n" +
			"  mcpauth stats --listen 127.0.0.1:9464",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.listen != "" {
				return a.serveMetrics(c.Context(), o.listen)
			}
			return a.stats(o)
		},
	}
	o.flags(c, 0)
	c.Flags().Lookup("limit").Usage = "so many tools, those with the most calls; 0 means all"
	c.Flags().StringVar(&o.listen, "listen", "", "serve metrics at this loopback address, like 127.0.0.1:9464")
	return c
}

func (a *app) stats(o *statsOptions) error {
	folder, filter, err := o.open(a)
	if err != nil {
		return err
	}
	stats := folder.Stats(filter)
	tools := stats.Tools()
	if o.limit > 0 {
		tools = tools[:min(o.limit, len(tools))]
	}
	if a.json {
		a.printJSON(map[string]any{"tools": statsJSON(tools), "broken_lines": stats.Broken})
	} else {
		a.printStats(tools)
	}
	if stats.Broken > 0 {
		a.say("mcpauth: %d lines are no records and not counted; look closer with:  mcpauth audit verify", stats.Broken)
	}
	return a.reportReading(nil, stats.Errs)
}

// quantiles are those that are told, with their names.
var quantiles = []struct {
	name string
	part float64
}{{"p50", 0.50}, {"p95", 0.95}, {"p99", 0.99}}

func (a *app) printStats(tools []broker.AuditToolStats) {
	if len(tools) == 0 {
		a.say("mcpauth: no call is on record that fits")
		return
	}
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "CALLS\tDENIED\tERRORS\tUNANSWERED\tP50\tP95\tP99\t\tWHAT")
	for _, t := range tools {
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t", t.Calls, t.Denied, t.Errors, t.Unanswered)
		for _, q := range quantiles {
			text := "-"
			if t.Times.Count > 0 {
				text = duration(t.Times.Quantile(q.part))
			}
			fmt.Fprint(table, text+"\t")
		}
		// The last cell is behind the last tab, and so is not aligned.
		fmt.Fprintln(table, "\t"+cell(t.Name, 60))
	}
	_ = table.Flush() // a reader that has gone needs no word
}

func statsJSON(tools []broker.AuditToolStats) []map[string]any {
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

// metricsProgram serves metrics. It is a program of its own because its library
// would cost every proxy a millisecond of its start and two megabytes.
const metricsProgram = "mcpauth-metrics"

// serveMetrics runs the program beside this one, until it ends or we are stopped.
func (a *app) serveMetrics(ctx context.Context, address string) error {
	folder, err := a.auditFolder()
	if err != nil {
		return err
	}
	path, err := a.beside(metricsProgram)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, path, "--listen", address, "--audit", string(folder))
	c.Stdout, c.Stderr = a.Out, a.Err
	c.Env = a.deps.Environ
	c.Cancel = func() error {
		if runtime.GOOS == "windows" {
			return c.Process.Kill() // which knows no other way to end it
		}
		return c.Process.Signal(os.Interrupt)
	}
	c.WaitDelay = 2 * time.Second
	err = c.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil // it was to be stopped
	case errors.As(err, &exit):
		a.exit = exit.ExitCode() // it has said why
		return nil
	case err != nil:
		return &broker.Problem{Msg: "cannot run " + path + ": " + err.Error(), Code: broker.ExitError, Err: err}
	}
	return nil
}

// beside finds a program of ours in the folder of this one, and nowhere else: what
// the PATH names may be anything.
func (a *app) beside(name string) (string, error) {
	self, err := a.deps.Executable()
	if err != nil {
		return "", &broker.Problem{Msg: "cannot find this program: " + err.Error(), Code: broker.ExitError, Err: err}
	}
	path := filepath.Join(filepath.Dir(self), name)
	if strings.HasSuffix(self, ".exe") {
		path += ".exe"
	}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return "", &broker.Problem{
			Msg:   name + " is not installed beside mcpauth, in " + filepath.Dir(self),
			Hints: []string{"go install " + modulePath + "/cmd/" + name + "@latest"},
			Code:  broker.ExitError, Err: err,
		}
	}
	return path, nil
}

const modulePath = "github.com/mcpauth/mcpauth"
