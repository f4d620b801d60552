package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

//go:generate env UPDATE_DOCS=1 go test -run TestErrorsPage .

func newDoctor(a *app) *cobra.Command {
	var (
		report  bool
		explain string
	)
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what does not work, and what mends it",
		Long: "Examines the configuration, the keychain, the provider and this machine's clock, the\n" +
			"sign-in, the server behind the profile, the files, the record and the disk. Each\n" +
			"finding has a code that docs/errors.md explains, and the command that mends it.\n" +
			"Works without a configuration and without a network. The server is started once, as\n" +
			"an AI client would start it.\n\n" +
			"With --report it prints a text to share: no tokens, no secrets, no e-mail addresses,\n" +
			"no values of variables, the home folder as ~. The issuer and the client_id stay in\n" +
			"it. Exits with 8 when there are problems.",
		Example: "  mcpauth doctor\n" +
			"  mcpauth doctor --report >report.md\n" +
			"  mcpauth doctor --explain MA311",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if explain != "" {
				return a.explain(explain)
			}
			return a.doctor(c.Context(), report)
		},
	}
	c.Flags().StringVar(&explain, "explain", "", "say what the code of a finding means, and examine nothing")
	must(c.RegisterFlagCompletionFunc("explain", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var codes []cobra.Completion
		for _, kind := range broker.FindingKinds() {
			codes = append(codes, cobra.CompletionWithDesc(kind.Code, kind.Title))
		}
		return codes, cobra.ShellCompDirectiveNoFileComp
	}))
	c.Flags().BoolVar(&report, "report", false, "print a report that is safe to share")
	return c
}

func (a *app) doctor(ctx context.Context, report bool) error {
	b, err := a.broker(keychainPatienceDoctor)
	if err != nil {
		return err
	}
	o := broker.DoctorOptions{Overrides: a.overrides(), Environ: a.deps.Environ, Version: build().Version}
	o.Executable, _ = a.deps.Executable() // empty when it is not known
	if !a.json {
		a.say("Looking at everything once; this may take some seconds (ctrl+c to stop)")
	}
	d, err := b.Doctor(ctx, o)
	if err != nil {
		return err
	}
	if d.Count(broker.Bad) > 0 {
		a.exit = broker.ExitDoctor
	}
	switch {
	case report:
		home, err := broker.Home()
		if err != nil {
			return err
		}
		a.printReport(d.Report(o, home))
	case a.json:
		a.printJSON(map[string]any{
			"profile": d.Profile, "problems": d.Count(broker.Bad), "notes": d.Count(broker.Note), "findings": d.Findings,
		})
	default:
		a.printDiagnosis(d)
	}
	return nil
}

// marks stand before findings.
var marks = map[broker.Severity]string{broker.Fine: "✓", broker.Note: "-", broker.Bad: "✗"}

func (a *app) printDiagnosis(d broker.Diagnosis) {
	for _, f := range d.Findings {
		a.fact("%s %s  %s", marks[f.Severity], f.Code, printable(f.What))
		if f.Severity == broker.Fine {
			continue
		}
		if f.Cause != "" {
			a.fact("           %s", printable(f.Cause))
		}
		for _, cure := range f.Cure {
			a.fact("           → %s", printable(cure))
		}
	}
	a.fact("")
	a.fact("%s", summary(d))
}

func summary(d broker.Diagnosis) string {
	problems, notes := d.Count(broker.Bad), d.Count(broker.Note)
	switch {
	case problems > 0:
		return "✗ " + plural(problems, "problem") + ", " + plural(notes, "note")
	case notes > 0:
		return "✓ No problems, " + plural(notes, "note")
	}
	return "✓ No problems"
}

// printReport prints Markdown that an issue shows as it is.
func (a *app) printReport(r broker.Report) {
	if a.json {
		a.printJSON(map[string]any{
			"version": r.Version, "os": r.OS, "arch": r.Arch, "go": r.Go, "profile": r.Profile, "variables": r.Variables, "findings": r.Findings,
		})
		return
	}
	a.fact("### mcpauth doctor\n")
	a.fact("* mcpauth %s, %s/%s, %s", r.Version, r.OS, r.Arch, r.Go)
	a.fact("* variables that are set: %s\n", orDash(strings.Join(r.Variables, " ")))
	a.fact("```text")
	for _, name := range slices.Sorted(maps.Keys(r.Profile)) {
		a.fact("%-16s %s", name, printable(r.Profile[name]))
	}
	for _, f := range r.Findings {
		a.fact("%-7s %s %s", f.Severity, f.Code, printable(f.What))
		if f.Cause != "" {
			a.fact("        %s", printable(f.Cause))
		}
	}
	a.fact("```")
	a.say("This text is made to be shared. Read it once before you do.")
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// explain says what the table knows of a code.
func (a *app) explain(code string) error {
	for _, kind := range broker.FindingKinds() {
		if !strings.EqualFold(kind.Code, code) {
			continue
		}
		if a.json {
			a.printJSON(map[string]any{
				"code": kind.Code, "severity": kind.Severity, "area": broker.Area(kind.Code), "title": kind.Title, "why": kind.Why,
				"cure": append([]string{}, kind.Cure...),
			})
			return nil
		}
		a.fact("%s (%s, %s): %s", kind.Code, broker.Area(kind.Code), kind.Severity, kind.Title)
		if kind.Why != "" {
			a.fact("  %s", kind.Why)
		}
		for _, cure := range kind.Cure {
			a.fact("  → %s", cure)
		}
		return nil
	}
	return usage(fmt.Sprintf("there is no finding %q", code), "mcpauth doctor")
}
