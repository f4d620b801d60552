package cmd

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newAudit(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "What was called in your name, by which client, and what was decided",
		Long: "Reads the record that the proxies of this machine keep: every call, what was decided\n" +
			"and by which rule, how it ended and how long it took. With --json each entry is one\n" +
			"object on a line of its own.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newAuditList(a), newAuditTail(a), newAuditShow(a), newAuditVerify(a), newAuditExport(a))
	return c
}

// auditChoice is what the flags choose.
type auditChoice struct {
	user, tool, client, since string
	denied                    bool
	limit                     int
}

func (o *auditChoice) flags(c *cobra.Command, limit int) {
	flags := c.Flags()
	flags.StringVar(&o.user, "user", "", "only of this user: the e-mail address, or the subject")
	flags.StringVar(&o.tool, "tool", "", "only of this tool, prompt or resource; * stands for anything")
	flags.StringVar(&o.client, "client", "", "only of this AI client")
	flags.BoolVar(&o.denied, "denied", false, "only what was not allowed")
	flags.StringVar(&o.since, "since", "", "only since then: 1h, 7d, 2026-11-23 or 2026-11-23T09:30")
	flags.IntVarP(&o.limit, "limit", "n", limit, "the newest of them; 0 means all")
}

// open is the record, and what is to be found in it. No keychain is asked.
func (o *auditChoice) open(a *app) (broker.AuditFolder, broker.AuditFilter, error) {
	filter, err := o.filter(a, time.Now())
	if err != nil {
		return "", filter, err
	}
	folder, err := a.auditFolder()
	return folder, filter, err
}

func (o *auditChoice) filter(a *app, now time.Time) (broker.AuditFilter, error) {
	f := broker.AuditFilter{User: o.user, Tool: o.tool, Client: o.client, Denied: o.denied, Profile: a.profile}
	if o.limit < 0 {
		return f, usage("--limit must not be negative", "mcpauth audit list --limit 50")
	}
	var err error
	f.Since, err = moment(o.since, now)
	return f, err
}

// moment reads a time that lies back by a duration, or a date, in local time.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if back, err := broker.ParseDuration(text); err == nil {
		return now.Add(-back), nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage(fmt.Sprintf("--since %q is neither a time span nor a date", text),
		"mcpauth audit list --since 1h", "mcpauth audit list --since "+now.Format(time.DateOnly))
}

// auditFolder is the record, for reading: no keychain is asked.
func (a *app) auditFolder() (broker.AuditFolder, error) {
	b, err := a.broker(keychainPatience)
	if err != nil {
		return "", err
	}
	return b.Audit(), nil
}

func newAuditList(a *app) *cobra.Command {
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
			found := folder.Search(filter, o.limit)
			if a.json {
				for _, e := range found.Entries {
					a.fact("%s", entryJSON(e))
				}
			} else {
				a.printEntries(found.Entries, time.Now())
			}
			return a.reportReading(found.Broken, found.Errs)
		},
	}
	o.flags(c, 50)
	return c
}

// reportReading says what could not be read. Broken lines end no command.
func (a *app) reportReading(broken []broker.AuditLine, errs []error) error {
	if len(broken) > 0 {
		a.say("mcpauth: %d lines are no records, the first of them in %s; look closer with:  mcpauth audit verify",
			len(broken), printable(broken[0].File))
	}
	if len(errs) > 0 {
		return &broker.Problem{Msg: errs[0].Error(), Hints: []string{"mcpauth audit verify"}, Code: broker.ExitError, Err: errs[0]}
	}
	return nil
}

// printEntries prints a table.
func (a *app) printEntries(entries []broker.AuditEntry, now time.Time) {
	if len(entries) == 0 {
		a.say("mcpauth: nothing is on record that fits")
		return
	}
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TIME\tUSER\tCLIENT\tWHAT\tOUTCOME\tTOOK\tID")
	for _, e := range entries {
		fmt.Fprintln(table, entryRow(e, now))
	}
	_ = table.Flush() // a reader that has gone needs no word
}

