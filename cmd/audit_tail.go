package cmd

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newAuditTail(a *app) *cobra.Command {
	o := &auditChoice{}
	follow := false
	c := &cobra.Command{
		Use:     "tail",
		Short:   "The newest entries last, and with -f what comes",
		Example: "  mcpauth audit tail -f --denied",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			folder, filter, err := o.open(a)
			if err != nil {
				return err
			}
			t := &auditTail{app: a, filter: filter, seen: map[string]bool{}}
			return t.run(c.Context(), folder, o.limit, follow)
		},
	}
	o.flags(c, 10)
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on until ctrl+c")
	return c
}

// auditTail prints entries as they come.
type auditTail struct {
	*app
	filter broker.AuditFilter
	seen   map[string]bool // calls whose results are to be printed, by ID
}

// tailEvery is how often the files are looked at.
const tailEvery = 200 * time.Millisecond

func (t *auditTail) run(ctx context.Context, folder broker.AuditFolder, limit int, follow bool) error {
	watch, err := folder.Watch() // before reading, so that nothing falls in between
	if err != nil {
		return err
	}
	found := folder.Search(t.filter, limit)
	known := map[string]bool{}
	for _, e := range slices.Backward(found.Entries) {
		known[e.Record.ID] = true
		t.print(e)
		t.seen[e.Record.ID] = e.Result == nil
	}
	if err := t.reportReading(found.Broken, found.Errs); err != nil && !follow {
		return err
	}
	ticker := time.NewTicker(tailEvery)
	defer ticker.Stop()
	for follow && ctx.Err() == nil {
		lines, err := watch.Next()
		if err != nil {
			t.say("mcpauth: %s", printable(err.Error()))
		}
		for _, line := range lines {
			if !known[line.Record.ID] {
				t.line(line)
			}
		}
		clear(known) // what comes now was not there before
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// line prints what was added: an entry, or the result of one that was printed.
func (t *auditTail) line(line broker.AuditLine) {
	r := &line.Record
	switch {
	case line.Err != nil:
		t.say("mcpauth: a line of %s is no record", printable(line.File))
	case r.Call != "":
		if t.seen[r.Call] {
			delete(t.seen, r.Call)
			t.print(broker.AuditEntry{Line: line})
		}
	case t.filter.Match(r):
		if len(t.seen) < maxAwaited {
			t.seen[r.ID] = true
		}
		t.print(broker.AuditEntry{Line: line})
	}
}

// maxAwaited bounds the calls whose results are waited for.
const maxAwaited = 10_000

func (t *auditTail) print(e broker.AuditEntry) {
	if t.json {
		t.fact("%s", entryJSON(e))
		return
	}
	// The columns are fixed: a table could only be aligned at its end.
	r := e.Record
	who := r.Email
	if who == "" {
		who = r.Sub
	}
	result := &r
	if e.Result != nil {
		result = &e.Result.Record
	}
	took := ""
	if result.Micros > 0 {
		took = duration(time.Duration(result.Micros) * time.Microsecond)
	}
	name := cell(what(r), 32)
	if r.Call != "" {
		who, name = "", "  → "+cell(what(r), 28)
	}
	outcome := e.Outcome()
	if r.Call == "" && e.Result == nil && r.Reason != "" && outcome != "sent" {
		outcome = strings.TrimPrefix(outcome+": "+r.Reason, ": ")
	}
	text := fmt.Sprintf("%s  %-24s %-14s %-32s %-10s %s", r.Time.Local().Format("2006-01-02 15:04:05"),
		blank(who, 24), blank(r.Client, 14), name, cell(outcome, 60), took)
	t.fact("%s", strings.TrimRight(text, " "))
}

// blank is cell, but for what is not there.
func blank(text string, most int) string {
	if text == "" {
		return ""
	}
	return cell(text, most)
}

func newAuditExport(a *app) *cobra.Command {
	o := &auditChoice{}
	format := "jsonl"
	c := &cobra.Command{
		Use:   "export",
		Short: "Entries for another program, oldest first",
		Long: "Prints the entries that the flags choose: as JSON lines, each call with its result, or\n" +
			"as CSV. The records of single lines keep their hashes; the chain itself is in the files.",
		Example: "  mcpauth audit export --since 30d --format csv > calls.csv",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if format != "jsonl" && format != "csv" {
				return usage(fmt.Sprintf("--format %q is neither jsonl nor csv", format), "mcpauth audit export --format csv")
			}
			folder, filter, err := o.open(a)
			if err != nil {
				return err
			}
			filter.Starts = true
			found := folder.Search(filter, o.limit)
			if err := a.export(found.Entries, format); err != nil {
				return err
			}
			return a.reportReading(found.Broken, found.Errs)
		},
	}
	o.flags(c, 0)
	c.Flags().StringVar(&format, "format", format, "jsonl or csv")
	return c
}

func (a *app) export(entries []broker.AuditEntry, format string) error {
	if format == "jsonl" {
		for _, e := range slices.Backward(entries) {
			a.fact("%s", entryJSON(e))
		}
		return nil
	}
	w := csv.NewWriter(a.Out)
	_ = w.Write([]string{
		"time", "id", "event", "profile", "sub", "email", "client", "client_version", "server", "method", "name",
		"decision", "reason", "arguments", "status", "code", "bytes", "micros",
	})
	for _, e := range slices.Backward(entries) {
		_ = w.Write(csvRow(e))
	}
	w.Flush()
	return w.Error()
}

// csvRow is an entry for a spreadsheet.
func csvRow(e broker.AuditEntry) []string {
	r := e.Record
	var arguments []string
	for _, argument := range r.Arguments {
		arguments = append(arguments, argument.Name)
	}
	row := []string{
		r.Time.UTC().Format("2006-01-02T15:04:05.000Z"), r.ID, r.Event, r.Profile, r.Sub, r.Email, r.Client, r.ClientVersion, r.Server,
		r.Method, r.Name, r.Decision, r.Reason, strings.Join(arguments, " "),
	}
	for i, text := range row {
		row[i] = harmless(text)
	}
	if e.Result == nil {
		return append(row, "", "", "", "")
	}
	result := e.Result.Record
	return append(row, harmless(result.Status), strconv.Itoa(result.Code), strconv.Itoa(result.Bytes), strconv.FormatInt(result.Micros, 10))
}

// harmless keeps a spreadsheet from taking the name of a tool for a formula.
func harmless(text string) string {
	text = strings.ReplaceAll(printable(text), "\n", `\u{A}`)
	if text != "" && strings.ContainsRune("=+-@", rune(text[0])) {
		return "'" + text
	}
	return text
}
