// Package auditcmd has the commands that read the audit log: audit and stats.
package auditcmd

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func New(a *console.App) *cobra.Command {
	c := &cobra.Command{
		Use:     "audit",
		Short:   "What was called in your name, by which client, and what was decided",
		Example: "  mcpauth audit list --since 1d\n  mcpauth audit tail -f",
		Long: "Reads the audit log of this machine: every call, the decision and its rule, how it ended\n" +
			"and how long it took. With --json each entry is one object on a line of its own. In the\n" +
			"configuration, [audit] keep (90d) and max_size (2 GB) say when the oldest files are removed.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newAuditList(a), newAuditTail(a), newAuditShow(a), newAuditVerify(a), newAuditExport(a))
	return c
}

// auditChoice is what the flags choose.
type auditChoice struct {
	audit.Filter
	since string
	limit int
}

func (o *auditChoice) flags(c *cobra.Command, limit int) {
	flags := c.Flags()
	flags.StringVar(&o.User, "user", "", "only of this user: the e-mail address, or the subject")
	flags.StringVar(&o.Tool, "tool", "", "only of this tool, prompt or resource; * stands for anything")
	flags.StringVar(&o.Client, "client", "", "only of this AI client")
	flags.StringVar(&o.ClientID, "client-id", "", "only of this OAuth client")
	flags.BoolVar(&o.Denied, "denied", false, "only what was not allowed")
	flags.StringVar(&o.since, "since", "", "only since then: 1h, 7d, 2026-11-23 or 2026-11-23T09:30")
	flags.IntVarP(&o.limit, "limit", "n", limit, "the newest of them; 0 means all")
}

// sessionFlags choose by what statistics do not know.
func (o *auditChoice) sessionFlags(c *cobra.Command) {
	c.Flags().StringVar(&o.Session, "session", "", "only of this session of an AI client")
	c.Flags().StringVar(&o.Instance, "instance", "", "only of this running program")
}

// open is the audit log, and what to find in it. No keychain is asked.
func (o *auditChoice) open(a *console.App) (folder audit.Folder, filter audit.Filter, err error) {
	if o.limit < 0 {
		return "", o.Filter, console.Usage("--limit must not be negative", "mcpauth audit list --limit 50")
	}
	o.Profile = a.Profile
	if o.Since, err = moment(o.since, time.Now()); err == nil {
		folder, err = auditFolder(a)
	}
	return folder, o.Filter, err
}

// moment reads a time that lies back by a duration, or a date, in local time.
func moment(since string, now time.Time) (time.Time, error) {
	if since == "" {
		return time.Time{}, nil
	}
	if back, err := text.ParseSpan(since); err == nil {
		return now.Add(-back), nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, since, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, console.Usage(fmt.Sprintf("--since %q is neither a time span nor a date", since),
		"mcpauth audit list --since 1h", "mcpauth audit list --since "+now.Format(time.DateOnly))
}

// auditFolder is the audit log, for reading.
func auditFolder(a *console.App) (audit.Folder, error) {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return "", err
	}
	return b.Audit(), nil
}

func newAuditList(a *console.App) *cobra.Command {
	o := &auditChoice{}
	c := &cobra.Command{
		Use:   "list",
		Short: "The newest entries first",
		Example: "  mcpauth audit list --denied --since 1d\n" +
			"  mcpauth audit list --tool 'delete_*' --json",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			folder, filter, err := o.open(a)
			if err != nil {
				return err
			}
			table := newEntryTable(a, time.Now())
			var bad unread
			for e, err := range folder.Newest(filter, o.limit) {
				switch {
				case err != nil:
					bad.add(err)
				case a.JSON:
					a.PrintLine(entryJSON(e))
				default:
					table.add(e)
				}
			}
			if !a.JSON {
				table.end()
			}
			return reportUnread(a, bad)
		},
	}
	o.flags(c, 50)
	o.sessionFlags(c)
	return c
}

// unread is what could not be read of the log.
type unread struct {
	broken int    // lines that are no records
	file   string // the first of them
	err    error  // the first file that could not be read
}