// entryRow is one line of the table, its cells cleaned.
func entryRow(e broker.AuditEntry, now time.Time) string {
	r := e.Record
	who := r.Email
	if who == "" {
		who = r.Sub
	}
	outcome, took := e.Outcome(), ""
	if e.Result != nil {
		took = duration(time.Duration(e.Result.Record.Micros) * time.Microsecond)
	} else if r.Reason != "" && outcome != "sent" {
		outcome = strings.TrimPrefix(outcome+": "+r.Reason, ": ")
	}
	at := r.Time.Local().Format("15:04:05")
	if r.Time.Local().Format(time.DateOnly) != now.Local().Format(time.DateOnly) {
		at = r.Time.Local().Format("2006-01-02 15:04:05")
	}
	return strings.Join([]string{at, cell(who, 32), cell(r.Client, 20), cell(what(r), 48), cell(outcome, 48), took, cell(r.ID, 32)}, "\t")
}

// what is the thing that a record is about.
func what(r broker.AuditRecord) string {
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
	text = strings.ReplaceAll(orDash(text), "\n", `\u{A}`)
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}

// duration is a short time for people.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// entryJSON is an entry as one line: the record as it stands in the file, where it
// is plain ASCII whatever is in it, with its result.
func entryJSON(e broker.AuditEntry) []byte {
	line := append([]byte(`{"schema":1,`), bytes.TrimPrefix(e.Raw, []byte{'{'})...)
	if e.Result == nil {
		return line
	}
	line = append(bytes.TrimSuffix(line, []byte{'}'}), `,"result":`...)
	return append(append(line, e.Result.Raw...), '}')
}

func newAuditShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "All of one entry",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := a.auditFolder()
			if err != nil {
				return err
			}
			entry, ok, errs := folder.Find(args[0])
			if !ok {
				err := a.reportReading(nil, errs)
				if err == nil {
					err = &broker.Problem{Msg: fmt.Sprintf("no entry has the ID %q", args[0]), Hints: []string{"mcpauth audit list"}, Code: broker.ExitError}
				}
				return err
			}
			if a.json {
				a.fact("%s", entryJSON(entry))
				return nil
			}
			a.printEntry(entry)
			return nil
		},
	}
}

func (a *app) printEntry(e broker.AuditEntry) {
	r := e.Record
	row := func(label string, parts ...string) {
		if text := strings.Join(parts, " "); strings.TrimSpace(text) != "" {
			a.fact("  %-10s %s", label, cell(strings.TrimSpace(text), 600))
		}
	}
	a.fact("%s: %s", r.Time.Local().Format("2006-01-02 15:04:05.000"), cell(what(r), 600))
	row("Event", r.Event, r.Method)
	row("User", r.Email, r.Sub)
	row("Profile", r.Profile)
	row("Client", r.Client, r.ClientVersion)
	row("Server", r.Server)
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
		row("Outcome", result.Status, code(result.Code))
		row("Answer", fmt.Sprintf("%d bytes", result.Bytes))
		row("Took", duration(time.Duration(result.Micros)*time.Microsecond))
	}
	row("Record", fmt.Sprintf("%d of %s, process %d", r.Seq, e.File, r.PID))
	row("Hash", r.Hash)
}

func code(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("(code %d)", n)
}

func newAuditVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check that the record is as it was written",
		Long: "Checks each record's hash, that it follows the one before it, and that no file ends\n" +
			"too early or is gone. Names each flaw by file and line, and exits with 1 if there is\n" +
			"one. It cannot find what somebody with your rights has made anew as a whole.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			verdict, err := b.VerifyAudit()
			if err != nil {
				return err
			}
			a.reportVerdict(verdict)
			if len(verdict.Findings) > 0 {
				a.exit = broker.ExitError
			}
			return nil
		},
	}
}

func (a *app) reportVerdict(v broker.AuditVerdict) {
	if a.json {
		list := func(findings []broker.AuditFinding) []map[string]any {
			objects := []map[string]any{}
			for _, f := range findings {
				objects = append(objects, map[string]any{"file": f.File, "line": f.Line, "problem": f.Problem})
			}
			return objects
		}
		a.printJSON(map[string]any{
			"intact": len(v.Findings) == 0, "files": v.Files, "records": v.Records,
			"findings": list(v.Findings), "notes": list(v.Notes),
		})
		return
	}
	for _, f := range v.Findings {
		a.fact("! %s", cell(f.String(), 600))
	}
	for _, f := range v.Notes {
		a.say("  %s", cell(f.String(), 600))
	}
	if len(v.Findings) == 0 {
		a.fact("✓ %s in %s: as they were written", countOf(int(v.Records), "record"), countOf(v.Files, "file"))
		return
	}
	a.fact("! %s in %s; good: %s", countOf(len(v.Findings), "flaw"), countOf(v.Files, "file"), countOf(int(v.Records), "record"))
}
