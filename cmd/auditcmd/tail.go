package auditcmd

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func newAuditTail(a *console.App) *cobra.Command {
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
			t := &auditTail{App: a, filter: filter, seen: map[string]bool{}}
			return t.run(c.Context(), folder, o.limit, follow)
		},
	}
	o.flags(c, 10)
	o.sessionFlags(c)
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on until ctrl+c")
	return c
}

// auditTail prints entries as they come.
type auditTail struct {
	*console.App
	filter audit.Filter
	seen   map[string]bool // calls whose results will be printed, by ID
}

// tailEvery is how often the files are looked at.
const tailEvery = 200 * time.Millisecond

func (t *auditTail) run(ctx context.Context, folder audit.Folder, limit int, follow bool) error {
	watch, err := folder.Watch() // before reading, so that nothing falls in between
	if err != nil {
		return err
	}
	known, begun := map[string]bool{}, time.Now().Add(-time.Minute)
	var bad unread
	for e, err := range folder.Oldest(t.filter, limit) {
		if err != nil {
			bad.add(err)
			continue
		}
		t.print(e)
		if follow && e.Record.Time.After(begun) {
			known[e.Record.ID] = true
		}
		if follow && e.Result == nil {
			t.await(e.Record.ID)
		}
	}
	if err := reportUnread(t.App, bad); err != nil && !follow {
		return err
	}
	ticker := time.NewTicker(tailEvery)
	defer ticker.Stop()
	for follow && ctx.Err() == nil {
		lines, err := watch.Next()
		if err != nil {
			t.Say("mcpauth: %s", console.Printable(err.Error()))
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
func (t *auditTail) line(line audit.Line) {
	r := &line.Record
	switch {
	case line.Err != nil:
		t.Say("mcpauth: a line of %s is no record", console.Printable(line.File))
	case r.Call != "":
		if t.seen[r.Call] {
			delete(t.seen, r.Call)
			t.print(audit.Entry{Line: line})
		}
	case t.filter.Match(r):
		t.await(r.ID)
		t.print(audit.Entry{Line: line})
	}
}

// maxAwaited bounds the calls whose results are waited for.
const maxAwaited = 10_000

func (t *auditTail) await(id string) {
	if len(t.seen) < maxAwaited {
		t.seen[id] = true
	}
}

func (t *auditTail) print(e audit.Entry) {
	if t.JSON {
		t.PrintLine(entryJSON(e))
		return
	}
	// The columns are fixed: a table could only be aligned at its end.
	r, result := e.Record, e.Result
	who, name := cmp.Or(r.Email, r.Sub), cell(what(r), 32)
	if r.Call != "" {
		who, name, result = "", "  → "+cell(what(r), 28), &e.Line
	}
	text := fmt.Sprintf("%s  %-24s %-14s %-32s %-10s %s", r.Time.Local().Format("2006-01-02 15:04:05"),
		blank(who, 24), blank(r.Client, 14), name, cell(outcome(&e), 60), took(result))
	t.Fact("%s", strings.TrimRight(text, " "))
}

// blank is cell, but for what is not there.
func blank(text string, most int) string {
	if text == "" {
		return ""
	}
	return cell(text, most)
}

func newAuditExport(a *console.App) *cobra.Command {
	o := &auditChoice{}
	format, all := "jsonl", false
	c := &cobra.Command{
		Use:   "export",
		Short: "Entries for another program, oldest first",
		Long: "Prints the entries that the flags choose: as JSON lines, each call with its result, or\n" +
			"as CSV, where only --all has what is no call. The records of single lines keep their\n" +
			"hashes; the chain itself is in the files.",
		Example: "  mcpauth audit export --since 30d --format csv > calls.csv",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if format != "jsonl" && format != "csv" {
				return console.Usage(fmt.Sprintf("--format %q is neither jsonl nor csv", format), "mcpauth audit export --format csv")
			}
			folder, filter, err := o.open(a)
			if err != nil {
				return err
			}
			filter.Calls = format == "csv" && !all
			filter.Starts = true
			return exportEntries(a, folder.Oldest(filter, o.limit), format)
		},
	}
	o.flags(c, 0)
	o.sessionFlags(c)
	c.Flags().StringVar(&format, "format", format, "jsonl or csv")
	c.Flags().BoolVar(&all, "all", false, "with --format csv: also what is no call, such as sign-ins")
	return c
}

func exportEntries(a *console.App, entries iter.Seq2[audit.Entry, error], format string) error {
	w := csv.NewWriter(a.Out)
	if format == "csv" {
		_ = w.Write(csvColumns)
	}
	var bad unread
	for e, err := range entries {
		switch {
		case err != nil:
			bad.add(err)
		case format == "csv":
			_ = w.Write(csvRow(e))
		default:
			a.PrintLine(entryJSON(e))
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return reportUnread(a, bad)
}

// csvColumns are the columns of the CSV, new ones last: other programs may count them.
var csvColumns = []string{
	"time", "id", "event", "profile", "sub", "email", "client", "client_version", "server", "method", "name",
	"decision", "reason", "arguments", "status", "code", "bytes", "micros", "client_id", "session", "instance",
}

// csvRow is an entry for a spreadsheet.
func csvRow(e audit.Entry) []string {
	r := e.Record
	var arguments []string
	for _, argument := range r.Arguments {
		arguments = append(arguments, argument.Name)
	}
	row := []string{
		r.Time.UTC().Format("2006-01-02T15:04:05.000Z"), r.ID, r.Event, r.Profile, r.Sub, r.Email, r.Client, r.ClientVersion, r.Server,
		r.Method, r.Name, r.Decision, r.Reason, strings.Join(arguments, " "), "", "", "", "", r.ClientID, r.Session, r.Instance,
	}
	result := &r // of a call that is far away
	if e.Result != nil {
		result = &e.Result.Record
	}
	if result.Event == "result" {
		copy(row[14:], []string{result.Status, strconv.Itoa(result.Code), strconv.Itoa(result.Bytes), strconv.FormatInt(result.Micros, 10)})
	}
	for i, text := range row {
		row[i] = harmless(text)
	}
	return row
}

// harmless keeps a spreadsheet from taking the name of a tool for a formula.
func harmless(text string) string {
	text = strings.ReplaceAll(console.Printable(text), "\n", `\u{A}`)
	if _, err := strconv.Atoi(text); err != nil && text != "" && strings.ContainsRune("=+-@", rune(text[0])) {
		return "'" + text
	}
	return text
}