func (u *unread) add(err error) {
	if broken, is := errors.AsType[*audit.ErrBroken](err); is {
		u.broken, u.file = u.broken+1, cmp.Or(u.file, broken.File)
	} else if u.err == nil {
		u.err = err
	}
}

// reportUnread says what could not be read. Broken lines end no command.
func reportUnread(a *console.App, u unread) error {
	if u.broken > 0 {
		a.Say("mcpauth: %d lines are no records, the first of them in %s; look closer with:  mcpauth audit verify",
			u.broken, console.Printable(u.file))
	}
	if u.err != nil {
		return &problem.Problem{Msg: u.err.Error(), Hints: []string{"mcpauth audit verify"}, Code: problem.ExitError, Err: u.err}
	}
	return nil
}

// entryTable prints a table, a block of rows after the other: it may be long.
type entryTable struct {
	*console.App
	now   time.Time
	table *tabwriter.Writer
	rows  int
}

const rowsPerBlock = 1000

func newEntryTable(a *console.App, now time.Time) *entryTable {
	return &entryTable{App: a, now: now, table: tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)}
}

func (t *entryTable) add(e audit.Entry) {
	var heads, cells []string
	for _, column := range listColumns {
		heads, cells = append(heads, column.head), append(cells, column.cell(&e, t.now))
	}
	if t.rows == 0 {
		fmt.Fprintln(t.table, strings.Join(heads, "\t"))
	}
	fmt.Fprintln(t.table, strings.Join(cells, "\t"))
	if t.rows++; t.rows%rowsPerBlock == 0 {
		_ = t.table.Flush()
	}
}

func (t *entryTable) end() {
	if t.rows == 0 {
		t.Say("mcpauth: no matching audit entries")
	}
	_ = t.table.Flush() // a reader that has gone needs no word
}

// Columns are the heads of the table and of the CSV.
func Columns() []string {
	names := slices.Clone(csvColumns)
	for _, column := range listColumns {
		names = append(names, column.head)
	}
	return names
}

// listColumns are the columns of the table, their cells cleaned. docs/audit.md names them.
var listColumns = []struct {
	head string
	cell func(e *audit.Entry, now time.Time) string
}{
	{"TIME", func(e *audit.Entry, now time.Time) string { return listTime(e.Record.Time.Local(), now.Local()) }},
	{"USER", func(e *audit.Entry, _ time.Time) string { return cell(cmp.Or(e.Record.Email, e.Record.Sub), 32) }},
	{"CLIENT", func(e *audit.Entry, _ time.Time) string { return cell(e.Record.Client, 20) }},
	{"WHAT", func(e *audit.Entry, _ time.Time) string { return cell(what(e.Record), 48) }},
	{"OUTCOME", func(e *audit.Entry, _ time.Time) string { return cell(outcome(e), 48) }},
	{"TOOK", func(e *audit.Entry, _ time.Time) string { return took(e.Result) }},
	{"ID", func(e *audit.Entry, _ time.Time) string { return cell(e.Record.ID, 32) }},
}

func listTime(at, now time.Time) string {
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

// outcome is how an entry ended, or what was decided and why.
func outcome(e *audit.Entry) string {
	outcome := e.Outcome()
	if e.Result == nil && e.Record.Call == "" && e.Record.Reason != "" && outcome != "sent" {
		outcome = strings.TrimPrefix(outcome+": "+e.Record.Reason, ": ")
	}
	return outcome
}

// took is the time that a call took, if its result is known.
func took(result *audit.Line) string {
	if result == nil {
		return ""
	}
	return text.Elapsed(time.Duration(result.Record.Micros) * time.Microsecond)
}

// what is the thing that a record is about.
func what(r audit.Record) string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Method != "":
		return r.Method
	}
	return r.Event
}

// cell makes a text fit for one cell: cleaned, on one line, and not too long.
func cell(text string, most int) string {
	text = strings.ReplaceAll(console.OrDash(text), "\n", `\u{A}`)
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}

// entryJSON is an entry as one line: the record as it stands in the file, where it
// is plain ASCII whatever is in it, with its result.
func entryJSON(e audit.Entry) []byte {
	line := append([]byte(`{"schema":1,`), bytes.TrimPrefix(e.Raw, []byte{'{'})...)
	if e.Result == nil {
		return line
	}
	line = append(bytes.TrimSuffix(line, []byte{'}'}), `,"result":`...)
	return append(append(line, e.Result.Raw...), '}')
}

