package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/doctor"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

//go:generate env UPDATE_DOCS=1 go test -run TestErrorsPage .

func newDoctor(a *console.App) *cobra.Command {
	var (
		report  bool
		explain string
	)
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find what does not work and how to fix it",
		Long: "Examines the configuration, the keychain, the provider and this machine's clock, the\n" +
			"sign-in, the server behind the profile, the files, the audit log and the disk. Each\n" +
			"finding has a code that docs/errors.md explains, and the command that fixes it.\n" +
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
				return explainFinding(a, explain)
			}
			return runDoctor(c.Context(), a, report)
		},
	}
	c.Flags().StringVar(&explain, "explain", "", "say what the code of a finding means, and examine nothing")
	console.Must(c.RegisterFlagCompletionFunc("explain", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var codes []cobra.Completion
		for _, kind := range doctor.Kinds() {
			codes = append(codes, cobra.CompletionWithDesc(kind.Code, kind.Title))
		}
		return codes, cobra.ShellCompDirectiveNoFileComp
	}))
	c.Flags().BoolVar(&report, "report", false, "print a report that is safe to share")
	return c
}

func runDoctor(ctx context.Context, a *console.App, report bool) error {
	b, err := a.Broker(console.PatienceDoctor)
	if err != nil {
		return err
	}
	o := doctor.Options{Overrides: a.Overrides(), Environ: a.Deps.Environ, Version: console.Build().Version}
	o.Executable, _ = a.Deps.Executable() // empty when it is not known
	if !a.JSON {
		a.Say("Looking at everything once; this may take some seconds (ctrl+c to stop)")
	}
	d, err := b.Doctor(ctx, o)
	if err != nil {
		return err
	}
	if d.Count(doctor.Bad) > 0 {
		a.Exit = problem.ExitDoctor
	}
	switch {
	case report:
		home, err := config.Home()
		if err != nil {
			return err
		}
		printReport(a, d.Report(o, home))
	case a.JSON:
		a.PrintJSON(map[string]any{
			"profile": d.Profile, "problems": d.Count(doctor.Bad), "notes": d.Count(doctor.Note), "findings": d.Findings,
		})
	default:
		printDiagnosis(a, d)
	}
	return nil
}

// marks stand before findings.
var marks = map[doctor.Severity]string{doctor.Fine: "✓", doctor.Note: "-", doctor.Bad: "✗"}

func printDiagnosis(a *console.App, d doctor.Diagnosis) {
	for _, f := range d.Findings {
		a.Fact(marks[f.Severity]+" %s  %s", a.Name(f.Code), console.Printable(f.What))
		if f.Severity == doctor.Fine {
			continue
		}
		if f.Cause != "" {
			a.Fact("           %s", console.Printable(f.Cause))
		}
		for _, hint := range f.Hints {
			a.Fact("           → %s", console.Printable(hint))
		}
	}
	a.Fact("")
	mark, words := summary(d)
	a.Fact(mark+" %s", words)
}

func summary(d doctor.Diagnosis) (mark, words string) {
	problems, notes := d.Count(doctor.Bad), d.Count(doctor.Note)
	switch {
	case problems > 0:
		return marks[doctor.Bad], text.Count(problems, "problem") + ", " + text.Count(notes, "note")
	case notes > 0:
		return marks[doctor.Fine], "No problems, " + text.Count(notes, "note")
	}
	return marks[doctor.Fine], "No problems"
}

// printReport prints Markdown that an issue shows as it is.
func printReport(a *console.App, r doctor.Report) {
	if a.JSON {
		a.PrintJSON(map[string]any{
			"version": r.Version, "os": r.OS, "arch": r.Arch, "go": r.Go, "profile": r.Profile, "variables": r.Variables, "findings": r.Findings,
		})
		return
	}
	a.Fact("### mcpauth doctor\n")
	a.Fact("* mcpauth %s, %s/%s, %s", r.Version, r.OS, r.Arch, r.Go)
	a.Fact("* variables that are set: %s\n", console.OrDash(strings.Join(r.Variables, " ")))
	a.Fact("```text")
	for _, name := range slices.Sorted(maps.Keys(r.Profile)) {
		a.Fact("%-16s %s", name, console.Printable(r.Profile[name]))
	}
	for _, f := range r.Findings {
		a.Fact("%-7s %s %s", f.Severity, f.Code, console.Printable(f.What))
		if f.Cause != "" {
			a.Fact("        %s", console.Printable(f.Cause))
		}
	}
	a.Fact("```")
	a.Say("This text is made to be shared. Read it once before you do.")
}

// explain says what the table knows of a code.
func explainFinding(a *console.App, code string) error {
	for _, kind := range doctor.Kinds() {
		if !strings.EqualFold(kind.Code, code) {
			continue
		}
		if a.JSON {
			a.PrintJSON(map[string]any{
				"code": kind.Code, "severity": kind.Severity, "area": doctor.Area(kind.Code), "title": kind.Title, "why": kind.Why,
				"hints": append([]string{}, kind.Hints...),
			})
			return nil
		}
		a.Fact("%s (%s, %s): %s", kind.Code, doctor.Area(kind.Code), kind.Severity, kind.Title)
		if kind.Why != "" {
			a.Fact("  %s", kind.Why)
		}
		for _, hint := range kind.Hints {
			a.Fact("  → %s", hint)
		}
		return nil
	}
	return console.Usage(fmt.Sprintf("there is no finding %q", code), "mcpauth doctor")
}
