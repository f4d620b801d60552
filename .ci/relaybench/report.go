package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"time"
)

// print writes a table in Markdown.
func (t table) print(w io.Writer, o options) {
	fmt.Fprintf(w, "## %s\n\n%s\n\n", t.title(), t.how(o))
	head, rule := "| |", "|---|"
	for _, target := range t.targets {
		head, rule = head+" "+target.name+" |", rule+"---|"
	}
	for _, target := range t.targets[baseline+1:] {
		head, rule = head+" "+target.name+" / pipe |", rule+"---|"
	}
	fmt.Fprintf(w, "%s goal | |\n%s---|---|\n", head, rule)
	for i, m := range metrics {
		row := []string{m.words}
		for target := range t.targets {
			row = append(row, t.figures(target, i).String())
		}
		for target := range t.targets[baseline+1:] {
			row = append(row, "**×"+t.ratios(baseline+1+target, i).String()+"**")
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(append(row, m.goal.String(), t.verdict(i, o)), " | "))
	}
	for i, target := range t.targets {
		f := t.faults[i]
		fmt.Fprintf(w, "\n%s: %d lost, %d reordered, %d altered", target.name, f.Lost, f.Reordered, f.Altered)
	}
	for _, shortfall := range t.shortfalls {
		fmt.Fprintf(w, "\n%s", shortfall)
	}
	if t.correct() {
		fmt.Fprint(w, "\nEvery call through mcpauth carried the user and is on record.")
	}
	fmt.Fprint(w, "\n\n")
}

func (t table) title() string {
	if t.cpus == everywhere {
		return fmt.Sprintf("On all %d CPUs", runtime.NumCPU())
	}
	return "On one CPU"
}

func (t table) how(o options) string {
	text := fmt.Sprintf("%s, %s %s/%s, %d rounds of %d sequential calls; median [lowest..highest] over rounds",
		time.Now().UTC().Format("2006-01-02"), runtime.Version(), runtime.GOOS, runtime.GOARCH, len(t.rounds), o.calls)
	switch {
	case t.disturbed:
		text += ". **Other processes were busy in every round: the figures are no evidence.**"
	case t.discarded > 0:
		text += fmt.Sprintf("; %d more rounds discarded, as other processes were busy", t.discarded)
	}
	if o.profile != "" {
		text += ". **With a profiler: the figures are no evidence.**"
	}
	if !canPin {
		text += ". Not measured on this system: one CPU, foreign load, memory, CPU time"
	}
	return text + ". mcpauth and mcpauth-proxy are all of their programs, built as for a release, signed in, with policy, audit and user context; " +
		"only the keychain is a folder. RSS is the sum over its own processes."
}

func (g goal) String() string {
	switch {
	case g.bound == 0:
		return ""
	case g.atLeast:
		return fmt.Sprintf("≥ %g", g.bound)
	case g.absolute:
		return fmt.Sprintf("≤ %g MB", g.bound)
	}
	return fmt.Sprintf("≤ %g", g.bound)
}

// verdict judges on one CPU only: on more, the scheduler's choice of a CPU
// weighs more than the relay.
func (t table) verdict(i int, o options) string {
	g := metrics[i].goal
	switch figure := t.figures(baseline+1, i).Median; {
	case g.bound == 0 || o.quick || math.IsNaN(figure) || t.cpus == everywhere && !g.absolute:
		return ""
	case g.met(figure, t.ratios(baseline+1, i).Median):
		return "met"
	}
	return "**not met**"
}

func (s spread) String() string {
	if math.IsNaN(s.Median) || math.IsInf(s.Median, 0) {
		return "–"
	}
	return fmt.Sprintf("%s [%s..%s]", short(s.Median), short(s.Min), short(s.Max))
}

// short writes three digits that count.
func short(figure float64) string {
	switch size := math.Abs(figure); {
	case size >= 99.95 || size == 0:
		return fmt.Sprintf("%.0f", figure)
	case size >= 9.995:
		return fmt.Sprintf("%.1f", figure)
	}
	return fmt.Sprintf("%.2f", figure)
}

// printJSON writes all tables with the figures of every round.
func printJSON(w io.Writer, o options, tables []table) error {
	report := map[string]any{
		"schema": 1, "time": time.Now().UTC().Format(time.RFC3339), "go": runtime.Version(),
		"system": runtime.GOOS + "/" + runtime.GOARCH, "cpus": runtime.NumCPU(), "calls": o.calls, "quick": o.quick,
	}
	var places []map[string]any
	for _, t := range tables {
		places = append(places, t.object(o))
	}
	report["tables"] = places
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

func (t table) object(o options) map[string]any {
	targets := map[string]any{}
	for i, target := range t.targets {
		figures := map[string]any{}
		for k, m := range metrics {
			figures[m.key] = t.metricObject(i, k, m)
		}
		targets[target.name] = map[string]any{"faults": t.faults[i], "metrics": figures}
	}
	return map[string]any{
		"pinned_to": t.cpus, "rounds": len(t.rounds), "discarded": t.discarded, "disturbed": t.disturbed,
		"targets": targets, "shortfalls": append([]string{}, t.shortfalls...), "correct": t.correct(),
		"goals_met": t.goalsMet(),
	}
}

func (t table) metricObject(target, i int, m metric) map[string]any {
	rounds := []any{}
	for _, round := range t.rounds {
		rounds = append(rounds, number(round[target][i]))
	}
	object := map[string]any{"rounds": rounds}
	if ratio := t.ratios(target, i); number(ratio.Median) != nil {
		object["ratio_to_pipe"] = ratio
	}
	if m.goal.bound != 0 {
		object["goal"] = m.goal.String()
	}
	return object
}

// number is nil where JSON has no spelling for it.
func number(figure float64) any {
	if math.IsNaN(figure) || math.IsInf(figure, 0) {
		return nil
	}
	return figure
}