func newAuditShow(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "All of one entry",
		Example: "  mcpauth audit show 01M83Q2K1F0DV2SPYD46TK0",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := auditFolder(a)
			if err != nil {
				return err
			}
			entry, ok, errs := folder.Find(args[0])
			if !ok {
				if err = reportUnread(a, unread{err: errors.Join(errs...)}); err == nil {
					err = &problem.Problem{Msg: fmt.Sprintf("no entry has the ID %q", args[0]), Hints: []string{"mcpauth audit list"}, Code: problem.ExitError}
				}
				return err
			}
			if a.JSON {
				a.PrintLine(entryJSON(entry))
				return nil
			}
			printEntry(a, entry)
			return nil
		},
	}
}

func printEntry(a *console.App, e audit.Entry) {
	r := e.Record
	row := func(label string, parts ...string) {
		if text := strings.Join(parts, " "); strings.TrimSpace(text) != "" {
			a.Fact("  %-10s %s", label, cell(strings.TrimSpace(text), 600))
		}
	}
	a.Fact("%s: %s", r.Time.Local().Format("2006-01-02 15:04:05.000"), cell(what(r), 600))
	row("Event", r.Event, r.Method)
	row("User", r.Email, r.Sub)
	row("Profile", r.Profile)
	row("Client", r.Client, r.ClientVersion)
	row("Client ID", r.ClientID)
	row("Server", r.Server)
	row("Session", r.Session)
	row("Instance", r.Instance)
	row("Decision", r.Decision)
	row("Why", r.Reason)
	for _, argument := range r.Arguments {
		row("Argument", argument.Name, fmt.Sprintf("%d bytes", argument.Bytes), argument.Hash, argument.Value)
	}
	if r.ArgumentsCut > 0 {
		row("Argument", fmt.Sprintf("and %d more", r.ArgumentsCut))
	}
	if r.Spoofed {
		row("Spoofed", "the client sent a user of its own, which was removed")
	}
	row("Version", r.Version)
	row("Policy", r.Policy)
	if e.Result != nil {
		result := e.Result.Record
		row("Outcome", result.Status)
		if result.Code != 0 {
			row("Code", strconv.Itoa(result.Code))
		}
		row("Answer", fmt.Sprintf("%d bytes", result.Bytes))
		row("Took", took(e.Result))
	}
	row("Record", fmt.Sprintf("%d of %s, process %d", r.Seq, e.File, r.PID))
	row("Hash", r.Hash)
}

func newAuditVerify(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "verify",
		Short:   "Check that the record is as it was written",
		Example: "  mcpauth audit verify",
		Long: "Checks each record's hash, that it follows the one before it, and that no file ends\n" +
			"too early or is gone. Names each flaw by file and line, and exits with 1 if there is\n" +
			"one. It cannot find what your own account rewrote as a whole, or rolled back together.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			verdict, err := b.Audit().Verify()
			if err != nil {
				return err
			}
			reportVerdict(a, verdict)
			if len(verdict.Findings) > 0 {
				a.Exit = problem.ExitError
			}
			return nil
		},
	}
}

func reportVerdict(a *console.App, v audit.Verdict) {
	if a.JSON {
		a.PrintJSON(map[string]any{
			"intact": len(v.Findings) == 0, "files": v.Files, "records": v.Records,
			"findings": slices.Concat([]audit.Finding{}, v.Findings), "notes": slices.Concat([]audit.Finding{}, v.Notes),
		})
		return
	}
	for _, f := range v.Findings {
		a.Fact("! %s", cell(f.String(), 600))
	}
	for _, f := range v.Notes {
		a.Say("  %s", cell(f.String(), 600))
	}
	if len(v.Findings) == 0 {
		a.Fact("✓ %s in %s: as they were written", text.Count(int(v.Records), "record"), text.Count(v.Files, "file"))
		return
	}
	a.Fact("! %s in %s; good: %s", text.Count(len(v.Findings), "flaw"), text.Count(v.Files, "file"), text.Count(int(v.Records), "record"))
}
